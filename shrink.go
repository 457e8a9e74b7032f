package rashomon

import (
	"slices"
	"time"

	"github.com/rashomon-go/rashomon/checker"
	"github.com/rashomon-go/rashomon/sim"
)

// DefaultShrinkRuns bounds how many runs Shrink tries.
const DefaultShrinkRuns = 2000

// Shrink makes a failing scenario smaller for as long as it fails with the same
// anomaly, or with the same panic: fewer and milder faults, fewer operations,
// plainer links, shorter pauses. It tries at most the given number of runs (0 means
// DefaultShrinkRuns), and returns the smallest scenario found with its result. What
// it does depends on its arguments alone. A scenario that does not fail is returned
// as it is.
func Shrink(s *System, sc *Scenario, opt Options, runs int) (*Scenario, *Result, error) {
	if runs == 0 {
		runs = DefaultShrinkRuns
	}
	opt.Trace, opt.Look = nil, nil
	best, err := Run(s, sc, opt)
	if err != nil || best.Verdict != checker.Invalid {
		return sc, best, err
	}
	k := &shrinker{system: s, opt: opt, left: runs, scenario: sc.clone(), result: best}
	for again := true; again && k.left > 0; {
		again = k.faults()
		again = k.operations() || again
		again = k.links() || again
		again = k.times() || again
	}
	k.try(renumberClients)
	k.scenario.Digest = k.result.Digest
	return k.scenario, k.result, nil
}

// shrinker holds the smallest scenario so far that fails, and its result.
type shrinker struct {
	system   *System
	opt      Options
	left     int // runs that may still be tried
	scenario *Scenario
	result   *Result
}

// try keeps a change if the run still fails in the same way.
func (k *shrinker) try(change func(*Scenario)) bool {
	if k.left == 0 {
		return false
	}
	k.left--
	smaller := k.scenario.clone()
	change(smaller)
	r, err := Run(k.system, smaller, k.opt)
	if err != nil || r.Verdict != checker.Invalid || r.Anomaly != k.result.Anomaly || r.cause != k.result.cause {
		return false
	}
	k.scenario, k.result = smaller, r
	return true
}

// faults takes out faults, and makes those that remain do less.
func (k *shrinker) faults() (shrunk bool) {
	for again := true; again; {
		again = false
		for simpler := range k.scenario.Faults.Simpler() {
			if k.try(func(sc *Scenario) { sc.Faults = simpler }) {
				shrunk, again = true, true
				break
			}
		}
	}
	return shrunk
}

// operations takes out runs of operations, long ones first, as in delta
// debugging (Zeller and Hildebrandt, TSE 2002).
func (k *shrinker) operations() (shrunk bool) {
	for size := len(k.scenario.Operations) / 2; size > 0; size /= 2 {
		for end := len(k.scenario.Operations); end > 0; end -= size {
			start := max(0, end-size)
			if end-start == len(k.scenario.Operations) {
				continue
			}
			drop := func(sc *Scenario) { sc.Operations = slices.Delete(sc.Operations, start, end) }
			shrunk = k.try(drop) || size == 1 && k.waitInstead(start) || shrunk
		}
	}
	return shrunk
}

// waitInstead takes out operation i and lets its client wait for as long as it
// took, so that the client's later operations keep their times.
func (k *shrinker) waitInstead(i int) bool {
	op := k.scenario.Operations[i]
	next := slices.IndexFunc(k.scenario.Operations[i+1:], func(o Operation) bool { return o.Client == op.Client })
	if next < 0 {
		return false
	}
	return k.try(func(sc *Scenario) {
		sc.Operations[i+1+next].Think += op.Think + k.result.took(op.ID)
		sc.Operations = slices.Delete(sc.Operations, i, i+1)
	})
}

// took returns how long an operation of the scenario took.
func (r *Result) took(id int32) time.Duration {
	for i := range r.History.Ops {
		if o := &r.History.Ops[i]; o.ID == id {
			return o.ReturnedAt - o.CalledAt
		}
	}
	return 0
}

// renumberClients closes the gaps that clients without operations have left.
func renumberClients(sc *Scenario) {
	numbers := map[int]int{}
	for i := range sc.Operations {
		op := &sc.Operations[i]
		if _, known := numbers[op.Client]; !known {
			numbers[op.Client] = len(numbers)
		}
		op.Client = numbers[op.Client]
	}
}

func (k *shrinker) links() (shrunk bool) {
	for _, change := range []struct {
		plain bool
		make  func(*Scenario)
	}{
		{k.scenario.Links.Loss == 0, func(sc *Scenario) { sc.Links.Loss = 0 }},
		{k.scenario.Links.Duplicate == 0, func(sc *Scenario) { sc.Links.Duplicate = 0 }},
		{k.scenario.Links.Reorder == 0, func(sc *Scenario) { sc.Links.Reorder = 0 }},
		{k.scenario.Links.Corrupt == 0, func(sc *Scenario) { sc.Links.Corrupt = 0 }},
		{k.scenario.Links.Bandwidth == 0, func(sc *Scenario) { sc.Links.Bandwidth, sc.Links.Queue = 0, 0 }},
		{!k.scenario.Links.FIFO, func(sc *Scenario) { sc.Links.FIFO = false }},
		{k.scenario.Access == sim.Link{}, func(sc *Scenario) { sc.Access = sim.Link{} }},
		{k.scenario.Links.Latency == steady, func(sc *Scenario) { sc.Links.Latency = steady }},
	} {
		if !change.plain {
			shrunk = k.try(change.make) || shrunk
		}
	}
	return shrunk
}

// steady is the plainest latency that lets something happen in between.
var steady = sim.Constant(time.Millisecond)

// times makes operations begin at rounder times, pause for a shorter while, and wait
// as long as others do.
func (k *shrinker) times() (shrunk bool) {
	for i := range k.scenario.Operations {
		for _, of := range []func(*Operation) *time.Duration{
			func(op *Operation) *time.Duration { return &op.Timeout },
			func(op *Operation) *time.Duration { return &op.Start },
			func(op *Operation) *time.Duration { return &op.Think },
		} {
			shrunk = k.time(func(sc *Scenario) *time.Duration { return of(&sc.Operations[i]) }) || shrunk
		}
	}
	return shrunk
}

// time shortens one time, or rounds it.
func (k *shrinker) time(of func(*Scenario) *time.Duration) bool {
	d := *of(k.scenario)
	for _, plainer := range []time.Duration{0, time.Millisecond, d / 2, d.Round(10 * time.Millisecond), d.Round(time.Millisecond)} {
		if simplerThan(plainer, d) && k.try(func(sc *Scenario) { *of(sc) = plainer }) {
			return true
		}
	}
	return false
}

// simplerThan says whether a is shorter than b, or as long but rounder. It orders
// durations in such a way that shrinking ends.
func simplerThan(a, b time.Duration) bool {
	return len(a.String()) < len(b.String()) || len(a.String()) == len(b.String()) && a < b
}
