package faults

import "github.com/rashomon-go/rashomon/sim"

// Effect is what a fault has done in a run, over all its repetitions. A fault that
// befell nobody, or hit nothing, did nothing.
type Effect struct {
	Befell int // nodes, or directed links

	// Hits counts, of a fault of nodes: crashes of nodes that were up; messages and
	// timers that waited for the end of a pause; steps and syncs that were slowed; writes
	// and syncs that a disk failed; changes of clocks.
	Hits uint64

	Messages sim.Hits // of a fault of links
}

// Total returns how often the fault hit anything.
func (e Effect) Total() uint64 {
	m := &e.Messages
	return e.Hits + m.Dropped + m.Held + m.Delayed + m.Duplicated + m.Reordered
}

// deed is an Effect in the making.
type deed struct {
	befell   int
	hits     uint64
	strains  []sim.StrainID
	overlays []sim.OverlayID
}

func (c *cast) effects(deeds []deed) []Effect {
	effects := make([]Effect, len(deeds))
	for i, d := range deeds {
		e := Effect{Befell: d.befell, Hits: d.hits}
		for _, id := range d.strains {
			e.Hits += c.world.StrainHits(id)
		}
		for _, id := range d.overlays {
			e.Messages.Add(c.world.Hits(id))
		}
		effects[i] = e
	}
	return effects
}
