package sim

import (
	"fmt"
	"time"
)

// Link is how messages travel from one address to another. The zero Link is
// perfect: no delay, no loss, in order, as much as one likes.
//
// Probabilities below 0 count as 0, those above 1 as 1.
type Link struct {
	Latency   Latency
	Loss      float64 // probability that a message is lost, 0..1
	Duplicate float64 // probability that it arrives twice, each time with a latency of its own
	Reorder   float64 // probability that it is held back for one to eight more latencies
	Corrupt   float64 // probability that it is damaged, which its receiver notices and drops it
	FIFO      bool    // messages never overtake what was sent before them; Reorder has no effect

	// Bandwidth, if positive, lets messages leave one after another, each for as long as
	// its Sized takes, before their latency begins. What would have to wait for longer
	// than Queue is dropped; 0 is a queue without limit.
	Bandwidth Bandwidth
	Queue     time.Duration
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
	Corrupted             // damaged by the link, which the receiver notices
	Overflow              // the queue before a link of little bandwidth was full
	dropCauses
)

var dropNames = [dropCauses]string{"", "lost", "cut", "cut in flight", "node down", "late", "corrupted", "overflow"}

// String returns a word for drawings and tables.
func (c DropCause) String() string {
	if c < dropCauses {
		return dropNames[c]
	}
	return fmt.Sprintf("drop(%d)", uint8(c))
}

// Traffic counts what became of the messages of a link, or of all links.
type Traffic struct {
	Sent, Delivered, Duplicated uint64
	HeldBack                    uint64             // by Reorder
	Queued                      uint64             // waited behind others for bandwidth
	Held                        uint64             // by an overlay, until it was lifted
	Dropped                     [dropCauses]uint64 // by DropCause
}

// Add adds the counts of u.
func (t *Traffic) Add(u Traffic) {
	t.Sent += u.Sent
	t.Delivered += u.Delivered
	t.Duplicated += u.Duplicated
	t.HeldBack += u.HeldBack
	t.Queued += u.Queued
	t.Held += u.Held
	for i := range t.Dropped {
		t.Dropped[i] += u.Dropped[i]
	}
}

// link is the state of a directed link: what it is, what lies over it, and what
// comes of both.
type link struct {
	conditions                        // on messages that no overlay for some types concerns
	last       time.Duration          // latest arrival, for FIFO
	typed      map[string]*conditions // by type, what messages have met so far; nil if no overlay is for some types
	base       Link
	traffic    Traffic
	line       *line   // of the base; nil without limit
	overlays   []layer // in force on this link, oldest first
}

// conditions are what a message meets on a link.
type conditions struct {
	plain                             bool // nothing that disturb would do
	cut, hold                         bool
	loss, duplicate, reorder, corrupt uint64 // thresholds
	delays                            []delay
	lines                             []*line
}

// SetLink changes the link between two addresses, in one direction, from the
// next message on. Overlays stay in force over it.
func (w *World) SetLink(p Pair, l Link) {
	k := w.linkOf(p)
	k.base = l
	k.refresh()
}

// link returns the state of a link, which is made when it is first asked for: most pairs of
// hosts, such as those of clients, never meet.
func (w *World) link(from, to NodeID) *link {
	if k := w.links[from][to]; k != nil {
		return k
	}
	return w.newLink(from, to)
}

func (w *World) newLink(from, to NodeID) *link {
	k := &link{}
	switch {
	case from == to:
	case w.hosts[from].proc != nil || w.hosts[to].proc != nil:
		k.base = w.config.Client
	default:
		k.base = w.config.Link
	}
	k.refresh()
	w.links[from][to] = k
	return k
}

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
		for _, k := range row {
			if k != nil {
				t.Add(k.traffic)
			}
		}
	}
	return t
}

// send puts a message on its link. What happens to it depends on its identity
// and on the link, not on any message before it (but for FIFO and Bandwidth).
func (w *World) send(from, to Addr, m Message, id, cause uint64) {
	k := w.link(from.Node, to.Node)
	k.traffic.Sent++
	w.digest.sent(id)
	if w.trace != nil {
		w.record(&Event{Kind: Sent, From: from.Node, To: to.Node, ID: id, Cause: cause, Message: m})
	}
	key := w.seed ^ id
	c := k.on(m)
	if c.cut {
		k.blameCuts(m)
		w.drop(k, CutAtSend, from, to, id, cause, m)
		return
	}
	if c.loss != 0 && mix(key+forLoss) < c.loss {
		k.blame(m, mix(key+forLoss), byLoss)
		w.drop(k, Lost, from, to, id, cause, m)
		return
	}
	w.transmit(k, c, from, to, m, id, cause)
	if c.duplicate != 0 && mix(key+forDuplicate) < c.duplicate {
		k.blame(m, mix(key+forDuplicate), byDuplication)
		k.traffic.Duplicated++
		copied := Key(id, forCopy)
		if w.trace != nil {
			w.record(&Event{Kind: Duplicated, From: from.Node, To: to.Node, ID: copied, Cause: id, Message: m})
		}
		w.transmit(k, c, from, to, m, copied, cause)
	}
}

func (w *World) transmit(k *link, c *conditions, from, to Addr, m Message, id, cause uint64) {
	d := k.base.Latency.Draw(mix((w.seed ^ id) + forLatency))
	if !c.plain {
		var why DropCause
		if d, why = w.disturb(k, c, d, m, id); why != NotDropped {
			w.drop(k, why, from, to, id, cause, m)
			return
		}
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

// disturb does to a message of latency d what only some links do, and returns its
// whole delay or why it will not arrive.
func (w *World) disturb(k *link, c *conditions, d time.Duration, m Message, id uint64) (time.Duration, DropCause) {
	key := w.seed ^ id
	if c.reorder != 0 && !k.base.FIFO && mix(key+forReorder) < c.reorder {
		k.blame(m, mix(key+forReorder), byReordering)
		k.traffic.HeldBack++
		once := d
		for range 1 + below(mix(key+forReorderDelay), 8) {
			d = plus(d, once)
		}
	}
	for i := range c.delays {
		d = plus(d, c.delays[i].draw(mix(key^c.delays[i].key)))
	}
	if len(c.lines) > 0 {
		wait, passes := k.queue(c.lines, w.now, m)
		if !passes {
			return 0, Overflow
		}
		d = plus(d, wait)
	}
	if c.corrupt != 0 && mix(key+forCorrupt) < c.corrupt {
		k.blame(m, mix(key+forCorrupt), byCorruption)
		return 0, Corrupted
	}
	return d, NotDropped
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
	if c := k.on(e.msg); c.cut {
		k.blameCuts(e.msg)
		w.drop(k, CutInFlight, e.from, e.to, e.id, e.cause, e.msg)
		return
	} else if c.hold {
		w.hold(k, e)
		return
	}
	if why := h.obstacle(e.to.Port); why != NotDropped {
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

// obstacle says what keeps a message that arrives now from entering.
func (h *host) obstacle(port uint32) DropCause {
	switch {
	case h.proc != nil:
		if !h.proc.waitsAt(port) {
			return PortClosed
		}
	case h.node == nil:
		return NodeDown
	}
	return NotDropped
}
