package systems_test

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rashomon-go/rashomon"
	"github.com/rashomon-go/rashomon/checker"
	"github.com/rashomon-go/rashomon/model"
	"github.com/rashomon-go/rashomon/replication"
	"github.com/rashomon-go/rashomon/systems"
)

var (
	runs   = flag.Int("runs", 100, "how many seeds the tests of systems take")
	update = flag.Bool("update", false, "look for scenarios in which planted bugs show, and write them to testdata/zoo")
)

// TestClaims holds every system against its table of claims: what is claimed is
// never broken, most runs are conclusive, and what is not claimed is refuted.
func TestClaims(t *testing.T) {
	for _, s := range systems.All() {
		for _, c := range s.Claims {
			t.Run(s.Name+"/"+c.Reads+"/"+string(c.Property), func(t *testing.T) {
				t.Parallel()
				if c.Refuted {
					refute(t, s, c)
					return
				}
				tally := sweep(t, s, c)
				assert.Zero(t, tally[checker.Invalid])
				assert.GreaterOrEqual(t, 100*tally[checker.Valid], 90**runs, "conclusive runs: %v", tally)
			})
		}
	}
}

// refute finds a run that breaks what is not claimed.
func refute(t *testing.T, s *rashomon.System, c rashomon.Claim) {
	t.Helper()
	for seed := range uint64(100) {
		if r := run(t, s, rashomon.FromSeed(seed, s, c, 0)); r.Verdict == checker.Invalid && r.Panic == "" {
			return
		}
	}
	t.Error("not refuted in 100 runs")
}

// TestBeyondBudget: beyond what they tolerate, systems break their claims, and do so
// without a panic.
func TestBeyondBudget(t *testing.T) {
	for _, s := range systems.All() {
		t.Run(s.Name, func(t *testing.T) {
			t.Parallel()
			s := s.BeyondBudget().BeyondBudget() // which is what it is once
			tally := map[checker.Verdict]int{}
			services := 0
			for seed := range uint64(*runs) {
				sc := rashomon.FromSeed(seed, s, s.Claims[0], 0)
				for _, f := range sc.Faults {
					if !f.Kind.OfLinks() && slices.Contains(s.Services, f.Who[0][0]) {
						services++
					}
				}
				r := run(t, s, sc)
				require.Empty(t, r.Panic)
				tally[r.Verdict]++
				if r.Verdict == checker.Invalid && !s.Claims[0].Refuted {
					assert.Contains(t, r.Sentence, "; but the faults are more than "+s.Name+" promises to survive: ")
				}
			}
			assert.Equal(t, len(s.Services) > 0, services > 0, "crashes of services: %d", services)
			if s.Name == "multi-leader-merge" {
				assert.Positive(t, tally[checker.Invalid], "a leader that loses its disk loses what it acknowledged")
			}
		})
	}
}

// TestWithinBudget: what is generated for a system is never called more than it promises
// to survive, so that a defect is never excused.
func TestWithinBudget(t *testing.T) {
	for _, s := range systems.All() {
		for _, c := range s.Claims {
			beyond := 0
			for seed := range uint64(300) {
				sc := rashomon.FromSeed(seed, s, c, 0)
				budget := s.Tolerates(sc.Nodes)
				for place := range sc.Nodes {
					budget.Nodes = append(budget.Nodes, fmt.Sprintf("n%d", place))
				}
				budget.Services = s.Services
				if c.Property != rashomon.Live { // which has a budget of its own
					require.Empty(t, budget.Exceeded(sc.Faults), "%s, %v, seed %d", s.Name, c, seed)
				}
				if budget.Exceeded(rashomon.FromSeed(seed, s.BeyondBudget(), c, 0).Faults) != "" {
					beyond++
				}
			}
			assert.Greater(t, beyond, 30, "%s, %v", s.Name, c)
		}
	}
}

func sweep(t *testing.T, s *rashomon.System, c rashomon.Claim) map[checker.Verdict]int {
	t.Helper()
	tally := map[checker.Verdict]int{}
	for seed := range uint64(*runs) {
		r := run(t, s, rashomon.FromSeed(seed, s, c, 0))
		tally[r.Verdict]++
		require.Empty(t, r.Panic)
		if r.Verdict == checker.Invalid && !c.Refuted {
			t.Errorf("seed %d: %s", seed, r.Sentence)
		}
	}
	return tally
}

func run(t *testing.T, s *rashomon.System, sc *rashomon.Scenario) *rashomon.Result {
	t.Helper()
	r, err := rashomon.Run(s, sc, rashomon.Options{})
	require.NoError(t, err)
	return r
}

// TestBugsAreCaught is the checkers' own test. For each bug there is a scenario in
// testdata/zoo in which it shows: the claim is broken with the bug, and valid
// without it, so that it is the bug that was caught, and not the weather. How often
// seeds catch a bug is for check zoo to say.
func TestBugsAreCaught(t *testing.T) {
	for _, b := range systems.Bugs() {
		t.Run(b.Name, func(t *testing.T) {
			t.Parallel()
			broken := b.Variant()
			right, err := systems.ByName(b.System)
			require.NoError(t, err)
			name := "testdata/zoo/" + b.Name + ".yaml"
			if *update {
				catch(t, b, broken, right, name)
			}
			f, err := os.Open(name)
			require.NoError(t, err, "go test ./systems -run TestBugsAreCaught -update looks for one")
			defer f.Close()
			sc, err := rashomon.ParseScenario(f, name)
			require.NoError(t, err)
			r := run(t, broken, sc)
			require.Equal(t, checker.Invalid, r.Verdict, r.Reason)
			require.Equal(t, b.Panics, r.Panic != "", r.Panic)
			sc.Bug = ""
			require.Equal(t, checker.Valid, run(t, right, sc).Verdict)
		})
	}
}

// catch looks for a scenario that shows the bug, and writes it down.
func catch(t *testing.T, b systems.Bug, broken, right *rashomon.System, name string) {
	t.Helper()
	claim, err := broken.Claim(b.Reads, b.Claim)
	require.NoError(t, err)
	for seed := range uint64(20_000) {
		sc := rashomon.FromSeed(seed, broken, claim, 0)
		r := run(t, broken, sc)
		if r.Verdict != checker.Invalid || b.Panics != (r.Panic != "") {
			continue // a node that notices is another finding
		}
		sc.Bug = ""
		if run(t, right, sc).Verdict != checker.Valid {
			continue
		}
		sc.Bug = b.Name
		require.NoError(t, os.MkdirAll("testdata/zoo", 0o755))
		f, err := os.Create(name)
		require.NoError(t, err)
		require.NoError(t, rashomon.WriteScenario(f, sc))
		require.NoError(t, f.Close())
		t.Logf("%s: seed %d", b.Name, seed)
		return
	}
}

// Every bug says what it is, breaks a claim that its system makes, and is in
// order.
func TestBugsAreDescribed(t *testing.T) {
	before := ""
	for _, b := range systems.Bugs() {
		assert.Less(t, before, b.Name)
		before = b.Name
		for _, text := range []string{b.About, b.Rule, b.Needs} {
			assert.NotEmpty(t, text, b.Name)
		}
		claim, err := b.Variant().Claim(b.Reads, b.Claim)
		require.NoError(t, err, b.Name)
		assert.False(t, claim.Refuted, b.Name)
	}
}

// The workload reaches what the claims are about, in every system.
func TestExercised(t *testing.T) {
	for _, s := range systems.All() {
		var all rashomon.Exercise
		for seed := range uint64(100) {
			all.Add(run(t, s, rashomon.FromSeed(seed, s, s.Claims[0], 0)).Exercise)
		}
		assert.Greater(t, 100*all.OK, 60*all.Operations(), s.Name)
		assert.Greater(t, 100*all.Overlapping, 20*all.Operations(), s.Name)
		for what, n := range map[string]int{
			"reads": all.Reads, "writes": all.Writes, "unknown": all.Unknown, "faults": all.Faults, "duplicates": int(all.Traffic.Duplicated), "held back": int(all.Traffic.HeldBack),
		} {
			assert.Positive(t, n, "%s: %s", s.Name, what)
		}
	}
}

func TestUnknownNames(t *testing.T) {
	_, err := systems.ByName("raft")
	assert.EqualError(t, err, `unknown system "raft", expected one of primary-backup-sync, primary-backup-semisync, primary-backup-async, chain, craq, multi-leader-lww, multi-leader-merge`)
	_, err = systems.BugByName("off-by-one")
	assert.ErrorContains(t, err, `unknown bug "off-by-one", expected one of chain-ack-at-middle`)
	_, err = systems.Find("primary-backup-sync", "chain-ack-at-middle")
	assert.ErrorContains(t, err, "planted in system chain")
	s, err := systems.Find("chain", "")
	require.NoError(t, err)
	assert.Equal(t, "chain", s.Name)
}

// The protocols and the histories call nothing by the same value.
func TestAbsentIsAbsent(t *testing.T) {
	assert.Equal(t, int64(model.Absent), replication.Absent)
}
