package checker

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rashomon-go/rashomon/history"
	"github.com/rashomon-go/rashomon/model"
)

// Causality is one of the definitions of causal consistency.
type Causality uint8

const (
	// CausalConsistency (CC): each read tells the latest write of its key in some
	// order of what came causally before it. Two reads may see two orders.
	CausalConsistency Causality = iota
	// CausalConvergence (CCv): that order is one of all writes, for all reads.
	CausalConvergence
)

// String returns causal-consistency or causal-convergence.
func (c Causality) String() string {
	if c == CausalConvergence {
		return "causal-convergence"
	}
	return "causal-consistency"
}

// Causal decides whether a history of registers is causally consistent, after
// Bouajjani, Enea, Guerraoui and Hamza, "On Verifying Causal Consistency" (POPL
// 2017), who show that with unique values some patterns are all that can be
// wrong. An operation comes causally before another if it came before it in one
// of terms.Sessions, or wrote what it saw, and so on, on all keys together. Wrong
// are
//
//   - a value that nobody wrote, or that was written later;
//   - a circle: an operation that comes causally before itself;
//   - a read of w (or of nothing) with another write of the key that came after w
//     and before the read;
//   - of CausalConvergence, a circle of writes of which each must come before the
//     next, because it came causally before it, or because a read that came
//     causally after the one saw the other of the same key.
//
// Values must be unique (ErrNotUnique). A compare-and-set that swapped reads and
// writes; that two may replace one value is no matter of causality. What has an
// unknown outcome happened if somebody saw its value, and nothing follows it in its
// session. A failed one that tells what it saw is a read.
//
// A read of Absent may be of the beginning or of any delete called by then: it is
// enough if the history is consistent for one choice. Choices are searched for with
// terms.Steps, of which a judgement takes one for each operation.
//
// The verdict is unknown if no read could have known of a write of its key but by
// itself, if that search spends its budget, or if operations times sessions are too
// many for a budget of 1 GiB. A judgement takes time proportional to operations times
// sessions.
func Causal(h *history.History, level Causality, terms Terms) (Judgement, error) {
	f, err := gather(h, terms.Sessions)
	if err != nil {
		return Judgement{}, err
	}
	return f.decide(terms.Steps, func() Judgement {
		c := causality{causal: newCausal(f), level: level}
		if j, found := c.origins(); found {
			return j
		}
		return c.judge()
	}), nil
}

// causality looks for what cannot be.
type causality struct {
	*causal
	level  Causality
	origin []int32 // by operation: who wrote what it saw, initial, or none

	chain     []int32 // by operation, its session or a chain of its own, or none
	place     []int32 // in the chain, from 1
	chains    int
	clocks    [][]int32 // by operation: of each chain, how much came before, and itself
	writes    []stores
	exercised bool
}

// stores are the writes of one key in one chain.
type stores struct{ ops []int32 }

// origins finds who wrote what each operation saw.
func (c *causality) origins() (Judgement, bool) {
	ops := c.h.Ops
	c.origin = make([]int32, len(ops))
	var open []int32 // unknown compare-and-sets that happened
	for i := range ops {
		c.origin[i] = c.from(&ops[i])
		if w := c.origin[i]; w >= 0 && openSwap(&ops[w]) {
			open = append(open, w)
		}
	}
	for ; len(open) > 0; open = open[1:] {
		i := open[0]
		o := &ops[i]
		switch w, known := c.writers[place{o.Key, o.Expect}]; {
		case c.origin[i] != none:
		case o.Expect == model.Absent && c.deleted[o.Key] < history.Never:
			c.origin[i] = c.assumedOrigin(o)
		case o.Expect == model.Absent:
			c.origin[i] = initial
		case !known || w == i:
			return c.baseless(i), true
		default:
			c.origin[i] = w
			if openSwap(&ops[w]) {
				open = append(open, w)
			}
		}
	}
	for i := range ops {
		c.before[1][i] = max(c.origin[i], none)
	}
	clear(c.starts)
	c.index()
	return Judgement{}, false
}

func openSwap(o *history.Op) bool { return o.Kind == model.CAS && o.Outcome == history.Unknown }

// baseless tells that an unknown compare-and-set happened although it cannot. Who
// saw its value may be an unknown one as well, which happened for the same reason.
func (c *causality) baseless(i int32) Judgement {
	chain := []int32{i}
	for last := i; openSwap(c.op(last)); {
		last = c.witnessOf(last)
		chain = append(chain, last)
	}
	return invalid(PhantomRead, c.words.tell(func() string {
		var told []string
		for n, r := range chain[1:] {
			told = append(told, fmt.Sprintf("%s happened, for %s saw its value", c.words.full(chain[n]), c.words.full(r)))
		}
		s := strings.Join(told, "; ") + ", but nobody wrote what "
		if len(told) > 1 {
			return s + "the first of them expected"
		}
		return s + "it expected"
	}), chain...)
}

func (c *causality) judge() Judgement {
	if circle := c.demands(nil); circle != nil {
		return c.circular(circle)
	}
	if !c.number() {
		return unknown(fmt.Sprintf("%d operations of %d sessions are too many", len(c.h.Ops), c.chains))
	}
	c.tick()
	var conflicts []conflict
	for i := range c.h.Ops {
		r := int32(i)
		if c.origin[r] == none {
			continue
		}
		j, found := c.look(r, &conflicts)
		if found {
			return j
		}
		if len(conflicts) > mostConflicts {
			return unknown(fmt.Sprintf("more than %d pairs of writes of which nobody knew both", mostConflicts))
		}
	}
	if c.level == CausalConvergence {
		if circle := c.demands(conflicts); circle != nil {
			return c.circular(circle)
		}
	}
	if !c.exercised {
		return unknown("no client read a key of which it knew a write that it did not read")
	}
	return Judgement{Verdict: Valid}
}

// number puts operations into chains, of which each knows what was before. It
// reports false if clocks would be too large.
func (c *causality) number() bool {
	n := len(c.h.Ops)
	c.chain, c.place, c.chains = make([]int32, n), make([]int32, n), c.count
	length := make([]int32, c.count)
	for i := range c.h.Ops {
		c.chain[i] = none
		s := c.sessions[i]
		switch {
		case c.op(int32(i)).Outcome == history.OK && s != none:
			length[s]++
			c.chain[i], c.place[i] = s, length[s]
		case c.starts[i] < c.starts[i+1]: // somebody saw it
			c.chain[i], c.place[i] = int32(c.chains), 1
			c.chains++
		}
	}
	return int64(n)*int64(c.chains) <= DefaultBytes/4
}

// tick sets the clocks, and lists the writes. There must be no circle.
func (c *causality) tick() {
	n := len(c.h.Ops)
	all := make([]int32, n*c.chains)
	c.clocks = make([][]int32, n)
	c.writes = make([]stores, len(c.h.Keys)*c.chains)
	waits := make([]int8, n)
	var ready []int32
	for i := range n {
		for _, before := range c.before {
			if before[i] != none {
				waits[i]++
			}
		}
		if waits[i] == 0 {
			ready = append(ready, int32(i))
		}
	}
	for ; len(ready) > 0; ready = ready[1:] {
		i := ready[0]
		clock := all[int(i)*c.chains : (int(i)+1)*c.chains]
		c.clocks[i] = clock
		for _, before := range c.before {
			if p := before[i]; p != none {
				for s, t := range c.clocks[p] {
					clock[s] = max(clock[s], t)
				}
			}
		}
		if s := c.chain[i]; s != none {
			clock[s] = c.place[i]
			if _, stores := stored(c.op(i)); stores && c.op(i).Outcome != history.Fail {
				list := &c.writes[int(c.op(i).Key)*c.chains+int(s)]
				list.ops = append(list.ops, i) // in the order of the chain
			}
		}
		for _, x := range c.after[c.starts[i]:c.starts[i+1]] {
			if waits[x]--; waits[x] == 0 {
				ready = append(ready, x)
			}
		}
	}
}

// precedes reports whether w, which is in a chain, came causally before x.
func (c *causality) precedes(w, x int32) bool {
	return w != x && c.clocks[x][c.chain[w]] >= c.place[w]
}

// mostConflicts bounds the memory of conflicts, as DefaultBytes does.
const mostConflicts = int(DefaultBytes / 64)

// conflict says that write a must come before b, because r knew of a and saw b.
type conflict struct{ a, b, r int32 }

// look looks for a write that r must know of, and that was there after what it
// saw. It suffices to look at the latest write of each chain: who came after an
// earlier one in the chain came after it as well.
func (c *causality) look(r int32, conflicts *[]conflict) (Judgement, bool) {
	saw := c.origin[r]
	key := int(c.op(r).Key)
	var past []int32 // what came before the write that r saw: nothing of that is missed
	if saw != initial && c.exercised {
		past = c.clocks[saw]
	}
	for s, known := range c.clocks[r] {
		if past != nil && known <= past[s] {
			continue
		}
		list := c.writes[key*c.chains+s].ops
		if c.chain[r] == int32(s) {
			known-- // not r itself
		}
		at, _ := slices.BinarySearchFunc(list, known+1, func(w, place int32) int { return int(c.place[w] - place) })
		if at == 0 {
			continue
		}
		w := list[at-1]
		if w == saw {
			c.exercised = c.exercised || at > 1
			continue
		}
		c.exercised = true
		switch {
		case saw == initial:
			return c.forgotten(w, r), true
		case c.precedes(saw, w):
			return c.overwritten(saw, w, r), true
		case c.level == CausalConvergence && !c.precedes(w, saw):
			*conflicts = append(*conflicts, conflict{w, saw, r})
		}
	}
	return Judgement{}, false
}

// demands returns the demands of a circle of the causal order and of conflicts, or
// nil if there is none.
func (c *causality) demands(conflicts []conflict) []demand {
	var g order
	for range c.h.Ops {
		g.node()
	}
	for _, before := range c.before {
		for i, p := range before {
			if p != none {
				g.demand(p, int32(i), p, none, 0)
			}
		}
	}
	for _, x := range conflicts {
		g.demand(x.a, x.b, x.a, x.r, 0)
	}
	circle := g.circle()
	var best []int32
	for _, n := range circle[:min(64, len(circle))] {
		if list := g.around(n); best == nil || len(list) < len(best) {
			best = list
		}
	}
	var list []demand
	for _, e := range best {
		list = append(list, g.edges[e])
	}
	return list
}

// between returns operations of which each came directly before the next, from a
// to b. Of what one session did only the first and the last are there.
func (c *causality) between(a, b int32) []int32 {
	c.following(a, func(x int32) bool { return x == b })
	return c.short(c.way(b))
}

func (c *causality) short(way []int32) []int32 {
	list := way[:1:1]
	for n := 1; n < len(way); n++ {
		if n+1 < len(way) && c.inSession(way[n-1], way[n]) && c.inSession(way[n], way[n+1]) {
			continue
		}
		list = append(list, way[n])
	}
	return list
}

// inSession reports whether a came before b because they are of one session.
func (c *causality) inSession(a, b int32) bool {
	return c.origin[b] != a
}

// tellWay tells in words that one operation came after the other.
func (c *causality) tellWay(way []int32) string {
	s := c.words.full(way[0])
	for n := 1; n < len(way); n++ {
		a, b := way[n-1], way[n]
		switch {
		case c.inSession(a, b):
			s += ", after which the same client did " + c.words.full(b)
		default:
			s += ", whose value " + c.words.full(b) + " saw"
		}
	}
	return s
}

// whole adds to a witness who wrote what its operations saw, and who saw that
// unknown compare-and-sets had happened.
func (c *causality) whole(witness ...[]int32) []int32 {
	list := slices.Concat(witness...)
	for at := 0; at < len(list); at++ {
		i := list[at]
		if slices.Contains(list[:at], i) {
			continue
		}
		if w := c.origin[i]; w >= 0 {
			list = append(list, w)
		}
		if openSwap(c.op(i)) {
			list = append(list, c.witnessOf(i))
		}
	}
	return list
}

// witnessOf returns an operation that saw what i stored, one that was answered if
// there is one.
func (c *causality) witnessOf(i int32) int32 {
	seen := none
	for _, x := range c.after[c.starts[i]:c.starts[i+1]] {
		if c.origin[x] == i && (seen == none || c.op(x).Outcome == history.OK) {
			seen = x
		}
	}
	return seen
}

// forgotten tells that r saw nothing although it knew of w.
func (c *causality) forgotten(w, r int32) Judgement {
	way := c.between(w, r)
	return invalid(CausallyStale, c.words.tell(func() string {
		return fmt.Sprintf("%s missed a write that came causally before it: %s", c.words.full(r), c.tellWay(way))
	}), c.whole(way)...)
}

// overwritten tells that r saw the write saw although it knew of w, which came
// after it.
func (c *causality) overwritten(saw, w, r int32) Judgement {
	first, second := c.between(saw, w), c.between(w, r)
	return invalid(CausallyStale, c.words.tell(func() string {
		return fmt.Sprintf("%s saw what had been replaced causally before it: first %s; then %s", c.words.full(r), c.tellWay(first), c.tellWay(second))
	}), c.whole(first, second)...)
}

// circular tells a circle of demands.
func (c *causality) circular(circle []demand) Judgement {
	var witness []int32
	var told []string
	anomaly := CausalCircle
	c.words.clock = rounded
	var ways [][]int32
	for _, e := range circle {
		way := []int32{e.before, e.to}
		if e.after != none {
			anomaly = ConflictCircle
			way = append(c.between(e.before, e.after), e.to)
		}
		ways = append(ways, way)
		witness = append(witness, way...)
	}
	sentence := c.words.tell(func() string {
		told = told[:0]
		for n, e := range circle {
			if e.after == none {
				told = append(told, c.tellWay(ways[n]))
				continue
			}
			told = append(told, fmt.Sprintf("%s must come before %s, for %s knew of the first and saw the second (%s)",
				c.words.by(e.before), c.words.by(e.to), c.words.full(e.after), c.tellWay(ways[n][:len(ways[n])-1])))
		}
		what := "causality goes in a circle"
		if anomaly == ConflictCircle {
			what = "no order of all writes fits what clients saw"
		}
		return what + ": " + strings.Join(told, "; ")
	})
	return invalid(anomaly, sentence, c.whole(witness)...)
}
