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
	"slices"
	"sync"
	"time"

	"github.com/rashomon-go/rashomon"
	"github.com/rashomon-go/rashomon/checker"
	"github.com/rashomon-go/rashomon/sim"
)

// Cell is one row of a table of claims to be tested.
type Cell struct {
	System *rashomon.System
	Claim  rashomon.Claim
}

// Plan says what to run. A cell's run i has the seed Seed + i. Cells of one System
// that differ in what is claimed of the same reads (Claim.SharesRuns) share their runs: each run is
// judged for all of them.
type Plan struct {
	Cells []Cell
	Seed  uint64
	// Runs (per cell) and For end the campaign, whichever comes first; of the two,
	// 0 means no limit. If both are 0 it goes on until the context is cancelled.
	Runs       int
	For        time.Duration
	Operations int // per run; 0 means rashomon.DefaultOperations
	Workers    int // 0 means one for each processor
	// Twice is the share of runs that are run a second time, to see that the
	// second is the same, beside the first run of each cell, which always is. 0
	// means DefaultTwice; below 0 every run is run once.
	Twice float64
	// StopAtFirst ends the campaign at the first violation or panic, in whichever
	// cell.
	StopAtFirst bool
}

// DefaultTwice is the share of runs that are run a second time.
const DefaultTwice = 0.02

// validate reports the first thing in the plan that makes no sense.
func (p *Plan) validate() error {
	switch {
	case p.Runs < 0:
		return fmt.Errorf("campaign: %d runs, expected 0 or more", p.Runs)
	case p.For < 0:
		return fmt.Errorf("campaign: a time of %v, expected 0 or more", p.For)
	case p.Operations < 0:
		return fmt.Errorf("campaign: runs of %d operations, expected 0 or more", p.Operations)
	}
	for i := range p.Cells {
		if p.Cells[i].System == nil {
			return fmt.Errorf("campaign: cell %d has no System", i)
		}
	}
	return nil
}

// family is cells that share their runs, as indexes into Plan.Cells.
type family []int

// families returns the families in the order of their first cells.
func (p *Plan) families() (all []family) {
	for i := range p.Cells {
		shares := func(f family) bool {
			first := &p.Cells[f[0]]
			return first.System == p.Cells[i].System && first.Claim.SharesRuns(p.Cells[i].Claim)
		}
		if k := slices.IndexFunc(all, shares); k >= 0 {
			all[k] = append(all[k], i)
		} else {
			all = append(all, family{i})
		}
	}
	return all
}

// runsTwice says whether a run is run a second time. That depends on the family
// and the seed alone.
func (p *Plan) runsTwice(family int, seed uint64) bool {
	share := p.Twice
	if share == 0 {
		share = DefaultTwice
	}
	if share < 0 {
		return false
	}
	return seed == p.Seed || float64(sim.Key(seed, uint64(family))>>11)/(1<<53) < share
}

// Progress is how far a campaign has come.
type Progress struct {
	Runs, Violations int // Violations of claims and panics, not of what is not claimed
	Elapsed          time.Duration
	Done             float64 // 0..1, of the limit that is nearer; 0 if there is none
}

// Run carries out a plan. It calls progress now and then, if it is not nil, from
// one goroutine at a time. When ctx is cancelled it ends with what has been found
// until then.
func Run(ctx context.Context, p Plan, progress func(Progress)) *Report {
	c := newCampaign(p, progress)
	if c.report.Err = p.validate(); c.report.Err != nil {
		return &c.report
	}
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
	families []family
	progress func(Progress)
	began    time.Time
	stop     context.CancelFunc

	mu      sync.Mutex
	next    int               // job to hand out: run next/families of family next%families
	merged  int               // jobs that are in the report: all before this one
	pending map[int][]Finding // by cell of the family, of runs that ended before an earlier one did
	ended   bool              // at the first violation
	told    time.Time
	report  Report
}

func newCampaign(p Plan, progress func(Progress)) *campaign {
	c := &campaign{plan: p, families: p.families(), progress: progress, began: time.Now(), pending: map[int][]Finding{}}
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
		found, err := c.run(c.job(job))
		c.add(job, found, err)
	}
}

// job returns which family a job runs, and with which seed.
func (c *campaign) job(i int) (family int, seed uint64) {
	return i % len(c.families), c.plan.Seed + uint64(i/len(c.families))
}

// run runs the scenario of a seed, now and then twice, and returns what was found
// for each cell of the family. A panic outside of the simulated system, which the
// run has taken care of, is a defect of this program and becomes an error.
func (c *campaign) run(family int, seed uint64) (found []Finding, err error) {
	first := &c.plan.Cells[c.families[family][0]]
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("campaign: system %s, seed %d: %v\n%s", first.System.Name, seed, p, debug.Stack())
		}
	}()
	sc := rashomon.FromSeed(seed, first.System, first.Claim, c.plan.Operations)
	claims := make([]rashomon.Property, len(c.families[family]))
	for i, cell := range c.families[family] {
		claims[i] = c.plan.Cells[cell].Claim.Property
	}
	quick := rashomon.Options{Check: checker.Options{VerdictOnly: true}}
	var results, again []*rashomon.Result
	var difference *rashomon.Difference
	if c.plan.runsTwice(family, seed) {
		results, again, difference, err = rashomon.Twice(first.System, sc, claims, quick)
	} else {
		results, err = rashomon.RunClaims(first.System, sc, claims, quick)
	}
	found = make([]Finding, len(results))
	for i, r := range results {
		own := *sc
		own.Claim = claims[i]
		found[i] = Finding{Seed: seed, Scenario: &own, Result: light(r), Difference: difference}
		if again != nil {
			found[i].Again = light(again[i])
		}
	}
	return found, err
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
	n := len(c.families)
	if n == 0 || c.plan.Runs > 0 && c.next/n >= c.plan.Runs { // the product may be too large
		return 0, false
	}
	job = c.next
	c.next++
	return job, true
}

// add counts a run.
func (c *campaign) add(job int, found []Finding, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil {
		if c.report.Err == nil {
			c.report.Err = err
		}
		c.stop()
		return
	}
	c.pending[job] = found
	c.fold()
	c.tell()
}

// fold brings runs, which end in any order, into the report in the order of their
// jobs. Jobs are handed out in order, and each that was handed out is done, so
// that none is left over. What was run beyond the first violation does not count
// if the campaign ends there: it depends on the speed of the workers.
func (c *campaign) fold() {
	for found := c.pending[c.merged]; found != nil; found = c.pending[c.merged] {
		delete(c.pending, c.merged)
		if c.ended {
			return
		}
		family, _ := c.job(c.merged)
		c.report.add(c.families[family], found)
		c.merged++
		violation := func(f Finding) bool { return f.Result.Verdict == checker.Invalid }
		if c.plan.StopAtFirst && slices.ContainsFunc(found, violation) {
			c.ended = true
			c.stop()
		}
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
		p.Done = float64(p.Runs) / float64(c.plan.Runs) / float64(len(c.families))
	}
	if c.plan.For > 0 {
		p.Done = min(1, max(p.Done, p.Elapsed.Seconds()/c.plan.For.Seconds()))
	}
	for i := range c.report.Cells {
		p.Violations += c.report.Cells[i].broken()
	}
	c.progress(p)
}
