package faults

import (
	"time"

	"github.com/rashomon-go/rashomon/sim"
)

// Clients is what faults of links call all clients together. Roles must resolve it.
const Clients = "clients"

// fall draws faults that take whoever plays a role away from the others, in most
// cases for long enough to be replaced. Those that fail in one direction only, slowly,
// or for a moment are the ones that protocols get wrong: who has been replaced does not
// know it (Huang et al., "Gray Failure", HotOS 2017).
func (g generator) fall() Schedule {
	role := pick(g, g.Falls)
	from := g.From + ((g.Until - g.From) * time.Duration(g.IntN(12)) / 16).Round(time.Millisecond)
	until := from + pick(g, []time.Duration{250, 150, 400, 800})*time.Millisecond
	all, one := []string{everyone}, []string{role}
	fault := func(kind Kind, who ...[]string) Fault {
		return Fault{Kind: kind, From: from, Until: until, Who: who}
	}
	switch g.IntN(12) {
	case 2:
		return Schedule{fault(Pause, one)}
	case 3:
		return Schedule{fault(Cut, all, one)}
	case 4:
		return Schedule{fault(Cut, one, all)}
	case 5, 6:
		if len(g.Services) == 0 {
			break
		}
		// What those say on whom it relies comes so late that it is no longer so.
		late := fault(Delay, g.Services, one)
		late.Delay = sim.Constant(pick(g, []time.Duration{200, 100, 400}) * time.Millisecond)
		return Schedule{late}
	case 7, 8, 9:
		if len(g.Crash.Nodes) == 0 || len(g.kept()) == 0 {
			break
		}
		// It is back so soon that nobody has missed it, while what it sent is on its way.
		slow := fault(Delay, one, g.Nodes)
		slow.Delay = sim.Constant(pick(g, []time.Duration{50, 20, 100}) * time.Millisecond)
		hiccup := fault(Crash, one)
		hiccup.Fate = pick(g, g.kept())
		hiccup.Every = pick(g, []time.Duration{100, 50, 200}) * time.Millisecond
		hiccup.For = pick(g, []time.Duration{5, 2, 20}) * time.Millisecond
		return Schedule{slow, hiccup} // in this order: who is down plays no role
	case 10, 11:
		// It falls amid answers that do not arrive: clients ask again, whoever is next.
		mute := fault(Cut, all, []string{Clients})
		around := pick(g, []time.Duration{50, 20, 100}) * time.Millisecond
		mute.From, mute.Until = max(from-2*around, 0), from+around
		return Schedule{mute, fault(Partition, one, all)}
	}
	return Schedule{fault(Partition, one, all)}
}
