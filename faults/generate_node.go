package faults

import (
	"slices"
	"time"

	"github.com/rashomon-go/rashomon/sim"
)

func (g generator) crash(f *Fault) {
	f.Who = [][]string{{pick(g, g.Crash.Nodes)}}
	f.Kind, f.Fate = Crash, pick(g, g.Crash.Fates)
	if f.Fate == sim.LoseUnsynced && g.IntN(3) == 2 {
		f.Kind, f.Sends = CrashSending, g.IntN(4)
	}
}

// restarts draws a rolling crash, a crash of all nodes, one of some, or one node that
// crashes again and again, each time for a moment.
func (g generator) restarts(f *Fault) {
	names := g.fallible()
	f.Kind, f.Fate = Crash, pick(g, g.kept())
	most := min(g.Crash.AtOnce, len(names))
	switch which := g.IntN(4); {
	case which == 3:
		names = []string{pick(g, names)}
		f.Every = max(((f.Until - f.From) / pick(g, []time.Duration{2, 3, 5, 10})).Truncate(time.Millisecond), 2*time.Millisecond)
		f.For = max((f.Every / pick(g, []time.Duration{20, 10, 5, 2})).Truncate(time.Millisecond), time.Millisecond)
	case which == 1 && g.Crash.All:
		names = g.Nodes
	case which == 2 && most > 1:
		first, n := g.IntN(len(names)), 2+g.IntN(most-1)
		names = slices.Concat(names, names)[first : first+n]
	default:
		f.Rolling = true
	}
	f.Who = [][]string{names}
}

// skews draws clocks of their own for some nodes, for the whole time.
func (g generator) skews() (s Schedule) {
	first := g.IntN(len(g.Clock.Nodes))
	for i, name := range g.Clock.Nodes {
		if i == first || g.IntN(2) == 1 {
			s = append(s, Fault{Kind: Clock, From: g.From, Until: g.Until, Who: [][]string{{name}}, Clock: g.clock()})
		}
	}
	return s
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
