package checker

import (
	"fmt"

	"github.com/rashomon-go/rashomon/history"
	"github.com/rashomon-go/rashomon/model"
)

// A transaction that reads shows a moment of several registers. Three reasons why
// there was no such moment are found here; each needs two or three transactions.

// sight is what a transaction saw of a register that it had not written before.
type sight struct {
	register string
	value    model.Value
}

// sights returns what transaction i was told by others.
func (e *explanation) sights(i int32) (list []sight) {
	if e.op(i).Outcome != history.OK {
		return nil
	}
	own := map[string]bool{}
	for _, m := range e.h.Txn(e.op(i).Value) {
		own[m.Register] = own[m.Register] || m.Kind == model.Write
		if m.Kind == model.Read && !own[m.Register] && m.Value != model.Unseen {
			list = append(list, sight{m.Register, m.Value})
		}
	}
	return list
}

// left returns what transaction i leaves in a register, if it writes it.
func (e *explanation) left(i int32, register string) (v model.Value, writes bool) {
	for _, m := range e.h.Txn(e.op(i).Value) {
		if m.Kind == model.Write && m.Register == register {
			v, writes = m.Value, true
		}
	}
	return v, writes
}

// author returns the only transaction that leaves s, or none if there are several
// or there is none. There is none that leaves nothing.
func (e *explanation) author(s sight) (only int32, count int) {
	only = none
	for _, i := range e.ops {
		if v, writes := e.left(i, s.register); writes && v == s.value {
			only, count = i, count+1
		}
	}
	if count != 1 {
		only = none
	}
	return only, count
}

// unlikeMoment tries the reasons.
func (e *explanation) unlikeMoment() bool {
	for _, try := range []func(r int32, s sight) bool{e.phantomSight, e.fractured, e.staleSight} {
		for _, r := range e.witness {
			for _, s := range e.sights(r) {
				if try(r, s) {
					return true
				}
			}
		}
	}
	return false
}

// phantomSight is a value that no transaction leaves, or that one began to write
// only afterwards.
func (e *explanation) phantomSight(r int32, s sight) bool {
	if s.value == model.Absent {
		return false
	}
	w, count := e.author(s)
	switch {
	case count == 0:
		return e.is(PhantomRead, func() string {
			return fmt.Sprintf("%s saw %s, which no transaction that may have happened left there", e.full(r), e.sight(s))
		}, r)
	case w != none && e.before(r, w):
		return e.is(FutureRead, func() string {
			return fmt.Sprintf("%s comes from the future: %s by %s began only afterwards (%s)", e.full(r), e.bare(w), e.client(w), e.called(w))
		}, r, w)
	}
	return false
}

// fractured is a transaction r that saw a part of what w wrote, and of another
// register what had been there before w.
func (e *explanation) fractured(r int32, s sight) bool {
	w, _ := e.author(s)
	if w == none || w == r {
		return false
	}
	for _, other := range e.sights(r) {
		v, writes := e.left(w, other.register)
		if !writes || v == other.value {
			continue
		}
		old, count := e.author(other)
		switch {
		case other.value == model.Absent && count == 0:
			old = none
		case old == none || old == r || !e.before(old, w):
			continue
		}
		return e.is(FracturedRead, func() string {
			since := "which nobody had written before"
			if old != none {
				since = fmt.Sprintf("which %s had left there before (%s)", e.bare(old), e.span(old))
			}
			return fmt.Sprintf("%s saw a part of a transaction: %s is of %s, but %s, %s, was there before that one", e.full(r), e.sight(s), e.full(w), e.sight(other), since)
		}, r, w, old)
	}
	return false
}

// staleSight is a value that a transaction n replaced before r began, after its
// author had finished.
func (e *explanation) staleSight(r int32, s sight) bool {
	w, count := e.author(s)
	if s.value == model.Absent && count == 0 {
		w = none
	} else if w == none {
		return false
	}
	for _, n := range e.witness {
		v, writes := e.left(n, s.register)
		if !writes || v == s.value || n == r || !e.before(n, r) || w != none && !e.before(w, n) {
			continue
		}
		return e.is(StaleRead, func() string {
			return fmt.Sprintf("%s is stale: %s had been replaced by %s (%s)", e.full(r), e.sight(s), e.bare(n), e.span(n))
		}, r, w, n)
	}
	return false
}

func (e *explanation) sight(s sight) string { return s.register + "=" + e.h.ValueString(s.value) }
