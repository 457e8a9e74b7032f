package checker

import (
	"fmt"
	"slices"

	"github.com/rashomon-go/rashomon/history"
	"github.com/rashomon-go/rashomon/model"
)

// twice looks for two compare-and-sets that both replaced the same value, which
// was there only once.
func (e *explanation) twice() bool {
	for at, i := range e.witness {
		for _, j := range e.witness[:at] {
			a, b := e.op(j), e.op(i)
			if !swapped(a) || !swapped(b) || a.Expect != b.Expect {
				continue
			}
			writers := e.writers(a.Expect)
			if len(writers) > 1 || a.Expect == model.Absent && len(writers) > 0 {
				continue
			}
			return e.is(LostUpdate, func() string {
				return fmt.Sprintf("%s and %s both replaced %s, which was there only once",
					e.full(j), e.full(i), e.h.ValueString(a.Expect))
			}, append(writers, i, j)...)
		}
	}
	return false
}

// contrary looks for a compare-and-set that failed although it saw what it expected.
func (e *explanation) contrary() bool {
	for _, r := range e.witness {
		if o := e.op(r); o.Kind == model.CAS && o.Outcome == history.OK && !o.Swapped && o.Seen == o.Expect {
			return e.is(Unordered, func() string {
				return e.full(r) + ", although that is what it expected"
			}, r)
		}
	}
	return false
}

// denied looks for a compare-and-set r that failed although the value that it
// expected was certainly there all the time.
func (e *explanation) denied() bool {
	for _, r := range e.witness {
		o := e.op(r)
		if o.Kind != model.CAS || o.Outcome != history.OK || o.Swapped || o.Seen != model.Unseen {
			continue
		}
		v := e.h.ValueString(o.Expect)
		if o.Expect == model.Absent && e.undisturbed(none, r) {
			return e.is(Unordered, func() string {
				return fmt.Sprintf("%s, although %s was there: nobody stored anything before it returned", e.full(r), v)
			}, r)
		}
		if past, writer, ok := e.holds(r); ok {
			return e.is(Unordered, func() string {
				return fmt.Sprintf("%s, although %s was there: %s had finished (%s) before it began, and nothing else was stored before it returned",
					e.full(r), v, e.by(past), e.returned(past))
			}, past, writer, r)
		}
	}
	return false
}

// holds returns an operation that proves that the value which the failed
// compare-and-set r expected was there: it stored the value, or saw it, and
// nothing else was stored from then on until r returned. If it only saw the
// value, who may have stored it comes with it.
func (e *explanation) holds(r int32) (past, writer int32, ok bool) {
	v := e.op(r).Expect
	for _, p := range slices.Backward(e.ops) {
		seen, saw := observed(e.op(p))
		stores, changes := stored(e.op(p))
		if !e.before(p, r) || !(changes && stores == v || !changes && saw && seen == v) || !e.undisturbed(p, r) {
			continue
		}
		if changes || v == model.Absent {
			return p, none, true
		}
		for _, w := range slices.Backward(e.writers(v)) {
			if e.op(w).Call < e.op(p).Return {
				return p, w, true
			}
		}
	}
	return none, none, false
}

// undisturbed reports whether no operation can have stored anything but what r
// expects between p, or the beginning if p is none, and the return of r.
func (e *explanation) undisturbed(p, r int32) bool {
	for _, w := range e.ops {
		v, stores := stored(e.op(w))
		if !stores || w == p || v == e.op(r).Expect || e.before(r, w) {
			continue
		}
		if p == none || !e.before(w, p) {
			return false
		}
	}
	return true
}
