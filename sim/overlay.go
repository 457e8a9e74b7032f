package sim

import "slices"

// Overlay is what a fault lays over links for a while. The effect of several
// overlays on a link adds up, and lifting one leaves the others as they are.
type Overlay struct {
	Cut       bool    // nothing passes: tested when a message is sent and when it arrives
	Delay     Latency // added to the latency
	Loss      float64 // as in Link, on top of it
	Duplicate float64
	Reorder   float64
}

// OverlayID names an overlay that is in force.
type OverlayID int

type overlay struct {
	id    OverlayID
	pairs []Pair
	Overlay
}

// Impose lays an overlay over links and returns its name for Lift. A pair that
// is named twice counts once. All addresses must have been added; links to
// hosts that are added later have no overlays.
func (w *World) Impose(o Overlay, pairs ...Pair) OverlayID {
	for _, p := range pairs {
		w.linkOf(p) // panics before anything has changed
	}
	w.lastOverlay++
	laid := &overlay{w.lastOverlay, slices.Clone(pairs), o}
	w.overlays = append(w.overlays, laid)
	for _, p := range pairs {
		if k := w.linkOf(p); !slices.Contains(k.overlays, laid) {
			k.overlays = append(k.overlays, laid)
			k.refresh()
		}
	}
	return laid.id
}

// Lift takes an overlay away. Lifting one that is not in force changes nothing.
func (w *World) Lift(id OverlayID) {
	i := slices.IndexFunc(w.overlays, func(o *overlay) bool { return o.id == id })
	if i < 0 {
		return
	}
	lifted := w.overlays[i]
	w.overlays = slices.Delete(w.overlays, i, i+1)
	for _, p := range lifted.pairs {
		k := w.linkOf(p)
		k.overlays = slices.DeleteFunc(k.overlays, func(o *overlay) bool { return o == lifted })
		k.refresh()
	}
}

// delay is a latency that an overlay adds, and what its random numbers are
// derived from.
type delay struct {
	Latency
	key uint64
}

// refresh computes the effective values of a link anew from all its overlays, so
// that no fault has to remember an old value.
func (k *link) refresh() {
	k.cut, k.delays = false, k.delays[:0]
	k.loss, k.duplicate, k.reorder = chance(k.base.Loss), chance(k.base.Duplicate), chance(k.base.Reorder)
	for _, o := range k.overlays {
		k.cut = k.cut || o.Cut
		k.loss = either(k.loss, chance(o.Loss))
		k.duplicate = either(k.duplicate, chance(o.Duplicate))
		k.reorder = either(k.reorder, chance(o.Reorder))
		if o.Delay != (Latency{}) {
			k.delays = append(k.delays, delay{o.Delay, k.delayKey(o.Delay)})
		}
	}
}

// delayKey derives the identity of a delay from the delay itself and its rank
// among equal ones: neither its place among the overlays nor the number of
// overlays before it may matter, or lifting one fault, or taking it out of the
// scenario, would move what the others do.
func (k *link) delayKey(l Latency) uint64 {
	rank := uint64(0)
	for _, d := range k.delays {
		if d.Latency == l {
			rank++
		}
	}
	key := Key(forOverlay, uint64(l.Min))
	key = Key(key, uint64(l.Spread))
	key = Key(key, uint64(l.Tail))
	return Key(key, rank)
}
