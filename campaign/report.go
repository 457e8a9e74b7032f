package campaign

import (
	"cmp"
	"time"

	"github.com/rashomon-go/rashomon"
	"github.com/rashomon-go/rashomon/checker"
)

// Report is what a campaign found, cell by cell in the order of the plan. It
// depends on the plan and the number of runs alone: not on the number of workers,
// nor on which run ended first.
type Report struct {
	Cells  []CellReport
	Runs   int    // of the simulator; one run counts in all cells that share it
	Before int    // of these, were done before (Plan.Done)
	Digest uint64 // a sum over all runs, whatever their order
	Took   time.Duration
	// Err is the first run that could not be made at all, which is a defect of
	// the plan or of the system's description and not a finding.
	Err error
}

// CellReport is what a campaign found in one cell.
type CellReport struct {
	Cell
	Tally

	// The earliest runs of their kind, or nil.
	First          *Finding // of Violations
	FirstPanic     *Finding
	FirstDiffering *Finding
	FirstCrash     *Finding
}

// Finding is a run that is worth looking at. Its result has neither history nor
// witness: Shrink and Save find them.
type Finding struct {
	Seed     uint64
	Scenario *rashomon.Scenario
	Result   *rashomon.Result
	// Again is of the second run of the scenario, if it was run twice; Difference is
	// nil unless the two differed.
	Again      *rashomon.Result
	Difference *rashomon.Difference
	// Rejudged says that porcupine judged the history, too; Contradiction is empty
	// unless it came to another verdict.
	Rejudged      bool
	Contradiction string
	// Crash is nil but for a run that ended its process. Its result says that and nothing
	// else, and its scenario must not be run.
	Crash *Crash

	shrunk *rashomon.Shrunk
}

// shrinkRuns bounds how long a finding is shrunk. Of 92 failures of planted bugs the
// median took 132 runs, and none 2000.
const shrinkRuns = 2000

// Shrink shrinks the scenario of the finding, which is from this system. The second
// time it is known: one finding has one size, whoever tells it.
func (f *Finding) Shrink(s *rashomon.System) (*rashomon.Shrunk, error) {
	if f.shrunk != nil {
		return f.shrunk, nil
	}
	shrunk, err := rashomon.Shrink(s, f.Scenario, rashomon.ShrinkOptions{Runs: shrinkRuns})
	if err != nil {
		return nil, err
	}
	f.shrunk = shrunk
	return shrunk, nil
}

// Differs says whether two results are of different runs. The words of a panic do
// not count: they may tell addresses.
func Differs(a, b *rashomon.Result) bool {
	return a.Digest != b.Digest || a.Verdict != b.Verdict || (a.Panic == "") != (b.Panic == "")
}

// Verdict returns what the cell's runs say about the property together: invalid
// after one violation, panic or crash, and valid only if enough of them were conclusive
// (rashomon.Conclusive).
func (c *CellReport) Verdict() checker.Verdict {
	switch {
	case c.Violations+c.Panics+c.Crashes > 0:
		return checker.Invalid
	case rashomon.Conclusive(c.Runs, c.Inconclusive):
		return checker.Valid
	}
	return checker.Unknown
}

// Kept says whether the cell turned out as the system's table says: a claim that
// no run broke, or a refutation that was found. A system that panics or crashes, or that is
// not deterministic, never does what its table says; nor does anything if the judges
// disagree.
func (c *CellReport) Kept() bool {
	switch {
	case c.Panics+c.Crashes > 0 || c.Differing > 0 || c.Contradicted > 0:
		return false
	case c.Claim.Refuted:
		return c.Violations > 0
	}
	return c.Verdict() == checker.Valid
}

// Unexpected counts the runs that nobody expects: those that break a claim, panics and
// crashes.
func (c *CellReport) Unexpected() int {
	if c.Claim.Refuted {
		return c.Panics + c.Crashes
	}
	return c.Panics + c.Crashes + c.Violations
}

// add counts what came of more runs.
func (c *CellReport) add(more *CellReport) {
	c.Tally.Add(&more.Tally)
	c.First = cmp.Or(c.First, more.First)
	c.FirstPanic = cmp.Or(c.FirstPanic, more.FirstPanic)
	c.FirstDiffering = cmp.Or(c.FirstDiffering, more.FirstDiffering)
	c.FirstCrash = cmp.Or(c.FirstCrash, more.FirstCrash)
}

// add brings the next batch of a family into the report.
func (r *Report) add(cells family, b *Batch) {
	r.Runs += b.Runs
	r.Digest += b.Digest
	for i, cell := range cells {
		r.Cells[cell].add(&b.Cells[i])
	}
}

// reached counts the features that systems have, and those of them that were reached.
func (r *Report) reached() (reached, known int) {
	seen := map[string]bool{} // by system and feature
	for i := range r.Cells {
		c := &r.Cells[i]
		for _, f := range c.Exercise.Features {
			name := c.System.Name + " " + f.Name
			seen[name] = seen[name] || f.Runs > 0
		}
	}
	for _, yes := range seen {
		if yes {
			reached++
		}
	}
	return reached, len(seen)
}
