package campaign_test

import (
	"context"
	"math"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rashomon-go/rashomon"
	"github.com/rashomon-go/rashomon/campaign"
	"github.com/rashomon-go/rashomon/checker"
	"github.com/rashomon-go/rashomon/sim"
	"github.com/rashomon-go/rashomon/systems"
)

func allCells() (cells []campaign.Cell) {
	for _, s := range systems.All() {
		for _, c := range s.Claims {
			cells = append(cells, campaign.Cell{System: s, Claim: c})
		}
	}
	return cells
}

func bugCell(t *testing.T, name string) campaign.Cell {
	t.Helper()
	b, err := systems.BugByName(name)
	require.NoError(t, err)
	s := b.Variant()
	c, err := s.Claim(b.Reads, b.Claim)
	require.NoError(t, err)
	return campaign.Cell{System: s, Claim: c}
}

// However many workers there are, and in whichever order runs end, the report is
// the same.
func TestSameReportWithAnyNumberOfWorkers(t *testing.T) {
	var first *campaign.Report
	for _, workers := range []int{1, 2, 7} {
		r := campaign.Run(context.Background(), campaign.Plan{Cells: allCells(), Runs: 10, Operations: 40, Workers: workers}, nil)
		require.NoError(t, r.Err)
		if first == nil {
			first = r
			families := map[string]bool{}
			for i := range r.Cells {
				key := r.Cells[i].System.Name + r.Cells[i].Claim.Reads
				if r.Cells[i].Claim.Property == rashomon.Live {
					key += "live"
				}
				families[key] = true
				assert.Equal(t, 10, r.Cells[i].Runs)
			}
			assert.Equal(t, 10*len(families), r.Runs)
			assert.Less(t, len(families), len(r.Cells), "rows share runs")
			continue
		}
		assert.Equal(t, first.Digest, r.Digest)
		for i := range r.Cells {
			assert.Equal(t, first.Cells[i].Exercise, r.Cells[i].Exercise)
			assert.Equal(t, first.Cells[i].Violations, r.Cells[i].Violations)
			if first.Cells[i].First != nil {
				assert.Equal(t, first.Cells[i].First.Seed, r.Cells[i].First.Seed)
			}
		}
	}
}

// Another first seed is another campaign.
func TestDigestDependsOnSeeds(t *testing.T) {
	plan := campaign.Plan{Cells: allCells()[:1], Runs: 3, Operations: 20}
	one := campaign.Run(context.Background(), plan, nil)
	plan.Seed = 1
	assert.NotEqual(t, one.Digest, campaign.Run(context.Background(), plan, nil).Digest)
}

// The campaign stops at the violation with the lowest seed, with any number of
// workers.
func TestStopAtFirst(t *testing.T) {
	cell := bugCell(t, "chain-dup-regress")
	plan := campaign.Plan{Cells: []campaign.Cell{cell}, Runs: 1000, StopAtFirst: true}
	var seeds []uint64
	for _, plan.Workers = range []int{1, 2, 5} {
		r := campaign.Run(context.Background(), plan, nil)
		require.NotNil(t, r.Cells[0].First)
		assert.Less(t, r.Runs, 1000)
		assert.Equal(t, checker.Invalid, r.Cells[0].Verdict())
		seeds = append(seeds, r.Cells[0].First.Seed)
	}
	assert.Equal(t, []uint64{seeds[0], seeds[0], seeds[0]}, seeds)
}

func TestStopsWhenCancelledOrTimeIsUp(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	told := 0
	r := campaign.Run(ctx, campaign.Plan{Cells: allCells()}, func(p campaign.Progress) {
		told++
		cancel()
	})
	assert.Positive(t, told)
	assert.Positive(t, r.Runs)

	r = campaign.Run(context.Background(), campaign.Plan{Cells: allCells(), For: 500 * time.Millisecond}, nil)
	assert.Positive(t, r.Runs)
	assert.Empty(t, campaign.Run(context.Background(), campaign.Plan{}, nil).Cells)
}

// What cannot be run at all is an error, and so is a panic of what describes the
// system.
func TestDefectsOfTheSystemsDescription(t *testing.T) {
	s, err := systems.ByName("chain")
	require.NoError(t, err)
	s.Boot = nil
	r := campaign.Run(context.Background(), campaign.Plan{Cells: []campaign.Cell{{System: s, Claim: s.Claims[0]}}, Runs: 5}, nil)
	assert.ErrorContains(t, r.Err, "Boot and Client must both be set")
}

// bootless returns a chain that panics, as a claim and as what is not claimed.
func bootless(t *testing.T) (cells []campaign.Cell) {
	t.Helper()
	s, err := systems.ByName("chain")
	require.NoError(t, err)
	s.Boot = func(*rashomon.Cluster, int) sim.Boot { panic("cannot boot") }
	for _, reads := range []string{"tail", "any"} {
		c, err := s.Claim(reads, rashomon.Linearizable)
		require.NoError(t, err)
		cells = append(cells, campaign.Cell{System: s, Claim: c})
	}
	require.True(t, cells[1].Claim.Refuted)
	return cells
}

// A panic of the system itself is a finding of its own: it breaks a claim, and
// refutes nothing.
func TestPanicIsNoRefutation(t *testing.T) {
	r := campaign.Run(context.Background(), campaign.Plan{Cells: bootless(t), Runs: 5}, nil)
	require.NoError(t, r.Err)
	for i := range r.Cells {
		c := &r.Cells[i]
		assert.Equal(t, 5, c.Panics)
		assert.Zero(t, c.Violations)
		assert.Nil(t, c.First)
		assert.Contains(t, c.FirstPanic.Result.Panic, "cannot boot")
		assert.Equal(t, checker.Invalid, c.Verdict())
		assert.False(t, c.Kept())
	}
	refuted := campaign.CellReport{Cell: r.Cells[1].Cell, Tally: campaign.Tally{Runs: 5, Violations: 4}}
	assert.True(t, refuted.Kept())
	refuted.Panics = 1
	assert.False(t, refuted.Kept(), "although it was refuted, too")
}

// A cell is unknown, and not kept, unless half of its runs were conclusive.
func TestInconclusiveIsNotValid(t *testing.T) {
	for _, tt := range []struct {
		runs, inconclusive int
		want               checker.Verdict
	}{{0, 0, checker.Unknown}, {3, 3, checker.Unknown}, {100, 99, checker.Unknown}, {100, 51, checker.Unknown}, {100, 50, checker.Valid}, {1, 0, checker.Valid}} {
		c := campaign.CellReport{Tally: campaign.Tally{Runs: tt.runs, Inconclusive: tt.inconclusive}}
		assert.Equal(t, tt.want, c.Verdict(), "%d of %d", tt.inconclusive, tt.runs)
		assert.Equal(t, tt.want == checker.Valid, c.Kept())
		c.Claim.Refuted = true
		assert.False(t, c.Kept())
		c.Violations = 1
		assert.True(t, c.Kept())
	}
}

// restless returns a chain whose clients remember something from run to run.
func restless(t *testing.T) campaign.Cell {
	t.Helper()
	s, err := systems.ByName("chain")
	require.NoError(t, err)
	var made atomic.Int64
	client := s.Client
	s.Client = func(c *rashomon.Cluster) rashomon.Client {
		do, wait := client(c), time.Duration(made.Add(1))*time.Microsecond
		return func(p *sim.Proc, op rashomon.Operation) rashomon.Answer {
			p.Sleep(wait)
			return do(p, op)
		}
	}
	return campaign.Cell{System: s, Claim: s.Claims[0]}
}

// The first run of a cell, and a share of the others, are run twice. A system that
// then does something else is found out.
func TestRunsTwice(t *testing.T) {
	s, err := systems.ByName("chain")
	require.NoError(t, err)
	cells := []campaign.Cell{{System: s, Claim: s.Claims[0]}, restless(t)}
	r := campaign.Run(context.Background(), campaign.Plan{Cells: cells, Runs: 200, Operations: 5}, nil)
	require.NoError(t, r.Err)
	assert.InDelta(t, 3, r.Cells[0].RanTwice, 2, "1 %, and the first")
	assert.Zero(t, r.Cells[0].Differing)
	assert.Equal(t, r.Cells[1].RanTwice, r.Cells[1].Differing)
	require.NotNil(t, r.Cells[1].FirstDiffering)
	assert.Zero(t, r.Cells[1].FirstDiffering.Seed)
	assert.NotEqual(t, r.Cells[1].FirstDiffering.Result.Digest, r.Cells[1].FirstDiffering.Again.Digest)
	assert.False(t, r.Cells[1].Kept())

	r = campaign.Run(context.Background(), campaign.Plan{Cells: cells, Runs: 3, Operations: 5, Twice: 1}, nil)
	assert.Equal(t, 3, r.Cells[0].RanTwice)
	r = campaign.Run(context.Background(), campaign.Plan{Cells: cells, Runs: 3, Operations: 5, Twice: -1}, nil)
	assert.Zero(t, r.Cells[1].RanTwice)
}

// However many runs are asked for, they are run, and what is done is a share.
func TestHugeNumberOfRuns(t *testing.T) {
	for _, runs := range []int{math.MaxInt, math.MaxInt/2 + 1} {
		plan := campaign.Plan{Cells: allCells(), Runs: runs, Operations: 5, For: 150 * time.Millisecond}
		r := campaign.Run(context.Background(), plan, func(p campaign.Progress) {
			assert.GreaterOrEqual(t, p.Done, 0.0)
			assert.LessOrEqual(t, p.Done, 1.0)
		})
		assert.Greater(t, r.Runs, 1)
	}
}

// A plan that makes no sense is an error.
func TestImpossiblePlans(t *testing.T) {
	for want, p := range map[string]campaign.Plan{
		"campaign: runs of -1 operations, expected": {Cells: allCells()[:1], Operations: -1},
		"campaign: -1 runs, expected":               {Cells: allCells()[:1], Runs: -1},
		"campaign: a time of -1s, expected":         {Cells: allCells()[:1], For: -time.Second},
		"campaign: cell 0 has no System":            {Cells: make([]campaign.Cell, 1)},
	} {
		assert.ErrorContains(t, campaign.Run(context.Background(), p, nil).Err, want)
	}
}
