package sim

import (
	"math/bits"
	"time"
)

type eventKind uint8

const (
	evDeliver eventKind = iota // msg arrives at to
	evTimer                    // msg, set by the node to itself
	evWake                     // a process has slept enough
	evTimeout                  // a call of a process has waited enough
	evAction                   // a function of the scenario
	evResume                   // a node has finished what kept it busy
	kindBits  = 3
)

// event is something that will happen. It has 64 bytes, which is a cache line
// and what the processor copies in few instructions: with 72, a world is a
// quarter slower.
type event struct {
	at    time.Duration
	order uint64  // sequence number, and the kind in the lowest bits
	id    uint64  // identity: what random numbers are derived from
	cause uint64  // identity of the event whose step caused it
	msg   Message // or the *action
	from  Addr
	to    Addr // the port of a timer is the incarnation that it dies with
}

func (e *event) kind() eventKind { return eventKind(e.order & (1<<kindBits - 1)) }

// before returns 1 if e comes before f, else 0: the borrow of a 128-bit
// subtraction. The heap compares times that are as good as random, so a branch
// would be mispredicted every other time.
func (e *event) before(f *event) uint64 {
	_, borrow := bits.Sub64(e.order, f.order, 0)
	_, borrow = bits.Sub64(uint64(e.at), uint64(f.at), borrow)
	return borrow
}

// queue is a 4-ary heap, concrete because a comparison through a function costs
// three times as much.
//
// Most events cause another one. So pop leaves a hole at the root, and a push
// that comes before the next pop fills it, instead of moving the last event there
// only to add another at the end.
type queue struct {
	heap []event
	hole bool // heap[0] has been popped
}

func (q *queue) len() int {
	if q.hole {
		return len(q.heap) - 1
	}
	return len(q.heap)
}

func (q *queue) push(e *event) { *q.place(e.at, e.order) = *e }

// place makes room for an event and returns its place, where all other fields
// are still to be written: for the busiest caller, to whom building an event and
// copying it would cost a tenth of everything.
func (q *queue) place(at time.Duration, order uint64) *event {
	if q.hole {
		q.hole = false
		return q.sink(at, order)
	}
	q.heap = append(q.heap, event{})
	h, e := q.heap, event{at: at, order: order}
	i := len(h) - 1
	for i > 0 {
		up := (i - 1) / 4
		if e.before(&h[up]) == 0 {
			break
		}
		h[i] = h[up]
		i = up
	}
	h[i].at, h[i].order = at, order
	return &h[i]
}

// first returns the first event. The queue must not be empty.
func (q *queue) first() *event {
	if q.hole {
		q.fill()
	}
	return &q.heap[0]
}

// pop removes the first event. The queue must not be empty.
func (q *queue) pop() event {
	first := q.first()
	e := *first
	first.msg = nil // let the message go
	q.hole = true
	return e
}

// fill puts the last event into the hole.
func (q *queue) fill() {
	n := len(q.heap) - 1
	last := q.heap[n]
	q.heap[n] = event{} // let the message go
	q.heap = q.heap[:n]
	q.hole = false
	if n > 0 {
		*q.sink(last.at, last.order) = last
	}
}

// sink moves the hole at the root down to the place of an event, and returns it.
func (q *queue) sink(at time.Duration, order uint64) *event {
	h, e := q.heap, event{at: at, order: order}
	i := 0
	for {
		child := 4*i + 1
		if child >= len(h) {
			break
		}
		least := child
		for c := child + 1; c < min(child+4, len(h)); c++ {
			least += (c - least) & -int(h[c].before(&h[least]))
		}
		if h[least].before(&e) == 0 {
			break
		}
		h[i] = h[least]
		i = least
	}
	h[i].at, h[i].order = at, order
	return &h[i]
}
