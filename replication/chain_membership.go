package replication

import (
	"slices"

	"github.com/rashomon-go/rashomon/sim"
)

// ChainSuccession is what a chain wants of its next configuration. Every member
// of a chain has whatever was committed, and nothing is committed without it, so
// that a single one suffices.
type ChainSuccession struct{}

// Quorum implements Succession.
func (ChainSuccession) Quorum(int) int { return 1 }

// Least implements Succession.
func (ChainSuccession) Least() int { return 1 }

// Next implements Succession: who is left of the chain, in its order, then who has
// caught up (van Renesse & Schneider 2004, "Extending a Chain"). Along a chain logs are
// prefixes, and so they are along what is left of it; all it takes is a head that
// has everything. If nobody who is left has come to have everything before the
// others were lost, a former member starts anew, and all others catch up with it.
func (ChainSuccession) Next(old Configuration, reports []Report) []sim.NodeID {
	next := Survivors(old, reports, 1)
	for _, r := range reports {
		if r.Node == next[0] {
			return headed(next, r, reports)
		}
	}
	panic("chain: the next head has not reported")
}

// headed returns the next members, if their head has as much as anybody.
func headed(next []sim.NodeID, head Report, reports []Report) []sim.NodeID {
	for _, r := range reports {
		if r.Last.Compare(head.Last) > 0 {
			head, next = r, []sim.NodeID{r.Node}
		}
	}
	return next
}

// whole is a record of a disk: in configuration Number the node has come to have
// everything that was committed before. What it reports to the master is that
// number and the end of its log. Of two such positions the later one has
// everything that was committed when the earlier one has it: nothing is committed
// in a configuration before all its members have come so far, and they have one
// head. (The number of the last update won't do in place of it: an old update may
// be committed in a later configuration than one that was lost; Ongaro &
// Ousterhout 2014, section 5.4.2.)
type whole struct{ Number uint64 }

func (n *ChainNode) position() Position { return Position{n.whole, n.log.last()} }

// becomeWhole notes, before anything is committed in this configuration, that the
// node has everything.
func (n *ChainNode) becomeWhole(env *sim.Env) {
	if n.cfg.Failover == nil || n.whole == n.chain.Number || n.place == outside || !n.Rules.Complete(n) {
		return
	}
	n.whole = n.chain.Number
	env.Append(whole{n.whole})
	env.Sync()
}

// recoverWhole takes it up after a restart.
func (n *ChainNode) recoverWhole(disk *sim.Disk) {
	for _, record := range disk.Records() {
		if w, ok := record.(whole); ok {
			n.whole = w.Number
		}
	}
}

// enter begins the life of an incarnation under a master.
func (n *ChainNode) enter(env *sim.Env) {
	n.group.start(env)
}

// beat reports to the master, for ever.
func (n *ChainNode) beat(env *sim.Env) {
	n.report(env)
	n.askForMissing(env)
	n.group.beatAgain(env)
}

func (n *ChainNode) report(env *sim.Env) {
	if n.isTail() && !n.fenced() && n.Rules.Complete(n) {
		n.group.established = n.chain.Number
	}
	n.group.beat(env, n.position(), n.place == outside && n.caughtUp && !n.fenced())
}

// fenced says whether the node has promised to take no further part in the
// configuration that it works in.
func (n *ChainNode) fenced() bool { return n.cfg.Failover != nil && n.group.number > n.chain.Number }

// hear comes from the master.
func (n *ChainNode) hear(env *sim.Env, m HeartbeatAck) {
	switch n.group.hear(env, m) {
	case fenced:
		n.report(env)
	case adopted:
		n.accept(env, n.group.latest)
	}
}

// accept takes up a newer configuration, or, after a restart, the one in which the
// node was.
func (n *ChainNode) accept(env *sim.Env, c Configuration) {
	n.stats.Configurations++
	restarted := n.chain.Number == 0
	n.chain, n.place = c, slices.Index(c.Members, n.self)
	n.repair = repair{connected: restarted} // a successor may be waiting since before the restart
	n.log.early, n.resent = nil, 0
	if n.place == outside {
		n.askForMissing(env)
		return
	}
	n.caughtUp = false
	// The tail has everything that it will ever have of earlier configurations, and
	// so have all before it: what it holds on its list Sent is committed.
	if n.isTail() {
		n.commit(env)
	}
	n.becomeWhole(env)
	n.askPredecessor(env)
	n.arm(env)
}
