package rashomon

import (
	"time"

	"github.com/rashomon-go/rashomon/faults"
	"github.com/rashomon-go/rashomon/sim"
)

// fall draws faults that take whoever plays a role away from the others, for long
// enough to be replaced. Those that fail in one direction only, or slowly, are the
// ones that protocols get wrong: who has been replaced does not know it (Huang et
// al., "Gray Failure", HotOS 2017).
func (g *generator) fall(span time.Duration) faults.Schedule {
	role := pick(g.src, g.system.Falls...)
	from := (span * time.Duration(g.src.IntN(12)) / 16).Round(time.Millisecond)
	until := from + milliseconds(g.src, 250, 150, 400, 800)
	everyone, one := []string{"*"}, []string{role}
	fault := func(kind faults.Kind, who ...[]string) faults.Fault {
		return faults.Fault{Kind: kind, From: from, Until: until, Who: who}
	}
	switch g.src.IntN(8) {
	case 0, 1:
		return faults.Schedule{fault(faults.Partition, one, everyone)}
	case 2:
		return faults.Schedule{fault(faults.Pause, one)}
	case 3:
		return faults.Schedule{fault(faults.Cut, everyone, one)}
	case 4:
		return faults.Schedule{fault(faults.Cut, one, everyone)}
	case 5:
		if len(g.system.Services) == 0 {
			return nil
		}
		// What those say on whom it relies comes so late that it is no longer so.
		late := fault(faults.Delay, g.system.Services, one)
		late.Delay = sim.Constant(milliseconds(g.src, 200, 100, 400))
		return faults.Schedule{late}
	}
	// It falls amid answers that do not arrive: clients ask again, whoever is next.
	mute := fault(faults.Cut, everyone, []string{clientsName})
	around := milliseconds(g.src, 50, 20, 100)
	mute.From, mute.Until = max(from-around, 0), from+around
	return faults.Schedule{mute, fault(faults.Partition, one, everyone)}
}
