package replication

import (
	"slices"

	"github.com/rashomon-go/rashomon/sim"
)

// Messages of repair (van Renesse & Schneider 2004, "Coping with
// Server Failures" and "Extending a Chain").
type (
	// Connect tells the predecessor, in a new configuration, what a node has and
	// what of it is known to be at the tail; and again, until the node has all that
	// the predecessor had when it answered first.
	Connect struct{ Number, Last, Acked uint64 }
	// Connected answers with the end of the predecessor's log. What was committed
	// in earlier configurations is before that.
	Connected struct{ Number, Last uint64 }
	// CatchUp asks the tail what a node lacks that is not in the chain. Only the
	// tail may tell: all that it has is committed.
	CatchUp struct {
		Number, Ask uint64
		Runs        []Position // of its log: where each configuration's updates end
	}
	// Missing answers: the logs have Common updates in common, Entries come next,
	// and the tail's log ends at Last.
	Missing struct {
		Number, Ask, Common, Last uint64
		Entries                   []Entry
	}
)

// transfer bounds how many updates one Missing carries.
const transfer = 64

// repair is what a node knows of its neighbours in the present configuration.
type repair struct {
	linked bool   // the predecessor has answered
	floor  uint64 // and had so much then
	told   uint64 // the predecessor was last told that the node has so much

	wanted    bool   // the successor waits for an answer
	connected bool   // it has had one, or may have had
	has       uint64 // the successor has everything up to here
}

// behind says whether the node waits for its predecessor: to be connected, or for
// what the predecessor had then.
func (n *ChainNode) behind() bool {
	return n.place > 0 && (!n.repair.linked || n.log.last() < n.repair.floor)
}

// askPredecessor asks to be connected, and for what is lacking, again and again
// until the node has it. The predecessor can't learn from the tail how far the node
// has come: before that, nothing goes on from here, and nothing is acknowledged.
func (n *ChainNode) askPredecessor(env *sim.Env) {
	if n.behind() {
		n.repair.told = n.log.last()
		env.Send(n.predecessor(), Connect{n.chain.Number, n.log.last(), n.acked})
	}
}

// askForMore asks as soon as a burst is complete.
func (n *ChainNode) askForMore(env *sim.Env) {
	if n.log.last() >= n.repair.told+burst {
		n.askPredecessor(env)
	}
}

// connect comes from the successor.
func (n *ChainNode) connect(env *sim.Env, m Connect) {
	if !n.Rules.Current(n, m.Number) || n.place == outside || n.isTail() {
		return
	}
	n.repair.wanted = true
	n.repair.has = max(n.repair.has, m.Last)
	n.completed(env)
	if m.Acked > n.acked {
		n.learn(env, m.Acked)
	}
	n.resendMore(env)
}

// completed answers the successor, as soon as the node has everything that its own
// predecessor had. A successor that is new gets the part of the list Sent that it
// lacks.
func (n *ChainNode) completed(env *sim.Env) {
	r := &n.repair
	n.becomeWhole(env)
	if !r.wanted || !n.Rules.Complete(n) {
		return
	}
	r.wanted = false
	last := n.log.last()
	env.Send(n.successor(), Connected{n.chain.Number, last})
	if r.connected {
		return
	}
	r.connected = true
	from := n.Rules.Resend(n, r.has)
	to := min(from+burst-1, last)
	n.passAll(env, from, to)
	if n.overdue.ticked = max(n.overdue.ticked, last); to < last {
		n.resent = to
	}
	n.arm(env)
}

// link comes from the predecessor.
func (n *ChainNode) link(env *sim.Env, m Connected) {
	if !n.Rules.Current(n, m.Number) || n.place <= 0 || n.repair.linked {
		return
	}
	n.repair.linked, n.repair.floor = true, m.Last
	n.completed(env)
}

// askForMissing asks the tail what a node outside lacks. It asks again under the
// same number until it has taken an answer; further answers to that are old then.
func (n *ChainNode) askForMissing(env *sim.Env) {
	if n.place != outside || n.fenced() || n.caughtUp || len(n.chain.Members) == 0 {
		return
	}
	env.Send(n.chain.Members[len(n.chain.Members)-1], CatchUp{n.chain.Number, n.ask, slices.Clone(n.log.runs)})
}

// catchUp is answered by the tail when it has everything itself.
func (n *ChainNode) catchUp(env *sim.Env, from sim.Addr, m CatchUp) {
	if !n.Rules.Current(n, m.Number) || !n.isTail() || !n.Rules.Complete(n) {
		return
	}
	common := n.log.common(m.Runs)
	reply := Missing{Number: m.Number, Ask: m.Ask, Common: common, Last: n.log.last()}
	for seq := common + 1; seq <= min(common+transfer, n.log.last()); seq++ {
		reply.Entries = append(reply.Entries, n.log.at(seq).Entry)
	}
	env.Reply(from, reply)
}

// missing takes what the tail sends. Updates that it does not have, a removed
// head may have ordered and nobody else received: they are taken back. (They may
// also be on their way along the chain; then they come again.)
func (n *ChainNode) missing(env *sim.Env, m Missing) {
	if !n.Rules.Current(n, m.Number) || n.place != outside || n.caughtUp || m.Ask != n.ask {
		return
	}
	n.ask++
	if keep := n.Rules.Keep(n, m.Common); keep < n.log.last() {
		n.stats.Truncated += n.log.last() - keep
		env.Count(ReachedRollback)
		n.log.truncate(env, keep)
		access(env, n.replay())
	}
	for _, e := range m.Entries {
		if e.Seq == n.log.last()+1 {
			n.log.append(env, e)
			access(env, n.cfg.Store.latency(n.applyNext().Write.Kind))
		}
	}
	if len(m.Entries) > 0 {
		env.Count(ReachedTransfer)
	}
	env.Sync()
	n.acked = n.log.last()
	n.settleAll()
	if n.caughtUp = n.log.last() >= m.Last; n.caughtUp {
		n.report(env)
	} else {
		n.askForMissing(env)
	}
}
