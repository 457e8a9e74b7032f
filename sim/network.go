package sim

import "time"

// Link is how messages travel from one address to another. The zero Link is
// perfect: no delay, no loss, in order.
type Link struct {
	Latency   Latency
	Loss      float64 // probability that a message is lost, 0..1
	Duplicate float64 // probability that it arrives twice, each time with a latency of its own
	Reorder   float64 // probability that it is held back for one to eight more latencies
	FIFO      bool    // messages never overtake each other; Reorder has no effect
}

// Pair names a directed link.
type Pair struct{ From, To NodeID }

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

// DropCause says why a message was not delivered.
type DropCause uint8

const (
	NotDropped  DropCause = iota
	Lost                  // by the link
	CutAtSend             // a partition stood when it was sent
	CutInFlight           // a partition stood when it should have arrived
	NodeDown              // its destination was down
	PortClosed            // nobody waits for this reply any more
	dropCauses
)

var dropNames = [dropCauses]string{"", "lost", "cut", "cut in flight", "node down", "late"}

// String returns a word for drawings and tables.
func (c DropCause) String() string { return dropNames[c] }

// Traffic counts what became of the messages of a link, or of all links.
type Traffic struct {
	Sent, Delivered, Duplicated, HeldBack uint64
	Dropped                               [dropCauses]uint64 // by DropCause
}

func (t *Traffic) add(u *Traffic) {
	t.Sent += u.Sent
	t.Delivered += u.Delivered
	t.Duplicated += u.Duplicated
	t.HeldBack += u.HeldBack
	for i := range t.Dropped {
		t.Dropped[i] += u.Dropped[i]
	}
}

// link is the state of a directed link: what it is, what lies over it, and the
// effective values that a message meets.
type link struct {
	base                     Link
	cut                      bool
	loss, duplicate, reorder uint64 // thresholds
	delays                   []Latency
	last                     time.Duration // latest arrival, for FIFO
	traffic                  Traffic
}

// SetLink changes the link between two addresses, in one direction.
func (w *World) SetLink(p Pair, l Link) {
	k := w.link(p.From, p.To)
	k.base = l
	w.refresh(p, k)
}

// Impose lays an overlay over links and returns its name for Lift.
func (w *World) Impose(o Overlay, pairs ...Pair) OverlayID {
	w.lastOverlay++
	w.overlays = append(w.overlays, overlay{w.lastOverlay, pairs, o})
	for _, p := range pairs {
		w.refresh(p, w.link(p.From, p.To))
	}
	return w.lastOverlay
}

// Lift takes an overlay away. Lifting one that is not in force changes nothing.
func (w *World) Lift(id OverlayID) {
	for i, o := range w.overlays {
		if o.id == id {
			w.overlays = append(w.overlays[:i], w.overlays[i+1:]...)
			for _, p := range o.pairs {
				w.refresh(p, w.link(p.From, p.To))
			}
			return
		}
	}
}

// refresh computes the effective values of a link anew from all overlays, so
// that no fault has to remember an old value.
func (w *World) refresh(p Pair, k *link) {
	keep := [3]float64{1 - k.base.Loss, 1 - k.base.Duplicate, 1 - k.base.Reorder}
	k.cut, k.delays = false, nil
	for _, o := range w.overlays {
		for _, q := range o.pairs {
			if p != q {
				continue
			}
			k.cut = k.cut || o.Cut
			if o.Delay != (Latency{}) {
				k.delays = append(k.delays, o.Delay)
			}
			keep[0] *= 1 - o.Loss
			keep[1] *= 1 - o.Duplicate
			keep[2] *= 1 - o.Reorder
		}
	}
	k.loss, k.duplicate, k.reorder = chance(1-keep[0]), chance(1-keep[1]), chance(1-keep[2])
}

func (w *World) link(from, to NodeID) *link { return &w.links[from][to] }

// Traffic returns what became of the messages of a link.
func (w *World) Traffic(p Pair) Traffic { return w.link(p.From, p.To).traffic }

// TotalTraffic returns what became of all messages.
func (w *World) TotalTraffic() (t Traffic) {
	for _, row := range w.links {
		for i := range row {
			t.add(&row[i].traffic)
		}
	}
	return t
}

// send puts a message on its link. What happens to it depends on its identity
// and on the link, not on any message before it (but for FIFO).
func (w *World) send(from, to Addr, m Message, id, cause uint64) {
	k := w.link(from.Node, to.Node)
	k.traffic.Sent++
	if w.trace != nil {
		w.record(&Event{Kind: Sent, From: from.Node, To: to.Node, ID: id, Cause: cause, Message: m})
	}
	key := w.seed ^ id
	if k.cut {
		w.drop(k, CutAtSend, from, to, id, m)
		return
	}
	if k.loss != 0 && mix(key+forLoss) < k.loss {
		w.drop(k, Lost, from, to, id, m)
		return
	}
	w.transmit(k, from, to, m, id, cause)
	if k.duplicate != 0 && mix(key+forDuplicate) < k.duplicate {
		k.traffic.Duplicated++
		copied := Key(id, forCopy)
		if w.trace != nil {
			w.record(&Event{Kind: Duplicated, From: from.Node, To: to.Node, ID: copied, Cause: id, Message: m})
		}
		w.transmit(k, from, to, m, copied, cause)
	}
}

func (w *World) transmit(k *link, from, to Addr, m Message, id, cause uint64) {
	key := w.seed ^ id
	d := k.base.Latency.draw(mix(key + forLatency))
	if k.reorder != 0 && !k.base.FIFO && mix(key+forReorder) < k.reorder {
		k.traffic.HeldBack++
		d += d * time.Duration(1+below(mix(key+forReorderDelay), 8))
	}
	for i := range k.delays {
		d += k.delays[i].draw(mix(key + forOverlay + uint64(i)<<8))
	}
	at := w.now + d
	if k.base.FIFO {
		at = max(at, k.last)
		k.last = at
	}
	w.push(event{at: at, id: id, cause: cause, msg: m, from: from, to: to, kind: evDeliver})
}

func (w *World) drop(k *link, why DropCause, from, to Addr, id uint64, m Message) {
	k.traffic.Dropped[why]++
	w.digest.fold(uint64(why), id)
	if w.trace != nil {
		w.record(&Event{Kind: Dropped, From: from.Node, To: to.Node, ID: id, Why: why, Message: m})
	}
}

// deliver brings a message to its destination, if that can still be reached.
func (w *World) deliver(e *event) {
	k := w.link(e.from.Node, e.to.Node)
	h := w.hosts[e.to.Node]
	switch {
	case k.cut:
		w.drop(k, CutInFlight, e.from, e.to, e.id, e.msg)
	case h.proc != nil:
		if h.proc.waits != e.to.Port || e.to.Port == 0 {
			w.drop(k, PortClosed, e.from, e.to, e.id, e.msg)
			return
		}
		k.traffic.Delivered++
		w.traceEvent(Delivered, e)
		h.proc.answer(e)
	case h.node == nil:
		w.drop(k, NodeDown, e.from, e.to, e.id, e.msg)
	default:
		k.traffic.Delivered++
		w.traceEvent(Delivered, e)
		w.receive(h, e)
	}
}

