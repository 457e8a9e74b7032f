// Package campaign runs many scenarios: every row of the tables of claims, seed
// after seed, on all cores, for a time or a number of runs.
//
// What a campaign finds in a run depends on the row and the seed alone. Which
// runs there are depends on the time, unless their number is given.
package campaign

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"
	"sync"
	"time"

	"github.com/rashomon-go/rashomon"
	"github.com/rashomon-go/rashomon/checker"
	"github.com/rashomon-go/rashomon/sim"
)

// Cell is one row of a table of claims to be tested.
type Cell struct {
	System *rashomon.System
	Bug    string // the planted bug in System, if there is one
	Claim  rashomon.Claim
}

// Plan says what to run. A cell's run i has the seed Seed + i.
type Plan struct {
	Cells      []Cell
	Seed       uint64
	Runs       int           // per cell; 0 means until For has passed
	For        time.Duration // 0 means until Runs are done
	Operations int           // per run; 0 means rashomon.DefaultOperations
	Workers    int           // 0 means one for each processor
	// StopAtFirst ends the campaign at the first violation, in whichever cell.
	StopAtFirst bool
}

// Report is what a campaign found, cell by cell in the order of the plan. It
// depends on the plan and the number of runs alone: not on the number of workers,
// nor on which run ended first.
type Report struct {
	Cells  []CellReport
	Runs   int
	Digest uint64 // over all runs in the order of seeds and cells
	Took   time.Duration
	// Err is the first run that could not be made at all, which is a defect of
	// the system's description and not a finding.
	Err error
}

// CellReport is what a campaign found in one cell.
type CellReport struct {
	Cell
	Runs         int
	Violations   int // runs with the verdict invalid
	Inconclusive int // runs with the verdict unknown
	Reasons      map[string]int
	Exercise     rashomon.Exercise
	// First is the violation of the earliest run, or nil.
	First *Finding
}

// Finding is a run that broke its claim. Its result has neither history nor
// witness: Shrink and Save find them.
type Finding struct {
	Seed     uint64
	Scenario *rashomon.Scenario
	Result   *rashomon.Result
}

// Verdict returns what the cell's runs say about the property together: invalid
// after one violation, unknown if no run was conclusive.
func (c *CellReport) Verdict() checker.Verdict {
	switch {
	case c.Violations > 0:
		return checker.Invalid
	case c.Runs > c.Inconclusive:
		return checker.Valid
	}
	return checker.Unknown
}

// Kept says whether the cell turned out as the system's table says: a claim that
// no run broke, or a refutation that was found.
func (c *CellReport) Kept() bool {
	want := checker.Valid
	if c.Claim.Refuted {
		want = checker.Invalid
	}
	return c.Verdict() == want
}

// Progress is how far a campaign has come.
type Progress struct {
	Runs, Violations int // Violations of claims, not of what is not claimed
	Elapsed          time.Duration
	Done             float64 // 0..1
}

// Run carries out a plan. It calls progress now and then, if it is not nil, from
// one goroutine at a time. When ctx is cancelled it ends with what has been found
// until then.
func Run(ctx context.Context, p Plan, progress func(Progress)) *Report {
	c := newCampaign(p, progress)
	if p.For > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, p.For)
		defer cancel()
	}
	ctx, c.stop = context.WithCancel(ctx)
	defer c.stop()
	var workers sync.WaitGroup
	for range c.workers() {
		workers.Go(func() { c.work(ctx) })
	}
	workers.Wait()
	c.report.Took = time.Since(c.began)
	return &c.report
}

// campaign is a plan being carried out.
type campaign struct {
	plan     Plan
	progress func(Progress)
	began    time.Time
	stop     context.CancelFunc

	mu      sync.Mutex
	next    int              // job to hand out: run next/cells of cell next%cells
	merged  int              // jobs that are in the report: all before this one
	pending map[int]*Finding // runs that ended before an earlier one did
	ended   bool             // at the first violation
	told    time.Time
	report  Report
}

func newCampaign(p Plan, progress func(Progress)) *campaign {
	c := &campaign{plan: p, progress: progress, began: time.Now(), pending: map[int]*Finding{}}
	c.report.Cells = make([]CellReport, len(p.Cells))
	for i := range p.Cells {
		c.report.Cells[i] = CellReport{Cell: p.Cells[i], Reasons: map[string]int{}}
	}
	return c
}

func (c *campaign) workers() int {
	if c.plan.Workers > 0 {
		return c.plan.Workers
	}
	return runtime.GOMAXPROCS(0)
}

// work does one job after the other until none is left or the time is up.
func (c *campaign) work(ctx context.Context) {
	for ctx.Err() == nil {
		job, ok := c.take()
		if !ok {
			return
		}
		cell := &c.plan.Cells[job%len(c.plan.Cells)]
		f, err := cell.run(c.plan.Seed+uint64(job/len(c.plan.Cells)), c.plan.Operations)
		c.add(job, f, err)
	}
}

// run runs the scenario of a seed. A panic outside of the simulated system, which
// Run has taken care of, is a defect of this program and becomes an error.
func (cell *Cell) run(seed uint64, operations int) (f *Finding, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("campaign: system %s, seed %d: %v\n%s", cell.System.Name, seed, p, debug.Stack())
		}
	}()
	scenario := rashomon.FromSeed(seed, cell.System, cell.Claim, operations)
	result, err := rashomon.Run(cell.System, scenario, rashomon.Options{Check: checker.Options{VerdictOnly: true}})
	if err != nil {
		return nil, err
	}
	return &Finding{seed, scenario, light(result)}, nil
}

// light returns a result without the history: many may wait for a slow run.
func light(r *rashomon.Result) *rashomon.Result {
	return &rashomon.Result{
		Judgement: r.Judgement, Panic: r.Panic,
		Digest: r.Digest, Exercise: r.Exercise, End: r.End,
	}
}

func (c *campaign) take() (job int, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := len(c.plan.Cells)
	if n == 0 || c.plan.Runs > 0 && c.next >= c.plan.Runs*n {
		return 0, false
	}
	job = c.next
	c.next++
	return job, true
}

// add counts a run.
func (c *campaign) add(job int, f *Finding, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil {
		if c.report.Err == nil {
			c.report.Err = err
		}
		c.stop()
		return
	}
	c.pending[job] = f
	c.fold()
	c.tell()
}

// fold brings runs, which end in any order, into the report in the order of their
// jobs. Jobs are handed out in order, and each that was handed out is done, so
// that none is left over. What was run beyond the first violation does not count
// if the campaign ends there: it depends on the speed of the workers.
func (c *campaign) fold() {
	for f := c.pending[c.merged]; f != nil; f = c.pending[c.merged] {
		delete(c.pending, c.merged)
		if c.ended {
			return
		}
		c.report.Runs++
		c.report.Digest = sim.Key(c.report.Digest, f.Result.Digest)
		c.report.Cells[c.merged%len(c.plan.Cells)].add(f)
		c.merged++
		if f.Result.Verdict == checker.Invalid && c.plan.StopAtFirst {
			c.ended = true
			c.stop()
		}
	}
}

func (r *CellReport) add(f *Finding) {
	r.Runs++
	r.Exercise.Add(f.Result.Exercise)
	switch f.Result.Verdict {
	case checker.Invalid:
		r.Violations++
		if r.First == nil {
			r.First = f
		}
	case checker.Unknown:
		r.Inconclusive++
		r.Reasons[f.Result.Reason]++
	}
}

// tell reports progress, at most ten times a second.
func (c *campaign) tell() {
	now := time.Now()
	if c.progress == nil || now.Sub(c.told) < 100*time.Millisecond {
		return
	}
	c.told = now
	p := Progress{Runs: c.report.Runs, Elapsed: now.Sub(c.began)}
	if c.plan.Runs > 0 {
		p.Done = float64(p.Runs) / float64(c.plan.Runs*len(c.plan.Cells))
	}
	if c.plan.For > 0 {
		p.Done = max(p.Done, p.Elapsed.Seconds()/c.plan.For.Seconds())
	}
	for i := range c.report.Cells {
		if r := &c.report.Cells[i]; !r.Claim.Refuted {
			p.Violations += r.Violations
		}
	}
	c.progress(p)
}
