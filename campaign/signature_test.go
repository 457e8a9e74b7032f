package campaign_test

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rashomon-go/rashomon"
	"github.com/rashomon-go/rashomon/campaign"
	"github.com/rashomon-go/rashomon/checker"
)

// failuresOf runs a planted bug, and returns all failures by signature.
func failuresOf(t *testing.T, cells []campaign.Cell, runs, workers int) (*campaign.Report, map[campaign.Signature][]campaign.Failure) {
	t.Helper()
	all := map[campaign.Signature][]campaign.Failure{}
	r := campaign.Run(context.Background(), campaign.Plan{Cells: cells, Runs: runs, Workers: workers, Keep: func(b *campaign.Batch) error {
		for _, f := range b.Failures {
			all[f.Signature] = append(all[f.Signature], f)
		}
		return nil
	}}, nil)
	require.NoError(t, r.Err)
	return r, all
}

// One bug that panics in all runs, each time with other values, is one line; a run or
// two may need trouble on the network for it, and are another.
func TestOneBugIsOneSignature(t *testing.T) {
	r, all := failuresOf(t, []campaign.Cell{bugCell(t, "ml-merge-noncommutative")}, 60, 1)
	require.Greater(t, r.Cells[0].Panics, 50)
	require.LessOrEqual(t, len(all), 2)
	most := 0
	for s, failures := range all {
		most = max(most, len(failures))
		assert.Equal(t, `panic: node nN: leader: the resolver of key "kN" depends on the order of versions: of`, s.Kind)
		assert.NotNil(t, failures[0].Small, "the first one is shrunk")
	}
	assert.GreaterOrEqual(t, most, r.Cells[0].Panics-2)
}

// The first finding of a row is shrunk for its signature, and not again for its page.
func TestFindingsAreShrunkOnce(t *testing.T) {
	cell := bugCell(t, "chain-ack-at-middle")
	r, all := failuresOf(t, []campaign.Cell{cell}, 20, 1)
	first := r.Cells[0].First
	shrunk, err := first.Shrink(cell.System)
	require.NoError(t, err)
	var small *rashomon.Scenario
	for _, failures := range all {
		if failures[0].Seed == first.Seed {
			small = failures[0].Small
		}
	}
	assert.Same(t, small, shrunk.Scenario)
}

// A failure is in a signature only if it happens with nothing else going wrong than
// what the signature says. Every failure is in one.
func TestSignaturesSayWhatIsNeeded(t *testing.T) {
	cell := bugCell(t, "chain-ack-at-middle")
	r, all := failuresOf(t, []campaign.Cell{cell}, 60, 1)
	count, shrunk := 0, 0
	for s, failures := range all {
		count += len(failures)
		for _, f := range failures {
			if f.Small != nil {
				shrunk++
				f.Scenario = f.Small
			} else if s.Involved == "" {
				f.Scenario.Faults = nil
			}
			result, err := rashomon.Run(cell.System, f.Scenario, rashomon.Options{})
			require.NoError(t, err)
			assert.Equal(t, checker.Invalid, result.Verdict)
			if s.Involved == "" {
				assert.Empty(t, f.Scenario.Faults)
			}
			if !strings.Contains(s.Involved, "network") && f.Small != nil {
				assert.Zero(t, f.Small.Links.Loss)
			}
		}
	}
	assert.Equal(t, r.Cells[0].Violations, count)
	assert.LessOrEqual(t, len(all), 9)
	assert.Less(t, shrunk, count/2, "shrinking is dear")
}

// What a table of claims does not claim is refuted as it should be: that is no failure.
func TestRefutationsAreNoFailures(t *testing.T) {
	var cells []campaign.Cell
	for _, c := range allCells() {
		if c.System.Name == "chain" && c.Claim.Reads == "any" {
			cells = append(cells, c)
		}
	}
	r, all := failuresOf(t, cells, 20, 2)
	assert.Empty(t, all)
	assert.Positive(t, r.Cells[1].Violations)

	_, all = failuresOf(t, bootless(t), 3, 1)
	assert.Len(t, all, 2, "but a panic is one, in every row")
	for s := range all {
		assert.Equal(t, "panic: cannot boot", s.Kind)
	}

	_, all = failuresOf(t, []campaign.Cell{restless(t)}, 1, 1)
	require.Len(t, all, 1)
	for s := range all {
		assert.Equal(t, campaign.NotDeterministic, s.Kind)
	}
}
