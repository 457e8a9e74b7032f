package rashomon

import (
	"regexp"
	"strings"

	"github.com/rashomon-go/rashomon/checker"
)

// DefaultShrinkRuns bounds how many runs Shrink tries.
const DefaultShrinkRuns = 5000

// ShrinkOptions say how far Shrink goes. The zero ShrinkOptions are the usual ones.
type ShrinkOptions struct {
	// Runs bounds how many runs are tried; 0 means DefaultShrinkRuns. One of more than a
	// thousand operations counts as one for each thousand.
	Runs int
	// Kept, if not nil, is called for every step as soon as it is made, with the
	// scenario after it, which must not be changed.
	Kept func(ShrinkStep, *Scenario)
}

// ShrinkStep is a change that made a scenario smaller.
type ShrinkStep struct {
	Pass string // what the change is about: one of ShrinkPasses
	What string // what was changed, in words
}

// Shrunk is what Shrink made of a scenario.
type Shrunk struct {
	Scenario *Scenario // with the digest and the class of its run
	Result   *Result   // of its run
	Steps    []ShrinkStep
	Runs     int // how many were tried
	// Minimal says that nothing more could be changed: with any element less, such as
	// an operation, a fault or a node, the run passes or fails in another way. It is
	// false if Runs were not enough.
	Minimal bool
}

// Shrink makes a failing scenario smaller for as long as its run fails in the same
// way, which is what Result.Class tells, and under no more faults than the system promises
// to survive unless they were more from the beginning: fewer and milder faults, fewer operations,
// clients, keys and nodes, plainer links, rounder times, and faults of single
// messages in the place of chance. What it does depends on its
// arguments alone. A scenario that does not fail is returned as it is.
func Shrink(s *System, sc *Scenario, opt ShrinkOptions) (*Shrunk, error) {
	r, err := Run(s, sc, Options{})
	if err != nil {
		return nil, err
	}
	if r.Verdict != checker.Invalid {
		return &Shrunk{Scenario: sc, Result: r}, nil
	}
	if opt.Runs == 0 {
		opt.Runs = DefaultShrinkRuns
	}
	k := &shrinker{system: s, opt: opt, left: opt.Runs, scenario: sc.clone(), result: r}
	idle := 0 // passes since the last one that found anything
	for i := 0; idle < len(shrinkPasses) && k.left > 0; i++ {
		pass := shrinkPasses[i%len(shrinkPasses)]
		k.pass = pass.name
		if idle++; pass.shrink(k) {
			idle = 0
		}
	}
	k.scenario = k.scenario.clone()
	k.scenario.Digest, k.scenario.Shows = k.result.Digest, k.result.Class()
	return &Shrunk{Scenario: k.scenario, Result: k.result, Steps: k.steps, Runs: k.runs, Minimal: k.left > 0}, nil
}

// shrinkPasses are done over and over until none of them finds anything.
var shrinkPasses = []struct {
	name   string
	shrink func(*shrinker) (shrunk bool)
}{
	{"faults", (*shrinker).faults},
	{"operations", (*shrinker).operations},
	{"clients", (*shrinker).clients},
	{"keys", (*shrinker).keys},
	{"links", (*shrinker).links},
	{"nodes", (*shrinker).nodes},
	{"times", (*shrinker).times},
	{"messages", (*shrinker).messages},
	{"names", (*shrinker).names},
}

// ShrinkPasses returns the names of the passes, in the order in which they are made.
func ShrinkPasses() (names []string) {
	for _, pass := range shrinkPasses {
		names = append(names, pass.name)
	}
	return names
}

// shrinker holds the smallest scenario so far that fails, and its result.
type shrinker struct {
	system   *System
	opt      ShrinkOptions
	left     int // runs that may still be tried
	runs     int // that have been tried
	scenario *Scenario
	result   *Result
	pass     string
	steps    []ShrinkStep
}

// try keeps a change if the run still fails in the same way.
func (k *shrinker) try(what string, change func(*Scenario)) bool {
	if k.left == 0 {
		return false
	}
	k.left = max(0, k.left-1-len(k.scenario.Operations)/1000)
	k.runs++
	smaller := k.scenario.clone()
	change(smaller)
	r, err := Run(k.system, smaller, Options{})
	if err != nil || r.Class() != k.result.Class() || r.beyond && !k.result.beyond {
		return false
	}
	k.keep(what, smaller, r)
	return true
}

func (k *shrinker) keep(what string, smaller *Scenario, r *Result) {
	k.scenario, k.result = smaller, r
	step := ShrinkStep{k.pass, what}
	k.steps = append(k.steps, step)
	if k.opt.Kept != nil {
		k.opt.Kept(step, smaller)
	}
}

// takeOut takes out runs of elements, long ones first, as in delta debugging (Zeller
// and Hildebrandt, TSE 2002). There are count elements at the moment; without tries to
// take out those from start to end, end excluded.
func takeOut(count func() int, without func(start, end int) bool) (shrunk bool) {
	for size := count(); size > 0; size /= 2 {
		for end := count(); end > 0; end -= size {
			shrunk = without(max(0, end-size), end) || shrunk
		}
	}
	return shrunk
}

// Class says in which way a run failed: the anomaly's name, or "panic: " and what the
// system panicked with, without numbers and without what it printed of its state. It is
// empty for a run that did not fail.
func (r *Result) Class() string {
	switch {
	case r.Verdict != checker.Invalid:
		return ""
	case r.Panic != "":
		words, _, _ := strings.Cut(r.cause, "\n")
		if end := strings.IndexAny(words, "[{"); end > 0 {
			words = words[:end]
		}
		return "panic: " + strings.TrimSpace(numbers.ReplaceAllString(words, "N"))
	}
	return r.Anomaly.String()
}

var numbers = regexp.MustCompile(`0x[0-9a-f]+|[0-9]+`)
