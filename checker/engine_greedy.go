package checker

import (
	"cmp"
	"slices"

	"github.com/rashomon-go/rashomon/history"
	"github.com/rashomon-go/rashomon/model"
)

// itemKind says what an item of a schedule needs, and what it leaves behind.
type itemKind uint8

const (
	fills   itemKind = iota // a block that begins with a write
	creates                 // one that begins with a compare-and-set of nothing
	empties                 // a delete, or a block that begins with a write and ends with a delete
	misses                  // a read of nothing, or a block from nothing to nothing
	itemKinds
)

func kindOfBlock(fresh, ends bool) itemKind {
	switch {
	case fresh && ends:
		return misses
	case fresh:
		return creates
	case ends:
		return empties
	}
	return fills
}

// greedy puts items in a legal order one after the other. All that matters of
// the register between two items is whether it holds something: the values are
// inside of the blocks. An item can come next if no other one that is left has
// to come before it, that is, if no other one's first is before its last.
//
// Nothing that greedy does has to be taken back. Let some legal order of what is
// left begin with another item than the one taken; then there is a legal order
// that begins with the one taken. For an item that can come next can be moved to
// the front of any order without breaking a demand of time, and of its effect:
//
//   - misses, while there is nothing: leaves everything as it was.
//   - creates, while there is nothing: the item that came first in the other
//     order fills or empties, so after it all is as before. Where the moved item
//     was, the register now may be empty instead of full until the next store,
//     which harms nobody. Of several that create, the one with the earliest
//     first can change places with the one that came first: what stood between
//     them had to come before neither.
//   - fills, while nothing can miss or create, or while there is something: the
//     same.
//   - empties, when nothing else can come next: the other order begins with one
//     as well, and the two can change places.
//   - a delete with an unknown outcome, when there is something and nothing else
//     can come next: the other order begins with one as well. It may happen, but
//     it need not, so it is taken only then.
type greedy struct {
	byFirst []int32           // items
	byLast  []int32           // items
	rank    []int32           // of items in byFirst
	open    []int32           // deletes with unknown outcomes, by their calls
	ready   [itemKinds][]rank // heaps: what can come next
	taken   []bool
	pushed  []bool
}

type rank = int32

// schedule decides about blocks together with deletes and reads of Absent, which
// become links of their own.
func (b *blocks) schedule(ops []history.Op, part []int32) flaw {
	g := &b.plan
	g.open = g.open[:0]
	for at, i := range part {
		b.ahead.at(ops, part, at)
		o := &ops[i]
		v, saw := observed(o)
		switch {
		case o.Kind == model.Delete && o.Outcome == history.Unknown:
			g.open = append(g.open, b.single(o, i))
		case o.Kind == model.Delete:
			b.item(o, i, empties)
		case saw && v == model.Absent && b.of[at] == none && (!swapped(o) || equal(o)):
			b.item(o, i, misses)
		}
	}
	b.orders = b.orders[:0]
	if !g.run(b) {
		return flaw{ruleStuck, part}
	}
	return flaw{}
}

func (b *blocks) single(o *history.Op, i int32) int32 {
	b.links = append(b.links, link{first: o.Return, last: o.Call, early: i, late: i, write: i, prev: none, next: none})
	return int32(len(b.links) - 1)
}

func (b *blocks) item(o *history.Op, i int32, k itemKind) {
	b.items = append(b.items, cluster{first: o.Return, last: o.Call, write: i, id: b.single(o, i)})
	b.kinds = append(b.kinds, k)
}

// run puts the items in order. It reports false if they have none.
func (g *greedy) run(b *blocks) bool {
	g.prepare(b.items)
	next, after, last, open := 0, 1, 0, 0 // in byFirst: the two first items left; in byLast; in g.open
	full := false
	for left := len(b.items); left > 0; left-- {
		for next < len(g.byFirst) && g.taken[g.byFirst[next]] {
			next++
		}
		after = max(after, next+1)
		for after < len(g.byFirst) && g.taken[g.byFirst[after]] {
			after++
		}
		head := g.byFirst[next]
		limit := b.items[head].first
		for ; last < len(g.byLast) && b.items[g.byLast[last]].last <= limit; last++ {
			g.push(g.byLast[last], b.kinds)
		}
		if after == len(g.byFirst) || b.items[head].last <= b.items[g.byFirst[after]].first {
			g.push(head, b.kinds) // nothing but itself is in its way
		}
		k, ok := g.choose(full)
		if !ok && full && open < len(g.open) && b.links[g.open[open]].last <= limit {
			b.expand(g.open[open])
			open++
			full = false
			k, ok = g.choose(false)
		}
		if !ok {
			return false
		}
		x := g.byFirst[pop(&g.ready[k])]
		g.taken[x] = true
		b.expand(b.items[x].id)
		full = k == fills || k == creates
	}
	return true
}

// choose returns the kind of the item to take next.
func (g *greedy) choose(full bool) (itemKind, bool) {
	has := func(k itemKind) bool { return len(g.ready[k]) > 0 }
	switch {
	case !full && has(misses):
		return misses, true
	case !full && has(creates):
		return creates, true
	case has(fills):
		return fills, true
	case has(empties):
		return empties, true
	}
	return 0, false
}

func (g *greedy) prepare(items []cluster) {
	n := len(items)
	g.byFirst, g.byLast, g.rank = g.byFirst[:0], g.byLast[:0], slices.Grow(g.rank[:0], n)[:n]
	g.taken, g.pushed = slices.Grow(g.taken[:0], n)[:n], slices.Grow(g.pushed[:0], n)[:n]
	clear(g.taken)
	clear(g.pushed)
	for k := range g.ready {
		g.ready[k] = g.ready[k][:0]
	}
	for i := range items {
		g.byFirst, g.byLast = append(g.byFirst, int32(i)), append(g.byLast, int32(i))
	}
	slices.SortFunc(g.byFirst, func(a, b int32) int { return cmp.Compare(items[a].first, items[b].first) })
	slices.SortFunc(g.byLast, func(a, b int32) int { return cmp.Compare(items[a].last, items[b].last) })
	for r, i := range g.byFirst {
		g.rank[i] = int32(r)
	}
}

func (g *greedy) push(item int32, kinds []itemKind) {
	if g.pushed[item] {
		return
	}
	g.pushed[item] = true
	h := append(g.ready[kinds[item]], g.rank[item])
	g.ready[kinds[item]] = h
	for i := len(h) - 1; i > 0 && h[(i-1)/2] > h[i]; i = (i - 1) / 2 {
		h[i], h[(i-1)/2] = h[(i-1)/2], h[i]
	}
}

// pop takes the smallest rank from a heap.
func pop(heap *[]rank) rank {
	h := *heap
	top := h[0]
	h[0] = h[len(h)-1]
	h = h[:len(h)-1]
	for i := 0; ; {
		c := 2*i + 1
		if c+1 < len(h) && h[c+1] < h[c] {
			c++
		}
		if c >= len(h) || h[i] <= h[c] {
			break
		}
		h[i], h[c] = h[c], h[i]
		i = c
	}
	*heap = h
	return top
}
