package checker

import (
	"math"
	"slices"

	"github.com/rashomon-go/rashomon/history"
	"github.com/rashomon-go/rashomon/model"
)

// blocks judges a register with compare-and-sets, and with deletes, in which no
// value is written twice. It extends zones by contraction.
//
// A compare-and-set that replaced a by b stands right behind the cluster of a:
// the register held a then, and a never comes back. So the clusters that
// compare-and-sets link are one block, which stands together as a cluster does
// and whose inner order is known. Two of them cannot replace the same value,
// and a circle of them has no beginning. Inside of a block no operation of a
// later cluster may have returned before one of an earlier cluster was called.
// Between blocks the argument of zones holds word for word, since all that it
// needs of a cluster is that it stands together.
//
// A compare-and-set with an unknown outcome counts if somebody observed its
// value: a read, or a compare-and-set that counts. If nobody did, it is left
// out: whatever followed it in a legal order, up to the next store, depended on
// no value, and is as legal without it.
//
// If something deletes, Absent comes back, and greedy decides.
type blocks struct {
	index   *valueIndex
	links   []link    // links[0] is what was there at the beginning
	items   []cluster // what stands together; cluster.id is the first link of it
	orders  []int32   // the links in a legal order
	of      []int32   // by position in part, the link that the operation observed, or none
	kinds   []itemKind
	plan    greedy
	ahead   prefetch
	deletes bool
	partial bool // compare-and-sets that failed without telling why were left out
}

// link is a cluster, and its place in a block.
type link struct {
	first, last int64 // the earliest return and the latest call
	early, late int32 // the operations that these belong to
	write       int32 // the operation that wrote the value, or none
	prev, next  int32 // the links of the block before and after, or none
	swap        bool  // write is a compare-and-set
	open        bool  // write's outcome is unknown
	seen        bool  // somebody observed the value
	fresh       bool  // the block has to begin while there is nothing
	ends        bool  // write is a compare-and-delete: the block ends with nothing
	tied        bool
}

// flaw is what makes a history of blocks invalid: its rule, and operations that
// are invalid by themselves if they are all that is left of the history.
type flaw struct {
	broken rule
	seed   []int32
}

// judge decides about the operations ops[part...] of one key. It reports false
// if it cannot. It leaves a legal order in orders if there is one. The index
// must have been prepared for their history.
func (b *blocks) judge(ops []history.Op, part []int32) (f flaw, ok bool) {
	b.partial = false
	if ok = b.addWrites(ops, part); ok {
		if f, ok = b.observe(ops, part); ok && f.broken == 0 {
			f = b.tie(ops)
		}
	}
	b.forget(ops)
	if !ok || f.broken != 0 {
		return f, ok
	}
	if f = b.contract(ops); f.broken != 0 {
		return f, true
	}
	if b.deletes {
		return b.schedule(ops, part), true
	}
	sortClusters(b.items)
	if g := sweep(b.items, 0); g.broken != 0 {
		return flaw{g.broken, b.seed(g.a.id, g.b.id)}, true
	}
	sortByZones(b.items)
	b.orders = b.orders[:0]
	for i := range b.items {
		b.expand(b.items[i].id)
	}
	return flaw{}, true
}

// forget empties the index.
func (b *blocks) forget(ops []history.Op) {
	if b.index.clear(len(b.links)) {
		return
	}
	for i := 1; i < len(b.links); i++ {
		if l := &b.links[i]; !l.ends {
			b.index.remove(ops[l.write].Value)
		}
	}
}

func (b *blocks) addWrites(ops []history.Op, part []int32) bool {
	b.links = append(b.links[:0], link{
		first: math.MinInt64, last: math.MinInt64, early: none, late: none, write: none, prev: none, next: none, seen: true,
	})
	b.deletes = false
	b.ahead.begin(part)
	for at, i := range part {
		b.ahead.at(ops, part, at)
		o := &ops[i]
		v, stores := stored(o)
		switch {
		case o.Kind > model.Delete:
			return false
		case !stores || equal(o):
			continue
		case v == model.Absent:
			b.deletes = true
			if o.Kind == model.Delete || o.Outcome == history.Unknown {
				continue
			}
		case v == model.Unseen || !b.index.add(v, int32(len(b.links))):
			return false
		}
		b.links = append(b.links, link{
			first: o.Return, last: o.Call, early: i, late: i, write: i, prev: none, next: none,
			swap: o.Kind == model.CAS, open: o.Outcome == history.Unknown, ends: v == model.Absent,
		})
	}
	return true
}

// observe lets observers widen the clusters of what they saw. It reports false
// if a compare-and-delete may have happened: whether it has to can depend on
// everything else.
func (b *blocks) observe(ops []history.Op, part []int32) (flaw, bool) {
	b.of = slices.Grow(b.of[:0], len(part))[:len(part)]
	for at, i := range part {
		b.ahead.at(ops, part, at)
		b.of[at] = none
		o := &ops[i]
		if o.Outcome != history.OK {
			if o.Kind == model.CAS && o.Value == model.Absent && !equal(o) {
				if b.index.find(o.Expect) != 0 {
					return flaw{}, false
				}
			}
			continue
		}
		v, saw := observed(o)
		if !saw || swapped(o) && !equal(o) {
			b.partial = b.partial || o.Kind == model.CAS && !saw
			continue
		}
		if o.Kind == model.CAS && !o.Swapped && o.Seen == o.Expect {
			return flaw{ruleDenied, b.roots(ops, b.writer(o.Seen), i)}, true
		}
		c := int32(0)
		if v != model.Absent {
			if c = b.index.find(v); c == 0 {
				return flaw{ruleNever, []int32{i}}, true
			}
		} else if b.deletes {
			continue
		}
		l := &b.links[c]
		if l.write != none && o.Return < ops[l.write].Call {
			return flaw{ruleFuture, b.roots(ops, l.write, i)}, true
		}
		b.of[at], l.seen = c, true
		if o.Return < l.first {
			l.first, l.early = o.Return, i
		}
		if o.Call > l.last {
			l.last, l.late = o.Call, i
		}
	}
	return flaw{}, true
}

// tie links the clusters. A compare-and-set with an unknown outcome that was
// observed makes its own expectation observed.
func (b *blocks) tie(ops []history.Op) flaw {
	for i := range b.links {
		c := int32(i)
		for c != none {
			l := &b.links[c]
			if !l.swap || l.tied || l.open && !l.seen {
				break
			}
			l.tied = true
			expect := ops[l.write].Expect
			p := int32(0)
			if expect != model.Absent {
				if p = b.index.find(expect); p == 0 {
					return flaw{ruleNever, append(b.observers(c), l.write)}
				}
			} else if b.deletes {
				l.fresh = true
				break
			}
			before := &b.links[p]
			if before.next != none {
				return flaw{ruleTwice, b.roots(ops, l.write, b.links[before.next].write, append(b.observers(c), b.observers(before.next)...)...)}
			}
			before.next, l.prev = c, p
			before.seen = true
			c = p
		}
	}
	return flaw{}
}

// contract makes an item of each block.
func (b *blocks) contract(ops []history.Op) flaw {
	b.items, b.kinds = b.items[:0], b.kinds[:0]
	passed, kept := 0, 0
	for i := range b.links {
		l := &b.links[i]
		if i == 0 && b.deletes || l.open && !l.seen {
			continue
		}
		kept++
		if l.prev != none {
			continue
		}
		x := cluster{first: math.MaxInt64, last: math.MinInt64, write: l.write, id: int32(i)}
		end := int32(i)
		for c := int32(i); c != none; c = b.links[c].next {
			m := &b.links[c]
			if m.first < x.last {
				return flaw{ruleOrder, b.seed(int32(i))}
			}
			x.first, x.last = min(x.first, m.first), max(x.last, m.last)
			passed++
			end = c
		}
		b.items = append(b.items, x)
		b.kinds = append(b.kinds, kindOfBlock(l.fresh, b.links[end].ends))
	}
	if passed < kept {
		return flaw{ruleCircle, b.circle()}
	}
	return flaw{}
}

// circle returns the operations of some circle: links that no block has passed.
func (b *blocks) circle() []int32 {
	onBlock := make([]bool, len(b.links))
	for i := range b.links {
		if b.links[i].prev == none {
			for c := int32(i); c != none; c = b.links[c].next {
				onBlock[c] = true
			}
		}
	}
	at := int32(slices.Index(onBlock, false))
	seed := b.observers(at)
	for c := at; ; {
		seed = append(seed, b.links[c].write)
		if c = b.links[c].next; c == at {
			return union(seed...)
		}
	}
}

// seed returns what blocks that begin with these links consist of, without the
// observers that prove nothing.
func (b *blocks) seed(heads ...int32) []int32 {
	var list []int32
	for _, head := range heads {
		for c := head; c != none; c = b.links[c].next {
			list = append(list, b.links[c].write, b.links[c].early, b.links[c].late)
		}
	}
	return union(list...)
}

// observers returns operations that prove that link c counts.
func (b *blocks) observers(c int32) (list []int32) {
	for at := c; at != none && b.links[at].open; {
		list = append(list, b.links[at].early, b.links[at].late)
		if at = b.links[at].next; at == c {
			break
		}
		if at != none {
			list = append(list, b.links[at].write)
		}
	}
	return list
}

// writer returns the operation that wrote v, or none.
func (b *blocks) writer(v model.Value) int32 {
	if c := b.index.find(v); c != 0 {
		return b.links[c].write
	}
	return none
}

// roots returns operations with all that their compare-and-sets expect.
func (b *blocks) roots(ops []history.Op, i, j int32, others ...int32) []int32 {
	list := append([]int32{i, j}, others...)
	seen := map[int32]bool{}
	for at := 0; at < len(list); at++ {
		i := list[at]
		if i == none || seen[i] || ops[i].Kind != model.CAS {
			continue
		}
		seen[i] = true
		list = append(list, b.writer(ops[i].Expect))
	}
	return union(list...)
}

// expand appends the links of a block to orders.
func (b *blocks) expand(head int32) {
	for c := head; c != none; c = b.links[c].next {
		b.orders = append(b.orders, c)
	}
}

// linearization returns the operations of part in the order that judge found.
func (b *blocks) linearization(part []int32) []int32 {
	writes := make([]int32, len(b.links))
	for i := range b.links {
		writes[i] = b.links[i].write
	}
	return lineUp(part, b.orders, b.of, writes)
}
