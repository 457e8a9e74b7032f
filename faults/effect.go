package faults

import "github.com/rashomon-go/rashomon/sim"

// Effect is what a fault has done in a run. A fault that befell nobody, or hit no
// message, did nothing.
type Effect struct {
	Befell   int      // nodes, or directed links, over all repetitions
	Messages sim.Hits // of a fault of links
}

// deed is an Effect in the making.
type deed struct {
	befell   int
	overlays []sim.OverlayID
}

func (c *cast) effects(deeds []deed) []Effect {
	effects := make([]Effect, len(deeds))
	for i, d := range deeds {
		effects[i].Befell = d.befell
		for _, id := range d.overlays {
			effects[i].Messages.Add(c.world.Hits(id))
		}
	}
	return effects
}
