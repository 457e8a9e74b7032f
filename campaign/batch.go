package campaign

import (
	"cmp"
	"hash/fnv"
	"slices"

	"github.com/rashomon-go/rashomon"
	"github.com/rashomon-go/rashomon/checker"
	"github.com/rashomon-go/rashomon/sim"
)

// Batch is what came of some runs of one family.
type Batch struct {
	Family string
	Ranges []Range
	Runs   int    // in Ranges
	Digest uint64 // their share of Report.Digest
	Cells  []CellReport
	// Failures are the runs that nobody expects, if the plan has a Keep.
	Failures []Failure

	name     uint64 // a hash of Family
	exercise rashomon.Exercise
}

func newBatch(p *Plan, f family) *Batch {
	b := &Batch{Family: p.Cells[f[0]].Family()}
	h := fnv.New64a()
	h.Write([]byte(b.Family))
	b.name = h.Sum64()
	for _, cell := range f {
		b.Cells = append(b.Cells, CellReport{Cell: p.Cells[cell]})
	}
	return b
}

// add counts the run of that number, which comes after all others of the batch.
func (b *Batch) add(run int, found []Finding) {
	if last := len(b.Ranges) - 1; last >= 0 && b.Ranges[last].Until == run {
		b.Ranges[last].Until++
	} else {
		b.Ranges = append(b.Ranges, Range{run, run + 1})
	}
	b.Runs++
	if found[0].Crash == nil {
		b.Digest += sim.Key(sim.Key(b.name, found[0].Seed), found[0].Result.Digest)
	}
	b.exercise.Add(found[0].Result.Exercise) // of all cells: they share the run
	for i := range found {
		b.Cells[i].Exercise = b.exercise
		b.Cells[i].count(&found[i])
	}
}

// anyInvalid says whether there was a violation, a panic or a crash in a cell.
func anyInvalid(cells []CellReport) bool {
	return slices.ContainsFunc(cells, func(c CellReport) bool { return c.Verdict() == checker.Invalid })
}

// classify tells what kinds of failures were found in a run.
func (b *Batch) classify(c *classifier, found []Finding) error {
	for i := range found {
		f := &found[i]
		cell := b.Cells[i].Cell
		broken := f.Result.Verdict == checker.Invalid && (f.Result.Panic != "" || !cell.Expected())
		if !broken && f.Difference == nil && f.Contradiction == "" {
			continue
		}
		fail, err := c.failure(cell.System, f)
		if err != nil {
			return err
		}
		b.Failures = append(b.Failures, fail)
	}
	return nil
}

// Tally counts what came of runs in one cell.
type Tally struct {
	Runs         int
	Violations   int // runs with a history that breaks the claim
	Panics       int // runs in which the system panicked; none of Violations is one
	Crashes      int // runs that ended their process; none of the others is one
	Inconclusive int // runs with the verdict unknown
	Reasons      map[string]int
	Exercise     rashomon.Exercise
	RanTwice     int // runs that were run a second time
	Differing    int // of these, the second run was another than the first
	Rejudged     int // runs that porcupine judged, too
	Contradicted int // of these, it came to another verdict

	Earliest Earliest
}

// Earliest are the earliest runs of their kind, or nil: seeds, and a crash, which must not
// be made again.
type Earliest struct {
	Violation, Panic, Differing *uint64
	Crash                       *Crash
}

func (e *Earliest) add(more Earliest) {
	earlier := func(a *uint64, b *uint64) *uint64 {
		if a == nil || b != nil && *b < *a {
			return b
		}
		return a
	}
	e.Violation, e.Panic, e.Differing = earlier(e.Violation, more.Violation), earlier(e.Panic, more.Panic), earlier(e.Differing, more.Differing)
	if e.Crash == nil || more.Crash != nil && more.Crash.Seed < e.Crash.Seed {
		e.Crash = more.Crash
	}
}

// maxReasons is how many reasons are told apart. Some of them name times, and there
// is no end of those.
const maxReasons = 100

const otherReasons = "of other reasons"

// Add adds the counts of other runs.
func (t *Tally) Add(more *Tally) {
	t.Runs += more.Runs
	t.Violations += more.Violations
	t.Panics += more.Panics
	t.Crashes += more.Crashes
	t.Inconclusive += more.Inconclusive
	t.RanTwice += more.RanTwice
	t.Differing += more.Differing
	t.Rejudged += more.Rejudged
	t.Contradicted += more.Contradicted
	t.Exercise.Add(more.Exercise)
	t.Earliest.add(more.Earliest)
	for reason, n := range more.Reasons {
		t.because(reason, n)
	}
}

func (t *Tally) because(reason string, n int) {
	if t.Reasons == nil {
		t.Reasons = map[string]int{}
	}
	if _, known := t.Reasons[reason]; !known && len(t.Reasons) >= maxReasons {
		reason = otherReasons
	}
	t.Reasons[reason] += n
}

// count counts a run, but for what it exercised.
func (c *CellReport) count(f *Finding) {
	c.Runs++
	switch {
	case f.Crash != nil:
		c.Crashes++
		c.FirstCrash = cmp.Or(c.FirstCrash, f)
		c.Earliest.Crash = cmp.Or(c.Earliest.Crash, f.Crash)
	case f.Result.Panic != "":
		c.Panics++
		keep(&c.FirstPanic, &c.Earliest.Panic, f)
	case f.Result.Verdict == checker.Invalid:
		c.Violations++
		keep(&c.First, &c.Earliest.Violation, f)
	case f.Result.Verdict == checker.Unknown:
		c.Inconclusive++
		c.because(f.Result.Reason, 1)
	}
	if f.Rejudged {
		c.Rejudged++
	}
	if f.Contradiction != "" {
		c.Contradicted++
	}
	if f.Again == nil {
		return
	}
	c.RanTwice++
	if f.Difference != nil {
		c.Differing++
		keep(&c.FirstDiffering, &c.Earliest.Differing, f)
	}
}

// keep keeps the first of several findings, and its seed.
func keep(first **Finding, seed **uint64, f *Finding) {
	if *first == nil {
		*first, *seed = f, &f.Seed
	}
}
