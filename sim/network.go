package sim

import (
	"fmt"
	"time"
)

// Link is how messages travel from one address to another. The zero Link is
// perfect: no delay, no loss, in order.
//
// Probabilities below 0 count as 0, those above 1 as 1.
type Link struct {
	Latency   Latency
	Loss      float64 // probability that a message is lost, 0..1
	Duplicate float64 // probability that it arrives twice, each time with a latency of its own
	Reorder   float64 // probability that it is held back for one to eight more latencies
	FIFO      bool    // messages never overtake what was sent before them; Reorder has no effect
}

// Pair names a directed link.
type Pair struct{ From, To NodeID }

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
func (c DropCause) String() string {
	if c < dropCauses {
		return dropNames[c]
	}
	return fmt.Sprintf("drop(%d)", uint8(c))
}

// Traffic counts what became of the messages of a link, or of all links.
type Traffic struct {
	Sent, Delivered, Duplicated, HeldBack uint64
	Dropped                               [dropCauses]uint64 // by DropCause
}

// Add adds the counts of u.
func (t *Traffic) Add(u Traffic) {
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
	delays                   []delay
	last                     time.Duration // latest arrival, for FIFO
	overlays                 []*overlay    // in force on this link, oldest first
	traffic                  Traffic
}

// SetLink changes the link between two addresses, in one direction, from the
// next message on. Overlays stay in force over it.
func (w *World) SetLink(p Pair, l Link) {
	k := w.linkOf(p)
	k.base = l
	k.refresh()
}

func (w *World) link(from, to NodeID) *link { return &w.links[from][to] }

// linkOf is link for numbers that come from outside.
func (w *World) linkOf(p Pair) *link {
	w.host(p.From)
	w.host(p.To)
	return w.link(p.From, p.To)
}

// Traffic returns what became of the messages of a link.
func (w *World) Traffic(p Pair) Traffic { return w.linkOf(p).traffic }

// TotalTraffic returns what became of all messages.
func (w *World) TotalTraffic() (t Traffic) {
	for _, row := range w.links {
		for i := range row {
			t.Add(row[i].traffic)
		}
	}
	return t
}

// send puts a message on its link. What happens to it depends on its identity
// and on the link, not on any message before it (but for FIFO).
func (w *World) send(from, to Addr, m Message, id, cause uint64) {
	k := w.link(from.Node, to.Node)
	k.traffic.Sent++
	w.digest.sent(id)
	if w.trace != nil {
		w.record(&Event{Kind: Sent, From: from.Node, To: to.Node, ID: id, Cause: cause, Message: m})
	}
	key := w.seed ^ id
	if k.cut {
		w.drop(k, CutAtSend, from, to, id, cause, m)
		return
	}
	if k.loss != 0 && mix(key+forLoss) < k.loss {
		w.drop(k, Lost, from, to, id, cause, m)
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
		once := d
		for range 1 + below(mix(key+forReorderDelay), 8) {
			d = plus(d, once)
		}
	}
	for i := range k.delays {
		d = plus(d, k.delays[i].draw(mix(key^k.delays[i].key)))
	}
	at := w.in(d)
	if k.base.FIFO {
		at = max(at, k.last)
	}
	k.last = max(k.last, at)
	if w.hosts[from.Node].proc != nil {
		w.asked = max(w.asked, at)
	}
	e := w.queue.place(at, w.order(evDeliver))
	e.id, e.cause, e.msg, e.from, e.to = id, cause, m, from, to
}

func (w *World) drop(k *link, why DropCause, from, to Addr, id, cause uint64, m Message) {
	k.traffic.Dropped[why]++
	w.digest.fold(uint64(why), id)
	if w.trace != nil {
		w.record(&Event{Kind: Dropped, From: from.Node, To: to.Node, ID: id, Cause: cause, Why: why, Message: m})
	}
}

// deliver brings a message to its destination, if that can still be reached.
func (w *World) deliver(e *event) {
	k := w.link(e.from.Node, e.to.Node)
	h := w.hosts[e.to.Node]
	if why := k.obstacle(h, e.to.Port); why != NotDropped {
		w.drop(k, why, e.from, e.to, e.id, e.cause, e.msg)
		return
	}
	k.traffic.Delivered++
	w.traceEvent(Delivered, e)
	if h.proc != nil {
		h.proc.answer(e)
	} else {
		w.receive(h, e)
	}
}

// obstacle says what keeps a message that arrives now from its destination.
func (k *link) obstacle(h *host, port uint32) DropCause {
	switch {
	case k.cut:
		return CutInFlight
	case h.proc != nil:
		if !h.proc.waitsAt(port) {
			return PortClosed
		}
	case h.node == nil:
		return NodeDown
	}
	return NotDropped
}
