package checker

import (
	"cmp"
	"math"
	"slices"

	"github.com/rashomon-go/rashomon/history"
)

// An operation x that must see v needs somebody who stores v, after which v is held
// until x. Let y be an operation that returned before x was called and that cannot
// happen while v is held: it stores, or must see, something else, or must not see v.
// Then y comes before x, and so whoever stores v for x comes after y: he must not have
// returned before y was called. The latest call of such a y is when x is overtaken. So
// only those can serve x that were called before x returned, and that return after x is
// overtaken. That depends on the history alone, and not on the order so far.

// overtake finds out when the operations that must see something are overtaken, given
// those that succeeded in the order of their returns.
func (w *window) overtake(byReturn []int32) {
	w.overtaken = w.overtaken[:0]
	// The latest call of those that returned so far, by what may be held all the time
	// while they happen, none if nothing may; and the latest of those with another value.
	type latest struct {
		call  int64
		value int32
	}
	first, second := latest{math.MinInt64, none}, latest{math.MinInt64, none}
	unless := slices.Repeat([]int64{math.MinInt64}, len(w.numbers)) // by what must not be held
	for x := range w.ops {
		for ; w.ops[byReturn[0]].Return < w.ops[x].Call; byReturn = byReturn[1:] {
			y := byReturn[0]
			l := latest{w.ops[y].Call, w.value[y]}
			switch {
			case w.value[y] == none && w.needs[y] == none:
				if v := w.unless[y]; v != none {
					unless[v] = max(unless[v], l.call)
				}
				continue
			case w.value[y] == none:
				l.value = w.needs[y]
			case w.needs[y] != none:
				l.value = none
			}
			switch {
			case l.call > first.call && (l.value == none || l.value != first.value):
				first, second = l, first
			case l.call > first.call:
				first = l
			case l.call > second.call && (l.value == none || l.value != first.value):
				second = l
			}
		}
		at := int64(math.MinInt64)
		if v := w.needs[x]; v != none {
			at = max(first.call, unless[v])
			if first.value == v {
				at = max(second.call, unless[v])
			}
		}
		w.overtaken = append(w.overtaken, at)
	}
}

// servable reports whether for everything that must be seen there is somebody who can
// serve it.
func (w *window) servable() bool {
	for v := range w.observers {
		storers := w.storers[v].list
		longest, last := make([]int64, len(storers)+1), int64(math.MinInt64) // of so many storers, the latest return
		for n, s := range storers {
			longest[n] = last
			last = max(last, w.op(s).Return)
		}
		longest[len(storers)] = last
		for _, x := range w.observers[v].list {
			called, _ := slices.BinarySearchFunc(storers, w.ops[x].Return, func(s int32, at int64) int { return cmp.Compare(w.op(s).Call, at) })
			there := int32(v) == w.held && w.overtaken[x] == math.MinInt64 // from the beginning
			if !there && (called == 0 || longest[called] <= w.overtaken[x]) {
				return false
			}
		}
	}
	return true
}

// served reports whether somebody who is left can serve x.
func (w *window) served(x int32) bool {
	q := &w.storers[w.needs[x]]
	q.first(w)
	for _, s := range q.list[q.from:] {
		o := w.op(s)
		if o.Call >= w.ops[x].Return {
			return false
		}
		if o.Return > w.overtaken[x] && !w.isDone(s) {
			return true
		}
	}
	return false
}

// mostOwed is how many operations owed looks at: of those that an open write can serve
// there may be many.
const mostOwed = 64

// owed looks at those that must see what holder stored, and that nobody who is left can
// serve: what is held must be kept for them.
//
// If one of them, x, is called after the deadline, there is no way on. The operation y
// that returns at the deadline comes before x. It does not fit now, or it would have
// been done, or it stores something else; then what is held is not kept until x. Or it
// stores the same; since it does not serve x, x is overtaken by somebody who was called
// after y returned, and so is left: then what is held is not kept for him either.
//
// If x was called before the deadline, it is a compare-and-set: all that fits and
// changes nothing has been done. The next operation stores something; if it stored the
// same, it would serve x, as it returns after the deadline. So it must be x, and there
// is no way on if there are two of them.
func (w *window) owed(holder int32, deadline int64) (next int32, ok bool) {
	until := history.Never // whom holder could not have served has not lost anything
	if holder != none {
		until = w.op(holder).Return
	}
	next = none
	q := &w.observers[w.held]
	q.first(w)
	looked := 0
	for _, x := range q.list[q.from:] {
		if w.isDone(x) {
			continue
		}
		if looked++; looked > mostOwed || w.overtaken[x] >= until { // as are all that are called later
			break
		}
		if w.served(x) {
			continue
		}
		if w.ops[x].Call > deadline || next != none {
			return none, false
		}
		next = x
	}
	return next, true
}
