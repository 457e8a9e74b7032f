package campaign_test

import (
	"context"
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
	return campaign.Cell{System: s, Bug: b.Name, Claim: c}
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
			assert.Equal(t, 10*len(r.Cells), r.Runs)
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

	r = campaign.Run(context.Background(), campaign.Plan{Cells: allCells(), For: 50 * time.Millisecond}, nil)
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

// A panic of the system itself is a violation.
func TestPanicIsAViolation(t *testing.T) {
	s, err := systems.ByName("chain")
	require.NoError(t, err)
	s.Boot = func(*rashomon.Cluster, int) sim.Boot { panic("cannot boot") }
	r := campaign.Run(context.Background(), campaign.Plan{Cells: []campaign.Cell{{System: s, Claim: s.Claims[0]}}, Runs: 5}, nil)
	require.NoError(t, r.Err)
	assert.Equal(t, 5, r.Cells[0].Violations)
	assert.Contains(t, r.Cells[0].First.Result.Panic, "cannot boot")
}

// A cell in which nothing was conclusive is unknown, and not kept.
func TestInconclusiveIsNotValid(t *testing.T) {
	c := campaign.CellReport{Runs: 3, Inconclusive: 3}
	assert.Equal(t, checker.Unknown, c.Verdict())
	assert.False(t, c.Kept())
	c.Claim.Refuted = true
	assert.False(t, c.Kept())
	c.Violations = 1
	assert.True(t, c.Kept())
}
