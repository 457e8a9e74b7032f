package campaign

import (
	"time"

	"github.com/rashomon-go/rashomon"
	"github.com/rashomon-go/rashomon/checker"
	"github.com/rashomon-go/rashomon/sim"
)

// Report is what a campaign found, cell by cell in the order of the plan. It
// depends on the plan and the number of runs alone: not on the number of workers,
// nor on which run ended first.
type Report struct {
	Cells  []CellReport
	Runs   int    // of the simulator; one run counts in all cells that share it
	Digest uint64 // over all runs in the order of seeds and cells
	Took   time.Duration
	// Err is the first run that could not be made at all, which is a defect of
	// the plan or of the system's description and not a finding.
	Err error
}

// CellReport is what a campaign found in one cell.
type CellReport struct {
	Cell
	Runs         int
	Violations   int // runs with a history that breaks the claim
	Panics       int // runs in which the system panicked; none of Violations is one
	Inconclusive int // runs with the verdict unknown
	Reasons      map[string]int
	Exercise     rashomon.Exercise
	RanTwice     int // runs that were run a second time
	Differing    int // of these, the second run was another than the first

	// The earliest runs of their kind, or nil.
	First          *Finding // of Violations
	FirstPanic     *Finding
	FirstDiffering *Finding
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
}

// Differs says whether two results are of different runs. The words of a panic do
// not count: they may tell addresses.
func Differs(a, b *rashomon.Result) bool {
	return a.Digest != b.Digest || a.Verdict != b.Verdict || (a.Panic == "") != (b.Panic == "")
}

// Verdict returns what the cell's runs say about the property together: invalid
// after one violation or panic, and valid only if enough of them were conclusive
// (rashomon.Conclusive).
func (c *CellReport) Verdict() checker.Verdict {
	switch {
	case c.Violations+c.Panics > 0:
		return checker.Invalid
	case rashomon.Conclusive(c.Runs, c.Inconclusive):
		return checker.Valid
	}
	return checker.Unknown
}

// Kept says whether the cell turned out as the system's table says: a claim that
// no run broke, or a refutation that was found. A system that panics, or that is
// not deterministic, never does what its table says.
func (c *CellReport) Kept() bool {
	switch {
	case c.Panics > 0 || c.Differing > 0:
		return false
	case c.Claim.Refuted:
		return c.Violations > 0
	}
	return c.Verdict() == checker.Valid
}

// broken counts the runs that nobody expects: those that break a claim, and
// panics.
func (c *CellReport) broken() int {
	if c.Claim.Refuted {
		return c.Panics
	}
	return c.Panics + c.Violations
}

// add counts a run.
func (c *CellReport) add(f *Finding) {
	c.Runs++
	c.Exercise.Add(f.Result.Exercise)
	switch {
	case f.Result.Panic != "":
		c.Panics++
		keep(&c.FirstPanic, f)
	case f.Result.Verdict == checker.Invalid:
		c.Violations++
		keep(&c.First, f)
	case f.Result.Verdict == checker.Unknown:
		c.Inconclusive++
		c.Reasons[f.Result.Reason]++
	}
	if f.Again == nil {
		return
	}
	c.RanTwice++
	if f.Difference != nil {
		c.Differing++
		keep(&c.FirstDiffering, f)
	}
}

// keep keeps the first of several findings.
func keep(first **Finding, f *Finding) {
	if *first == nil {
		*first = f
	}
}

// add brings the next run of a family into the report.
func (r *Report) add(cells family, found []Finding) {
	r.Runs++
	r.Digest = sim.Key(r.Digest, found[0].Result.Digest)
	for i, cell := range cells {
		r.Cells[cell].add(&found[i])
	}
}
