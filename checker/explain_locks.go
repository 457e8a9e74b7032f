package checker

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rashomon-go/rashomon/history"
	"github.com/rashomon-go/rashomon/model"
)

// rush is a span of time in which a lock was taken, or left, so often that it must
// have been left, or taken, more often in between than it can have been.
type rush struct {
	ops      []int32 // that succeeded within the span
	between  []int32 // that may have happened in between
	released bool    // ops are releases
}

// heldTwice looks for the rush of the fewest operations.
func (e *explanation) heldTwice() bool {
	best := e.rush(model.Acquire, model.Release, rush{})
	best = e.rush(model.Release, model.Acquire, best)
	if len(best.ops) == 0 {
		return false
	}
	anomaly, say := HeldTwice, e.heldSentence
	if best.released {
		anomaly, say = ReleasedTwice, e.releasedSentence
	}
	return e.is(anomaly, func() string { return say(best) }, append(best.between, best.ops...)...)
}

// rush returns the smallest rush of operations of a kind, if it is smaller than best.
func (e *explanation) rush(kind, other model.Kind, best rush) rush {
	rushing := e.answered(e.witness, kind)
	others := e.ofKind(e.ops, other)
	counts := newOccasions(e.h, others)
	if kind == model.Release { // of a lock that is free at first
		best = e.rushSince(none, rushing, others, counts, best)
	}
	for _, first := range rushing {
		best = e.rushSince(first, rushing, others, counts, best)
	}
	return best
}

// rushSince returns the smallest rush that begins with the call of an operation, or
// at the beginning, if it is smaller than best.
func (e *explanation) rushSince(first int32, rushing, others []int32, counts occasions, best rush) rush {
	since, need := int64(-1), 0
	if first != none { // nobody knows what there was before
		since, need = e.op(first).Call, -1
	}
	n := 0
	for at, last := range rushing {
		if e.op(last).Call < since {
			continue
		}
		n, need = n+1, need+1
		if len(best.ops) > 0 && n >= len(best.ops) {
			break
		}
		if counts.between(since, e.op(last).Return) < need {
			ops := slices.DeleteFunc(slices.Clone(rushing[:at+1]), func(i int32) bool { return e.op(i).Call < since })
			return rush{ops: ops, between: e.within(others, first, last), released: e.op(last).Kind == model.Release}
		}
	}
	return best
}

// occasions are the calls and the returns of some operations, each in order.
type occasions struct{ calls, returns []int64 }

func newOccasions(h *history.History, ops []int32) (o occasions) {
	for _, i := range ops {
		o.calls, o.returns = append(o.calls, h.Ops[i].Call), append(o.returns, h.Ops[i].Return)
	}
	slices.Sort(o.calls)
	slices.Sort(o.returns)
	return o
}

// between returns how many of the operations may have happened between two positions.
func (o occasions) between(since, until int64) int {
	begun, _ := slices.BinarySearch(o.calls, until)
	ended, _ := slices.BinarySearch(o.returns, since)
	return begun - ended
}

// within returns the operations that may have happened after first was called, or
// at any time if that is none, and before last returned.
func (e *explanation) within(ops []int32, first, last int32) (list []int32) {
	for _, i := range e.calledBefore(ops, last) {
		if first == none || e.op(i).Return > e.op(first).Call {
			list = append(list, i)
		}
	}
	return list
}

func (e *explanation) heldSentence(r rush) string {
	if len(r.ops) > 2 {
		return e.rushSentence(r, "released")
	}
	a, b := r.ops[0], r.ops[1]
	if !e.before(a, b) {
		return fmt.Sprintf("%s and %s both succeeded, and nobody released it in between", e.full(min(a, b)), e.full(max(a, b)))
	}
	return fmt.Sprintf("%s succeeded while %s held it, who had acquired it before (%s): nobody released it in between",
		e.full(b), e.client(a), e.span(a))
}

func (e *explanation) releasedSentence(r rush) string {
	first, last := r.ops[0], r.ops[len(r.ops)-1]
	switch {
	case len(r.ops) == 1:
		return fmt.Sprintf("%s succeeded although it was free: nobody had acquired it before", e.full(last))
	case len(r.ops) > 2 || len(r.between) > 0:
		return e.rushSentence(r, "acquired")
	case !e.before(first, last):
		return fmt.Sprintf("%s and %s both succeeded, and nobody acquired it in between", e.full(min(first, last)), e.full(max(first, last)))
	}
	return fmt.Sprintf("%s succeeded although it was free: %s had released it (%s), and nobody acquired it in between",
		e.full(last), e.client(first), e.span(first))
}

// rushSentence tells a rush of many.
func (e *explanation) rushSentence(r rush, undone string) string {
	s := fmt.Sprintf("%s succeeded %s: %s; but it can have been %s", e.bare(r.ops[0]), times(len(r.ops)), e.each(r.ops), undone)
	if len(r.between) == 0 {
		return strings.Replace(s, "can have been", "was never", 1) + " meanwhile"
	}
	return fmt.Sprintf("%s only %s meanwhile: %s", s, times(len(r.between)), e.each(r.between))
}

// each returns the clients and times of operations.
func (e *explanation) each(ops []int32) string {
	words := make([]string, len(ops))
	for n, i := range ops {
		words[n] = fmt.Sprintf("by %s (%s)", e.client(i), e.span(i))
	}
	return strings.Join(words, ", ")
}
