package checker

import (
	"fmt"
	"slices"

	"github.com/rashomon-go/rashomon/history"
	"github.com/rashomon-go/rashomon/model"
)

// SetConverges decides about a history of sets that only grow whether, on each
// key, the reads in terms.Final all return the same set, with every element
// whose add was acknowledged, and no element but those that somebody added by an
// operation that did not fail and that was called before the read returned.
//
// An element may be added more than once on a key; it was added if one of the
// adds was. The verdict is unknown if a key was not read at the end at two nodes
// or more and at every node where another one was, if adds were still under way,
// if no add was acknowledged, or if the history is valid and terms.Idle says why
// that means nothing. It takes time proportional to the operations and to the
// elements that the reads at the end returned.
func SetConverges(h *history.History, terms Terms) (Judgement, error) {
	if err := h.Validate(); err != nil {
		return Judgement{}, fmt.Errorf("checker: %w", err)
	}
	if h.Sets == nil && len(h.Ops) > 0 {
		return Judgement{}, fmt.Errorf("checker: %w", notOfSets(h))
	}
	end, err := newFinals(h, terms.Final)
	if err != nil {
		return Judgement{}, err
	}
	s := newGrowth(h, end)
	all := Judgement{Verdict: Valid}
	for k := range h.Keys {
		all.add(s.judge(k))
	}
	return exercised(all, s.acknowledged > 0, terms), nil
}

// growth is what was added to sets.
type growth struct {
	finals
	words        explanation
	keys         [][]int32 // by key, its adds
	acknowledged int
}

func newGrowth(h *history.History, end finals) *growth {
	s := &growth{finals: end, words: explanation{h: h}, keys: make([][]int32, len(h.Keys))}
	for i := range h.Ops {
		o := &h.Ops[i]
		if o.Kind != model.Add {
			continue
		}
		s.keys[o.Key] = append(s.keys[o.Key], int32(i))
		if o.Outcome == history.OK {
			s.acknowledged++
		}
	}
	return s
}

func (s *growth) judge(k int) Judgement {
	switch {
	case len(s.keys[k]) == 0 && len(s.reads[k]) == 0:
		return Judgement{Verdict: Valid}
	case s.late[k] != "":
		return unknown(s.late[k])
	}
	adds := map[model.Value]int32{} // an add of each element, one that did not fail if there is one
	for _, i := range s.keys[k] {
		v := s.h.Ops[i].Value
		if j, again := adds[v]; !again || s.h.Ops[j].Outcome == history.Fail {
			adds[v] = i
		}
	}
	for _, r := range s.reads[k] {
		if j := s.foreign(r, adds); j.Verdict == Invalid {
			return j
		}
		if j := s.missing(r, k); j.Verdict == Invalid {
			return j
		}
	}
	if a, b, v, differ := s.differ(k); differ {
		j := s.words.divergence(a, b, adds[v])
		j.Sentence += fmt.Sprintf(": only one of them has %v", v)
		return j
	}
	if s.lost[k] != "" {
		return unknown(s.lost[k])
	}
	return Judgement{Verdict: Valid}
}

// foreign looks for an element in the answer of read r that nobody added.
func (s *growth) foreign(r int32, adds map[model.Value]int32) Judgement {
	for _, v := range s.h.Set(s.h.Ops[r].Seen) {
		i, asked := adds[v]
		switch {
		case !asked:
			return invalid(PhantomRead, s.words.tell(func() string {
				return fmt.Sprintf("%s%s has %v, which nobody added", s.words.full(r), s.words.where(r), v)
			}), r)
		case s.h.Ops[i].Outcome == history.Fail:
			return invalid(FailedRead, s.words.tell(func() string {
				return fmt.Sprintf("%s%s has %v, which was not added: %s by %s had failed (%s)",
					s.words.full(r), s.words.where(r), v, s.words.bare(i), s.words.client(i), s.words.span(i))
			}), r, i)
		}
	}
	return Judgement{Verdict: Valid}
}

// missing looks for an acknowledged element that is not in the answer of read r.
func (s *growth) missing(r int32, k int) Judgement {
	set := s.h.Set(s.h.Ops[r].Seen)
	for _, i := range s.keys[k] {
		o := &s.h.Ops[i]
		if o.Outcome != history.OK {
			continue
		}
		if _, there := slices.BinarySearch(set, o.Value); !there {
			return invalid(LostElement, s.words.tell(func() string {
				return fmt.Sprintf("%s was acknowledged, but %s%s has no %v at the end",
					s.words.full(i), s.words.full(r), s.words.where(r), o.Value)
			}), r, i)
		}
	}
	return Judgement{Verdict: Valid}
}

// differ returns two final reads of key k with different answers, and an element
// that only one of them has.
func (s *growth) differ(k int) (a, b int32, v model.Value, differ bool) {
	for _, b := range s.reads[k] {
		a := s.reads[k][0]
		one, other := s.h.Set(s.h.Ops[a].Seen), s.h.Set(s.h.Ops[b].Seen)
		if v, ok := firstDifference(one, other); ok {
			return a, b, v, true
		}
	}
	return none, none, 0, false
}

func firstDifference(a, b []model.Value) (model.Value, bool) {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return min(a[i], b[i]), true
		}
	}
	if n := min(len(a), len(b)); len(a) > n {
		return a[n], true
	} else if len(b) > n {
		return b[n], true
	}
	return 0, false
}
