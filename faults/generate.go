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
	// Falls are those roles of which one, in every second schedule, is taken away from
	// the others. Services are nodes on which replicas rely.
	Falls, Services []string
	// From and Until are the window in which all faults live.
	From, Until time.Duration
	// Classes are the classes to draw from. 0 is every class that the other
	// fields allow.
	Classes Classes
	Most    int // at most this many faults, those that belong together counting as one; 0 is 4
	// Slow bounds delays: at most this constant delay of messages, and ten times that
	// spread; at most this delay of a disk's sync, and a fifth of it of a node's step. 0
	// is 50ms.
	Slow time.Duration
	// Messages are types of messages, as sim.MessageName gives them, for faults that
	// concern one type alone.
	Messages []string
	Crash    CrashOptions
	Clock    ClockOptions
}

// CrashOptions bounds crashes. The zero CrashOptions allows none. A node whose disk
// is full or fails counts as crashed, with LoseUnsynced, as long as that lasts.
type CrashOptions struct {
	Nodes    []string       // nodes and roles that may crash
	Fates    []sim.DiskFate // what may happen to disks; empty is LoseUnsynced
	AtOnce   int            // at most this many nodes are down at a time; 0 is 1
	Losses   int            // at most this many crashes of the run empty a disk; 0 is any number
	Recovery time.Duration  // a node counts as down for that long after its restart
	// All says that all replicas may go down at the same moment, unless one of them loses
	// its disk meanwhile, whatever AtOnce is.
	All bool
}

// ClockOptions bounds wrong clocks. The zero ClockOptions allows none.
type ClockOptions struct {
	Nodes    []string      // nodes, not roles, whose clocks may be wrong
	Offset   time.Duration // a wall clock is at most this far ahead or behind; not negative
	DriftPPM int64         // a clock is at most this much faster or slower; 0..999,999
}

// Generate draws the faults of a run, ordered by their beginnings. It draws first
// whether a role falls, then which classes of faults the run has at all, one run in
// eight having none, and then faults of these classes: where every run has a little of
// everything, no run has much of anything. The schedule is valid for Nodes, Roles,
// Services and Clients, and ends by Until, except that a role that falls may be away
// for up to 800 ms longer.
func Generate(src Source, opt Options) (s Schedule) {
	g := generator{src: src, Options: opt.withDefaults()}
	join := func(faults Schedule) {
		for _, f := range faults {
			if g.fits(f, s) {
				s = append(s, f)
			}
		}
	}
	if len(g.Falls) > 0 && g.IntN(2) == 1 {
		join(g.fall())
	}
	if groups := g.swarm(); len(groups) > 0 && g.IntN(8) != 0 {
		for range 1 + g.IntN(g.Most) {
			join(g.draw(pick(g, pick(g, groups)), s))
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
	without(len(o.Nodes) == 0, Pauses|SlowNodes|SlowDisks)
	without(len(o.Nodes) < 2, Network)
	without(len(o.Nodes) < 3, Bridges|Rings)
	without(len(o.Messages) == 0, Typed)
	without(len(o.Crash.Nodes) == 0, Crashes|Restarts|BadDisks)
	without(len(o.fallible()) < 2 || len(o.kept()) == 0, Restarts)
	without(!slices.Contains(o.kept(), sim.LoseUnsynced), BadDisks)
	without(len(o.Clock.Nodes) == 0 || o.Clock.Offset == 0 && o.Clock.DriftPPM == 0, Clocks|Skews)
	return c
}

// fallible returns the nodes, without roles, that may crash.
func (o *Options) fallible() (names []string) {
	for _, name := range o.Crash.Nodes {
		if slices.Contains(o.Nodes, name) {
			names = append(names, name)
		}
	}
	return names
}

// kept returns the fates that leave something on a disk.
func (o *Options) kept() (fates []sim.DiskFate) {
	for _, fate := range o.Crash.Fates {
		if fate != sim.LoseAll {
			fates = append(fates, fate)
		}
	}
	return fates
}

type generator struct {
	src Source
	Options
}

func (g generator) IntN(n int) int { return g.src.IntN(n) }

// pick draws one of several things, of which the first is the simplest.
func pick[T any](g generator, from []T) T { return from[g.IntN(len(from))] }

// swarm draws which classes of faults the run has at all, in groups: what parts the
// network, what makes it worse, and what befalls nodes. A fault is of one group as
// often as of another, however many classes the groups have.
func (g generator) swarm() (groups [][]Classes) {
	for _, group := range []Classes{Partitions | Flapping, Network &^ Partitions &^ Flapping, All &^ Network} {
		var classes []Classes
		for _, c := range (g.possible() & group).split() {
			if g.IntN(2) == 1 {
				classes = append(classes, c)
			}
		}
		if len(classes) > 0 {
			groups = append(groups, classes)
		}
	}
	return groups
}

// draw draws a fault, or several that belong together, to join others.
func (g generator) draw(class Classes, others Schedule) Schedule {
	switch class {
	case Failures:
		return g.failures()
	case Skews:
		return g.skews()
	}
	return Schedule{g.fault(class, others)}
}

func (g generator) fault(class Classes, s Schedule) (f Fault) {
	f.From, f.Until = g.window(s)
	g.effect(&f, class)
	return f
}

// effect draws what a fault does in its window.
func (g generator) effect(f *Fault, class Classes) {
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
		g.flap(f)
	case Corruptions:
		f.Kind, f.Who, f.Percent = Corrupt, g.link(), pick(g, shares[:6])
	case Holds:
		f.Kind, f.Who = Hold, g.link()
	case Throttles:
		f.Kind, f.Who = Throttle, g.link()
		f.Bandwidth, f.Queue = pick(g, narrow), g.part(2*g.Slow)
	case Typed:
		g.typed(f)
	case Pauses:
		f.Kind, f.Who = Pause, [][]string{g.anyone()}
	case SlowNodes:
		f.Kind, f.Who, f.Time = Slow, [][]string{g.anyone()}, g.part(g.Slow/5)
	case SlowDisks:
		f.Kind, f.Who, f.Time = SlowDisk, [][]string{g.anyone()}, g.part(g.Slow)
	case Crashes:
		g.crash(f)
	case Restarts:
		g.restarts(f)
	case BadDisks:
		f.Kind, f.Who = pick(g, []Kind{FillDisk, FailDisk}), [][]string{{pick(g, g.Crash.Nodes)}}
	case Clocks:
		f.Kind, f.Who, f.Clock = Clock, [][]string{{pick(g, g.Clock.Nodes)}}, g.clock()
	}
}

// fits says whether a fault can join others without more nodes being down, or a
// clock being further out, than the options allow. A fault that repeats itself
// counts from its first beginning to its last end.
func (g generator) fits(f Fault, s Schedule) bool {
	down, lost := g.downs(f), f.losses()
	for _, h := range s {
		lost += h.losses()
		switch {
		case f.Kind.crashes() && h.Kind.crashes():
			if f.From > h.Until+g.Crash.Recovery || h.From > f.Until+g.Crash.Recovery {
				continue
			}
			if g.all(f) && h.Fate == sim.LoseAll || g.all(h) && f.Fate == sim.LoseAll {
				return false
			}
			down += g.downs(h)
		case f.Kind == Clock && h.Kind == Clock:
			if f.overlaps(h) && f.Who[0][0] == h.Who[0][0] {
				return false
			}
		}
	}
	return down <= g.Crash.AtOnce && (g.Crash.Losses == 0 || f.losses() == 0 || lost <= g.Crash.Losses)
}

// losses returns how many disks a fault empties, if it befalls one node.
func (f Fault) losses() int {
	if f.Kind == Crash && f.Fate == sim.LoseAll {
		return int(f.times())
	}
	return 0
}

// all says whether a fault takes all replicas down as they may be.
func (g generator) all(f Fault) bool {
	return g.Crash.All && f.Kind == Crash && f.Fate != sim.LoseAll && !f.Rolling && len(f.Who[0]) == len(g.Nodes)
}

// downs returns how many nodes count as down at a time because of a fault.
func (g generator) downs(f Fault) int {
	nodes := len(f.Who[0])
	switch {
	case !f.Kind.crashes() || g.all(f):
		return 0
	case f.Every != 0 && !g.Crash.All && !slices.Contains(g.Nodes, f.Who[0][0]):
		// Whoever plays the role, which may be another node each time.
		return min(1+int((f.For+g.Crash.Recovery)/f.Every), len(g.Nodes))
	case f.Rolling:
		turn := f.turn(nodes)
		return min(1+int((turn/2+g.Crash.Recovery)/max(turn, 1)), nodes)
	}
	return nodes
}

// window draws a window on a grid that keeps its text short. Short windows are
// as frequent as long ones: some bugs need a hiccup, others an age. One fault in
// three begins within an earlier one: some bugs need both.
func (g generator) window(s Schedule) (from, until time.Duration) {
	span := g.Until - g.From
	grid := 5 * time.Millisecond
	if span < 100*grid {
		grid = min(span, time.Millisecond)
	}
	steps := int(span / grid)
	start := g.IntN(steps)
	if len(s) > 0 && g.IntN(3) == 2 {
		f := pick(g, s)
		begin, end := int((f.From-g.From)/grid), int((f.Until-g.From)/grid)
		start = min(begin+g.IntN(max(end-begin, 1)), steps-1)
	}
	longest := max(pick(g, []int{4, steps / 16, steps / 4, steps}), 1)
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
	return max(short(d), 1)
}
