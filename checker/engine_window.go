package checker

import (
	"cmp"
	"slices"

	"github.com/rashomon-go/rashomon/history"
	"github.com/rashomon-go/rashomon/model"
)

// window judges any operations on a register by a search, as Wing and Gong
// ("Testing and verifying concurrent objects", 1993) and Lowe ("Testing for
// linearizability", 2017) do: it does operations one after the other, goes back
// when nothing can follow, and remembers the configurations (what was done, and
// what the register holds) from which there is no way on. It goes further than
// porcupine for six reasons.
//
//   - A configuration is remembered by what was done since the first operation
//     that was not, not by all that was done.
//   - An operation that fits and changes nothing is done at once, without
//     alternatives: to do it earlier harms nobody.
//   - A value is not stored or left if an operation that must see it is still to
//     come and nobody is left who could store it again at the right time (owed).
//   - Of operations that can come next and store the same, only the one that
//     returns first is tried (soonest).
//   - Operations with unknown outcomes are tried last, and only if somebody who
//     is left needs what they store and nothing else that is tried stores it.
//   - What fits now and may not fit again is tried first, and then what the next
//     operation to return needs.
//
// It is exponential in the number of concurrent operations at worst, so steps
// and the bytes remembered are limited.
type window struct {
	ops    []history.Op // those judged, without the open ones, in the order of their calls
	origin []int32      // by position in ops and then in open, the operation
	open   []history.Op // those with unknown outcomes

	value  []int32 // by position in ops and then in open: the number of the value stored, or none
	needs  []int32 // the number of the value that must be there, or none
	unless []int32 // the number of the value that must not be there, or none

	next, prev []int32  // the list of operations not done; position len(ops) is its head and its end
	done       []uint64 // by position in ops, a bit
	doneOpen   []uint64 // by position in open, a bit
	high       int      // positions in ops from here on are not done
	held       int32    // number of the value held

	observers []queue // by value
	storers   []queue // by value
	needsAt   []int32 // by position, where it stands in its queue of observers
	storesAt  []int32 // by position, where it stands in its queue of storers
	overtaken []int64 // by position in ops: who had returned then stored in vain for it
	wanted    []int64 // by value, the earliest return of those that could come next and must see it
	silent    bool    // some must not see a value, and do not tell what they saw

	soonSwap  []int32 // by value, which compare-and-set that can come next and stores it returns first, or none
	soonWrite []int32 // the same of writes and deletes

	trail  []int32 // positions done, in order
	choice []int32 // positions to try, frame after frame
	frames []frame
	dead   memo

	words        []uint64 // of the latest configuration
	numbers      map[model.Value]int32
	steps, limit int64
}

// frame is a configuration, and what remains to be tried from it.
type frame struct {
	trail   int32 // length of the trail
	choices int32 // where its choices begin
	next    int32 // the next of them
	high    int32
	held    int32
}

// judge decides about the operations ops[part...] of one key. If there is a legal
// order, linearization returns it.
func (w *window) judge(ops []history.Op, part []int32, steps, bytes int64) Verdict {
	w.prepare(ops, part)
	w.steps, w.limit = 0, steps
	if !w.possible() {
		return Invalid
	}
	w.enter(none)
	for len(w.frames) > 0 {
		if end := int32(len(w.ops)); w.next[end] == end {
			return Valid
		}
		f := &w.frames[len(w.frames)-1]
		if int(f.next) == len(w.choice) {
			w.leave()
			continue
		}
		if w.steps == w.limit || w.dead.size() > bytes {
			return Unknown
		}
		w.steps++
		x := w.choice[f.next]
		w.do(x)
		f.next++
		w.enter(x)
	}
	return Invalid
}

// linearization returns the operations in the order in which they were done.
func (w *window) linearization() []int32 {
	order := make([]int32, len(w.trail))
	for n, x := range w.trail {
		order[n] = w.origin[x]
	}
	return order
}

// fits reports whether the answer of x is right now.
func (w *window) fits(x int32) bool {
	return (w.needs[x] == none || w.needs[x] == w.held) && (w.unless[x] == none || w.unless[x] != w.held)
}

// enter does all that can be done without alternatives after holder has stored what is
// held, and makes a frame of the configuration with its choices, unless there is no way
// on from it.
func (w *window) enter(holder int32) {
	deadline := w.settle()
	next, ok := w.owed(holder, deadline)
	if !ok || w.dead.has(w.configuration()) {
		w.undo()
		return
	}
	from := int32(len(w.choice))
	w.frames = append(w.frames, frame{trail: int32(len(w.trail)), choices: from, next: from, high: int32(w.high), held: w.held})
	end := int32(len(w.ops))
	for x := w.next[end]; x != end && w.ops[x].Call < deadline; x = w.next[x] {
		if v := w.needs[x]; v != none {
			w.wanted[v] = min(w.wanted[v], w.ops[x].Return)
		}
		if w.value[x] != none && w.fits(x) && (next == none || next == x) {
			w.choice = append(w.choice, x)
		}
	}
	w.choice = w.choice[:int(from)+w.soonest(w.choice[from:])]
	w.sort(w.choice[from:])
	for x := w.next[end]; x != end && w.ops[x].Call < deadline; x = w.next[x] {
		if v := w.needs[x]; v != none {
			w.wanted[v] = history.Never
		}
	}
	if next == none {
		w.tryOpen(deadline)
	}
}

// leave remembers that there is no way on from the latest frame, and goes back.
func (w *window) leave() {
	w.dead.add(w.configuration())
	w.choice = w.choice[:w.frames[len(w.frames)-1].choices]
	w.frames = w.frames[:len(w.frames)-1]
	w.undo()
}

// undo goes back to the configuration of the latest frame.
func (w *window) undo() {
	if len(w.frames) == 0 {
		return
	}
	f := &w.frames[len(w.frames)-1]
	for len(w.trail) > int(f.trail) {
		x := w.trail[len(w.trail)-1]
		w.trail = w.trail[:len(w.trail)-1]
		if n := int32(len(w.ops)); x < n {
			w.done[x/64] &^= 1 << (x % 64)
			w.next[w.prev[x]], w.prev[w.next[x]] = x, x
		} else {
			w.doneOpen[(x-n)/64] &^= 1 << ((x - n) % 64)
		}
		w.restore(x)
	}
	w.high, w.held = int(f.high), f.held
}

// settle does everything that fits, changes nothing and can come next. It returns
// when the first of those left returns. One pass is enough: whether an operation can come next depends on earlier calls alone.
func (w *window) settle() int64 {
	end := int32(len(w.ops))
	deadline := history.Never
	for x := w.next[end]; x != end && w.ops[x].Call < deadline; {
		after := w.next[x]
		if w.value[x] == none && w.fits(x) {
			w.do(x)
		} else {
			deadline = min(deadline, w.ops[x].Return)
		}
		x = after
	}
	return deadline
}

// soonest keeps those of the operations xs, which can all come next, of which each order
// of the rest can begin with one, and returns how many it put to the front.
//
// Let x and y store the same, and y return before x. If a legal order begins with x,
// then it is legal as well with x and y in each other's place: the values held are the
// same, y can come next, and what stands before the old place of y was called before y
// returned, hence before x did. What is there at that place is what y needs, so x must
// be a write, or need the same. Both fit now, hence compare-and-sets need the same.
func (w *window) soonest(xs []int32) int {
	for _, x := range xs {
		best := &w.soonWrite[w.value[x]]
		if w.needs[x] != none {
			best = &w.soonSwap[w.value[x]]
		}
		if *best == none || w.ops[x].Return < w.ops[*best].Return {
			*best = x
		}
	}
	kept := 0
	for _, x := range xs {
		swap, write := w.soonSwap[w.value[x]], w.soonWrite[w.value[x]]
		if x == swap || x == write && (swap == none || w.ops[x].Return < w.ops[swap].Return) {
			xs[kept] = x
			kept++
		}
	}
	for _, x := range xs {
		w.soonSwap[w.value[x]], w.soonWrite[w.value[x]] = none, none
	}
	return kept
}

// sort puts first the compare-and-sets, which fit now and may not fit again, and
// then what has to be done soon, because it returns, or because somebody who
// needs what it stores returns.
func (w *window) sort(xs []int32) {
	if len(xs) < 2 {
		return
	}
	due := func(x int32) int64 {
		if w.needs[x] != none {
			return 0
		}
		return min(w.ops[x].Return, w.wanted[w.value[x]])
	}
	slices.SortFunc(xs, func(a, b int32) int {
		return cmp.Or(cmp.Compare(due(a), due(b)), cmp.Compare(w.ops[a].Return, w.ops[b].Return))
	})
}

// tryOpen adds the operations with unknown outcomes that may help.
func (w *window) tryOpen(deadline int64) {
	from := w.frames[len(w.frames)-1].choices
	for n := range w.open {
		x := int32(len(w.ops) + n)
		if w.open[n].Call >= deadline {
			break
		}
		v := w.value[x]
		if w.openDone(n) || v == w.held || !w.fits(x) || !w.needed(v) {
			continue
		}
		// As with soonest: a write can do what a compare-and-set can, but not the other way round.
		same := func(y int32) bool { return w.value[y] == v && (w.needs[y] == w.needs[x] || w.needs[x] == none) }
		if !slices.ContainsFunc(w.choice[from:], same) {
			w.choice = append(w.choice, x)
		}
	}
}

// needed reports whether an operation that is left may need value v: one that
// must see it, one that must not see another, or one with an unknown outcome that
// replaces v.
func (w *window) needed(v int32) bool {
	if w.silent || w.observers[v].first(w) != none {
		return true
	}
	for n := range w.open {
		if w.needs[len(w.ops)+n] == v && !w.openDone(n) {
			return true
		}
	}
	return false
}

func (w *window) isDone(x int32) bool {
	if n := int32(len(w.ops)); x >= n {
		return w.openDone(int(x - n))
	}
	return w.done[x/64]&(1<<(x%64)) != 0
}

func (w *window) openDone(n int) bool { return w.doneOpen[n/64]&(1<<(n%64)) != 0 }

func (w *window) do(x int32) {
	w.trail = append(w.trail, x)
	if n := int32(len(w.ops)); x < n {
		w.done[x/64] |= 1 << (x % 64)
		w.next[w.prev[x]], w.prev[w.next[x]] = w.next[x], w.prev[x]
		w.high = max(w.high, int(x)+1)
	} else {
		w.doneOpen[(x-n)/64] |= 1 << ((x - n) % 64)
	}
	if w.value[x] != none {
		w.held = w.value[x]
	}
}

// restore notes that x is left again.
func (w *window) restore(x int32) {
	if v := w.value[x]; v != none {
		q := &w.storers[v]
		q.from = min(q.from, w.storesAt[x])
	}
	if int(x) >= len(w.ops) {
		return
	}
	if v := w.needs[x]; v != none {
		q := &w.observers[v]
		q.from = min(q.from, w.needsAt[x])
	}
}

// configuration returns words that say what was done and what is held, and the
// same words for the same configuration only.
func (w *window) configuration() []uint64 {
	first := int(w.next[len(w.ops)])
	words := append(w.words[:0], uint64(first)<<32|uint64(w.held))
	if first < w.high {
		words = append(words, w.done[first/64:(w.high-1)/64+1]...)
	}
	open := w.doneOpen
	for len(open) > 0 && open[len(open)-1] == 0 {
		open = open[:len(open)-1]
	}
	words = append(words, open...)
	words = append(words, uint64(len(open)))
	w.words = words
	return words
}
