package sim

import (
	"slices"
	"time"
)

// Overlay is what a fault lays over links for a while. The effect of several
// overlays on a link adds up, and lifting one leaves the others as they are.
type Overlay struct {
	Only []string // the types of the messages it concerns, by MessageName; empty is all

	Cut       bool    // nothing passes: tested when a message is sent and when it arrives
	Hold      bool    // what arrives waits until Lift, and then arrives in the order in which it was sent
	Delay     Latency // added to the latency
	Loss      float64 // as in Link, on top of it
	Duplicate float64
	Reorder   float64
	Corrupt   float64

	// Bandwidth, if positive, is a queue of its own, behind those of the link and of
	// older overlays. Messages settle their time in it when they are sent: whoever waits
	// when the overlay is lifted goes on waiting, and later messages do not meet it.
	Bandwidth Bandwidth
	Queue     time.Duration // as in Link
}

// OverlayID names an overlay.
type OverlayID int

type overlay struct {
	id    OverlayID
	pairs []Pair
	Overlay
	hits Hits
	held []event // in the order of their arrival
}

// layer is an overlay on one link, with the queue that it has there.
type layer struct {
	*overlay
	line *line
}

// Impose lays an overlay over links and returns its name for Lift. A pair that
// is named twice counts once. All addresses must have been added; links to
// hosts that are added later have no overlays.
func (w *World) Impose(o Overlay, pairs ...Pair) OverlayID {
	for _, p := range pairs {
		w.linkOf(p) // panics before anything has changed
	}
	laid := &overlay{id: OverlayID(len(w.imposed) + 1), pairs: slices.Clone(pairs), Overlay: o}
	w.imposed = append(w.imposed, laid)
	for _, p := range pairs {
		k := w.linkOf(p)
		if slices.ContainsFunc(k.overlays, func(l layer) bool { return l.overlay == laid }) {
			continue
		}
		k.overlays = append(k.overlays, layer{laid, &line{rate: o.Bandwidth, limit: o.Queue, by: laid}})
		k.refresh()
	}
	return laid.id
}

// Lift takes an overlay away. Lifting one that is not in force changes nothing.
func (w *World) Lift(id OverlayID) {
	if id < 1 || int(id) > len(w.imposed) {
		return
	}
	lifted := w.imposed[id-1]
	for _, p := range lifted.pairs {
		k := w.linkOf(p)
		k.overlays = slices.DeleteFunc(k.overlays, func(l layer) bool { return l.overlay == lifted })
		k.refresh()
	}
	lifted.pairs = nil
	w.release(lifted)
}

// hold keeps a message that arrives for the oldest overlay that wants it.
func (w *World) hold(k *link, e *event) {
	for _, o := range k.overlays {
		if o.Hold && o.concerns(e.msg) {
			k.traffic.Held++
			o.hits.Held++
			o.held = append(o.held, *e)
			w.digest.fold(uint64(Held)<<32, e.id)
			w.traceEvent(Held, e)
			return
		}
	}
}

// release lets the messages arrive that an overlay has held. They keep their
// places in the order of events, which is that of their departures: so nothing
// that was sent later arrives before them, not even at this moment.
func (w *World) release(o *overlay) {
	for i := range o.held {
		e := &o.held[i]
		e.at = w.now
		if w.hosts[e.from.Node].proc != nil {
			w.asked = max(w.asked, e.at)
		}
		w.queue.push(e)
	}
	o.held = nil
}

// delay is a latency that an overlay adds, and what its random numbers are
// derived from.
type delay struct {
	Latency
	key uint64
	by  *overlay
}

func (d *delay) draw(u uint64) time.Duration {
	d.by.hits.Delayed++
	return d.Draw(u)
}

// refresh computes anew what messages meet, from all overlays, so that no fault
// has to remember an old value.
func (k *link) refresh() {
	k.refreshLine()
	k.typed = nil
	for _, o := range k.overlays {
		if len(o.Only) > 0 {
			k.typed = map[string]*conditions{}
		}
	}
	k.conditions = k.add(func(o *overlay) bool { return len(o.Only) == 0 })
}

// on returns what a message meets.
func (k *link) on(m Message) *conditions {
	if k.typed == nil {
		return &k.conditions
	}
	return k.onType(MessageName(m))
}

func (k *link) onType(name string) *conditions {
	e := k.typed[name]
	if e == nil {
		it := k.add(func(o *overlay) bool { return o.concernsType(name) })
		e = &it
		k.typed[name] = e
	}
	return e
}

// add adds up the link and those of its overlays that count.
func (k *link) add(counts func(*overlay) bool) (c conditions) {
	c.loss, c.duplicate, c.reorder = chance(k.base.Loss), chance(k.base.Duplicate), chance(k.base.Reorder)
	c.corrupt = chance(k.base.Corrupt)
	if k.line != nil {
		c.lines = append(c.lines, k.line)
	}
	for _, o := range k.overlays {
		if !counts(o.overlay) {
			continue
		}
		c.cut, c.hold = c.cut || o.Cut, c.hold || o.Hold
		c.loss = either(c.loss, chance(o.Loss))
		c.duplicate = either(c.duplicate, chance(o.Duplicate))
		c.reorder = either(c.reorder, chance(o.Reorder))
		c.corrupt = either(c.corrupt, chance(o.Corrupt))
		if o.Delay != (Latency{}) {
			c.delays = append(c.delays, delay{o.Delay, c.delayKey(o.Delay), o.overlay})
		}
		if o.Bandwidth > 0 {
			c.lines = append(c.lines, o.line)
		}
	}
	c.plain = c.reorder == 0 && c.corrupt == 0 && len(c.delays)+len(c.lines) == 0
	return c
}

// delayKey derives the identity of a delay from the delay itself and its rank
// among equal ones: neither its place among the overlays nor the number of
// overlays before it may matter, or lifting one fault, or taking it out of the
// scenario, would move what the others do.
func (c *conditions) delayKey(l Latency) uint64 {
	rank := uint64(0)
	for _, d := range c.delays {
		if d.Latency == l {
			rank++
		}
	}
	return Key(l.key(), rank)
}

func (o *overlay) concerns(m Message) bool {
	return len(o.Only) == 0 || o.concernsType(MessageName(m))
}

func (o *overlay) concernsType(name string) bool {
	return len(o.Only) == 0 || slices.Contains(o.Only, name)
}
