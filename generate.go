package rashomon

import (
	"time"

	"github.com/rashomon-go/rashomon/faults"
	"github.com/rashomon-go/rashomon/sim"
)

// Source yields the choices that a scenario is made of. IntN returns a number in
// 0..n-1; the smaller, the simpler the scenario, so that a shrinking source
// shrinks it. *sim.Draws is one; an adapter for rapid takes three lines.
type Source = faults.Source

// DefaultOperations is how many operations a generated scenario has.
const DefaultOperations = 100

// Generate makes a scenario for one row of a system's table of claims from a
// source. It is swarm testing (Groce et al., ISSTA 2012): the source first
// decides which features the run has at all, then the run. Operations is how many
// operations it has at most; 0 means DefaultOperations.
//
// Rows with the same Reads have the same scenarios, but for Scenario.Claim and for the
// claim Live, so that one run can be judged for all of them (see Claim.SharesRuns).
func Generate(src Source, s *System, c Claim, operations int) *Scenario {
	if operations == 0 {
		operations = DefaultOperations
	}
	g := generator{src: src, system: s}
	low, high := s.nodes()
	sc := &Scenario{
		System: s.Name, Bug: s.Bug, Reads: c.Reads, Claim: c.Property,
		Nodes:    low + src.IntN(high-low+1),
		Attempts: 1 + src.IntN(5),
		Timeout:  milliseconds(src, 100, 50, 30, 20, 200),
	}
	sc.Links = g.link(milliseconds(src, 1, 0, 2, 5), true)
	if g.oneIn(2) {
		sc.Access = g.link(0, g.oneIn(2))
	}
	span := g.workload(sc, operations)
	budget := bearable(s.tolerates(sc.Nodes), c)
	budget.Nodes, budget.Roles, budget.Falls, budget.Services = nodeNames(sc.Nodes), s.Roles, s.Falls, s.Services
	budget.Until = span
	sc.Faults = faults.Generate(src, budget)
	if s.Diverges && sc.Nodes > 1 {
		sc.Faults = append(sc.Faults, g.lastPartition(sc.Nodes, span))
	}
	if most := s.survives(sc.Nodes); c.Property == Live && most > 0 && g.oneIn(3) {
		g.goneForGood(sc, most, span)
	}
	sc.Seed = uint64(src.IntN(1<<16))<<16 | uint64(src.IntN(1<<16))
	return sc
}

// FromSeed generates the scenario of a seed.
func FromSeed(seed uint64, s *System, c Claim, operations int) *Scenario {
	src := sim.NewDraws(sim.Key(seed, 0x5eed))
	return Generate(&src, s, c, operations)
}

// lastPartition draws a partition that lasts beyond the workload, so that replicas
// that answer before they agree do differ when it heals.
func (g *generator) lastPartition(nodes int, span time.Duration) faults.Fault {
	groups := make([][]string, 2)
	for i, name := range nodeNames(nodes) {
		side := g.src.IntN(2)
		switch {
		case i == 0:
			side = 0
		case i == nodes-1 && len(groups[1]) == 0:
			side = 1
		}
		groups[side] = append(groups[side], name)
	}
	from := (span * pick(g.src, time.Duration(0), 0, 1, 4) / 16).Round(time.Millisecond)
	return faults.Fault{Kind: faults.Partition, From: from, Until: (span * 4).Round(time.Millisecond), Who: groups}
}

type generator struct {
	src    Source
	system *System
}

func pick[T any](src Source, choices ...T) T { return choices[src.IntN(len(choices))] }

func milliseconds(src Source, choices ...int) time.Duration {
	return time.Duration(pick(src, choices...)) * time.Millisecond
}

// oneIn is true in one of n cases, and the simpler case is false.
func (g *generator) oneIn(n int) bool { return g.src.IntN(n) == n-1 }

// link draws how a kind of links behaves. A lossy link loses, repeats and
// reorders messages now and then.
func (g *generator) link(low time.Duration, lossy bool) sim.Link {
	l := sim.Link{Latency: sim.Constant(low)}
	switch scale := pick(g.src, 0, 1, 3, 10); g.src.IntN(3) {
	case 1:
		l.Latency.Spread = time.Duration(scale) * time.Millisecond
	case 2:
		l.Latency.Tail = time.Duration(scale) * time.Millisecond
	}
	if lossy && g.oneIn(2) {
		l.Loss = pick(g.src, 0, 0.01, 0.05, 0.15)
		l.Duplicate = pick(g.src, 0, 0.02, 0.1, 0.3)
		l.Reorder = pick(g.src, 0, 0.02, 0.1, 0.3)
	} else {
		l.FIFO = g.oneIn(4)
	}
	return l
}
