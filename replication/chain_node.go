package replication

import (
	"fmt"

	"github.com/rashomon-go/rashomon/sim"
)

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
	acked   uint64 // the tail is known to have everything up to here
	overdue overdue
	resent  uint64 // when this is acknowledged, the next burst is due; or 0
	stats   ChainReplicationStats
}

// NewChainNode builds the node at a place of the chain (0 is the head) from its
// disk. It panics if cfg is not valid or has no such place.
func NewChainNode(cfg *ChainConfig, index int, disk *sim.Disk) *ChainNode {
	must(cfg.Validate())
	if index < 0 || index >= len(cfg.Members) {
		panic(fmt.Sprintf("chain: no place %d in a chain of %d", index, len(cfg.Members)))
	}
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

// Acked returns the last update that the node knows to be at the tail.
func (n *ChainNode) Acked() uint64 { return n.acked }

// State implements sim.Observable.
func (n *ChainNode) State() []sim.Variable {
	return append(n.store.state(), number("log", n.log.last()), number("acked", n.acked))
}

// Start takes up again what the log held when the node booted: the tail has
// committed it, the others don't know whether the tail has it.
func (n *ChainNode) Start(env *sim.Env) {
	if n.Role() == RoleTail {
		n.acked = n.log.last()
	}
	n.arm(env)
	n.resend(env)
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

// write is the paper's update request, at the head. The tail answers; only who
// asks again is answered by the head, because the tail knows the first address.
func (n *ChainNode) write(env *sim.Env, from sim.Addr, m Write) {
	if n.Role() != RoleHead {
		env.Reply(from, Redirect{n.cfg.head()})
		return
	}
	n.stats.WritesReceived++
	switch s, straggler := n.log.find(m.Request); {
	case straggler:
	case s == nil:
		n.log.append(env, Entry{Seq: n.log.last() + 1, Write: m, Client: from})
		n.process(env)
	case s.Seq <= n.acked:
		env.Reply(from, s.result)
	default:
		s.waits = from
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
		s := n.applyNext()
		if n.Role() == RoleTail {
			env.Reply(s.Client, s.result)
		} else {
			n.pass(env, s.Entry)
		}
	}
	if n.Role() == RoleTail {
		n.acked = n.applied
		n.acknowledge(env)
	}
	n.arm(env)
}

func (n *ChainNode) applyNext() *slot {
	n.applied++
	s := n.log.at(n.applied)
	s.result = n.store.Apply(s.Write)
	return s
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
	for n.acked < m.Seq {
		n.acked++
		if s := n.log.at(n.acked); s.waits != nobody {
			env.Reply(s.waits, s.result)
		}
	}
	if n.Role() == RoleMiddle {
		n.acknowledge(env)
	}
	if n.resent != 0 && n.acked >= n.resent {
		n.resend(env)
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
	if n.Role() != RoleTail && n.acked < n.log.last() && n.overdue.arm(n.log.last()) {
		env.After(orDefault(n.cfg.Retransmit), retransmit{})
	}
}

// retransmit sends again what was sent before the timer was set and has not been
// acknowledged since.
func (n *ChainNode) retransmit(env *sim.Env) {
	n.overdue.armed = false
	n.resend(env)
	n.arm(env)
}

func (n *ChainNode) resend(env *sim.Env) {
	end, more := n.overdue.span(n.acked)
	n.resent = more
	for seq := n.acked + 1; seq <= end; seq++ {
		n.pass(env, n.log.at(seq).Entry)
	}
}
