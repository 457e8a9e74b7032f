package systems

import (
	"cmp"
	"slices"
	"time"

	"github.com/rashomon-go/rashomon"
	"github.com/rashomon-go/rashomon/replication"
	"github.com/rashomon-go/rashomon/sim"
)

// multiLeaderBugs break rules of multi-leader replication; AbsentBugs says which are
// not here, and why.
var multiLeaderBugs = []Bug{
	{
		Name:   "ml-ae-no-clock-merge",
		About:  "what a leader learns by replication or repair, its later writes do not supersede",
		Rule:   "a write supersedes what its leader holds (Preguiça et al. 2010)",
		Needs:  "a leader that overwrites what another one wrote",
		System: "multi-leader-lww", Reads: "any", Claim: rashomon.SessionGuarantees,
		leader: lww(func() replication.LeaderRules { return amnesia() }),
	},
	{
		Name:   "ml-ae-timer-dies",
		About:  "a leader that restarts never compares its keys with others again",
		Rule:   "anti-entropy goes on for ever (Demers et al. 1987)",
		Needs:  "crashes of all leaders on one side, and a partition",
		System: "multi-leader-lww", Reads: "any", Claim: rashomon.Convergent,
		plant: func(_ *rashomon.Cluster, _ int, node sim.Node) sim.Node {
			return wrapped[*replication.LeaderNode]{node: node.(*replication.LeaderNode), start: startOnce}
		},
	},
	{
		Name:   "ml-apply-unconditional",
		About:  "a leader replaces what it holds by whatever comes in",
		Rule:   "versions that do not know each other are kept, or merged (Preguiça et al. 2010)",
		Needs:  "concurrent writes",
		System: "multi-leader-merge", Reads: "any", Claim: rashomon.SetConverges,
		leader: merged(func() replication.LeaderRules {
			return replication.LeaderRules{Join: func(_ string, _, incoming []replication.VersionedValue) []replication.VersionedValue { return incoming }}
		}),
	},
	{
		Name:   "ml-clock-reset",
		About:  "a leader numbers its writes anew after a restart",
		Rule:   "a dot names one write, for ever (Preguiça et al. 2010)",
		Needs:  "a crash between two writes of a leader",
		System: "multi-leader-merge", Reads: "any", Claim: rashomon.SetConverges,
		leader: merged(func() replication.LeaderRules { return volatileClock() }),
	},
	{
		Name:   "ml-equal-is-conflict",
		About:  "a version that a leader already holds is merged with itself",
		Rule:   "equal versions are no conflict",
		Needs:  "a version that comes twice",
		System: "multi-leader-lww", Reads: "any", Claim: rashomon.Convergent,
		leader: lww(func() replication.LeaderRules { return replication.LeaderRules{Join: oneVersion(sumOf)} }),
	},
	{
		Name:   "ml-lww-no-tiebreak",
		About:  "of two writes with the same physical time, each leader keeps its own",
		Rule:   "ties are broken in the same way everywhere",
		Needs:  "two writes at one moment",
		System: "multi-leader-lww", Reads: "any", Claim: rashomon.Convergent,
		leader: lww(func() replication.LeaderRules { return replication.LeaderRules{Join: oneVersion(laterOf)} }),
	},
	{
		Name:   "ml-merge-noncommutative",
		About:  "concurrent versions are merged by taking the first of them",
		Rule:   "a merge does not depend on the order (Shapiro et al. 2011)",
		Needs:  "concurrent writes",
		System: "multi-leader-merge", Reads: "any", Claim: rashomon.SetConverges, Panics: true,
		leader: func() replication.LeaderConfig {
			return replication.LeaderConfig{AntiEntropy: antiEntropy, Resolver: replication.VectorClockMerge{
				Merge: func(_ string, versions []replication.VersionedValue) replication.VersionedValue { return versions[0] },
			}}
		},
	},
	{
		Name:   "ml-merkle-value-only",
		About:  "anti-entropy compares values, and not the versions behind them",
		Rule:   "replicas agree when their versions do",
		Needs:  "an element that one leader holds in another version",
		System: "multi-leader-merge", Reads: "any", Claim: rashomon.SetConverges,
		leader: merged(func() replication.LeaderRules {
			return replication.LeaderRules{Fingerprint: func(key string, versions []replication.VersionedValue) replication.Hash {
				if len(versions) == 0 {
					return replication.Hash{}
				}
				return replication.Fingerprint(key, []replication.VersionedValue{{Elements: versions[0].Elements[:min(1, len(versions[0].Elements))]}})
			}}
		}),
	},
	{
		Name:   "ml-no-tombstone",
		About:  "a deleted key is forgotten",
		Rule:   "a deletion is a version, too (Demers et al. 1987: death certificates)",
		Needs:  "a deletion that some leader misses",
		System: "multi-leader-lww", Reads: "any", Claim: rashomon.Convergent,
		leader: lww(func() replication.LeaderRules {
			return replication.LeaderRules{Forget: func(string, []replication.VersionedValue) bool { return true }}
		}),
	},
	{
		Name:   "ml-node-clock",
		About:  "a leader has one clock for all keys: what it has heard of any key, a write to another one supersedes",
		Rule:   "a version knows what its key's writer knew of that key (Preguiça et al. 2010)",
		Needs:  "lost or late replication, and several keys",
		System: "multi-leader-merge", Reads: "any", Claim: rashomon.SetConverges,
		leader: merged(func() replication.LeaderRules { return nodeClock() }),
	},
}

func lww(rules func() replication.LeaderRules) func() replication.LeaderConfig {
	return func() replication.LeaderConfig {
		return replication.LeaderConfig{Resolver: replication.LastWriterWins{}, AntiEntropy: antiEntropy, Rules: rules()}
	}
}

func merged(rules func() replication.LeaderRules) func() replication.LeaderConfig {
	return func() replication.LeaderConfig {
		return replication.LeaderConfig{
			Resolver: replication.VectorClockMerge{Merge: replication.Union}, AntiEntropy: antiEntropy, Rules: rules(),
		}
	}
}

type versions = []replication.VersionedValue

// amnesia stamps a write as if its leader knew of nothing but its own writes.
func amnesia() replication.LeaderRules {
	own := map[string]replication.VectorClock{}
	return replication.LeaderRules{Stamp: func(env *sim.Env, key string, v replication.VersionedValue) replication.VersionedValue {
		v.Clock = own[key]
		v.Timestamp.Physical = env.Wall()
		own[key] = v.Clock.Tick(v.Dot.Replica)
		return v
	}}
}

// volatileClock counts a leader's writes from its boot.
func volatileClock() replication.LeaderRules {
	counters := map[string]uint64{}
	return replication.LeaderRules{Stamp: func(_ *sim.Env, key string, v replication.VersionedValue) replication.VersionedValue {
		v.Clock = slices.Clone(v.Clock)
		if r := v.Dot.Replica; r < len(v.Clock) {
			v.Clock[r] = min(v.Clock[r], counters[key])
		}
		counters[key]++
		v.Dot.Counter = counters[key]
		return v
	}}
}

// nodeClock gives all keys of a leader one clock.
func nodeClock() replication.LeaderRules {
	var clock replication.VectorClock
	return replication.LeaderRules{
		Join: func(_ string, here, incoming versions) versions {
			for _, v := range incoming {
				clock = clock.Join(v.Clock)
				for clock.At(v.Dot.Replica) < v.Dot.Counter {
					clock = clock.Tick(v.Dot.Replica)
				}
			}
			return replication.JoinVersions(here, incoming)
		},
		Stamp: func(_ *sim.Env, _ string, v replication.VersionedValue) replication.VersionedValue {
			v.Clock = clock
			v.Dot.Counter = clock.At(v.Dot.Replica) + 1
			clock = clock.Tick(v.Dot.Replica)
			return v
		},
	}
}

// oneVersion keeps one version of a key: the one that knows the other, and
// otherwise what merge makes of the two.
func oneVersion(merge func(here, incoming replication.VersionedValue) replication.VersionedValue) func(string, versions, versions) versions {
	return func(_ string, here, incoming versions) versions {
		kept := slices.Clone(here)
		for _, v := range incoming {
			switch {
			case len(kept) == 0:
				kept = versions{v}
			case kept[0].Compare(&v) == replication.Before:
				kept[0] = v
			case kept[0].Compare(&v) != replication.After:
				kept[0] = merge(kept[0], v)
			}
		}
		return kept
	}
}

func sumOf(here, incoming replication.VersionedValue) replication.VersionedValue {
	here.Value += incoming.Value
	here.Clock = here.Clock.Join(incoming.Clock)
	return here
}

// laterOf compares milliseconds, and keeps what is here on a tie.
func laterOf(here, incoming replication.VersionedValue) replication.VersionedValue {
	if cmp.Compare(here.Timestamp.Physical/time.Millisecond, incoming.Timestamp.Physical/time.Millisecond) >= 0 {
		return here
	}
	return incoming
}

// startOnce starts a leader only when the world does.
func startOnce(n *replication.LeaderNode, env *sim.Env) {
	if env.Now() == 0 {
		n.Start(env)
	}
}
