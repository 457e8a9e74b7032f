package replication_test

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rashomon-go/rashomon/replication"
	"github.com/rashomon-go/rashomon/sim"
)

type (
	rules    = replication.LeaderRules
	versions = []replication.VersionedValue
)

// mutants are bugs that the tests of the whole system must find, each with what
// its first finding must say.
var mutants = []struct {
	name string
	leaderVariant
	says string
}{
	{"no tombstones", rulesOf(rules{Forget: func(string, versions) bool { return true }}), "diverged|lost write"},
	{"apply unconditionally", rulesOf(rules{Join: func(_ string, _, incoming versions) versions { return incoming }}), "diverged|lost"},
	{"fingerprint of values only", rulesOf(rules{Fingerprint: ofContent}), "diverged"},
	{"clock of the node", nodeClock(), "diverged|lost"},
	{"clock lost in a crash", leaderVariant{resolver: byKind, rules: volatileClock}, "diverged|lost"},
	{"equal is a conflict", rulesOf(rules{Join: registers(oneVersion(sumOf))}), "made up|diverged"},
	{"last writer wins without tie-break", rulesOf(rules{Join: registers(oneVersion(laterOf))}), "diverged"},
	{"merge is not commutative", leaderVariant{resolver: replication.VectorClockMerge{Merge: firstOf}}, "panic: .* depends on the order"},
	{"resolver without tie-break", leaderVariant{resolver: replication.VectorClockMerge{Merge: tieless}}, "panic: .* depends on the order"},
	{"resolver makes up values", leaderVariant{resolver: replication.ResolverFunc(replication.Union)}, "panic: .* is none of"},
	{"timer not set again", leaderVariant{resolver: byKind, wrap: func(n *replication.LeaderNode, boots int) sim.Node {
		if boots > 0 {
			return sleeper{n}
		}
		return n
	}}, "diverged"},
	{"anti-entropy without clocks", amnesia(), "lost overwrite|diverged"},
	{"only the new version is replicated", leaderVariant{resolver: byKind, exact: true, wrap: func(n *replication.LeaderNode, _ int) sim.Node { return &onlyNew{LeaderNode: n} }}, "panic: |lost"},
}

func rulesOf(r rules) leaderVariant {
	return leaderVariant{resolver: byKind, rules: func() rules { return r }}
}

// TestMutants plants each bug and looks for it with the claims of judge.
func TestMutants(t *testing.T) {
	worlds := rapid.Custom(scenarioOf)
	for _, m := range mutants {
		t.Run(m.name, func(t *testing.T) {
			const most = 4000
			for i := range most {
				s := worlds.Example(i)
				if err := leaderPlay(s, m.leaderVariant); err != nil {
					require.Regexp(t, m.says, err.Error())
					require.NoError(t, leaderPlay(s, leaderVariant{resolver: byKind, exact: true}), "the protocol itself fails")
					t.Logf("found in world %d: %.150s", i, strings.ReplaceAll(err.Error(), "\n", " "))
					return
				}
			}
			t.Errorf("not found in %d worlds", most)
		})
	}
}

// ofContent is a fingerprint that knows nothing of versions (defect M10).
func ofContent(key string, vs versions) replication.Hash {
	content := make(versions, len(vs))
	for i := range vs {
		content[i] = replication.VersionedValue{Value: vs[i].Value, Elements: vs[i].Elements, Deleted: vs[i].Deleted}
	}
	return replication.Fingerprint(key, content)
}

// nodeClock gives all keys one clock, as the reference library does: what the
// leader has heard of any key, a write to another key supersedes.
func nodeClock() leaderVariant {
	return leaderVariant{resolver: byKind, rules: func() rules {
		var clock replication.VectorClock
		hear := func(vs versions) {
			for _, v := range vs {
				clock = clock.Join(v.Clock)
				for clock.At(v.Dot.Replica) < v.Dot.Counter {
					clock = clock.Tick(v.Dot.Replica)
				}
			}
		}
		return rules{
			Join: func(_ string, here, incoming versions) versions {
				hear(incoming)
				return replication.JoinVersions(here, incoming)
			},
			Stamp: func(_ *sim.Env, _ string, v replication.VersionedValue) replication.VersionedValue {
				v.Clock = clock
				v.Dot.Counter = clock.At(v.Dot.Replica) + 1
				clock = clock.Tick(v.Dot.Replica)
				return v
			},
		}
	}}
}

// volatileClock numbers a leader's writes anew after every boot (M15): its peers
// take them for writes that they know.
func volatileClock() rules {
	counters := map[string]uint64{}
	return rules{Stamp: func(_ *sim.Env, key string, v replication.VersionedValue) replication.VersionedValue {
		v.Clock = slices.Clone(v.Clock)
		if r := v.Dot.Replica; r < len(v.Clock) {
			v.Clock[r] = min(v.Clock[r], counters[key])
		}
		counters[key]++
		v.Dot.Counter = counters[key]
		return v
	}}
}

// oneVersion keeps one version per key, made by a function of two: dominance
// first, then the function, as in the reference library.
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

// registers joins sets as it should be.
func registers(join func(string, versions, versions) versions) func(string, versions, versions) versions {
	return func(key string, here, incoming versions) versions {
		if key == "set" {
			return replication.JoinVersions(here, incoming)
		}
		return join(key, here, incoming)
	}
}

// sumOf merges by adding, equal versions too (M4b).
func sumOf(here, incoming replication.VersionedValue) replication.VersionedValue {
	here.Value += incoming.Value
	here.Clock = here.Clock.Join(incoming.Clock)
	return here
}

// laterOf compares physical time only, and keeps what is here on a tie.
func laterOf(here, incoming replication.VersionedValue) replication.VersionedValue {
	if cmp.Compare(here.Timestamp.Physical, incoming.Timestamp.Physical) >= 0 {
		return here
	}
	return incoming
}

func firstOf(_ string, vs versions) replication.VersionedValue { return vs[0] }

// tieless leaves a tie to the order of versions.
func tieless(key string, vs versions) replication.VersionedValue {
	if key == "set" {
		return replication.Union(key, vs)
	}
	return slices.MaxFunc(vs, func(v, w replication.VersionedValue) int {
		return cmp.Compare(v.Timestamp.Physical/time.Millisecond, w.Timestamp.Physical/time.Millisecond)
	})
}

// sleeper never starts (M9).
type sleeper struct{ n *replication.LeaderNode }

func (s sleeper) Receive(env *sim.Env, from sim.Addr, m sim.Message) { s.n.Receive(env, from, m) }

// amnesia learns values by anti-entropy, and no clocks (M2): what came that way,
// a write there does not supersede.
func amnesia() leaderVariant {
	var known map[string]replication.VectorClock // of the leader that takes a step
	return leaderVariant{resolver: byKind,
		rules: func() rules {
			return rules{Stamp: func(env *sim.Env, key string, v replication.VersionedValue) replication.VersionedValue {
				v.Clock = known[key]
				v.Timestamp.Physical = env.Wall()
				known[key] = v.Clock.Tick(v.Dot.Replica)
				return v
			}}
		},
		wrap: func(n *replication.LeaderNode, _ int) sim.Node {
			own := map[string]replication.VectorClock{}
			return receiver{n, func(env *sim.Env, from sim.Addr, m sim.Message) {
				known = own
				if m, ok := m.(replication.ReplicateVersions); ok {
					for _, v := range m.Versions {
						own[m.Key] = own[m.Key].Join(v.Clock)
						for own[m.Key].At(v.Dot.Replica) < v.Dot.Counter {
							own[m.Key] = own[m.Key].Tick(v.Dot.Replica)
						}
					}
				}
				n.Receive(env, from, m)
			}}
		},
	}
}

// receiver is a leader with another entrance.
type receiver struct {
	*replication.LeaderNode
	receive func(env *sim.Env, from sim.Addr, m sim.Message)
}

func (r receiver) Receive(env *sim.Env, from sim.Addr, m sim.Message) { r.receive(env, from, m) }

// onlyNew hears of the latest version of a key only, as if its peer had sent no
// other: a gap in its clock.
type onlyNew struct{ *replication.LeaderNode }

func (o *onlyNew) Receive(env *sim.Env, from sim.Addr, m sim.Message) {
	if r, ok := m.(replication.ReplicateVersions); ok {
		newest := slices.MaxFunc(r.Versions, func(v, w replication.VersionedValue) int { return v.Timestamp.Compare(w.Timestamp) })
		r.Versions = versions{newest}
		m = r
	}
	o.LeaderNode.Receive(env, from, m)
}

// TestEqualIsNoConflict: the counters know that nothing happened (M4).
func TestEqualIsNoConflict(t *testing.T) {
	s := rapid.Custom(scenarioOf).Example(1)
	s.Clients, s.Faults = [][]leaderOp{{{Kind: "mix"}}}, nil
	require.NoError(t, leaderPlay(s, leaderVariant{rules: func() rules {
		return rules{Join: func(key string, here, incoming versions) versions {
			joined := replication.JoinVersions(here, incoming)
			if len(here) > 0 && !slices.EqualFunc(here, joined, func(v, w replication.VersionedValue) bool { return v.Dot == w.Dot }) {
				panic(fmt.Sprintf("%v and %v make %v", here, incoming, joined))
			}
			return joined
		}}
	}}))
}
