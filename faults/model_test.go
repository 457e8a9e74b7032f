package faults

import (
	"fmt"
	"slices"
	"time"
)

// The model computes what is in force at a moment from the windows that hold it
// and from nothing else.
type model struct {
	s     Schedule
	nodes int
}

func (m model) active(t time.Duration, kind Kind) (active Schedule) {
	for _, f := range m.s {
		there := f.From <= t && t < f.Until
		if f.Every != 0 {
			there = there && (t-f.From)%f.Every < f.For
		}
		if len(f.Only) > 0 {
			there = there && slices.Contains(f.Only, "greet")
		}
		if f.Kind == kind && there {
			active = append(active, f)
		}
	}
	return active
}

func in(group []string, i int) bool {
	return group[0] == everyone || slices.Contains(group, fmt.Sprintf("n%d", i))
}

// down says whether a node is down, or goes down when it is probed, since it writes
// then.
func (m model) down(t time.Duration, i int) bool {
	for _, f := range m.active(t, Crash) {
		if !f.Rolling && in(f.Who[0], i) {
			return true
		}
		if f.Rolling && in(f.Who[0], i) {
			place, places := i, m.nodes
			if f.Who[0][0] != everyone {
				place, places = slices.Index(f.Who[0], fmt.Sprintf("n%d", i)), len(f.Who[0])
			}
			from, length := f.From, f.Until-f.From
			if f.Every != 0 {
				from, length = t-(t-f.From)%f.Every, f.For
			}
			halves := time.Duration(2*places) * (t - from) / length
			if int(halves) == 2*place {
				return true
			}
		}
	}
	return m.befalls(t, FillDisk, i) || m.befalls(t, FailDisk, i)
}

// late says whether a node does things at another time than it is asked to.
func (m model) late(t time.Duration, i int) bool {
	return m.befalls(t, Pause, i) || m.befalls(t, Slow, i)
}

func (m model) befalls(t time.Duration, kind Kind, i int) bool {
	return slices.ContainsFunc(m.active(t, kind), func(f Fault) bool { return in(f.Who[0], i) })
}

// on returns the directed faults that lie over a link.
func (m model) on(t time.Duration, kind Kind, from, to int) (on Schedule) {
	for _, f := range m.active(t, kind) {
		if in(f.Who[0], from) && in(f.Who[1], to) {
			on = append(on, f)
		}
	}
	return on
}

// side returns the group of a partition that a node is in, or -1.
func side(f Fault, i int) int {
	named := slices.IndexFunc(f.Who, func(g []string) bool { return g[0] != everyone && in(g, i) })
	if named >= 0 {
		return named
	}
	return slices.IndexFunc(f.Who, func(g []string) bool { return g[0] == everyone })
}

func place(f Fault, i int) int { return slices.Index(f.Who[0], fmt.Sprintf("n%d", i)) }

func (m model) severed(t time.Duration, from, to int) bool {
	for _, f := range m.active(t, Partition) {
		if a, b := side(f, from), side(f, to); a >= 0 && b >= 0 && a != b {
			return true
		}
	}
	for _, f := range m.active(t, Ring) {
		n, a, b := len(f.Who[0]), place(f, from), place(f, to)
		// The distance from who hears to who is heard, around the ring.
		ahead, behind := (a-b+n)%n, (b-a+n)%n
		majority := n/2 + 1
		if a >= 0 && b >= 0 && ahead > (majority-1)/2 && behind > majority/2 {
			return true
		}
	}
	if certain(m.on(t, Lose, from, to)) || certain(m.on(t, Corrupt, from, to)) {
		return true
	}
	return len(m.on(t, Cut, from, to)) > 0
}

func certain(s Schedule) bool {
	return slices.ContainsFunc(s, func(f Fault) bool { return f.Percent == 100 })
}

type dials struct{ now, wall time.Duration }

// clock returns what a node's clocks should show, as a sum over milliseconds.
func (m model) clock(t time.Duration, i int) (d dials) {
	drift := func(at, d time.Duration) time.Duration {
		var ppm int64
		for _, f := range m.active(at, Clock) {
			if in(f.Who[0], i) {
				ppm += f.Clock.DriftPPM
			}
		}
		return d + d*time.Duration(ppm)/1e6
	}
	at := time.Duration(0)
	for ; at+ms <= t; at += ms {
		d.now += drift(at, ms)
	}
	d.now += drift(at, t-at)
	d.wall = d.now
	for _, f := range m.active(t, Clock) {
		if in(f.Who[0], i) {
			d.wall += f.Clock.Offset
		}
	}
	return d
}
