package rashomon

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/rashomon-go/rashomon/faults"
	"github.com/rashomon-go/rashomon/model"
	"github.com/rashomon-go/rashomon/sim"
)

// faults takes out faults, and makes those that remain do less.
func (k *shrinker) faults() (shrunk bool) {
	for again := true; again; {
		again = false
		for simpler := range k.scenario.Faults.Simpler() {
			if k.try(faultsChange(k.scenario.Faults, simpler), func(sc *Scenario) { sc.Faults = simpler }) {
				shrunk, again = true, true
				break
			}
		}
	}
	return shrunk
}

// faultsChange says how a schedule differs from one that Simpler makes of it.
func faultsChange(before, after faults.Schedule) string {
	i := 0
	for i < len(after) && after[i].String() == before[i].String() {
		i++
	}
	switch {
	case len(after) == 0 && len(before) > 1:
		return fmt.Sprintf("without the %d faults", len(before))
	case len(after) < len(before):
		return "without " + before[i].String()
	}
	return fmt.Sprintf("%v, was %v", after[i], before[i])
}

// operations takes out operations.
func (k *shrinker) operations() bool {
	return takeOut(func() int { return len(k.scenario.Operations) }, func(start, end int) bool {
		what := fmt.Sprintf("without %d operations", end-start)
		if end-start == 1 {
			what = "without " + k.scenario.Operations[start].String()
		}
		return k.try(what, func(sc *Scenario) { sc.Operations = slices.Delete(sc.Operations, start, end) }) ||
			end-start == 1 && k.waitInstead(start)
	})
}

// waitInstead takes out operation i and lets its client wait for as long as it
// took, so that the client's later operations keep their times.
func (k *shrinker) waitInstead(i int) bool {
	op := k.scenario.Operations[i]
	next := slices.IndexFunc(k.scenario.Operations[i+1:], func(o Operation) bool { return o.Client == op.Client })
	if next < 0 {
		return false
	}
	pause := op.Think + k.result.took(op.ID)
	return k.try(fmt.Sprintf("a pause of %v in place of %v", pause, op), func(sc *Scenario) {
		sc.Operations[i+1+next].Think += pause
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

// clients lets one client do what another did.
func (k *shrinker) clients() (shrunk bool) {
	for from := k.scenario.clients() - 1; from > 0; from-- {
		if !slices.ContainsFunc(k.scenario.Operations, func(op Operation) bool { return op.Client == from }) {
			continue
		}
		for to := range from {
			if k.try(fmt.Sprintf("c%d does what c%d did", to, from), func(sc *Scenario) {
				for i := range sc.Operations {
					if op := &sc.Operations[i]; op.Client == from {
						op.Client = to
					}
				}
			}) {
				shrunk = true
				break
			}
		}
	}
	return shrunk
}

// keys puts one key in the place of another.
func (k *shrinker) keys() (shrunk bool) {
	keys := k.scenario.keys()
	for from := len(keys) - 1; from > 0; from-- {
		for _, to := range keys[:from] {
			if k.try(fmt.Sprintf("%s in place of %s", to, keys[from]), func(sc *Scenario) {
				for i := range sc.Operations {
					if op := &sc.Operations[i]; op.Key == keys[from] {
						op.Key = to
					}
				}
			}) {
				shrunk = true
				break
			}
		}
	}
	return shrunk
}

// nodes takes out replicas. Those behind one that is gone move up, and what was asked
// of it is asked of another one.
func (k *shrinker) nodes() (shrunk bool) {
	for gone := k.scenario.Nodes - 1; gone >= 0 && k.scenario.Nodes > 1; gone-- {
		for _, instead := range slices.Compact([]int{max(gone-1, 0), 0}) {
			if k.try(fmt.Sprintf("without %s: %d nodes", nodeName(gone), k.scenario.Nodes-1), withoutNode(gone, instead)) {
				shrunk = true
				break
			}
		}
	}
	return shrunk
}

func withoutNode(gone, instead int) func(*Scenario) {
	return func(sc *Scenario) {
		names := map[string]string{nodeName(gone): ""}
		for i := gone + 1; i < sc.Nodes; i++ {
			names[nodeName(i)] = nodeName(i - 1)
		}
		sc.Faults = sc.Faults.Rename(names)
		sc.Nodes--
		for i := range sc.Operations {
			switch op := &sc.Operations[i]; {
			case op.Node == gone:
				op.Node = instead
			case op.Node > gone:
				op.Node--
			}
		}
	}
}

// links makes messages travel in plainer ways.
func (k *shrinker) links() (shrunk bool) {
	for _, side := range linkSides {
		name, of := side.name, side.of
		for _, p := range chances {
			if was := *p.of(of(k.scenario)); was != 0 {
				shrunk = k.try(fmt.Sprintf("no %s of %s, was %v", p.name, name, was), func(sc *Scenario) { *p.of(of(sc)) = 0 }) || shrunk
			}
		}
		if of(k.scenario).Bandwidth != 0 {
			shrunk = k.try("no limit to the bandwidth of "+name, func(sc *Scenario) { of(sc).Bandwidth, of(sc).Queue = 0, 0 }) || shrunk
		}
		if of(k.scenario).FIFO {
			shrunk = k.try("no order of "+name, func(sc *Scenario) { of(sc).FIFO = false }) || shrunk
		}
		was := of(k.scenario).Latency
		for _, latency := range plainer(was, side.plain) {
			if k.try(fmt.Sprintf("latency of %s %v, was %v", name, latency, was), func(sc *Scenario) { of(sc).Latency = latency }) {
				shrunk = true
				break
			}
		}
	}
	return shrunk
}

// linkSides are the two kinds of links of a scenario, with their plainest latency.
var linkSides = []struct {
	name  string
	of    func(*Scenario) *sim.Link
	plain sim.Latency
}{
	{"links", func(sc *Scenario) *sim.Link { return &sc.Links }, sim.Constant(time.Millisecond)},
	{"access", func(sc *Scenario) *sim.Link { return &sc.Access }, sim.Latency{}},
}

// chances are what befalls messages of a link by chance.
var chances = []struct {
	name string
	of   func(*sim.Link) *float64
}{
	{"loss", func(l *sim.Link) *float64 { return &l.Loss }},
	{"duplicate", func(l *sim.Link) *float64 { return &l.Duplicate }},
	{"reorder", func(l *sim.Link) *float64 { return &l.Reorder }},
	{"corrupt", func(l *sim.Link) *float64 { return &l.Corrupt }},
}

// plainer returns latencies that are easier to tell than l: the plainest one, round
// constants that are no longer than l mostly is, and parts of l. Whoever follows it
// comes to an end.
func plainer(l, plainest sim.Latency) (all []sim.Latency) {
	if l == plainest {
		return nil
	}
	constant, most := l == sim.Constant(l.Min), l.Min+l.Spread+l.Tail+l.Median
	all = append(all, plainest)
	for _, ms := range []time.Duration{1, 2, 5, 10, 20, 50, 100} {
		if d := ms * time.Millisecond; d < most || d == most && !constant {
			all = append(all, sim.Constant(d))
		}
	}
	for _, part := range []sim.Latency{sim.Constant(l.Min), sim.Uniform(l.Min, l.Min+l.Spread)} {
		if part != l && !constant {
			all = append(all, part)
		}
	}
	return all
}

// times makes operations begin at rounder times, pause for a shorter while, and wait
// as long as others do, and lets clients try less often. How long they wait stays: whom
// patience fails too early, a correct system does not serve either.
func (k *shrinker) times() (shrunk bool) {
	for i := range k.scenario.Operations {
		op := k.scenario.Operations[i]
		shrunk = k.time(fmt.Sprintf("time of operation %d", op.ID), func(sc *Scenario) *time.Duration { return &sc.Operations[i].Start }) || shrunk
		shrunk = k.time(fmt.Sprintf("pause of operation %d", op.ID), func(sc *Scenario) *time.Duration { return &sc.Operations[i].Think }) || shrunk
		if op.Timeout != 0 {
			shrunk = k.try(fmt.Sprintf("no timeout of operation %d, was %v", op.ID, op.Timeout), func(sc *Scenario) { sc.Operations[i].Timeout = 0 }) || shrunk
		}
	}
	for k.scenario.Attempts > 1 && k.try(fmt.Sprintf("attempts %d", k.scenario.Attempts-1), func(sc *Scenario) { sc.Attempts-- }) {
		shrunk = true
	}
	return shrunk
}

// time shortens one time, or rounds it.
func (k *shrinker) time(what string, of func(*Scenario) *time.Duration) bool {
	d := *of(k.scenario)
	for _, plainer := range []time.Duration{0, time.Millisecond, d / 2, d.Round(100 * time.Millisecond), d.Round(10 * time.Millisecond), d.Round(time.Millisecond)} {
		if simplerThan(plainer, d) && k.try(fmt.Sprintf("%s %v, was %v", what, plainer, d), func(sc *Scenario) { *of(sc) = plainer }) {
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

// names closes the gaps in the numbers of clients, operations, keys and values that
// those have left which are gone.
func (k *shrinker) names() (shrunk bool) {
	for _, to := range []struct {
		what   string
		change func([]Operation)
	}{
		{"clients numbered anew", renumberClients},
		{"operations numbered anew", func(ops []Operation) {
			for i := range ops {
				ops[i].ID = int32(i + 1)
			}
		}},
		{"keys named anew", renameKeys},
		{"values numbered anew", renumberValues},
	} {
		after := slices.Clone(k.scenario.Operations)
		to.change(after)
		if !slices.Equal(after, k.scenario.Operations) {
			shrunk = k.try(to.what, func(sc *Scenario) { sc.Operations = after }) || shrunk
		}
	}
	return shrunk
}

func renumberClients(ops []Operation) {
	numbers := map[int]int{}
	for i := range ops {
		ops[i].Client = numbered(numbers, ops[i].Client)
	}
}

func renameKeys(ops []Operation) {
	numbers := map[string]int{}
	for i := range ops {
		ops[i].Key = "k" + strconv.Itoa(numbered(numbers, ops[i].Key))
	}
}

func renumberValues(ops []Operation) {
	numbers := map[model.Value]int{}
	for i := range ops {
		switch op := &ops[i]; op.Kind {
		case model.Write, model.CAS, model.Add:
			op.Value = model.Value(numbered(numbers, op.Value) + 1)
		}
	}
	for i := range ops {
		if n, known := numbers[ops[i].Expect]; known && ops[i].Kind == model.CAS {
			ops[i].Expect = model.Value(n + 1)
		}
	}
}

// numbered returns the number of a name: names are numbered from 0 as they come.
func numbered[T comparable](numbers map[T]int, name T) int {
	n, known := numbers[name]
	if !known {
		n = len(numbers)
		numbers[name] = n
	}
	return n
}
