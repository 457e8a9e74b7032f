package rashomon

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/rashomon-go/rashomon/checker"
	"github.com/rashomon-go/rashomon/faults"
	"github.com/rashomon-go/rashomon/history"
	"github.com/rashomon-go/rashomon/model"
	"github.com/rashomon-go/rashomon/sim"
)

// Live is the property of a system that goes on: System.Settle after the last fault
// has ended, and the last client's request, it serves reads and writes at every
// replica, replicas agree, and none shows a variable called "pending" or "dirty". It
// is judged from the end of a run and not from the history, and a system may have it
// or not whatever else it claims.
//
// Scenarios for it may have faults that never end, if they take replicas away for
// good: these are then frozen, and the others are the core that must go on.
const Live Property = "live"

// frozen says which replicas are gone for good: those of the first group of each
// fault that never ends.
func (sc *Scenario) frozen() []bool {
	frozen := make([]bool, sc.Nodes)
	for _, f := range sc.Faults {
		if !f.Endless() {
			continue
		}
		for i := range frozen {
			frozen[i] = frozen[i] || slices.Contains(f.Who[0], nodeName(i))
		}
	}
	return frozen
}

// validateEndless accepts a fault without an end if it says who is gone for good.
func (sc *Scenario) validateEndless(f faults.Fault) error {
	switch {
	case sc.Claim != Live:
		return fmt.Errorf("it never ends, which only the claim %s allows; expected an end", Live)
	case f.Kind != faults.Crash && f.Kind != faults.Pause && f.Kind != faults.Partition:
		return fmt.Errorf("it never ends, expected a crash keeping something, a pause or a partition, or an end")
	}
	for _, name := range f.Who[0] {
		if !slices.Contains(nodeNames(sc.Nodes), name) {
			return fmt.Errorf("%s is gone for good, expected replicas by their names", name)
		}
	}
	return nil
}

// excessive says in what a scenario goes beyond what the system can live through, or
// nothing: whoever has lost the last copy of something is right to stop.
func (sc *Scenario) excessive(s *System, row Claim) string {
	gone, lost := 0, 0
	for _, frozen := range sc.frozen() {
		if frozen {
			gone++
		}
	}
	for _, f := range sc.Faults {
		if f.Kind == faults.Crash && f.Fate == sim.LoseAll {
			lost++
		}
	}
	if who := sc.halfGone(s); who != "" {
		return who + " is parted for good from some of the nodes only, and who still hears it need not replace it"
	}
	crash := bearable(s.tolerates(sc.Nodes), row).Crash
	losses := slices.Contains(crash.Fates, sim.LoseAll)
	switch {
	case gone > s.survives(sc.Nodes):
		return fmt.Sprintf("%d of %d replicas are gone for good, and the system need not go on without more than %d", gone, sc.Nodes, s.survives(sc.Nodes))
	case lost > 0 && (!losses || gone > 0 || crash.Losses > 0 && lost > crash.Losses):
		return "more disks are lost than the system need survive"
	}
	return ""
}

// halfGone returns a replica that a partition without an end parts from some nodes and
// not from all, or nothing.
func (sc *Scenario) halfGone(s *System) string {
	var parted, down []string
	for _, f := range sc.Faults {
		switch {
		case f.Endless() && f.Kind == faults.Partition:
			parted = append(parted, f.Who[0]...)
		case f.Endless():
			down = append(down, f.Who[0]...)
		}
	}
	for _, who := range parted {
		if slices.Contains(down, who) {
			continue
		}
		for _, other := range slices.Concat(nodeNames(sc.Nodes), s.Services) {
			if other != who && !slices.Contains(parted, other) && !sc.partedForGood(who, other) {
				return who
			}
		}
	}
	return ""
}

// partedForGood says whether a partition without an end lies between two nodes.
func (sc *Scenario) partedForGood(a, b string) bool {
	return slices.ContainsFunc(sc.Faults, func(f faults.Fault) bool {
		if !f.Endless() || f.Kind != faults.Partition {
			return false
		}
		side := func(node string) int {
			for i, group := range f.Who {
				if slices.Contains(group, node) {
					return i
				}
			}
			return slices.IndexFunc(f.Who, func(group []string) bool { return group[0] == "*" })
		}
		return side(a) >= 0 && side(b) >= 0 && side(a) != side(b)
	})
}

// bearable returns those of the faults that a system tolerates under which a row of the
// table holds.
func bearable(budget faults.Options, row Claim) faults.Options {
	if row.KeepsDisks {
		lost := func(f sim.DiskFate) bool { return f == sim.LoseAll }
		budget.Crash.Fates = slices.DeleteFunc(slices.Clone(budget.Crash.Fates), lost)
	}
	return budget
}

func (s *System) survives(replicas int) int {
	if s.Survives == nil {
		return 0
	}
	return s.Survives(replicas)
}

// goneForGood draws replicas that go and never come back, at most so many. Of the
// other faults those stay that let no member be replaced: a group that has shrunk to
// the ones that are gone is right to stop.
func (g *generator) goneForGood(sc *Scenario, most int, span time.Duration) {
	sc.Faults = slices.DeleteFunc(sc.Faults, func(f faults.Fault) bool {
		return f.Kind != faults.Duplicate && f.Kind != faults.Reorder && f.Kind != faults.Clock
	})
	first := g.src.IntN(sc.Nodes)
	for i := range 1 + g.src.IntN(most) {
		who := []string{nodeName((first + i) % sc.Nodes)}
		f := faults.Fault{
			From: (span * time.Duration(g.src.IntN(12)) / 16).Round(time.Millisecond), Until: faults.Forever,
			Kind: faults.Crash, Who: [][]string{who},
		}
		switch g.src.IntN(3) {
		case 1:
			f.Kind = faults.Pause
		case 2: // from the others, and from what they rely on
			f.Kind, f.Who = faults.Partition, [][]string{who, {"*"}}
			for _, service := range g.system.Services {
				cut := f
				cut.Who = [][]string{who, {service}}
				sc.Faults = append(sc.Faults, cut)
			}
		}
		sc.Faults = append(sc.Faults, f)
	}
}

// lastWrites has the last client write at every replica that must go on, before it
// reads there.
func (r *run) lastWrites(p *sim.Proc, c *asker) {
	var value model.Value
	for i := range r.scenario.Operations {
		value = max(value, r.scenario.Operations[i].Value)
	}
	for i, id := range r.core {
		p.Begin(1<<33 + uint64(i))
		op := Operation{Client: r.clients - 1, Kind: r.system.store(), Key: r.keys[0], Value: value + 1 + model.Value(i), Node: int(id)}
		r.probe(op, c.ask(p, op))
	}
}

// probe takes note of the first request of the last client that was not served.
func (r *run) probe(op Operation, o history.Outcome) {
	if o == history.OK {
		return
	}
	if r.stuck == "" {
		r.stuck = fmt.Sprintf("%v %s at %s was not answered", op.Kind, op.Key, nodeName(op.Node))
	}
}

// unfinished names the first thing that is not as it should be when everything has
// come to rest, or nothing.
func (r *run) unfinished() string {
	for _, id := range r.core {
		for _, v := range stateOf(r.world.Node(id)) {
			if restless(v.Name) {
				return fmt.Sprintf("%s still has %s = %s", r.world.Name(id), v.Name, v.Value)
			}
		}
	}
	for _, id := range r.core[min(1, len(r.core)):] {
		a, b := stored(stateOf(r.world.Node(r.core[0]))), stored(stateOf(r.world.Node(id)))
		for k := range max(len(a), len(b)) {
			if k >= len(a) || k >= len(b) || a[k] != b[k] {
				return fmt.Sprintf("%s has %s and %s has %s", r.world.Name(r.core[0]), variable(a, k), r.world.Name(id), variable(b, k))
			}
		}
	}
	return ""
}

// restless says whether a variable is there only until something has been done.
func restless(variable string) bool { return variable == "pending" || variable == "dirty" }

// lively judges Live.
func (r *run) lively(row Claim) checker.Judgement {
	if why := r.scenario.excessive(r.system, row); why != "" {
		return checker.Judgement{Reason: why}
	}
	what := slices.DeleteFunc([]string{r.stuck, r.unfinished()}, func(s string) bool { return s == "" })
	if len(what) == 0 {
		return checker.Judgement{Verdict: checker.Valid}
	}
	return checker.Judgement{
		Verdict: checker.Invalid, Anomaly: checker.Stuck,
		Sentence: fmt.Sprintf("the system does not go on, although nothing is wrong any more and %v have passed: %s", r.system.settle(), strings.Join(what, "; ")),
	}
}
