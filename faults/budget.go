package faults

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/rashomon-go/rashomon/sim"
)

// Exceeded says in which way crashes and clocks of a schedule are worse than Crash and
// Clock allow, such as "n1 and n2 are down at once (at 30ms), and at most 1 of 3 may be",
// or nothing. What Generate draws with the same options never is. It errs on that side: who
// plays a role is not known beforehand, so that only Nodes and Services count, by their
// names, and nobody counts as down any longer once he is up again.
func (o Options) Exceeded(s Schedule) string {
	o = o.withDefaults()
	lost := 0
	for _, f := range s {
		why := ""
		switch {
		case f.Kind.crashes():
			why = o.fragile(f)
			lost += len(f.Who[0]) * f.losses()
		case f.Kind == Clock:
			why = o.wrong(f)
		}
		if why != "" {
			return why
		}
	}
	if o.Crash.Losses > 0 && lost > o.Crash.Losses {
		return fmt.Sprintf("disks are lost %d times, and at most %d may be", lost, o.Crash.Losses)
	}
	return o.tooMany(s)
}

// fragile says that a fault takes down whom it may not, or leaves him too little.
func (o *Options) fragile(f Fault) string {
	for _, name := range f.Who[0] {
		known := slices.Contains(o.Nodes, name) || slices.Contains(o.Services, name)
		if known && !slices.Contains(o.Crash.Nodes, name) {
			return name + " goes down, which it may not"
		}
	}
	if f.Kind == Crash && f.Fate == sim.LoseAll && !slices.Contains(o.Crash.Fates, sim.LoseAll) {
		return strings.Join(f.Who[0], " and ") + " may go down, but not lose the disk"
	}
	return ""
}

// wrong says that a clock is wrong that may not be, or by too much.
func (o *Options) wrong(f Fault) string {
	for _, name := range f.Who[0] {
		switch {
		case !slices.Contains(o.Clock.Nodes, name):
			if slices.Contains(o.Nodes, name) || slices.Contains(o.Services, name) {
				return "the clock of " + name + " is wrong, which it may not be"
			}
		case f.Clock.Offset.Abs() > o.Clock.Offset:
			return fmt.Sprintf("the clock of %s is %v from the right time, and may be %v", name, f.Clock.Offset.Abs(), o.Clock.Offset)
		case max(f.Clock.DriftPPM, -f.Clock.DriftPPM) > o.Clock.DriftPPM:
			return fmt.Sprintf("the clock of %s drifts by %d ppm, and may by %d", name, f.Clock.DriftPPM, o.Clock.DriftPPM)
		}
	}
	return ""
}

// tooMany looks for a moment at which more nodes are down than may be. All of them may be,
// if the options say so, by one crash that leaves them their disks.
func (o *Options) tooMany(s Schedule) string {
	var downs Schedule
	for _, f := range s {
		if all := o.Crash.All && f.Kind == Crash && f.Fate != sim.LoseAll && len(f.Who[0]) == len(o.Nodes); f.Kind.crashes() && !f.Rolling && !all {
			downs = append(downs, f.each()...)
		}
	}
	for _, f := range downs {
		if down := o.namedDown(f.From, downs); len(down) > o.Crash.AtOnce {
			return fmt.Sprintf("%s are down at once (at %v), and at most %d of %d may be", strings.Join(down, " and "), f.From, o.Crash.AtOnce, len(o.Nodes))
		}
	}
	return ""
}

// namedDown returns the nodes that are named by those of the faults that are there at a
// moment.
func (o *Options) namedDown(at time.Duration, downs Schedule) (names []string) {
	for _, f := range downs {
		if f.From <= at && at < f.Until {
			for _, name := range f.Who[0] {
				if slices.Contains(o.Nodes, name) {
					names = append(names, name)
				}
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}
