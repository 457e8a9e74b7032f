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
func (g *generator) fall(span time.Duration) (all faults.Schedule) {
	role := pick(g.src, g.system.Falls...)
	from := (span * time.Duration(g.src.IntN(12)) / 16).Round(time.Millisecond)
	until := from + milliseconds(g.src, 250, 150, 400, 800)
	everyone, one := []string{"*"}, []string{role}
	add := func(f faults.Fault) {
		f.Until = until
		all = append(all, f)
	}
	switch g.src.IntN(6) {
	case 0, 1:
		add(faults.Fault{Kind: faults.Partition, From: from, Who: [][]string{one, everyone}})
	case 2:
		add(faults.Fault{Kind: faults.Pause, From: from, Who: [][]string{one}})
	case 3:
		add(faults.Fault{Kind: faults.Cut, From: from, Who: [][]string{everyone, one}})
	case 4:
		add(faults.Fault{Kind: faults.Cut, From: from, Who: [][]string{one, everyone}})
	case 5:
		// What was sent to it before goes on arriving.
		late := milliseconds(g.src, 100, 50, 200)
		add(faults.Fault{Kind: faults.Delay, From: max(from-late, 0), Who: [][]string{everyone, one}, Delay: sim.Constant(late)})
		add(faults.Fault{Kind: faults.Cut, From: from, Who: [][]string{one, everyone}})
	}
	return all
}
