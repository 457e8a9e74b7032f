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
)

// event is something that will happen. Its order is (at, seq).
type event struct {
	at          time.Duration
	seq         uint64
	id          uint64  // identity: what random numbers are derived from
	cause       uint64  // identity of the event whose step caused it
	msg         Message // or the *action
	from, to    Addr
	incarnation uint32 // timers and resumptions die with the incarnation
	kind        eventKind
}

// before returns 1 if e comes before f, else 0: the borrow of a 128-bit
// subtraction. The heap compares times that are as good as random, so a branch
// would be mispredicted every other time.
func (e *event) before(f *event) uint64 {
	_, borrow := bits.Sub64(e.seq, f.seq, 0)
	_, borrow = bits.Sub64(uint64(e.at), uint64(f.at), borrow)
	return borrow
}

// queue is a 4-ary heap, concrete because a comparison through a function costs
// three times as much.
type queue struct{ heap []event }

func (q *queue) len() int { return len(q.heap) }

// first returns the first event. The queue must not be empty.
func (q *queue) first() *event { return &q.heap[0] }

func (q *queue) push(e event) {
	q.heap = append(q.heap, e)
	h := q.heap
	i := len(h) - 1
	for i > 0 {
		up := (i - 1) / 4
		if e.before(&h[up]) == 0 {
			break
		}
		h[i] = h[up]
		i = up
	}
	h[i] = e
}

// pop removes the first event. The queue must not be empty.
func (q *queue) pop() event {
	h := q.heap
	first := h[0]
	n := len(h) - 1
	last := h[n]
	h[n] = event{} // let the message go
	q.heap = h[:n]
	h = q.heap
	if n == 0 {
		return first
	}
	i := 0
	for {
		child := 4*i + 1
		if child >= n {
			break
		}
		least := child
		for c := child + 1; c < min(child+4, n); c++ {
			least += (c - least) & -int(h[c].before(&h[least]))
		}
		if h[least].before(&last) == 0 {
			break
		}
		h[i] = h[least]
		i = least
	}
	h[i] = last
	return first
}
