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

// Report is what a campaign found, cell by cell in the order of the plan.
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
	// First is the violation with the lowest seed, or nil.
	First *Finding
}

// Finding is a run that broke its claim. Its result has no witness: Shrink and
// Save find one.
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
	c.report.Digest = c.digest
	return &c.report
}

// campaign is a plan being carried out.
type campaign struct {
	plan     Plan
	progress func(Progress)
	began    time.Time
	stop     context.CancelFunc

	mu      sync.Mutex
	next    int // job to hand out: run next/cells of cell next%cells
	merged  int // jobs whose digests are in digest
	pending map[int]uint64
	digest  uint64
	told    time.Time
	report  Report
}

func newCampaign(p Plan, progress func(Progress)) *campaign {
	c := &campaign{plan: p, progress: progress, began: time.Now(), pending: map[int]uint64{}}
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
	scenario.Bug = cell.Bug
	result, err := rashomon.Run(cell.System, scenario, rashomon.Options{Check: checker.Options{VerdictOnly: true}})
	return &Finding{seed, scenario, result}, err
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
	c.report.Runs++
	c.fold(job, f.Result.Digest)
	c.report.Cells[job%len(c.plan.Cells)].add(f)
	if f.Result.Verdict == checker.Invalid && c.plan.StopAtFirst {
		c.stop()
	}
	c.tell()
}

func (r *CellReport) add(f *Finding) {
	r.Runs++
	r.Exercise.Add(f.Result.Exercise)
	switch f.Result.Verdict {
	case checker.Invalid:
		r.Violations++
		if r.First == nil || f.Seed < r.First.Seed {
			r.First = f
		}
	case checker.Unknown:
		r.Inconclusive++
		r.Reasons[f.Result.Reason]++
	}
}

// fold brings the digests of runs, which end in any order, into one.
func (c *campaign) fold(job int, digest uint64) {
	c.pending[job] = digest
	for d, ok := c.pending[c.merged]; ok; d, ok = c.pending[c.merged] {
		delete(c.pending, c.merged)
		c.digest = sim.Key(c.digest, d)
		c.merged++
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
