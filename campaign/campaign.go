// Package campaign runs many scenarios: every row of the tables of claims, seed
// after seed, on all cores, for a time or a number of runs.
//
// What a campaign finds in a run depends on the row and the seed alone. Which
// runs there are depends on the time, unless their number is given.
//
// Seeds are claimed in ranges. What came of a range is one Batch, which whoever
// keeps a campaign (package store) commits at once: after that its runs are done,
// and before that they never were.
package campaign

import (
	"cmp"
	"context"
	"fmt"
	"runtime"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"github.com/rashomon-go/rashomon"
	"github.com/rashomon-go/rashomon/checker"
	"github.com/rashomon-go/rashomon/model"
	"github.com/rashomon-go/rashomon/sim"
)

// Cell is one row of a table of claims to be tested.
type Cell struct {
	System *rashomon.System
	Claim  rashomon.Claim
}

// String names the cell, in a way that no other cell has.
func (c Cell) String() string {
	return fmt.Sprintf("%s, %v", cmp.Or(c.System.Bug, c.System.Name), c.Claim)
}

// Expected says whether a violation is what the table of claims says: of a row that is
// not claimed, without a planted bug.
func (c Cell) Expected() bool { return c.Claim.Refuted && c.System.Bug == "" }

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
	// Rejudge is the share of runs that porcupine judges, too, of claims of
	// linearizability. 0 means DefaultRejudge; below 0 it judges none.
	Rejudge float64
	// Patience is how long a run may take, with what it takes to classify it. 0 means a
	// minute and 100 ms for each operation, many times what is usual.
	Patience time.Duration
	// StopAtFirst ends the campaign at the first violation or panic, in whichever
	// cell.
	StopAtFirst bool
	// Shard, of so many Shards, is the part of the runs that this campaign makes: every
	// so manieth range of seeds. Shards 0 means all of them.
	Shard, Shards int

	// Done is what has been done before, and counts in the report: the runs that this
	// campaign goes on with are the others.
	Done Past
	// Keep, if it is not nil, is called with each Batch, from one goroutine at a time, in
	// the order of ranges and families. An error ends the campaign.
	Keep func(*Batch) error
	// Mark, if it is not nil, is called by each worker, by number from 0, before it makes a
	// run: if that is the last that anybody hears of the campaign, the run may have ended the
	// process (Try tells). When the worker has no more to do, the family is empty. An
	// error ends the campaign.
	Mark func(worker int, family string, seed uint64) error
}

// Past is what a campaign has done until it ended, or was killed.
type Past struct {
	Ranges map[string][]Range // by Family
	Cells  map[string]Tally   // by Cell.String
	Digest uint64
	// Signatures are those of the failures that were found.
	Signatures []Signature
}

// DefaultTwice is the share of runs that are run a second time, and DefaultRejudge
// the share that porcupine judges, too.
const (
	DefaultTwice   = 0.01
	DefaultRejudge = 0.01
)

// validate reports the first thing in the plan that makes no sense.
func (p *Plan) validate() error {
	switch {
	case p.Runs < 0:
		return fmt.Errorf("campaign: %d runs, expected 0 or more", p.Runs)
	case p.For < 0:
		return fmt.Errorf("campaign: a time of %v, expected 0 or more", p.For)
	case p.Shards < 0 || p.Shard < 0 || p.Shard > 0 && p.Shard >= p.Shards:
		return fmt.Errorf("campaign: shard %d of %d, expected 0 up to one less than there are", p.Shard, p.Shards)
	case p.Patience < 0:
		return fmt.Errorf("campaign: a patience of %v, expected 0 or more", p.Patience)
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

// Family names the cells that share their runs with c.
func (c Cell) Family() string {
	name := fmt.Sprintf("%s, reads at %s", cmp.Or(c.System.Bug, c.System.Name), c.Claim.Reads)
	if c.Claim.Property == rashomon.Live {
		name += ": live"
	}
	return name
}

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

// runsTwice says whether a run is run a second time, and rejudges whether porcupine
// judges it. That depends on the family and the seed alone.
func (p *Plan) runsTwice(family int, seed uint64) bool {
	return inShare(p.Twice, DefaultTwice, seed == p.Seed, sim.Key(seed, uint64(family)))
}

func (p *Plan) rejudges(family int, seed uint64) bool {
	return inShare(p.Rejudge, DefaultRejudge, seed == p.Seed, sim.Key(sim.Key(seed, uint64(family)), 1))
}

func inShare(share, normal float64, first bool, draw uint64) bool {
	if share == 0 {
		share = normal
	}
	return share > 0 && (first || float64(draw>>11)/(1<<53) < share)
}

// Run carries out a plan. It calls progress now and then, if it is not nil, from
// one goroutine at a time. When ctx is cancelled it ends with what has been found
// until then.
func Run(ctx context.Context, p Plan, progress func(Progress)) *Report {
	if err := p.validate(); err != nil {
		return &Report{Err: err}
	}
	c, err := newCampaign(p, progress)
	if err != nil {
		return &Report{Err: err}
	}
	if p.For > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, p.For)
		defer cancel()
	}
	ctx, c.stop = context.WithCancel(ctx)
	defer c.stop()
	var workers sync.WaitGroup
	for i := range c.desks {
		workers.Go(func() { c.work(ctx, i) })
	}
	ended := make(chan struct{})
	go func() { workers.Wait(); close(ended) }()
	c.watch(ended)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.report.Took = time.Since(c.began)
	report := c.report // whose run does not end may come back yet
	return &report
}

// campaign is a plan being carried out.
type campaign struct {
	plan       Plan
	families   []family
	done       [][]Range // by family, before this campaign
	progress   func(Progress)
	began      time.Time
	classifier *classifier // nil if nobody keeps failures
	stop       context.CancelFunc
	desks      []desk // of the workers

	mu      sync.Mutex
	next    int            // job to hand out: range next/families of family next%families
	merged  int            // jobs that are in the report: all before this one
	pending map[int]*Batch // of jobs that ended before an earlier one did
	ended   bool           // at the first violation, or when nothing can be kept
	told    time.Time
	report  Report
}

func newCampaign(p Plan, progress func(Progress)) (c *campaign, err error) {
	c = &campaign{plan: p, families: p.families(), progress: progress, began: time.Now(), pending: map[int]*Batch{}}
	if p.Keep != nil {
		c.classifier = newClassifier(p.Done.Signatures)
	}
	c.desks = make([]desk, c.workers())
	for _, f := range c.families {
		c.done = append(c.done, p.Done.Ranges[p.Cells[f[0]].Family()])
	}
	c.report, err = c.past()
	return c, err
}

// familyNamed returns which of the families has a name.
func (c *campaign) familyNamed(name string) (int, error) {
	i := slices.IndexFunc(c.families, func(f family) bool { return c.plan.Cells[f[0]].Family() == name })
	if i < 0 {
		return 0, fmt.Errorf("campaign: no cells are %q, expected a family of the plan", name)
	}
	return i, nil
}

func (c *campaign) workers() int {
	if c.plan.Workers > 0 {
		return c.plan.Workers
	}
	return runtime.GOMAXPROCS(0)
}

// work does one job after the other until none is left or the time is up.
func (c *campaign) work(ctx context.Context, worker int) {
	for ctx.Err() == nil {
		job, ok := c.take()
		if !ok {
			break
		}
		b, err := c.batch(ctx, worker, job)
		c.desks[worker].clear()
		c.add(job, b, err)
	}
	if err := c.unmark(worker); err != nil {
		c.add(0, nil, err)
	}
}

// batch makes the runs of a job that have not been made before, until the time is
// up.
func (c *campaign) batch(ctx context.Context, worker, job int) (*Batch, error) {
	family := job % len(c.families)
	whole := c.plan.rangeOf(job / len(c.families))
	name := c.plan.Cells[c.families[family][0]].Family()
	return c.make(ctx, family, whole.Without(c.done[family]), func(seed uint64) error { return c.mark(worker, name, seed) })
}

// make makes runs of a family, until the time is up, or the first violation if that
// ends the campaign. It calls mark before each run.
func (c *campaign) make(ctx context.Context, family int, ranges []Range, mark func(uint64) error) (*Batch, error) {
	b := newBatch(&c.plan, c.families[family])
	for _, r := range ranges {
		for i := r.From; i < r.Until && ctx.Err() == nil; i++ {
			seed := c.plan.Seed + uint64(i)
			if err := mark(seed); err != nil {
				return nil, err
			}
			found, err := c.run(family, seed)
			if err != nil {
				return nil, err
			}
			b.add(i, found)
			if c.classifier != nil {
				if err := b.classify(c.classifier, found); err != nil {
					return nil, err
				}
			}
			if c.plan.StopAtFirst && anyInvalid(b.Cells) {
				return b, nil
			}
		}
	}
	return b, nil
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
		if err == nil && claims[i] == rashomon.Linearizable && r.Panic == "" && c.plan.rejudges(family, seed) {
			found[i].Rejudged = true
			if found[i].Contradiction, err = contradiction(r); err != nil {
				return nil, err
			}
		}
	}
	return found, err
}

// rejudgeSteps bounds the search of porcupine: who judges twice must not wait for
// ever.
const rejudgeSteps = 200_000

// contradiction says whether porcupine contradicts the verdict on a history. Where
// either of them does not know, there is none.
func contradiction(r *rashomon.Result) (string, error) {
	second, err := checker.Linearizable(r.History, model.CASRegister(),
		checker.Options{Engine: checker.Porcupine, VerdictOnly: true, Steps: rejudgeSteps})
	if err != nil || r.Verdict == second.Verdict || r.Verdict == checker.Unknown || second.Verdict == checker.Unknown {
		return "", err
	}
	return fmt.Sprintf("the history was judged %v, and porcupine says %v", r.Verdict, second.Verdict), nil
}

// light returns a result without the history: many may wait for a slow run.
func light(r *rashomon.Result) *rashomon.Result {
	return &rashomon.Result{
		Judgement: r.Judgement, Panic: r.Panic,
		Digest: r.Digest, Exercise: r.Exercise, End: r.End,
	}
}

// take hands out the next job of which something is left to be done.
func (c *campaign) take() (job int, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := len(c.families)
	if n == 0 {
		return 0, false
	}
	for ; ; c.next++ {
		k := c.next / n
		whole := c.plan.rangeOf(k)
		switch {
		case whole.From >= whole.Until:
			return 0, false
		case c.plan.ours(k) && len(whole.Without(c.done[c.next%n])) > 0:
			c.next++
			return c.next - 1, true
		}
		c.pending[c.next] = &Batch{}
		c.fold()
	}
}

// add brings in what came of a job.
func (c *campaign) add(job int, b *Batch, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil {
		c.fail(err)
		return
	}
	c.pending[job] = b
	c.fold()
	c.tell()
}

func (c *campaign) fail(err error) {
	if c.report.Err == nil {
		c.report.Err = err
	}
	c.stop()
}

// fold brings batches, which end in any order, into the report in the order of their
// jobs, and has them kept. Jobs are handed out in order, and each that was handed out
// is done, so that none is left over. What was run beyond the first violation does not
// count if the campaign ends there: it depends on the speed of the workers.
func (c *campaign) fold() {
	for b := c.pending[c.merged]; b != nil; b = c.pending[c.merged] {
		delete(c.pending, c.merged)
		family := c.families[c.merged%len(c.families)]
		c.merged++
		if c.ended || b.Runs == 0 {
			continue
		}
		if c.plan.Keep != nil {
			if err := c.plan.Keep(b); err != nil {
				c.ended = true // what cannot be kept has not been
				c.fail(err)
				return
			}
		}
		c.report.add(family, b)
		if c.plan.StopAtFirst && anyInvalid(b.Cells) {
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
	c.progress(c.plan.progress(&c.report, now.Sub(c.began)))
}
