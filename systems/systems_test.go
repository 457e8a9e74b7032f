package systems_test

import (
	"flag"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rashomon-go/rashomon"
	"github.com/rashomon-go/rashomon/checker"
	"github.com/rashomon-go/rashomon/model"
	"github.com/rashomon-go/rashomon/replication"
	"github.com/rashomon-go/rashomon/systems"
)

var runs = flag.Int("runs", 300, "how many seeds the tests of systems and bugs take")

// TestClaims holds every system against its table of claims: what is claimed is
// never broken, most runs are conclusive, and what is not claimed is refuted.
func TestClaims(t *testing.T) {
	for _, s := range systems.All() {
		for _, c := range s.Claims {
			t.Run(s.Name+"/"+c.Reads, func(t *testing.T) {
				t.Parallel()
				tally := sweep(t, s, c)
				if c.Refuted {
					assert.Positive(t, tally[checker.Invalid])
					return
				}
				assert.Zero(t, tally[checker.Invalid])
				assert.GreaterOrEqual(t, 100*tally[checker.Valid], 95**runs, "conclusive runs: %v", tally)
			})
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

// TestBugsAreCaught is the checkers' own test. A catch counts only if the same
// scenario on the correct system is valid and conclusive, so that it is the bug
// that was caught, and not the weather.
func TestBugsAreCaught(t *testing.T) {
	for _, b := range systems.Bugs() {
		t.Run(b.Name, func(t *testing.T) {
			t.Parallel()
			caught := 0
			broken := b.Variant()
			right, err := systems.ByName(b.System)
			require.NoError(t, err)
			claim, err := broken.Claim(b.Reads, b.Claim)
			require.NoError(t, err)
			// A rare bug gets five times the runs that it takes, until it is caught.
			most, seed := uint64(*runs), uint64(0)
			for ; seed < most || caught == 0 && seed < 5*uint64(b.Rarity); seed++ {
				sc := rashomon.FromSeed(seed, broken, claim, 0)
				r := run(t, broken, sc)
				require.Empty(t, r.Panic)
				if r.Verdict != checker.Invalid {
					continue
				}
				sc.Bug = ""
				control := run(t, right, sc)
				require.NotEqual(t, checker.Invalid, control.Verdict, "seed %d: %s", seed, control.Sentence)
				if control.Verdict == checker.Valid {
					caught++
				}
			}
			t.Logf("caught in %d of %d runs", caught, seed)
			assert.Positive(t, caught)
		})
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
			"reads": all.Reads, "writes": all.Writes, "swaps": all.Swapped, "failed cas": all.CAS - all.Swapped,
			"unknown": all.Unknown, "faults": all.Faults, "duplicates": int(all.Traffic.Duplicated), "held back": int(all.Traffic.HeldBack),
		} {
			assert.Positive(t, n, "%s: %s", s.Name, what)
		}
	}
}

func TestUnknownNames(t *testing.T) {
	_, err := systems.ByName("raft")
	assert.EqualError(t, err, `unknown system "raft", expected one of primary-backup-sync, primary-backup-semisync, primary-backup-async, chain, craq`)
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
