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
// caught up (van Renesse & Schneider 2004, section 3.1). Along a chain logs are
// prefixes, so the order is that of the logs, the longest first. If nobody who is
// left has come to have everything before the others were lost, the longest log is
// that of a former member.
func (ChainSuccession) Next(old Configuration, reports []Report) []sim.NodeID {
	next := make([]Report, 0, len(reports))
	longest := reports[0]
	for _, r := range reports {
		if r.Last.Compare(longest.Last) > 0 {
			longest = r
		}
		if r.Member || r.CaughtUp || len(old.Members) == 0 {
			next = append(next, r)
		}
	}
	if !slices.ContainsFunc(next, func(r Report) bool { return r.Last == longest.Last }) {
		next = append(next, longest)
	}
	slices.SortStableFunc(next, func(a, b Report) int { return b.Last.Compare(a.Last) })
	ids := make([]sim.NodeID, len(next))
	for i, r := range next {
		ids[i] = r.Node
	}
	return ids
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

func (n *ChainNode) position() Position {
	if n.log.last() == 0 {
		return Position{}
	}
	e := n.log.at(n.log.last())
	return Position{e.Number, e.Seq}
}

// fenced says whether the node has promised to take no further part in the
// configuration that it works in.
func (n *ChainNode) fenced() bool { return n.cfg.Repair != nil && n.group.number > n.chain.Number }

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
	n.askPredecessor(env)
	n.completed(env)
	n.arm(env)
}
