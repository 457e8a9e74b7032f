package checker

import (
	"fmt"
	"slices"

	"github.com/rashomon-go/rashomon/history"
	"github.com/rashomon-go/rashomon/model"
)

// stale looks for an operation r that saw v, although an operation n that
// certainly stored something else had returned before r began, and v was there
// before n began, and not after.
func (e *explanation) stale() bool {
	for _, n := range e.witness {
		stores, certain := stored(e.op(n))
		if !certain || e.op(n).Outcome != history.OK {
			continue
		}
		for _, r := range e.witness {
			v, saw := observed(e.op(r))
			if !saw || v == stores || !e.before(n, r) {
				continue
			}
			if past, ok := e.pastBefore(v, n, r); ok {
				return e.staleRead(past, n, r)
			}
		}
	}
	return false
}

// pastBefore returns an operation that proves that v was there before n began
// and that nobody stored it between n and r: the last writer, or an observer if
// the only writer was still open, or none if v was there from the beginning.
func (e *explanation) pastBefore(v model.Value, n, r int32) (past int32, ok bool) {
	writers := slices.DeleteFunc(e.writers(v), func(w int32) bool { return e.before(r, w) })
	past = none
	for _, w := range writers {
		if e.before(w, n) {
			past = w
			continue
		}
		if len(writers) > 1 || v == model.Absent {
			return none, false
		}
		for _, o := range e.witness {
			if seen, saw := observed(e.op(o)); saw && seen == v && e.before(o, n) {
				return o, true
			}
		}
		return none, false
	}
	return past, past != none || v == model.Absent
}

func (e *explanation) staleRead(past, n, r int32) bool {
	witness := []int32{past, n}
	if past != none {
		v, _ := observed(e.op(r))
		if w, stores := stored(e.op(past)); !stores || w != v { // it only saw v
			witness = append(witness, e.writers(v)[0])
		}
	}
	if reads, next := e.lost(n, r); len(reads) >= 2 {
		few := reads[:min(mostReads, len(reads))]
		if x := e.among(reads, few, past, n, r); x != none {
			return e.is(LostWrite, func() string { return e.lostSentence(past, n, x, len(reads), next) },
				append(append(append(witness, few...), x), next)...)
		}
	}
	return e.is(StaleRead, func() string {
		s := e.full(r) + " is stale: "
		if past != none {
			s += fmt.Sprintf("%s had finished before %s began (%s), and ", e.by(past), e.by(n), e.called(n))
		}
		return s + fmt.Sprintf("%s had finished (%s) before %s began", e.by(n), e.returned(n), e.noun(r))
	}, append(witness, r)...)
}

// among returns r if it is one of the reads, or one of few of them that is stale
// for the same reason, or none: r may have come after another write.
func (e *explanation) among(reads, few []int32, past, n, r int32) int32 {
	if slices.Contains(reads, r) {
		return r
	}
	v, _ := observed(e.op(r))
	for _, x := range few {
		if p, ok := e.pastBefore(v, n, x); ok && p == past {
			return x
		}
	}
	return none
}

// mostReads is how many of the reads that miss a lost write its witness has.
const mostReads = 8

// lost returns the reads that began after n and before the next operation that
// stored something or may have, which it returns too if there is one. If they
// did not all return the same as r, or if somebody saw what n stored, it returns
// none.
func (e *explanation) lost(n, r int32) (reads []int32, next int32) {
	old, _ := observed(e.op(r))
	wrote, _ := stored(e.op(n))
	if e.op(n).Kind != model.Write {
		return nil, none
	}
	next = none
	for _, i := range e.ops {
		o := e.op(i)
		v, saw := observed(o)
		if saw && v == wrote {
			return nil, none
		}
		if !e.before(n, i) || next != none {
			continue
		}
		if _, stores := stored(o); stores {
			next = i
		} else if saw && v != old {
			return nil, none
		} else if saw && o.Kind == model.Read {
			reads = append(reads, i)
		}
	}
	return reads, next
}

func (e *explanation) lostSentence(past, n, r int32, reads int, next int32) string {
	wrote, _ := stored(e.op(n))
	old, _ := observed(e.op(r))
	s := e.full(n) + " was lost: "
	if past != none {
		s += fmt.Sprintf("%s had finished (%s) before it began, ", e.by(past), e.returned(past))
	}
	s += fmt.Sprintf("nobody ever saw %s, and all %d reads that began after it", e.h.ValueString(wrote), reads)
	if next != none {
		s += fmt.Sprintf(" and before %s began (%s)", e.by(next), e.called(next))
	}
	return s + fmt.Sprintf(" returned %s, among them %s", e.h.ValueString(old), e.full(r))
}
