package faults

import (
	"cmp"
	"slices"
	"time"

	"github.com/rashomon-go/rashomon/sim"
)

// Source is where random numbers come from: a number in 0..n-1 for a positive n.
// Everything is drawn so that 0 is the simplest choice.
type Source interface{ IntN(n int) int }

// Options says which faults Generate may draw.
type Options struct {
	Nodes []string // the replicas
	// Roles are names such as primary, which stand for the node that plays the
	// role when the fault begins. A fault that befalls one node may befall one of
	// them instead.
	Roles []string
	// From and Until are the window in which all faults live.
	From, Until time.Duration
	// Classes are the classes to draw from. 0 is every class that the other
	// fields allow.
	Classes Classes
	Most    int           // at most this many faults, a series of failures counting as one; 0 is 4
	Slow    time.Duration // at most this constant delay, and ten times that spread; 0 is 50ms
	// Messages are types of messages, as sim.MessageName gives them, for faults that
	// concern one type alone.
	Messages []string
	Crash    CrashOptions
	Clock    ClockOptions
}

// CrashOptions bounds crashes. The zero CrashOptions allows none.
type CrashOptions struct {
	Nodes    []string       // nodes and roles that may crash
	Fates    []sim.DiskFate // what may happen to disks; empty is LoseUnsynced
	AtOnce   int            // at most this many nodes are down at a time; 0 is 1
	Losses   int            // at most this many crashes of the run empty a disk; 0 is any number
	Recovery time.Duration  // a node counts as down for that long after its restart
}

// ClockOptions bounds wrong clocks. The zero ClockOptions allows none.
type ClockOptions struct {
	Nodes    []string      // nodes, not roles, whose clocks may be wrong
	Offset   time.Duration // a wall clock is at most this far ahead or behind; not negative
	DriftPPM int64         // a clock is at most this much faster or slower; 0..999,999
}

// Generate draws the faults of a run, ordered by their beginnings. It draws
// first which classes of faults the run has at all, one run in eight being calm,
// and then faults of these classes: where every run has a little of everything,
// no run has much of anything. The schedule is valid for Nodes and Roles, and
// ends by Until.
func Generate(src Source, opt Options) Schedule {
	g := generator{src: src, Options: opt.withDefaults()}
	if g.IntN(8) == 0 {
		return nil
	}
	classes := g.swarm()
	if len(classes) == 0 {
		return nil
	}
	var s Schedule
	for range 1 + g.IntN(g.Most) {
		class := pick(g, classes)
		if class == Failures {
			s = append(s, g.failures()...)
		} else if f := g.fault(class); g.fits(f, s) {
			s = append(s, f)
		}
	}
	slices.SortStableFunc(s, func(f, h Fault) int {
		return cmp.Or(cmp.Compare(f.From, h.From), cmp.Compare(f.Until, h.Until))
	})
	return s
}

func (o Options) withDefaults() Options {
	o.Most = cmp.Or(o.Most, 4)
	o.Slow = cmp.Or(o.Slow, 50*time.Millisecond)
	o.Crash.AtOnce = cmp.Or(o.Crash.AtOnce, 1)
	if len(o.Crash.Fates) == 0 {
		o.Crash.Fates = []sim.DiskFate{sim.LoseUnsynced}
	}
	return o
}

// possible returns the classes that the options allow.
func (o *Options) possible() Classes {
	c := cmp.Or(o.Classes, All)
	without := func(not bool, classes Classes) {
		if not {
			c &^= classes
		}
	}
	without(o.Until <= o.From, All)
	without(len(o.Nodes) == 0, Pauses)
	without(len(o.Nodes) < 2, Network)
	without(len(o.Nodes) < 3, Bridges|Rings)
	without(len(o.Messages) == 0, Typed)
	without(len(o.Crash.Nodes) == 0, Crashes)
	without(len(o.Clock.Nodes) == 0 || o.Clock.Offset == 0 && o.Clock.DriftPPM == 0, Clocks)
	return c
}

type generator struct {
	src Source
	Options
}

func (g generator) IntN(n int) int { return g.src.IntN(n) }

// pick draws one of several things, of which the first is the simplest.
func pick[T any](g generator, from []T) T { return from[g.IntN(len(from))] }

func (g generator) swarm() (classes []Classes) {
	for _, c := range g.possible().split() {
		if g.IntN(2) == 1 {
			classes = append(classes, c)
		}
	}
	return classes
}

func (g generator) fault(class Classes) (f Fault) {
	f.From, f.Until = g.window()
	switch class {
	case Halves:
		f.Kind, f.Who = Partition, g.halves(g.Nodes)
	case Isolation:
		f.Kind, f.Who = Partition, [][]string{g.anyone(), {everyone}}
	case Bridges:
		bridge := g.IntN(len(g.Nodes))
		f.Kind, f.Who = Partition, g.halves(slices.Delete(slices.Clone(g.Nodes), bridge, bridge+1))
	case OneWay:
		f.Kind, f.Who = Cut, g.turned(g.anyone(), []string{everyone})
	case Links:
		f.Kind, f.Who = Cut, g.between()
	case Delays:
		f.Kind, f.Who, f.Delay = Delay, g.link(), g.latency()
	case Losses:
		f.Kind, f.Who, f.Percent = Lose, g.link(), pick(g, shares[:6])
	case Duplicates:
		f.Kind, f.Who, f.Percent = Duplicate, g.link(), pick(g, shares)
	case Reorders:
		f.Kind, f.Who, f.Percent = Reorder, g.link(), pick(g, shares)
	case Rings:
		f.Kind, f.Who = Ring, [][]string{g.shuffled(g.Nodes)}
	case Flapping:
		g.flap(&f)
	case Corruptions:
		f.Kind, f.Who, f.Percent = Corrupt, g.link(), pick(g, shares[:6])
	case Holds:
		f.Kind, f.Who = Hold, g.link()
	case Throttles:
		f.Kind, f.Who = Throttle, g.link()
		f.Bandwidth, f.Queue = pick(g, narrow), g.part(2*g.Slow)
	case Typed:
		f = g.typed(f)
	case Pauses:
		f.Kind, f.Who = Pause, [][]string{g.anyone()}
	case Crashes:
		g.crash(&f)
	case Clocks:
		f.Kind, f.Who, f.Clock = Clock, [][]string{{pick(g, g.Clock.Nodes)}}, g.clock()
	}
	return f
}

// fits says whether a fault can join others without more nodes being down, or a
// clock being further out, than the options allow. A fault that repeats itself
// counts from its first beginning to its last end. Roles must not be in a crash that
// does: each time it could be another node.
func (g generator) fits(f Fault, s Schedule) bool {
	down, lost := 1, int(f.times())
	for _, h := range s {
		if f.Fate == sim.LoseAll && h.Fate == sim.LoseAll {
			lost += int(h.times())
		}
		switch {
		case f.Kind.crashes() && h.Kind.crashes():
			if f.From <= h.Until+g.Crash.Recovery && h.From <= f.Until+g.Crash.Recovery {
				down++
			}
		case f.Kind == Clock && h.Kind == Clock:
			if f.overlaps(h) && f.Who[0][0] == h.Who[0][0] {
				return false
			}
		}
	}
	return down <= g.Crash.AtOnce && (g.Crash.Losses == 0 || lost <= g.Crash.Losses)
}

// window draws a window on a grid that keeps its text short. Short windows are
// as frequent as long ones: some bugs need a hiccup, others an age.
func (g generator) window() (from, until time.Duration) {
	span := g.Until - g.From
	grid := 5 * time.Millisecond
	if span < 100*grid {
		grid = min(span, time.Millisecond)
	}
	steps := int(span / grid)
	start := g.IntN(steps)
	longest := max(pick(g, []int{steps / 16, steps / 4, steps}), 1)
	length := min(1+g.IntN(longest), steps-start)
	from = g.From + time.Duration(start)*grid
	return from, from + time.Duration(length)*grid
}

// anyone draws one node or role.
func (g generator) anyone() []string {
	i := g.IntN(len(g.Nodes) + len(g.Roles))
	if i < len(g.Nodes) {
		return g.Nodes[i : i+1 : i+1]
	}
	i -= len(g.Nodes)
	return g.Roles[i : i+1 : i+1]
}

// halves draws two groups, neither of them empty, that hold all names between
// them. Two neighbours are parted for certain, and the others go either way.
func (g generator) halves(names []string) [][]string {
	n := len(names)
	first := g.IntN(n)
	groups := make([][]string, 2)
	for i, name := range names {
		side := 1
		switch {
		case i == first:
			side = 0
		case i != (first+1)%n:
			side = 1 - g.IntN(2)
		}
		groups[side] = append(groups[side], name)
	}
	return groups
}

// some draws a group of at least one node.
func (g generator) some() (names []string) {
	first := g.IntN(len(g.Nodes))
	for i, name := range g.Nodes {
		if i == first || g.IntN(2) == 1 {
			names = append(names, name)
		}
	}
	if len(names) == len(g.Nodes) {
		return []string{everyone}
	}
	return names
}

// between draws a group that sends and one that receives. Nothing lies between a
// node and itself, so a pair of that kind becomes one with everyone.
func (g generator) between() [][]string {
	from, to := g.some(), g.some()
	if len(from) == 1 && slices.Equal(from, to) {
		to = []string{everyone}
	}
	return [][]string{from, to}
}

// turned draws the direction.
func (g generator) turned(from, to []string) [][]string {
	if g.IntN(2) == 1 {
		from, to = to, from
	}
	return [][]string{from, to}
}

// link draws where a network is bad: everywhere, around a node, or somewhere.
func (g generator) link() [][]string {
	switch g.IntN(3) {
	case 0:
		return [][]string{{everyone}, {everyone}}
	case 1:
		return g.turned(g.anyone(), []string{everyone})
	}
	return g.between()
}

var shares = []float64{1, 2, 5, 10, 20, 50, 100}

// latency draws a constant, a uniform or an exponential delay.
func (g generator) latency() sim.Latency {
	low := g.part(g.Slow)
	switch g.IntN(3) {
	case 0:
		return sim.Constant(low)
	case 1:
		return sim.Uniform(low, low*pick(g, []time.Duration{2, 5, 10}))
	}
	return sim.Exponential(low, low)
}

// part draws a round part of a duration, so that small effects are as frequent
// as large ones.
func (g generator) part(of time.Duration) time.Duration {
	d := of / pick(g, []time.Duration{50, 20, 10, 5, 2, 1})
	if d >= time.Millisecond {
		return d.Truncate(time.Millisecond)
	}
	return max(d, 1)
}

func (g generator) crash(f *Fault) {
	f.Who = [][]string{{pick(g, g.Crash.Nodes)}}
	f.Kind, f.Fate = Crash, pick(g, g.Crash.Fates)
	if f.Fate == sim.LoseUnsynced && g.IntN(3) == 2 {
		f.Kind, f.Sends = CrashSending, g.IntN(4)
	}
}

// clock draws an offset, a drift, or both.
func (g generator) clock() (c sim.Clock) {
	offset, drift := g.Clock.Offset != 0, g.Clock.DriftPPM != 0
	if offset && drift {
		which := g.IntN(3)
		offset, drift = which != 1, which != 0
	}
	if offset {
		c.Offset = g.part(g.Clock.Offset) * time.Duration(1-2*g.IntN(2))
	}
	if drift {
		part := g.Clock.DriftPPM / int64(pick(g, []int{10, 5, 2, 1}))
		c.DriftPPM = max(part, 1) * int64(1-2*g.IntN(2))
	}
	return c
}
