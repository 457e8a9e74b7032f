package faults

import (
	"iter"
	"slices"
	"time"

	"github.com/rashomon-go/rashomon/sim"
)

// Simpler yields schedules that do less: without any fault, without one, and
// with one that is simpler. Whoever follows it from one to the next comes to an
// end. What it yields is valid where s is, and shares memory with s.
func (s Schedule) Simpler() iter.Seq[Schedule] {
	return func(yield func(Schedule) bool) {
		if len(s) > 1 && !yield(nil) {
			return
		}
		for i := range s {
			if !yield(slices.Concat(s[:i], s[i+1:])) {
				return
			}
		}
		for i := range s {
			for f := range s[i].Simpler() {
				t := slices.Clone(s)
				t[i] = f
				if !yield(t) {
					return
				}
			}
		}
	}
}

// Rename returns the schedule with other names, as the map says. Whoever is called ""
// in it is gone, and so is a fault that concerns nobody else, or a partition of which
// no two groups are left.
func (s Schedule) Rename(names map[string]string) (renamed Schedule) {
	for _, f := range s {
		who := f.Who
		f.Who = nil
		for _, group := range who {
			var left []string
			for _, name := range group {
				to, known := names[name]
				if !known {
					to = name
				}
				if to != "" {
					left = append(left, to)
				}
			}
			if len(left) > 0 {
				f.Who = append(f.Who, left)
			}
		}
		if len(f.Who) == len(who) || f.Kind == Partition && len(f.Who) > 1 {
			renamed = append(renamed, f)
		}
	}
	return renamed
}

// Simpler yields faults that do less than f or that are told in fewer words, the
// most different first. Whoever follows it from one to the next comes to an end.
// What it yields is valid where f is, and shares memory with f.
func (f Fault) Simpler() iter.Seq[Fault] {
	return func(yield func(Fault) bool) {
		for _, simpler := range []func(Fault) []Fault{milder, fewer, shorter, rounder} {
			for _, g := range simpler(f) {
				if _, err := Parse(g.String()); err == nil && !yield(g) {
					return
				}
			}
		}
	}
}

// milder returns faults whose effect is smaller or easier to tell.
func milder(f Fault) (milder []Fault) {
	add := func(when bool, change func(*Fault)) {
		if when {
			g := f
			change(&g)
			milder = append(milder, g)
		}
	}
	add(f.Kind == CrashSending, func(g *Fault) { g.Kind, g.Sends = Crash, 0 })
	add(f.Kind == CrashSending && f.Sends > 0, func(g *Fault) { g.Sends-- })
	for i, name := range f.Who[0] {
		add(f.Rolling && name != everyone, func(g *Fault) {
			turn := f.turn(len(f.Who[0]))
			g.Rolling, g.Who = false, [][]string{{name}}
			g.From += time.Duration(i) * turn
			g.Until = g.From + turn/2
		})
	}
	add(f.Kind == FillDisk || f.Kind == FailDisk, func(g *Fault) { g.Kind = Crash })
	add(f.Fate == sim.LoseAll, func(g *Fault) { g.Fate = sim.LoseUnsynced })
	add(f.Kind == Crash && f.Fate == sim.LoseUnsynced, func(g *Fault) { g.Fate = sim.KeepAll })
	first, last := f.each()[0], f.each()[f.times()-1]
	add(f.Every != 0, func(g *Fault) { *g = first })
	add(f.times() > 1, func(g *Fault) { *g = last })
	add(f.Every != 0, func(g *Fault) { g.Repeat = Repeat{} })
	add(f.Only != nil, func(g *Fault) { g.Only = nil })
	for i := range f.Only {
		add(len(f.Only) > 1, func(g *Fault) { g.Only = slices.Concat(f.Only[:i], f.Only[i+1:]) })
	}
	add(f.Kind == Ring, func(g *Fault) {
		ring := f.Who[0]
		g.Kind, g.Who = Partition, [][]string{ring[:len(ring)/2], ring[len(ring)/2:]}
	})
	add(f.Kind == Corrupt, func(g *Fault) { g.Kind = Lose })
	add(f.Queue != 0, func(g *Fault) { g.Queue = 0 })
	add(f.Delay.Median != 0, func(g *Fault) { g.Delay.Median, g.Delay.Sigma = 0, 0 })
	add(f.Delay.Percentiles != [4]time.Duration{}, func(g *Fault) { g.Delay.Percentiles = [4]time.Duration{} })
	add(f.Delay.Tail != 0, func(g *Fault) { g.Delay.Tail = 0 })
	add(f.Delay.Spread != 0, func(g *Fault) { g.Delay.Spread, g.Delay.Percentiles = 0, [4]time.Duration{} })
	add(f.Delay.Min > time.Millisecond, func(g *Fault) { g.Delay.Min = half(f.Delay.Min) })
	add(f.Time > time.Millisecond, func(g *Fault) { g.Time = half(f.Time) })
	add(f.Clock.Offset != 0 && f.Clock.DriftPPM != 0, func(g *Fault) { g.Clock.Offset = 0 })
	add(f.Clock.Offset != 0 && f.Clock.DriftPPM != 0, func(g *Fault) { g.Clock.DriftPPM = 0 })
	return milder
}

// fewer returns faults that name fewer.
func fewer(f Fault) (fewer []Fault) {
	with := func(i int, group ...[]string) {
		g := f
		g.Who = slices.Concat(f.Who[:i], group, f.Who[i+1:])
		fewer = append(fewer, g)
	}
	for i, group := range f.Who {
		if f.Kind == Partition && len(f.Who) > 2 {
			with(i)
		}
		for j := range group {
			if len(group) > 1 {
				with(i, slices.Concat(group[:j], group[j+1:]))
			}
		}
	}
	return fewer
}

// shorter returns faults that last for half as long: the first half and the
// second.
func shorter(f Fault) []Fault {
	length := f.Until - f.From
	if f.Endless() {
		return nil
	}
	if length <= time.Millisecond {
		return nil
	}
	early, late := f, f
	early.Until = f.From + half(length)
	late.From = f.Until - half(length)
	return []Fault{early, late}
}

// rounder returns faults whose times are rounder, and which last no longer: within the
// window of f, or as long and a little earlier.
func rounder(f Fault) (rounder []Fault) {
	for _, unit := range []time.Duration{100 * time.Millisecond, 10 * time.Millisecond, time.Millisecond} {
		early := f
		early.From = f.From.Truncate(unit)
		within := early
		if early.From < f.From {
			within.From += unit
		}
		if !f.Endless() {
			early.Until -= f.From - early.From
			within.Until = f.Until.Truncate(unit)
		}
		for _, g := range []Fault{within, early} {
			if g.From < g.Until && (g.From != f.From || g.Until != f.Until) {
				rounder = append(rounder, g)
			}
		}
	}
	if d := f.Delay.Min; d > time.Millisecond && d%time.Millisecond != 0 {
		f.Delay.Min = d.Round(time.Millisecond)
		rounder = append(rounder, f)
	}
	return rounder
}

// half returns half of a duration, in whole milliseconds if there are any.
func half(d time.Duration) time.Duration {
	if d /= 2; d >= time.Millisecond {
		return d.Truncate(time.Millisecond)
	}
	return d
}
