package replication

import (
	"fmt"
	"slices"
	"time"

	"github.com/rashomon-go/rashomon/sim"
)

// Messages along the chain.
type (
	// Propagate carries an update from the head towards the tail.
	Propagate struct{ Entry Entry }
	// WriteAck carries back that the tail has every update up to Seq.
	WriteAck struct{ Seq uint64 }
)

// ChainNodeRole is a node's place in the chain.
type ChainNodeRole uint8

const (
	RoleHead   ChainNodeRole = iota // orders updates
	RoleMiddle                      // passes them on
	RoleTail                        // commits them, and answers
)

// String returns head, middle or tail.
func (r ChainNodeRole) String() string {
	switch r {
	case RoleHead:
		return "head"
	case RoleMiddle:
		return "middle"
	case RoleTail:
		return "tail"
	}
	return fmt.Sprintf("role(%d)", uint8(r))
}

// ChainConfig is what all nodes of a chain agree on.
type ChainConfig struct {
	// Members are the nodes from head to tail, at least two.
	Members []sim.NodeID
	// ReadAnywhere lets every node answer reads from its own store, committed or
	// not. Otherwise only the tail does, and the others redirect.
	ReadAnywhere bool
	// Retransmit is how long a node waits for an acknowledgement, on its own
	// clock. Zero means 20 ms.
	Retransmit time.Duration
}

// Validate names the field that makes the configuration impossible.
func (c *ChainConfig) Validate() error {
	if len(c.Members) < 2 {
		return fmt.Errorf("chain: %d Members, expected a head and a tail at least", len(c.Members))
	}
	if c.Retransmit < 0 {
		return fmt.Errorf("chain: Retransmit is %v, expected a duration that is not negative", c.Retransmit)
	}
	return validateMembers("chain", c.Members)
}

func (c *ChainConfig) head() sim.NodeID { return c.Members[0] }
func (c *ChainConfig) tail() sim.NodeID { return c.Members[len(c.Members)-1] }

// ChainReplicationStats counts what a node of a chain did since it booted.
type ChainReplicationStats struct {
	WritesReceived       uint64 // at the head, retries included
	PropagationsSent     uint64 // retransmissions included
	PropagationsReceived uint64 // duplicates included
	AcksSent             uint64
	ReadsServed          uint64
}

// ChainNode is a node of a chain (van Renesse & Schneider, OSDI 2004, section
// 3). A node applies every update in sequence as it receives it, so that each
// node's updates are a prefix of its predecessor's (the update propagation
// invariant); what the tail has is committed. The entries after acked are the
// paper's list Sent.
type ChainNode struct {
	cfg     *ChainConfig
	index   int
	log     sequence
	store   KVStore
	applied uint64
	acked   uint64              // the tail is known to have everything up to here
	ticked  uint64              // end of the log when the timer was last set
	armed   bool                // the timer is set
	retried map[uint64]sim.Addr // at the head: who asked again for an update not yet acknowledged
	stats   ChainReplicationStats
}

// NewChainNode builds the node at a place of the chain (0 is the head) from its
// disk.
func NewChainNode(cfg *ChainConfig, index int, disk *sim.Disk) *ChainNode {
	n := &ChainNode{cfg: cfg, index: index}
	n.log.recover(disk)
	for n.applied < n.log.last() {
		n.applyNext()
	}
	return n
}

// Role returns the node's place in the chain.
func (n *ChainNode) Role() ChainNodeRole {
	switch n.index {
	case 0:
		return RoleHead
	case len(n.cfg.Members) - 1:
		return RoleTail
	}
	return RoleMiddle
}

// Stats returns a copy of the counters.
func (n *ChainNode) Stats() ChainReplicationStats { return n.stats }

// Store returns the node's state, with updates that are not yet committed.
func (n *ChainNode) Store() *KVStore { return &n.store }

// LastSeq returns the last update that the node has received in sequence.
func (n *ChainNode) LastSeq() uint64 { return n.log.last() }

// State implements sim.Observable.
func (n *ChainNode) State() []sim.Variable {
	return append(n.store.state(), number("log", n.log.last()), number("acked", n.acked))
}

// Start takes up again what the log held when the node booted.
func (n *ChainNode) Start(env *sim.Env) {
	if n.Role() == RoleTail {
		n.acked = n.log.last()
	}
	n.arm(env)
}

// Receive implements sim.Node.
func (n *ChainNode) Receive(env *sim.Env, from sim.Addr, m sim.Message) {
	switch m := m.(type) {
	case Propagate:
		n.propagate(env, m)
	case WriteAck:
		n.ack(env, m)
	case Write:
		n.write(env, from, m)
	case Read:
		n.read(env, from, m)
	case retransmit:
		n.retransmit(env)
	default:
		panic(fmt.Sprintf("chain: unexpected message %T", m))
	}
}

// write is the paper's update request, at the head.
func (n *ChainNode) write(env *sim.Env, from sim.Addr, m Write) {
	if n.Role() != RoleHead {
		env.Reply(from, Redirect{n.cfg.head()})
		return
	}
	n.stats.WritesReceived++
	r, found, straggler := n.log.find(m.Request)
	switch {
	case straggler:
	case found && r.seq <= n.acked:
		env.Reply(from, r.result)
	case found:
		if n.retried == nil {
			n.retried = map[uint64]sim.Addr{}
		}
		n.retried[r.seq] = from
	default:
		n.log.append(env, Entry{Seq: n.log.last() + 1, Write: m, Client: from})
		n.process(env)
	}
}

// propagate takes an update from the predecessor.
func (n *ChainNode) propagate(env *sim.Env, m Propagate) {
	n.stats.PropagationsReceived++
	if n.log.receive(env, m.Entry) {
		n.process(env)
	} else if m.Entry.Seq <= n.acked {
		n.acknowledge(env) // the predecessor has missed the acknowledgement
	}
}

// process applies what has been added to the log and passes it on; at the tail,
// that commits it.
func (n *ChainNode) process(env *sim.Env) {
	env.Sync()
	for n.applied < n.log.last() {
		result := n.applyNext()
		e := n.log.at(n.applied)
		if n.Role() == RoleTail {
			env.Reply(e.Client, result)
		} else {
			n.pass(env, *e)
		}
	}
	if n.Role() == RoleTail {
		n.acked = n.applied
		n.acknowledge(env)
	}
	n.arm(env)
}

func (n *ChainNode) applyNext() Written {
	n.applied++
	e := n.log.at(n.applied)
	result := n.store.Apply(e.Write)
	n.log.applied(e, result)
	return result
}

func (n *ChainNode) pass(env *sim.Env, e Entry) {
	n.stats.PropagationsSent++
	env.Send(n.cfg.Members[n.index+1], Propagate{e})
}

func (n *ChainNode) acknowledge(env *sim.Env) {
	n.stats.AcksSent++
	env.Send(n.cfg.Members[n.index-1], WriteAck{n.acked})
}

// ack takes updates off the list Sent and passes the acknowledgement on; the head
// answers those who asked again.
func (n *ChainNode) ack(env *sim.Env, m WriteAck) {
	if m.Seq <= n.acked {
		return
	}
	if m.Seq > n.log.last() {
		panic(fmt.Sprintf("chain: acknowledgement of update %d, but the log of node %d ends at %d", m.Seq, n.index, n.log.last()))
	}
	for seq := n.acked + 1; seq <= m.Seq && len(n.retried) > 0; seq++ {
		if client, waits := n.retried[seq]; waits {
			r, _, _ := n.log.find(n.log.at(seq).Write.Request)
			env.Reply(client, r.result)
			delete(n.retried, seq)
		}
	}
	n.acked = m.Seq
	if n.Role() == RoleMiddle {
		n.acknowledge(env)
	}
}

// read is the paper's query.
func (n *ChainNode) read(env *sim.Env, from sim.Addr, m Read) {
	if n.Role() != RoleTail && !n.cfg.ReadAnywhere {
		env.Reply(from, Redirect{n.cfg.tail()})
		return
	}
	n.stats.ReadsServed++
	env.Reply(from, Value{n.store.Get(m.Key)})
}

// arm sets the timer while the list Sent is not empty.
func (n *ChainNode) arm(env *sim.Env) {
	if !n.armed && n.Role() != RoleTail && n.acked < n.log.last() {
		n.armed, n.ticked = true, n.log.last()
		env.After(orDefault(n.cfg.Retransmit), retransmit{})
	}
}

// retransmit sends again what was sent before the timer was set and has not been
// acknowledged since.
func (n *ChainNode) retransmit(env *sim.Env) {
	n.armed = false
	for seq := n.acked + 1; seq <= min(n.ticked, n.acked+burst); seq++ {
		n.pass(env, *n.log.at(seq))
	}
	n.arm(env)
}

// BuildChain adds the nodes of a chain to a world, from head to tail, and returns
// their numbers. It needs two names at least, all different. cfg.Members is set
// to the new nodes.
func BuildChain(w *sim.World, cfg ChainConfig, names ...string) ([]sim.NodeID, error) {
	first := sim.NodeID(w.Len())
	cfg.Members = nil
	for i, name := range names {
		if slices.Contains(names[:i], name) {
			return nil, fmt.Errorf("chain: two nodes are named %q", name)
		}
		cfg.Members = append(cfg.Members, first+sim.NodeID(i))
	}
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	for i, name := range names {
		w.AddNode(name, func(_ sim.NodeID, disk *sim.Disk) sim.Node { return NewChainNode(&cfg, i, disk) })
	}
	return cfg.Members, nil
}
