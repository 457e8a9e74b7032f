package replication

import (
	"fmt"
	"time"

	"github.com/rashomon-go/rashomon/sim"
)

// ChainReplicationStats counts what a node of a chain did since it booted.
type ChainReplicationStats struct {
	WritesReceived       uint64 // at the head, retries included
	PropagationsSent     uint64 // retransmissions included
	PropagationsReceived uint64 // duplicates included
	AcksSent             uint64
	ReadsServed          uint64
	ReadsRefused         uint64
	DirtyReads           uint64 // reads for which the tail had to be asked
	Configurations       uint64 // accepted
	Truncated            uint64 // updates taken back
	Evictions            uint64 // keys that its store has lost
}

// ChainNode is a node of a chain (van Renesse & Schneider, OSDI 2004, section
// 3). A node applies every update in sequence as it receives it, so that each
// node's updates are a prefix of its predecessor's (the update propagation
// invariant); what the tail has is committed. The entries after acked are the
// paper's list Sent.
type ChainNode struct {
	// Rules are the decisions that the node takes. Planted bugs replace some.
	Rules ChainRules

	cfg      *ChainConfig
	self     sim.NodeID
	chain    Configuration // the latest that the node knows
	place    int           // in it, or outside
	log      sequence
	store    KVStore
	applied  uint64
	recovery time.Duration // what it takes to fill the store from the disk
	acked    uint64        // the tail is known to have everything up to here
	overdue  overdue
	resent   uint64 // when the successor is known to have this, the next burst is due; or 0
	stats    ChainReplicationStats
	craq     craq

	group    membership // under a master
	repair   repair
	whole    uint64 // the latest configuration in which it had everything; on disk
	caughtUp bool   // not in the chain, but has what it had committed
	ask      uint64 // number of the present CatchUp
}

// outside is the place of a node that is not in the chain.
const outside = -1

// NewChainNode builds the node at a place of the chain (0 is the head) from its
// disk. It panics if cfg is not valid or has no such place.
func NewChainNode(cfg *ChainConfig, index int, disk *sim.Disk) *ChainNode {
	must(cfg.Validate())
	if index < 0 || index >= len(cfg.Members) {
		panic(fmt.Sprintf("chain: no place %d in a chain of %d", index, len(cfg.Members)))
	}
	n := &ChainNode{cfg: cfg, self: cfg.Members[index], place: outside, Rules: chainRules}
	if cfg.Failover == nil {
		n.chain, n.place = Configuration{Number: 1, Members: cfg.Members}, index
		n.repair.linked, n.repair.connected = true, true
	}
	if cfg.Failover != nil {
		n.group = newMembership(*cfg.Failover, nil, disk)
		n.recoverWhole(disk)
	}
	n.log.recover(disk)
	n.recovery = n.replay()
	return n
}

// replay applies the log to an empty store, and returns how long that takes.
func (n *ChainNode) replay() (took time.Duration) {
	n.store, n.craq.versions, n.craq.evicted, n.applied = emptyStore(n.cfg.Store), nil, nil, 0
	for n.applied < n.log.last() {
		took += n.cfg.Store.latency(n.applyNext().Write.Kind)
	}
	return took
}

// Role returns the node's place in the chain.
func (n *ChainNode) Role() ChainNodeRole {
	switch n.place {
	case outside:
		return RoleOutside
	case 0:
		return RoleHead
	case len(n.chain.Members) - 1:
		return RoleTail
	}
	return RoleMiddle
}

func (n *ChainNode) isHead() bool { return n.place == 0 }
func (n *ChainNode) isTail() bool { return n.place >= 0 && n.place == len(n.chain.Members)-1 }

func (n *ChainNode) predecessor() sim.NodeID { return n.chain.Members[n.place-1] }
func (n *ChainNode) successor() sim.NodeID   { return n.chain.Members[n.place+1] }

// Stats returns a copy of the counters.
func (n *ChainNode) Stats() ChainReplicationStats {
	s := n.stats
	s.Evictions = n.store.Evictions()
	return s
}

// Store returns the node's state, with updates that are not yet committed.
func (n *ChainNode) Store() *KVStore { return &n.store }

// LastSeq returns the last update that the node has received in sequence.
func (n *ChainNode) LastSeq() uint64 { return n.log.last() }

// Acked returns the last update that the node knows to be at the tail.
func (n *ChainNode) Acked() uint64 { return n.acked }

// Configuration returns the latest configuration that the node knows.
func (n *ChainNode) Configuration() Configuration { return n.chain }

// State implements sim.Observable.
func (n *ChainNode) State() []sim.Variable {
	state := append(n.store.state(), number("log", n.log.last()), number("acked", n.acked))
	state = pending(state, n.log.last()-n.acked)
	for _, key := range n.DirtyKeys() {
		state = append(state, sim.Variable{Name: "dirty", Value: key})
	}
	if n.cfg.Failover != nil {
		state = append(state, number("configuration", n.chain.Number), sim.Variable{Name: "role", Value: n.Role().String()}, n.group.leaseState())
	}
	return state
}

// Start takes up again what the log held when the node booted: the tail has
// committed it, the others don't know whether the tail has it.
func (n *ChainNode) Start(env *sim.Env) {
	access(env, n.recovery)
	// Answers to what an earlier incarnation asked may be on their way.
	n.craq.queries, n.ask = uint64(env.Now()), uint64(env.Now())
	if n.cfg.Failover != nil {
		n.enter(env)
		return
	}
	if n.isTail() {
		n.acked = n.log.last()
	}
	n.settleAll()
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
	case VersionQuery:
		n.versionQuery(env, from, m)
	case VersionReply:
		n.versionReply(env, m)
	case Connect:
		n.connect(env, m)
	case Connected:
		n.link(env, m)
	case CatchUp:
		n.catchUp(env, from, m)
	case Missing:
		n.missing(env, m)
	case HeartbeatAck:
		n.hear(env, m)
	case retransmit:
		n.retransmit(env)
	case waited:
		n.waited(env, m)
	case heartbeatTick:
		n.beat(env)
	default:
		panic(fmt.Sprintf("chain: unexpected message %T", m))
	}
}

// write is the paper's update request, at the head. The tail answers; only who
// asks again is answered by the head, because the tail knows the first address.
func (n *ChainNode) write(env *sim.Env, from sim.Addr, m Write) {
	if n.fenced() {
		n.refuseStale(env, from)
		return
	}
	if !n.isHead() {
		n.redirect(env, from, 0)
		return
	}
	n.stats.WritesReceived++
	switch s, straggler := n.log.find(m.Request); {
	case straggler:
		env.Count(ReachedStraggler)
	case s == nil:
		n.log.append(env, Entry{Seq: n.log.last() + 1, Number: n.chain.Number, Write: m, Client: from})
		n.process(env)
	case s.Seq <= n.acked:
		env.Count(ReachedRetry)
		env.Reply(from, s.result)
	default:
		env.Count(ReachedRetry)
		s.waits = from
	}
}

// refuseStale refuses who asks a node that has left its configuration, if it was in
// one.
func (n *ChainNode) refuseStale(env *sim.Env, from sim.Addr) {
	if n.chain.Number > 0 {
		env.Count(ReachedStaleClient)
	}
	refuse(env, from)
}

// redirect names another node of the chain, by its place.
func (n *ChainNode) redirect(env *sim.Env, from sim.Addr, place int) {
	if len(n.chain.Members) == 0 {
		refuse(env, from)
		return
	}
	redirect(env, from, n.chain.Members[place])
}

// propagate takes an update from the predecessor.
func (n *ChainNode) propagate(env *sim.Env, m Propagate) {
	if !n.Rules.Current(n, m.Number) || n.place == outside {
		env.Count(ReachedOldMessage)
		return
	}
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
		access(env, n.cfg.Store.latency(s.Write.Kind))
		if !n.isTail() {
			n.pass(env, s.Entry)
		}
	}
	n.completed(env)
	n.askForMore(env)
	if n.isTail() {
		n.commit(env)
	}
	n.arm(env)
}

func (n *ChainNode) applyNext() *slot {
	n.applied++
	s := n.log.at(n.applied)
	var evicted *string
	s.result, evicted = n.store.apply(s.Write)
	if n.cfg.CRAQ {
		n.remember(s)
		n.rememberEviction(s.Seq, evicted)
	}
	return s
}

// pass sends an update on. A successor that has not connected in this
// configuration gets it when it does.
func (n *ChainNode) pass(env *sim.Env, e Entry) {
	if n.repair.connected {
		n.stats.PropagationsSent++
		env.Send(n.successor(), Propagate{n.chain.Number, e})
	}
}

// commit is what the tail does with updates that it has applied.
func (n *ChainNode) commit(env *sim.Env) {
	for n.acked < n.log.last() {
		n.acked++
		s := n.log.at(n.acked)
		n.settle(s)
		env.Reply(s.Client, s.result)
		if s.waits != nobody && s.waits != s.Client {
			env.Reply(s.waits, s.result)
		}
	}
	n.acknowledge(env)
}

func (n *ChainNode) acknowledge(env *sim.Env) {
	if n.place > 0 {
		n.stats.AcksSent++
		env.Send(n.predecessor(), WriteAck{n.chain.Number, n.acked})
	}
}

// ack takes updates off the list Sent and passes the acknowledgement on; the head
// answers those who asked again.
func (n *ChainNode) ack(env *sim.Env, m WriteAck) {
	if !n.Rules.Current(n, m.Number) || n.place == outside || n.isTail() {
		return
	}
	n.repair.has = max(n.repair.has, m.Seq)
	if m.Seq > n.acked {
		n.learn(env, m.Seq)
	}
	n.resendMore(env)
}

// learn takes in that the tail has everything up to seq. Two nodes that are new at
// the end of the chain may have caught up to different points; then the first does
// not yet have all that the second acknowledges.
func (n *ChainNode) learn(env *sim.Env, seq uint64) {
	if !n.Rules.Complete(n) {
		seq = min(seq, n.log.last())
	}
	if seq > n.log.last() {
		panic(fmt.Sprintf("chain: acknowledgement of update %d, but the log of node %d ends at %d", seq, n.self, n.log.last()))
	}
	for n.acked < seq {
		n.acked++
		s := n.log.at(n.acked)
		n.settle(s)
		if s.waits != nobody {
			env.Reply(s.waits, s.result)
		}
	}
	n.acknowledge(env)
}

// read is the paper's query.
func (n *ChainNode) read(env *sim.Env, from sim.Addr, m Read) {
	switch {
	case n.fenced():
		n.stats.ReadsRefused++
		n.refuseStale(env, from)
	case n.cfg.ReadAnywhere && n.place != outside:
		n.answer(env, from, n.store.Get(m.Key))
	case n.place == outside, !n.isTail() && !n.cfg.CRAQ:
		n.redirect(env, from, max(0, len(n.chain.Members)-1))
	case !n.Rules.Serves(n, env.Now()):
		if n.cfg.Failover != nil && !n.group.leased(env) {
			env.Count(ReachedLeaseEnd)
		}
		n.refuse(env, from)
	case n.cfg.CRAQ:
		n.readVersion(env, from, m.Key)
	default:
		n.answer(env, from, n.store.Get(m.Key))
	}
}

func (n *ChainNode) answer(env *sim.Env, to sim.Addr, value int64) {
	n.stats.ReadsServed++
	access(env, n.cfg.Store.ReadLatency)
	env.Reply(to, Value{value})
}

func (n *ChainNode) refuse(env *sim.Env, to sim.Addr) {
	n.stats.ReadsRefused++
	refuse(env, to)
}

// arm sets the timer while there is something that the successor or the tail is not
// known to have, or the node waits for its predecessor.
func (n *ChainNode) arm(env *sim.Env) {
	sent := n.place != outside && !n.isTail() && min(n.repair.has, n.acked) < n.log.last()
	if (sent || n.behind()) && n.overdue.arm(n.log.last()) {
		env.After(orDefault(n.cfg.Retransmit), retransmit{})
	}
}

// retransmit sends again what was sent before the timer was set and has not been
// acknowledged since.
func (n *ChainNode) retransmit(env *sim.Env) {
	n.overdue.armed = false
	n.askPredecessor(env)
	n.resend(env)
	n.arm(env)
}

// resend sends what the successor may lack. What it has and the tail perhaps has not
// is its own affair; but the acknowledgement may have been lost, and is sent again
// upon the first such update.
func (n *ChainNode) resend(env *sim.Env) {
	if n.place == outside || n.isTail() {
		return
	}
	n.passAll(env, n.acked+1, min(n.acked+1, n.repair.has, n.log.last()))
	end, more := n.overdue.span(n.repair.has)
	n.resent = more
	if end > n.repair.has {
		env.Count(ReachedResend)
	}
	n.passAll(env, n.repair.has+1, min(end, n.log.last()))
}

// resendMore goes on with the next burst once the successor has the last one.
func (n *ChainNode) resendMore(env *sim.Env) {
	if n.resent != 0 && n.repair.has >= n.resent {
		n.resend(env)
	}
}

func (n *ChainNode) passAll(env *sim.Env, from, to uint64) {
	for seq := from; seq <= to; seq++ {
		n.pass(env, n.log.at(seq).Entry)
	}
}
