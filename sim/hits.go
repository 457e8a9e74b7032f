package sim

// Hits counts how often an overlay hit a message. One that several overlays would
// have dropped for their cuts counts for each of them; one that chance has hit
// counts for the overlay whose part of the chance it was.
type Hits struct {
	Dropped    uint64 // by a cut, by loss, by corruption, or because a queue was full
	Held       uint64
	Delayed    uint64 // by Delay, or by a wait for bandwidth behind other messages
	Duplicated uint64
	Reordered  uint64
}

// Add adds the counts of g.
func (h *Hits) Add(g Hits) {
	h.Dropped += g.Dropped
	h.Held += g.Held
	h.Delayed += g.Delayed
	h.Duplicated += g.Duplicated
	h.Reordered += g.Reordered
}

// Hits returns what an overlay has done so far, also if it has been lifted.
func (w *World) Hits(id OverlayID) Hits { return w.imposed[id-1].hits }

// blameCuts counts a message that was cut off.
func (k *link) blameCuts(m Message) {
	for _, o := range k.overlays {
		if o.Cut && o.concerns(m) {
			o.hits.Dropped++
		}
	}
}

// chances says which chance of a link and of its overlays a draw was for, and
// what it counts as.
type chances struct {
	base    func(*Link) float64
	overlay func(*overlay) (p float64, hit *uint64)
}

var (
	byLoss        = chances{func(l *Link) float64 { return l.Loss }, func(o *overlay) (float64, *uint64) { return o.Loss, &o.hits.Dropped }}
	byCorruption  = chances{func(l *Link) float64 { return l.Corrupt }, func(o *overlay) (float64, *uint64) { return o.Corrupt, &o.hits.Dropped }}
	byDuplication = chances{func(l *Link) float64 { return l.Duplicate }, func(o *overlay) (float64, *uint64) { return o.Duplicate, &o.hits.Duplicated }}
	byReordering  = chances{func(l *Link) float64 { return l.Reorder }, func(o *overlay) (float64, *uint64) { return o.Reorder, &o.hits.Reordered }}
)

// blame counts a message for the overlay whose part of a chance the draw u fell
// into, if it was not that of the link itself.
func (k *link) blame(m Message, u uint64, by chances) {
	if len(k.overlays) == 0 {
		return
	}
	below := chance(by.base(&k.base))
	if u < below {
		return
	}
	for _, o := range k.overlays {
		if !o.concerns(m) {
			continue
		}
		p, hit := by.overlay(o.overlay)
		if below = either(below, chance(p)); u < below {
			*hit++
			return
		}
	}
}
