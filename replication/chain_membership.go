package replication

import (
	"slices"
	"time"

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

// membership is what a node knows of the master and has promised it.
type membership struct {
	cfg         FailoverConfig
	boot        time.Duration // of this incarnation, on the node's own clock
	promised    uint64        // refuses configurations before this one; on disk
	passed      bool          // that one was made without the node; on disk
	lease       time.Duration // until then nobody is removed without the node's knowing, on its own clock
	caughtUp    bool          // not in the chain, but has what it had committed
	ask         uint64        // the latest CatchUp
	established uint64        // the latest configuration that this node, as its tail, found complete
}

// promise is a record of a disk.
type promise struct {
	Number uint64
	Passed bool
}

// beat is a timer: the next heartbeat is due.
type beat struct{}

// recover takes up what the disk holds. Promises bind later incarnations, too.
func (n *ChainNode) recover(disk *sim.Disk) {
	n.log.recover(disk)
	for _, record := range disk.Records() {
		if p, ok := record.(promise); ok {
			n.membership.promised, n.membership.passed = p.Number, p.Passed
		}
	}
	n.replay()
}

// enter begins the life of an incarnation.
func (n *ChainNode) enter(env *sim.Env) {
	n.membership.cfg = n.cfg.Repair.withDefaults()
	n.membership.boot = env.Now()
	n.beat(env)
}

// beat reports to the master, for ever.
func (n *ChainNode) beat(env *sim.Env) {
	n.report(env)
	n.askForMissing(env)
	env.After(n.membership.cfg.HeartbeatEvery, beat{})
}

func (n *ChainNode) report(env *sim.Env) {
	if n.isTail() && n.Rules.Complete(n) {
		n.membership.established = n.chain.Number
	}
	h := Heartbeat{
		Number: n.membership.promised, Sent: env.Now(), Last: n.position(),
		CaughtUp: n.place == outside && n.membership.caughtUp, Established: n.membership.established,
	}
	env.Send(n.membership.cfg.Master, h)
}

func (n *ChainNode) position() Position {
	if n.log.last() == 0 {
		return Position{}
	}
	e := n.log.at(n.log.last())
	return Position{e.Number, e.Seq}
}

// fenced says whether the node has promised to take no further part in the
// configuration that it knows.
func (n *ChainNode) fenced() bool { return n.membership.promised > n.chain.Number }

// hear comes from the master.
func (n *ChainNode) hear(env *sim.Env, m HeartbeatAck) {
	own := &n.membership
	c := m.Configuration
	if m.Fence > own.promised {
		n.promise(env, promise{Number: m.Fence})
		n.report(env)
	}
	if c.Number > own.promised {
		n.promise(env, promise{c.Number, true}) // it was made without this node
	}
	if c.Number == own.promised && c.Number > n.chain.Number {
		n.accept(env, c)
	}
	if c.Number == n.chain.Number && m.Sent >= own.boot {
		own.lease = max(own.lease, m.Sent+own.cfg.ownLease(m.Lease))
	}
}

// promise binds the node from now on: it stops what it does in the configuration
// that it knows, and lets its lease go.
func (n *ChainNode) promise(env *sim.Env, p promise) {
	env.Append(p)
	env.Sync()
	n.membership.promised, n.membership.passed = p.Number, p.Passed
	n.membership.lease = 0
}

// accept takes up a newer configuration, or, after a restart, the one in which the
// node was. It is not in it if the master has made it without the node's promise,
// which it might have given and lost with its disk.
func (n *ChainNode) accept(env *sim.Env, c Configuration) {
	n.stats.Configurations++
	restarted := n.chain.Number == 0
	n.chain, n.place = c, outside
	if !n.membership.passed {
		n.place = slices.Index(c.Members, n.self)
	}
	n.repair = repair{connected: restarted} // a successor may be waiting since before the restart
	n.log.early, n.resent, n.membership.lease = nil, 0, 0
	if n.place == outside {
		n.askForMissing(env)
		return
	}
	n.membership.caughtUp = false
	// The tail has everything that it will ever have of earlier configurations, and
	// so have all before it: what it holds on its list Sent is committed.
	if n.isTail() {
		n.commit(env)
	}
	n.askPredecessor(env)
	n.completed(env)
	n.arm(env)
}
