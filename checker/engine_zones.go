package checker

import (
	"cmp"
	"math"
	"slices"

	"github.com/rashomon-go/rashomon/history"
	"github.com/rashomon-go/rashomon/model"
)

// zones judges reads and writes of a register in which no value is written
// twice, after Gibbons and Korach, "Testing Shared Memories" (SIAM J. Comput.
// 26(4), 1997).
//
// The write of a value and the reads that return it are a cluster. In a legal
// order of the operations a cluster stands together: between the write of a
// value and a read of it nothing else can be written. So the question is only
// whether the clusters can be put in an order. Let first be the earliest return
// in a cluster and last the latest call. Cluster A must come before cluster B
// if some operation of A returned before some operation of B was called, that
// is, if A.first < B.last. If these demands form a circle, two of them already
// do: take the cluster M with the smallest first on the circle, its predecessor
// P, and P's predecessor Q. Then P.first < M.last, and M.first <= Q.first <
// P.last. So the history is linearizable if and only if
//
//   - no read returns a value that was never written (never),
//   - no read returned before the write of its value was called (future),
//   - no two clusters have A.first < B.last and B.first < A.last (conflict).
//
// What was there at the beginning counts as written before everything else. A
// write with an unknown outcome returns never; if nobody read its value it is
// left out, for it may be put at the very end.
type zones struct {
	clusters []cluster
	all      int     // clusters before pruning
	of       []int32 // by position in part, the cluster that the read belongs to, or none
	index    valueIndex
	ahead    prefetch
	ordered  bool // note what linearization needs
	omit     rule // rules that tests leave out, to show that they would notice
}

type cluster struct {
	first, last int64 // the earliest return and the latest call
	write       int32 // the operation that wrote the value, none, or seenBy
	id          int32 // where the cluster stood before sorting
}

// none stands for the write of the initial value, which is no operation.
const none int32 = -1

// seenBy stands for the write of a value that was called later than read i, the
// first that saw the value, or never. It is its own inverse.
func seenBy(i int32) int32 { return -2 - i }

// rule is a set of steps in the decision.
type rule uint16

const (
	ruleNever rule = 1 << iota
	ruleFuture
	ruleForward  // two zones, each of which has to last, overlap
	ruleBackward // a zone lies within another that has to last
	ruleInitial  // a read of Absent says that nothing was written
	ruleOpen     // unknown writes that nobody read are left out

	// Of compare-and-sets and deletes:
	ruleDenied // one failed although it saw what it expected
	ruleTwice  // two replaced the same value
	ruleOrder  // a block is against the order of time
	ruleCircle // a block has no beginning
	ruleStuck  // no item can come next
)

// finding is what makes a history invalid: a read alone, or two clusters.
type finding struct {
	broken rule
	read   int32   // never, future: the read
	a, b   cluster // conflict; future: a is the cluster of the read
}

func (f finding) verdict() Verdict {
	if f.broken == 0 {
		return Valid
	}
	return Invalid
}

// judge decides about the operations ops[part...] of one key. It reports false
// if it cannot. The index must have been prepared for their history.
func (z *zones) judge(ops []history.Op, part []int32) (f finding, ok bool) {
	possible, ok := z.gather(ops, part)
	if ok && (!possible || !z.written()) {
		f = z.impossible(ops, part)
	}
	z.forget(ops)
	if !ok || f.broken != 0 {
		return f, ok
	}
	z.prune()
	sortClusters(z.clusters)
	return sweep(z.clusters, z.omit), true
}

// gather makes a cluster of every value, with a zone that contains its write and
// its reads. A read may be called before the write, but not return before it: then,
// or if it saw what nobody wrote, not all is possible. The answer is not ok if
// there are operations other than reads and writes, or a value is written twice,
// or one that stands for no value.
//
// Whether an operation is a read, and whether its value is new, is as good as
// random. Hence the arithmetic: a processor that guesses a branch wrong loses
// more time than all of this takes.
func (z *zones) gather(ops []history.Op, part []int32) (possible, ok bool) {
	z.note(len(part))
	z.clusters = slices.Grow(z.clusters[:0], len(part)+2)
	cs := z.clusters[:len(part)+2]
	cs[0] = cluster{first: math.MinInt64, last: math.MinInt64, write: none}
	next := int32(1)
	var early, twice int64
	possible = true
	z.ahead.begin(part)
	for at, i := range part {
		z.ahead.at(ops, part, at)
		o := &ops[i]
		writes := int64(o.Kind) - int64(model.Read) // 0 or 1
		v := o.Seen ^ (o.Seen^o.Value)&model.Value(-writes)
		if v <= model.Unseen || o.Kind > model.Write {
			if o.Kind != model.Read {
				z.clusters = cs[:next]
				return false, false
			}
			if v == model.Absent && z.omit&ruleInitial == 0 {
				cs[0].last = o.Call
				z.see(at, 0)
			}
			continue
		}
		slot := z.index.slot(v)
		if slot == nil {
			possible = false
			continue
		}
		cs[next] = cluster{first: history.Never, last: math.MinInt64, write: seenBy(i), id: next}
		c, after := *slot, next
		if c == 0 {
			c = next
			after++
		}
		next = after
		*slot = c
		if z.ordered && writes == 0 {
			z.of[at] = c
		}
		x := &cs[c]
		twice |= writes &^ int64(x.write>>31)
		early |= (x.first - o.Call) & -writes
		x.write ^= (x.write ^ i) & int32(-writes)
		x.first, x.last = min(x.first, o.Return), max(x.last, o.Call)
	}
	z.clusters = cs[:next]
	return possible && early >= 0, twice == 0
}

// see notes that the read at a position of part belongs to cluster c.
func (z *zones) see(at int, c int32) {
	if z.ordered {
		z.of[at] = c
	}
}

// written reports whether there was a write for every cluster.
func (z *zones) written() bool {
	w := int32(0)
	for i := range z.clusters[1:] {
		w |= z.clusters[i+1].write
	}
	return w >= 0
}

// impossible returns the first read that is wrong whatever the order, if there is
// one, as gather says.
func (z *zones) impossible(ops []history.Op, part []int32) finding {
	for _, i := range part {
		o := &ops[i]
		if o.Kind != model.Read || o.Seen <= model.Unseen {
			continue
		}
		switch c := z.index.find(o.Seen); {
		case c == 0 || z.clusters[c].write < 0:
			if z.omit&ruleNever == 0 {
				return finding{broken: ruleNever, read: i}
			}
		case o.Return < ops[z.clusters[c].write].Call && z.omit&ruleFuture == 0:
			return finding{broken: ruleFuture, read: i, a: z.clusters[c]}
		}
	}
	return finding{}
}

// forget empties the index.
func (z *zones) forget(ops []history.Op) {
	if z.index.clear(len(z.clusters)) {
		return
	}
	for i := range z.clusters {
		if w := z.clusters[i].write; w >= 0 {
			z.index.remove(ops[w].Value)
		} else if w < none {
			z.index.remove(ops[seenBy(w)].Seen)
		}
	}
}

// prune leaves out the unknown writes that nobody read.
func (z *zones) prune() {
	z.all = len(z.clusters)
	if z.omit&ruleOpen != 0 {
		return
	}
	kept := z.clusters[:0]
	for i := range z.clusters {
		if z.clusters[i].first != history.Never {
			kept = append(kept, z.clusters[i])
		}
	}
	z.clusters = kept
}

// sortClusters puts the clusters in the order of first. They stand in the order of
// their writes' calls, which is nearly that order unless writes were open for
// long, so that insertion takes linear time; if it does not, it gives up.
func sortClusters(cs []cluster) {
	moves := 32 * len(cs)
	for i := 1; i < len(cs); i++ {
		x := cs[i]
		j := i
		for ; j > 0 && cs[j-1].first > x.first; j-- {
			cs[j] = cs[j-1]
		}
		cs[j] = x
		if moves -= i - j; moves < 0 {
			slices.SortFunc(cs, func(a, b cluster) int { return cmp.Compare(a.first, b.first) })
			return
		}
	}
}

// sweep looks for two clusters in conflict. Of the clusters passed without a
// conflict, those that have to last (first < last: they are current from first
// to last at least) do not overlap; so the one that lasts longest is the only
// one that the next cluster can be in conflict with. Two clusters that need not
// last are never in conflict.
func sweep(cs []cluster, omit rule) finding {
	if len(cs) == 0 {
		return finding{}
	}
	longest := &cs[0]
	for i := 1; i < len(cs); i++ {
		x := &cs[i]
		lasts := x.first < x.last
		if x.last > longest.first && longest.last > x.first && omit&kindOfZone(lasts) == 0 {
			return finding{broken: kindOfZone(lasts), a: *longest, b: *x}
		}
		if x.last > longest.last && lasts {
			longest = x
		}
	}
	return finding{}
}

func kindOfZone(lasts bool) rule {
	if lasts {
		return ruleForward
	}
	return ruleBackward
}

// note makes room for what linearization needs, if it is wanted.
func (z *zones) note(operations int) {
	if !z.ordered {
		return
	}
	z.of = slices.Grow(z.of[:0], operations)[:operations]
	for i := range z.of {
		z.of[i] = none
	}
}

// linearization returns the operations of part in a legal order, after judge
// found nothing wrong with ordered set. Clusters stand in the order of the
// earlier ends of their zones: if A.first < B.last then, since there is no
// conflict, A.last <= B.first, and both possible ends of B are later than one of
// A. In a cluster the write stands first, and the reads by their calls.
func (z *zones) linearization(part []int32) []int32 {
	sortByZones(z.clusters)
	sequence, writes := make([]int32, len(z.clusters)), make([]int32, z.all)
	for i := range z.clusters {
		sequence[i], writes[z.clusters[i].id] = z.clusters[i].id, z.clusters[i].write
	}
	return lineUp(part, sequence, z.of, writes)
}

// sortByZones puts the clusters in the order of the earlier ends of their zones,
// which it leaves in first.
func sortByZones(cs []cluster) {
	for i := range cs {
		cs[i].first = min(cs[i].first, cs[i].last)
	}
	sortClusters(cs)
}

// lineUp returns the operations of part, cluster after cluster in a sequence:
// writes[c] first, then those with of[position in part] = c.
func lineUp(part, sequence, of, writes []int32) []int32 {
	room := make([]int32, len(writes)) // by cluster, where its next operation goes
	for _, c := range of {
		if c != none {
			room[c]++
		}
	}
	at := int32(0)
	order := make([]int32, len(part))
	for _, c := range sequence {
		n := room[c]
		if w := writes[c]; w != none {
			order[at] = w
			at++
		}
		room[c] = at
		at += n
	}
	for p, c := range of {
		if c != none {
			order[room[c]] = part[p]
			room[c]++
		}
	}
	return order[:at]
}
