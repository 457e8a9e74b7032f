package replication

import (
	"slices"

	"github.com/rashomon-go/rashomon/sim"
)

// PrimaryBackupRules are the decisions of primary-backup upon which its claims
// rest. The protocol asks them; planted bugs replace some of them and leaves the
// protocol as it is.
type PrimaryBackupRules struct {
	FailoverRules
	// Need is how many of the backups of the configuration must have an update
	// before it is committed.
	Need func(c *PrimaryBackupConfig, backups int) int
	// Commits says whether an update of one configuration is committed, together
	// with all before it, once Need backups of a configuration have it.
	Commits func(update, configuration uint64) bool
	// ServesReads says whether a primary may answer a read: does it hold a lease,
	// and has it committed something of its configuration?
	ServesReads func(leased, established bool) bool
	// TakesWrites says the same of a write.
	TakesWrites func(leased, established bool) bool
	// Reads is the value that a primary answers a read with.
	Reads func(p *PrimaryNode, key string) int64
	// Quorum is how many of n members of a configuration must have reported before
	// there is another.
	Quorum func(c *PrimaryBackupConfig, n int) int
	// Sync makes what a replica has logged durable, before it tells anybody.
	Sync func(env *sim.Env)
	// Promote returns which of the reports, which there are, is the next primary's.
	Promote func(reports []Report) int
}

// RightPrimaryBackupRules returns the rules that are right.
func RightPrimaryBackupRules() PrimaryBackupRules {
	return PrimaryBackupRules{
		FailoverRules: RightFailoverRules(),
		Need:          needed,
		// Copies of an older configuration's update can be outvoted by a log that
		// ends with a later one; behind an update of its own they can't (Ongaro &
		// Ousterhout 2014, section 5.4.2).
		Commits:     func(update, configuration uint64) bool { return update == configuration },
		ServesReads: func(leased, established bool) bool { return leased && established },
		Reads:       func(p *PrimaryNode, key string) int64 { return p.store.Get(key) },
		TakesWrites: func(leased, _ bool) bool { return leased },
		Quorum:      reporting,
		Sync:        func(env *sim.Env) { env.Sync() },
		Promote: func(reports []Report) int {
			best := 0
			for i, r := range reports {
				if r.Last.Compare(reports[best].Last) > 0 {
					best = i
				}
			}
			return best
		},
	}
}

var rightRules = RightPrimaryBackupRules()

func needed(c *PrimaryBackupConfig, backups int) int {
	switch c.Mode {
	case SemiSync:
		return c.Acks
	case Sync:
		return backups
	}
	return 0
}

// reporting: whatever Sync has committed, each member has; what SemiSync has, all
// but K of them lack, so that N-K of them include one that has it (Oki & Liskov
// 1988: the new view's primary knows of every event that was forced to
// a sub-majority). Async keeps nothing for certain.
func reporting(c *PrimaryBackupConfig, n int) int {
	if c.Mode == SemiSync {
		return max(n-c.Acks, 1)
	}
	return 1
}

// Succession returns what a primary-backup group wants of its configurations.
func (c *PrimaryBackupConfig) Succession() Succession { return primarySuccession{c} }

type primarySuccession struct{ *PrimaryBackupConfig }

func (s primarySuccession) Quorum(n int) int { return s.rules().Quorum(s.PrimaryBackupConfig, n) }

func (s primarySuccession) Least() int {
	if s.Mode == SemiSync {
		return max(s.PrimaryBackupConfig.Least, s.Acks+1)
	}
	return max(s.PrimaryBackupConfig.Least, 1)
}

// Next makes the one whose log ends last the primary, of those the one that came
// first before.
func (s primarySuccession) Next(old Configuration, reports []Report) []sim.NodeID {
	first := reports[s.rules().Promote(reports)].Node
	next := []sim.NodeID{first}
	for _, id := range Survivors(old, reports, s.Least()) {
		if !slices.Contains(next, id) {
			next = append(next, id)
		}
	}
	return next
}
