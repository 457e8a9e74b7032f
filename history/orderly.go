package history

import (
	"math"
	"math/bits"
	"slices"
	"sync"

	"github.com/rashomon-go/rashomon/model"
)

// piece is how many operations are looked at before others may look at them, too.
const piece = 256

// orderly reports whether the history certainly keeps the contract, and shows its
// operations piece by piece until it does not. It takes a small part of the time
// that a search for the fault takes, because it notes what was used in tables
// instead of maps; and so it gives up on histories whose positions or processes
// are sparse, which recorded ones are not.
func (h *History) orderly(look func(from, to int)) bool {
	if h.tableFault() != nil {
		return false
	}
	t := tables.Get().(*usage)
	defer tables.Put(t)
	for _, table := range h.tables() {
		if !t.distinct(table.names) {
			return false
		}
	}
	t.prepare(len(h.Ops))
	last := int64(0)
	for from := 0; from < len(h.Ops); from += piece {
		to := min(from+piece, len(h.Ops))
		for i := from; i < to; i++ {
			o := &h.Ops[i]
			if o.Call <= last || !h.sound(o) || !t.use(o) {
				return false
			}
			last = o.Call
		}
		look(from, to)
	}
	return true
}

// sound reports whether the operation keeps the contract as far as it can be
// told without the others.
func (h *History) sound(o *Op) bool {
	if uint32(o.Key) >= uint32(len(h.Keys)) || o.Node != NoNode && uint32(o.Node) >= uint32(len(h.Nodes)) {
		return false
	}
	if o.Kind < model.Read || o.Kind > model.LastKind || o.Outcome < OK || o.Outcome > Unknown || o.Return <= o.Call {
		return false
	}
	if o.ReturnedAt < o.CalledAt || o.Swapped || o.Value <= model.Unseen || o.Expect == model.Unseen {
		if o.fault() != nil {
			return false
		}
	}
	if (h.Sets != nil || o.Kind == model.Add) && h.setFault(o) != nil {
		return false
	}
	if o.Kind == model.Txn && h.txnFault(o) != nil {
		return false
	}
	if h.Texts != nil {
		if _, missing := h.missingText(o); missing {
			return false
		}
	}
	return (o.Outcome == Unknown) == (o.Return == Never)
}

// usage is what the operations so far have used.
type usage struct {
	positions []uint64 // a bit for each
	busy      []int64  // by process, until when
	most      int      // processes that there is room for
	names     []int64  // a hash table of names: one more than the index of each
}

var tables = sync.Pool{New: func() any { return new(usage) }}

// prepare makes room for positions up to two for each operation, as a Recorder
// counts them, and one, and permits twice as many processes.
func (t *usage) prepare(ops int) {
	t.positions = cleared(t.positions, ops/32+1)
	t.busy, t.most = t.busy[:0], 2*ops+64
}

func cleared[T uint64 | int64](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	s = s[:n]
	clear(s)
	return s
}

// use notes what o uses. It reports false if something was used already, or if
// there is no room to note it.
func (t *usage) use(o *Op) bool {
	p := uint(uint32(o.Process))
	if p >= uint(len(t.busy)) {
		if p >= uint(t.most) {
			return false
		}
		n := len(t.busy)
		t.busy = slices.Grow(t.busy, int(p)+1-n)[:p+1]
		clear(t.busy[n:])
	}
	if t.busy[p] > o.Call || !t.mark(o.Call) {
		return false
	}
	t.busy[p] = o.Return
	return o.Return == Never || t.mark(o.Return)
}

func (t *usage) mark(position int64) bool {
	word := uint64(position) / 64
	if word >= uint64(len(t.positions)) {
		return false
	}
	bit := uint64(1) << (uint64(position) % 64)
	used := t.positions[word]&bit != 0
	t.positions[word] |= bit
	return !used
}

// distinct reports whether certainly no name stands twice.
func (t *usage) distinct(names []string) bool {
	if len(names) < 2 {
		return true
	}
	size := 1 << bits.Len(uint(2*len(names)))
	t.names = cleared(t.names, size)
	left := 8 * len(names) // who chose the names may have chosen them to collide
	for i, s := range names {
		at := hash(s) & (size - 1)
		for ; t.names[at] != 0; at = (at + 1) & (size - 1) {
			if left--; left < 0 || names[t.names[at]-1] == s {
				return false
			}
		}
		t.names[at] = int64(i + 1)
	}
	return true
}

// hash is FNV-1a of the length and the end of s. Texts grow at their ends.
func hash(s string) int {
	h := uint64(14695981039346656037) ^ uint64(len(s))
	for _, c := range []byte(s[max(0, len(s)-24):]) {
		h = (h ^ uint64(c)) * 1099511628211
	}
	return int(h >> 8 & math.MaxInt32)
}
