package checker

import (
	"fmt"
	"slices"

	"github.com/rashomon-go/rashomon/history"
	"github.com/rashomon-go/rashomon/model"
)

// belt is what was put into a queue and taken out of it.
type belt struct {
	*explanation
	in    map[model.Value][]int32 // enqueues of a value, in the order of their calls
	out   map[model.Value][]int32 // dequeues of it, in the order of their returns
	wild  []int32                 // dequeues that may have taken anything
	taken []int32                 // dequeues that gave a value, of the witness
	empty []int32                 // dequeues that found nothing, of the witness
}

func (e *explanation) unlikeQueue() bool {
	b := belt{explanation: e, in: map[model.Value][]int32{}, out: map[model.Value][]int32{}}
	for _, i := range e.ofKind(e.ops, model.Enqueue) {
		v := e.op(i).Value
		b.in[v] = append(b.in[v], i)
	}
	if b.in[model.Absent] != nil { // to get it looks like an empty queue
		return false
	}
	for _, d := range e.ofKind(e.ops, model.Dequeue) {
		if o := e.op(d); o.Outcome != history.OK || o.Seen == model.Unseen {
			b.wild = append(b.wild, d)
		}
	}
	for _, d := range e.answered(e.ops, model.Dequeue) {
		if v := e.op(d).Seen; v > model.Unseen {
			b.out[v] = append(b.out[v], d)
		}
	}
	for _, d := range e.answered(e.witness, model.Dequeue) {
		switch v := e.op(d).Seen; {
		case v == model.Absent:
			b.empty = append(b.empty, d)
		case v != model.Unseen:
			b.taken = append(b.taken, d)
		}
	}
	return b.tooOften() || b.notEmpty() || b.passedOver()
}

// tooOften looks for a dequeue of a value that had been dequeued as often as it
// can have been enqueued before, which may be never.
func (b *belt) tooOften() bool {
	for _, d := range b.taken {
		v := b.op(d).Seen
		out := b.out[v][:slices.Index(b.out[v], d)+1]
		in := b.calledBefore(b.in[v], d)
		switch {
		case len(in) >= len(out):
		case len(in) > 0:
			return b.is(Duplicate, func() string {
				return fmt.Sprintf("%s was dequeued from %s %s: %s; but enqueued only %s before that: %s",
					b.h.ValueString(v), b.h.Keys[b.op(d).Key], times(len(out)), b.each(out), times(len(in)), b.each(in))
			}, slices.Concat(in, out)...)
		case len(b.in[v]) > 0:
			first := b.in[v][0]
			return b.is(FutureRead, func() string {
				return fmt.Sprintf("%s comes from the future: %s by %s began only afterwards (%s)", b.full(d), b.bare(first), b.client(first), b.called(first))
			}, d, first)
		default:
			return b.nobodyPut(d, model.Enqueue, func(i int32) bool { return b.op(i).Value == v }, fmt.Sprintf("gave %s, which", b.h.ValueString(v)), "enqueued")
		}
	}
	return false
}

// nobodyPut says that operation r saw something that nobody put there by an operation
// of a kind that may have happened.
func (e *explanation) nobodyPut(r int32, kind model.Kind, same func(int32) bool, saw, put string) bool {
	for i := range e.h.Ops {
		o, f := &e.h.Ops[i], int32(i)
		if o.Key == e.op(r).Key && o.Kind == kind && o.Outcome == history.Fail && same(f) {
			return e.is(FailedRead, func() string {
				return fmt.Sprintf("%s %s was not %s: %s by %s had failed (%s)", e.full(r), saw, put, e.asked(f), e.client(f), e.span(f))
			}, r, f)
		}
	}
	return e.is(PhantomRead, func() string { return fmt.Sprintf("%s %s nobody %s", e.full(r), saw, put) }, r)
}

// notEmpty looks for a dequeue that found nothing although something was there: more
// had been enqueued, of one value or of all, than can have been dequeued.
func (b *belt) notEmpty() bool {
	enqueues := b.ofKind(b.witness, model.Enqueue)
	for _, d := range b.empty {
		wild := b.calledBefore(b.wild, d)
		var all, gone []int32
		met := map[model.Value]bool{}
		for _, i := range enqueues {
			v := b.op(i).Value
			if !b.done(i, d) {
				continue
			}
			all = append(all, i)
			if met[v] {
				continue
			}
			met[v] = true
			out := b.calledBefore(b.out[v], d)
			puts := slices.DeleteFunc(slices.Clone(b.in[v]), func(i int32) bool { return !b.done(i, d) })
			if len(puts) > len(out)+len(wild) {
				return b.foundEmpty(d, b.h.ValueString(v), puts, append(out, wild...))
			}
			gone = append(gone, out...)
		}
		if gone = append(gone, wild...); len(all) > len(gone) {
			return b.foundEmpty(d, "something", all, gone)
		}
	}
	return false
}

func (b *belt) foundEmpty(d int32, what string, puts, gone []int32) bool {
	return b.is(LostElement, func() string {
		s := fmt.Sprintf("%s found it empty, although %s was there: ", b.full(d), what)
		if len(puts) == 1 {
			return s + fmt.Sprintf("%s had finished (%s) before it began, and nobody dequeued it before", b.by(puts[0]), b.returned(puts[0]))
		}
		return s + fmt.Sprintf("%d enqueues had finished before it began, and at most %s can have happened before it ended", len(puts), dequeues(len(gone)))
	}, append(slices.Concat(puts, gone), d)...)
}

// passedOver looks for a dequeue d of a value although one that had been enqueued
// before it, and only once, was still there.
func (b *belt) passedOver() bool {
	for _, d := range b.taken {
		later, wild := b.in[b.op(d).Seen], b.calledBefore(b.wild, d)
		for _, first := range b.ofKind(b.witness, model.Enqueue) {
			v := b.op(first).Value
			if len(b.in[v]) != 1 || !b.done(first, later[0]) {
				continue
			}
			out := b.out[v]
			if len(out) > 0 && b.before(d, out[0]) || len(out) == 0 && len(wild) == 0 {
				return b.is(Disorder, func() string { return b.overSentence(d, first, later[0], out) },
					append(slices.Clone(out), d, first, later[0])...)
			}
		}
	}
	return false
}

func (b *belt) overSentence(d, first, later int32, out []int32) string {
	s := fmt.Sprintf("%s passed over %s: %s had finished (%s) before %s began (%s), ",
		b.full(d), b.h.ValueString(b.op(first).Value), b.by(first), b.returned(first), b.by(later), b.called(later))
	if len(out) == 0 {
		return s + "and nobody dequeued it before"
	}
	return s + fmt.Sprintf("but %s began only afterwards (%s)", b.by(out[0]), b.called(out[0]))
}

func dequeues(n int) string { return fmt.Sprintf("%d dequeue%s", n, which(n == 1, "", "s")) }
