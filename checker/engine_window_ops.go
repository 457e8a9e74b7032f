package checker

import (
	"cmp"
	"slices"

	"github.com/rashomon-go/rashomon/history"
	"github.com/rashomon-go/rashomon/model"
)

func (w *window) prepare(ops []history.Op, part []int32) {
	w.ops, w.open, w.origin = w.ops[:0], w.open[:0], w.origin[:0]
	for _, i := range part {
		if o := &ops[i]; o.Outcome == history.OK {
			w.ops, w.origin = append(w.ops, *o), append(w.origin, i)
		}
	}
	for _, i := range part {
		if o := &ops[i]; o.Outcome == history.Unknown && !equal(o) {
			w.open, w.origin = append(w.open, *o), append(w.origin, i)
		}
	}
	n := len(w.ops)
	w.next, w.prev = slices.Grow(w.next[:0], n+1)[:n+1], slices.Grow(w.prev[:0], n+1)[:n+1]
	for i := range n + 1 {
		w.next[i], w.prev[i] = int32(i+1), int32(i-1)
	}
	w.next[n], w.prev[0] = 0, int32(n)
	w.done, w.doneOpen = bits(w.done, n), bits(w.doneOpen, len(w.open))
	w.high, w.silent = 0, false
	w.trail, w.choice, w.frames = w.trail[:0], w.choice[:0], w.frames[:0]
	w.dead.reset()
	w.understand(n + len(w.open))
}

// bits returns n bits that are 0.
func bits(words []uint64, n int) []uint64 {
	words = slices.Grow(words[:0], n/64+1)[:n/64+1]
	clear(words)
	return words
}

// understand says in numbers what operations need and store.
func (w *window) understand(all int) {
	w.value, w.needs, w.unless = w.value[:0], w.needs[:0], w.unless[:0]
	w.numbers = map[model.Value]int32{}
	w.held = w.number(model.Absent)
	for x := range all {
		o := w.op(int32(x))
		value, needs, unless := none, none, none
		if v, saw := observed(o); saw {
			needs = w.number(v)
		}
		if v, stores := stored(o); stores && !equal(o) {
			value = w.number(v)
		}
		if o.Kind == model.CAS && !o.Swapped {
			if expect := w.number(o.Expect); o.Outcome == history.Unknown {
				needs = expect // otherwise it does nothing, and need not be done
			} else {
				unless = expect
			}
		}
		w.silent = w.silent || unless != none && needs == none
		w.value, w.needs, w.unless = append(w.value, value), append(w.needs, needs), append(w.unless, unless)
	}
	w.wanted, w.soonSwap, w.soonWrite = w.wanted[:0], w.soonSwap[:0], w.soonWrite[:0]
	for range w.numbers {
		w.wanted = append(w.wanted, history.Never)
		w.soonSwap, w.soonWrite = append(w.soonSwap, none), append(w.soonWrite, none)
	}
	order := make([]int32, all)
	for x := range order {
		order[x] = int32(x)
	}
	slices.SortFunc(order, func(x, y int32) int { return cmp.Compare(w.op(x).Call, w.op(y).Call) })
	w.storers, w.storesAt = w.queues(order, w.value)
	order = slices.DeleteFunc(order, func(x int32) bool { return int(x) >= len(w.ops) })
	w.observers, w.needsAt = w.queues(order, w.needs)
	slices.SortFunc(order, func(x, y int32) int { return cmp.Compare(w.ops[x].Return, w.ops[y].Return) })
	w.overtake(order)
}

// queues returns a queue for each value v, of the operations x in the order given
// of which value[x] = v, and where each stands.
func (w *window) queues(order, value []int32) (queues []queue, at []int32) {
	queues, at = make([]queue, len(w.numbers)), make([]int32, len(value))
	ends := make([]int32, len(w.numbers)+1)
	for _, x := range order {
		if v := value[x]; v != none {
			at[x] = ends[v+1]
			ends[v+1]++
		}
	}
	for v := range queues {
		ends[v+1] += ends[v]
	}
	lists := make([]int32, ends[len(queues)])
	for _, x := range order {
		if v := value[x]; v != none {
			lists[ends[v]+at[x]] = x
		}
	}
	for v := range queues {
		queues[v].list = lists[ends[v]:ends[v+1]]
	}
	return queues, at
}

func (w *window) number(v model.Value) int32 {
	n, known := w.numbers[v]
	if !known {
		n = int32(len(w.numbers))
		w.numbers[v] = n
	}
	return n
}

func (w *window) op(x int32) *history.Op {
	if int(x) < len(w.ops) {
		return &w.ops[x]
	}
	return &w.open[int(x)-len(w.ops)]
}

// possible reports whether everything that must be seen can be stored in time, and
// nothing must see what it must not.
func (w *window) possible() bool {
	for x := range w.ops {
		if w.unless[x] != none && w.unless[x] == w.needs[x] {
			return false
		}
	}
	return w.servable()
}

// queue is the operations that store a value, or those that must see it, in the order of
// their calls.
type queue struct {
	list []int32
	from int32 // those before are done
}

// first returns the first that is left, or none.
func (q *queue) first(w *window) int32 {
	for ; int(q.from) < len(q.list); q.from++ {
		if x := q.list[q.from]; !w.isDone(x) {
			return x
		}
	}
	return none
}
