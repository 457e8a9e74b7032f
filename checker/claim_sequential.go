package checker

import (
	"fmt"
	"strings"

	"github.com/rashomon-go/rashomon/history"
	"github.com/rashomon-go/rashomon/model"
)

// SequentialPerKey decides whether, on each key by itself, all operations can be
// put in one order that is legal for a register and keeps the order of each of
// terms.Sessions (Lamport, "How to Make a Multiprocessor Computer That Correctly
// Executes Multiprocess Programs", IEEE Trans. Computers 28(9), 1979; of single
// locations, coherence). Time says nothing, except that a value must not be read
// before its write was called.
//
// Values must be unique (ErrNotUnique). As in linearizability, the write of a value
// and its reads stand together, and a compare-and-set right behind what it
// replaced. So the order is one of blocks, of which each begins with a write that
// replaces nothing in particular; that they can be put in order is a question of
// circles. An unknown outcome happened if somebody saw its value, and nothing
// follows it in its session.
//
// Reads of Absent are as with Causal. The verdict is unknown on keys with
// compare-and-sets that failed without telling what they saw, unless the rest is
// invalid; if the search for deletes spends its budget; and if no session used a key
// twice. A judgement takes time proportional to the operations.
func SequentialPerKey(h *history.History, terms Terms) (Judgement, error) {
	f, err := gather(h, terms.Sessions)
	if err != nil {
		return Judgement{}, err
	}
	return f.decide(terms.Steps, func() Judgement {
		s := sequence{causality: causality{causal: newCausal(f)}, last: make([]int32, f.count), lastKey: make([]int32, f.count)}
		if j, found := s.origins(); found {
			return j
		}
		return s.judgeAll()
	}), nil
}

// sequence puts the blocks of one key after the other in order.
type sequence struct {
	causality
	last    []int32 // by session, its last operation on the key, if lastKey says so
	lastKey []int32 // one more than the key

	clusters []segment
	of       map[int32]int32 // by operation that stored, its cluster; initial has 0
	order    order
}

// segment is a cluster: the write of a value and its reads.
type segment struct {
	write  int32 // or initial
	before int32 // the cluster that a compare-and-set replaced, or none
	next   int32 // the cluster that replaced this one, or none
	first  int32 // cluster of the block
	end    int32 // last cluster of the block
	at     int32 // place in the block
}

func (s *sequence) judgeAll() Judgement {
	all := Judgement{Verdict: Valid}
	for k := range s.h.Keys {
		all.add(s.judge(k))
	}
	if all.Verdict == Valid && !s.exercised {
		return unknown("no client used a key twice")
	}
	return all
}

func (s *sequence) judge(k int) Judgement {
	part := s.parts.part(k)
	s.clusters, s.of = append(s.clusters[:0], segment{write: initial, before: none, next: none}), map[int32]int32{}
	for _, i := range part {
		if _, stores := stored(s.op(i)); stores && s.happened(i) {
			s.of[i] = int32(len(s.clusters))
			s.clusters = append(s.clusters, segment{write: i, before: none, next: none})
		}
	}
	if j, found := s.chain(part); found {
		return j
	}
	s.demand(part, k)
	if circle := s.order.circle(); circle != nil {
		return s.circular(circle)
	}
	return s.doubtful(part, k)
}

// happened reports whether i took effect in every order that must be looked at: an
// unknown one that nobody saw can be left out.
func (s *sequence) happened(i int32) bool {
	return s.op(i).Outcome == history.OK || s.starts[i] < s.starts[i+1]
}

// chain links compare-and-sets to what they replaced.
func (s *sequence) chain(part []int32) (Judgement, bool) {
	for _, i := range part {
		o := s.op(i)
		if o.Kind != model.CAS || !s.happened(i) {
			continue
		}
		if o.Outcome == history.OK && !o.Swapped {
			if o.Seen == o.Expect {
				return invalid(Unordered, s.words.tell(func() string {
					return fmt.Sprintf("%s, although that is what it expected", s.words.full(i))
				}), s.whole([]int32{i})...), true
			}
			continue
		}
		if s.origin[i] == none {
			continue // nobody knows which nothing it replaced
		}
		c, x := s.of[i], s.cluster(s.origin[i])
		if y := s.clusters[x].next; y != none {
			other := s.clusters[y].write
			return invalid(LostUpdate, s.words.tell(func() string {
				return fmt.Sprintf("%s and %s both replaced %s, which was there only once", s.words.full(other), s.words.full(i), s.h.ValueString(o.Expect))
			}), s.whole([]int32{other, i})...), true
		}
		s.clusters[x].next, s.clusters[c].before = c, x
	}
	for c := range s.clusters {
		if s.clusters[c].before != none {
			continue
		}
		at, end := int32(0), int32(c)
		for x := int32(c); x != none; x = s.clusters[x].next {
			s.clusters[x].first, s.clusters[x].at, end = int32(c), at, x
			at++
		}
		for x := int32(c); x != none; x = s.clusters[x].next {
			s.clusters[x].end = end
		}
	}
	return Judgement{}, false
}

// cluster returns that of the value that an operation or nobody stored.
func (s *sequence) cluster(writer int32) int32 {
	if writer == initial {
		return 0
	}
	return s.of[writer]
}

// belongs returns the cluster of an operation, or none.
func (s *sequence) belongs(i int32) int32 {
	if c, stores := s.of[i]; stores {
		return c
	}
	if w := s.origin[i]; w != none {
		return s.cluster(w)
	}
	return none
}

// demand adds what blocks, sessions and the beginning demand.
func (s *sequence) demand(part []int32, k int) {
	s.order.reset()
	for range s.clusters {
		s.order.node()
	}
	for c := range s.clusters {
		x := &s.clusters[c]
		switch {
		case x.before != none:
			s.order.demand(x.before, int32(c), x.write, x.write, 0)
		case c > 0:
			s.order.demand(s.clusters[0].end, int32(c), none, none, 0)
		}
	}
	for _, i := range part {
		n, c := s.sessions[i], s.belongs(i)
		if n == none || c == none {
			continue
		}
		if s.lastKey[n] == int32(k+1) {
			s.exercised = true
			s.after(s.last[n], i, s.belongs(s.last[n]), c)
		}
		if s.op(i).Outcome == history.OK {
			s.last[n], s.lastKey[n] = i, int32(k+1)
		}
	}
}

// after demands that cluster a comes before cluster b: if they are of different
// blocks, all of the one before all of the other.
func (s *sequence) after(before, after, a, b int32) {
	x, y := &s.clusters[a], &s.clusters[b]
	if x.first == y.first && s.blocked(a) && s.blocked(b) {
		if x.at > y.at {
			s.order.demand(a, b, before, after, 0)
		}
		return
	}
	if s.blocked(a) {
		a = x.end
	}
	if s.blocked(b) {
		b = y.first
	}
	s.order.demand(a, b, before, after, 0)
}

// blocked reports whether a cluster is in a block. Those in a circle of
// compare-and-sets are in none, and the circle will be found.
func (s *sequence) blocked(c int32) bool {
	f := s.clusters[c].first
	return s.clusters[f].before == none && (c == f || s.clusters[c].at > 0)
}

// circular tells a short circle of demands.
func (s *sequence) circular(circle []int32) Judgement {
	var best []int32
	for _, n := range circle[:min(64, len(circle))] {
		if list := s.order.around(n); best == nil || len(list) < len(best) {
			best = list
		}
	}
	var witness []int32
	for _, n := range best {
		for _, i := range [2]int32{s.order.edges[n].before, s.order.edges[n].after} {
			if i != none {
				witness = append(witness, i)
			}
		}
	}
	sentence := s.words.tell(func() string {
		var told []string
		for _, n := range best {
			told = append(told, s.tell(s.order.edges[n]))
		}
		return "no order of what happened fits all clients: " + strings.Join(told, "; ")
	})
	return invalid(SessionsDisagree, sentence, s.whole(witness)...)
}

func (s *sequence) tell(e demand) string {
	switch {
	case e.before == none:
		return "nil was there first"
	case e.before == e.after:
		return fmt.Sprintf("%s replaced %s", s.words.full(e.before), s.h.ValueString(s.op(e.before).Expect))
	}
	return fmt.Sprintf("%s had finished before the same client's %s began (%s), so %s came before %s",
		s.words.full(e.before), s.words.bare(e.after), s.words.called(e.after), s.name(e.before), s.name(e.after))
}

// name returns the value of the cluster that an operation belongs to.
func (s *sequence) name(i int32) string {
	w := s.clusters[s.belongs(i)].write
	if w == initial {
		return "nil"
	}
	if s.op(w).Kind == model.Delete {
		return s.words.by(w)
	}
	return s.h.ValueString(s.op(w).Value)
}

// doubtful returns why key k, of which nothing is invalid, may be so all the same.
func (s *sequence) doubtful(part []int32, k int) Judgement {
	for _, i := range part {
		if o := s.op(i); o.Kind == model.CAS && o.Outcome == history.OK && !o.Swapped && o.Seen == model.Unseen {
			return unknown(fmt.Sprintf("key %s: %s does not tell what it saw", s.h.Keys[k], s.words.full(i)))
		}
	}
	return Judgement{Verdict: Valid}
}
