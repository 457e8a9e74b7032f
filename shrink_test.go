package rashomon_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rashomon-go/rashomon"
	"github.com/rashomon-go/rashomon/checker"
	"github.com/rashomon-go/rashomon/faults"
	"github.com/rashomon-go/rashomon/sim"
	"github.com/rashomon-go/rashomon/systems"
)

func shrink(t require.TestingT, s *rashomon.System, sc *rashomon.Scenario, opt rashomon.ShrinkOptions) *rashomon.Shrunk {
	shrunk, err := rashomon.Shrink(s, sc, opt)
	require.NoError(t, err)
	return shrunk
}

// zooScenario returns a planted bug with the scenario that shows it.
func zooScenario(t testing.TB, b systems.Bug) (*rashomon.System, *rashomon.Scenario) {
	t.Helper()
	f, err := os.Open("systems/testdata/zoo/" + b.Name + ".yaml")
	require.NoError(t, err)
	defer f.Close()
	sc, err := rashomon.ParseScenario(f, b.Name)
	require.NoError(t, err)
	return b.Variant(), sc
}

// Of every planted bug's scenario, what is left fails as the whole did, replays from
// its file to the same digest, and passes or fails in another way with any element
// less. The correct system never fails in it.
func TestShrunkZooIsMinimal(t *testing.T) {
	var operations, faultCounts []int
	for i, b := range systems.Bugs() {
		t.Run(b.Name, func(t *testing.T) {
			if testing.Short() && i%8 != 0 {
				t.Skip("long")
			}
			s, sc := zooScenario(t, b)
			class := run(t, s, sc, rashomon.Options{}).Class()
			shrunk := shrink(t, s, sc, rashomon.ShrinkOptions{})
			small := shrunk.Scenario
			require.True(t, shrunk.Minimal, "%d runs", shrunk.Runs)
			require.Equal(t, class, shrunk.Result.Class())
			require.Equal(t, class, small.Shows)
			readsBack(t, small)
			require.Equal(t, small.Digest, run(t, s, small, rashomon.Options{}).Digest)
			for what, less := range elementsLess(small) {
				if r, err := rashomon.Run(s, less, rashomon.Options{}); err == nil {
					assert.NotEqual(t, class, r.Class(), "without %s", what)
				}
			}
			right, err := systems.ByName(b.System)
			require.NoError(t, err)
			control := *small
			control.Bug = ""
			require.Empty(t, run(t, right, &control, rashomon.Options{}).Class())
			operations, faultCounts = append(operations, len(small.Operations)), append(faultCounts, len(small.Faults))
		})
	}
	slices.Sort(operations)
	slices.Sort(faultCounts)
	assert.LessOrEqual(t, operations[len(operations)/2], 6)
	assert.LessOrEqual(t, faultCounts[len(faultCounts)/2], 2)
}

// elementsLess yields a scenario without each of its elements.
func elementsLess(sc *rashomon.Scenario) func(yield func(string, *rashomon.Scenario) bool) {
	return func(yield func(string, *rashomon.Scenario) bool) {
		for i, op := range sc.Operations {
			less := *sc
			less.Operations = slices.Concat(sc.Operations[:i], sc.Operations[i+1:])
			if !yield(op.String(), &less) {
				return
			}
		}
		for i, f := range sc.Faults {
			less := *sc
			less.Faults = slices.Concat(sc.Faults[:i], sc.Faults[i+1:])
			if !yield(f.String(), &less) {
				return
			}
		}
		for name, remove := range map[string]func(*rashomon.Scenario){
			"the last node":     func(sc *rashomon.Scenario) { sc.Nodes-- },
			"loss":              func(sc *rashomon.Scenario) { sc.Links.Loss = 0 },
			"duplicates":        func(sc *rashomon.Scenario) { sc.Links.Duplicate = 0 },
			"reordering":        func(sc *rashomon.Scenario) { sc.Links.Reorder = 0 },
			"an attempt":        func(sc *rashomon.Scenario) { sc.Attempts-- },
			"what access loses": func(sc *rashomon.Scenario) { sc.Access.Loss = 0 },
		} {
			less := *sc
			remove(&less)
			if less.Links != sc.Links || less.Access != sc.Access || less.Nodes != sc.Nodes || less.Attempts != sc.Attempts {
				if !yield(name, &less) {
					return
				}
			}
		}
	}
}

// Whatever the seed and the budget: the class stays, every step is kept in order, and
// the same arguments give the same result.
func TestShrinkKeepsTheClass(t *testing.T) {
	bugs := systems.Bugs()
	rapid.Check(t, func(t *rapid.T) {
		b := rapid.SampledFrom(bugs).Draw(t, "bug")
		s := b.Variant()
		claim, err := s.Claim(b.Reads, b.Claim)
		require.NoError(t, err)
		sc := rashomon.FromSeed(rapid.Uint64().Draw(t, "seed"), s, claim, 30)
		before, err := rashomon.Run(s, sc, rashomon.Options{})
		require.NoError(t, err)
		if before.Class() == "" {
			return
		}
		var seen []rashomon.ShrinkStep
		opt := rashomon.ShrinkOptions{
			Runs: rapid.IntRange(1, 60).Draw(t, "runs"),
			Kept: func(step rashomon.ShrinkStep, _ *rashomon.Scenario) { seen = append(seen, step) },
		}
		shrunk := shrink(t, s, sc, opt)
		require.Equal(t, before.Class(), shrunk.Result.Class())
		require.LessOrEqual(t, shrunk.Runs, opt.Runs)
		require.Equal(t, seen, shrunk.Steps)
		for _, step := range seen {
			require.Contains(t, rashomon.ShrinkPasses(), step.Pass)
			require.NotEmpty(t, step.What)
		}
		again, err := rashomon.Run(s, shrunk.Scenario, rashomon.Options{})
		require.NoError(t, err)
		require.Equal(t, shrunk.Scenario.Digest, again.Digest)
		require.Equal(t, shrunk.Scenario, shrink(t, s, sc, opt).Scenario)
	})
}

// A scenario that does not fail stays as it is.
func TestShrinkOfValidScenario(t *testing.T) {
	s, err := systems.ByName("chain")
	require.NoError(t, err)
	sc := rashomon.FromSeed(3, s, s.Claims[0], 20)
	shrunk := shrink(t, s, sc, rashomon.ShrinkOptions{})
	assert.Same(t, sc, shrunk.Scenario)
	assert.Equal(t, checker.Valid, shrunk.Result.Verdict)
	assert.Empty(t, shrunk.Steps)
}

// A defect stays one: what is left breaks under faults that the system promises to
// survive, which with fewer nodes may be fewer.
func TestShrinkStaysWithinThePromise(t *testing.T) {
	b, err := systems.BugByName("pb-semisync-promote-any")
	require.NoError(t, err)
	s, sc := zooScenario(t, b)
	small := shrink(t, s, sc, rashomon.ShrinkOptions{}).Scenario
	require.Less(t, small.Nodes, sc.Nodes)
	require.NotEmpty(t, small.Faults)
	fewer := *s
	fewer.Tolerates = func(replicas int) faults.Options {
		tolerates := s.Tolerates(replicas)
		if replicas < sc.Nodes {
			tolerates.Crash = faults.CrashOptions{}
		}
		return tolerates
	}
	const beyond = "more than primary-backup-semisync promises to survive"
	assert.Contains(t, run(t, &fewer, small, rashomon.Options{}).Sentence, beyond)
	shrunk := shrink(t, &fewer, sc, rashomon.ShrinkOptions{})
	assert.NotContains(t, shrunk.Result.Sentence, beyond)
	assert.Greater(t, shrunk.Scenario.Nodes, small.Nodes)
}

// Where links lose by chance, what is left names the messages that have to be lost.
func TestShrinkPinsMessages(t *testing.T) {
	b, err := systems.BugByName("ml-equal-is-conflict")
	require.NoError(t, err)
	s, sc := zooScenario(t, b)
	require.NotZero(t, sc.Links.Loss)
	small := shrink(t, s, sc, rashomon.ShrinkOptions{}).Scenario
	assert.Zero(t, small.Links.Loss)
	require.Len(t, small.Faults, 1)
	assert.Equal(t, faults.Lose, small.Faults[0].Kind)
	assert.Equal(t, 100.0, small.Faults[0].Percent)
}

// Shrinking does not wander from one panic to another.
func TestShrinkKeepsThePanic(t *testing.T) {
	s := *lazySystem
	s.Boot = func(*rashomon.Cluster, int) sim.Boot {
		return func(sim.NodeID, *sim.Disk) sim.Node { return &moody{} }
	}
	kept := 0
	for seed := range uint64(20) {
		sc := rashomon.FromSeed(seed, &s, s.Claims[0], 60)
		before := run(t, &s, sc, rashomon.Options{})
		if !strings.Contains(before.Panic, "ten writes") {
			continue
		}
		after := shrink(t, &s, sc, rashomon.ShrinkOptions{}).Result
		assert.Contains(t, after.Panic, "ten writes")
		kept++
	}
	assert.Positive(t, kept)
}

// moody panics after ten writes, and at a read after exactly one.
type moody struct{ writes int }

func (n *moody) Receive(env *sim.Env, from sim.Addr, m sim.Message) {
	if _, ok := m.(put); ok {
		n.writes++
	} else if n.writes == 1 {
		panic("a read after one write")
	}
	if n.writes == 10 {
		panic("ten writes")
	}
	env.Reply(from, answer{})
}
