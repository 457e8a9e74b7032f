package checker

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/rashomon-go/rashomon/history"
	"github.com/rashomon-go/rashomon/model"
)

// origins is the search for who left nothing where somebody saw nothing: the
// beginning, or one of the deletes of the key. Values are unique, so that everything
// else is known; deletes are not. With all that chosen, a claim is judged as if each
// delete had written a value of its own.
//
// What a choice makes invalid is so because of the few of its reads that are in the
// witness (a nogood). The next choice is one that repeats no nogood; if there is
// none, the history is invalid. So the answer is exact, and needs few judgements
// where few reads are doubtful together. (The idea is that of solvers of
// satisfiability modulo theories: Nieuwenhuis, Oliveras and Tinelli, J. ACM 53(6),
// 2006.)
type origins struct {
	f     *facts
	judge func() Judgement
	left  int64 // steps: each judgement takes one for each operation, and choices take some

	reads   []int32           // that saw nothing, of unknown origin
	number  map[int32]int     // by operation, its place in reads
	deletes map[int32][]int32 // by key, in the order of their calls
	choice  []int             // by read, its candidate: 0 is the beginning, i the i-th delete of the key
	nogoods []nogood
}

// nogood is a choice for some reads that is invalid, whatever the others saw.
type nogood struct {
	picks []pick // in the order of reads
	why   Judgement
}

type pick struct{ read, candidate int }

// decide judges a history that may have reads of nothing of unknown origin, once it
// is known that nobody saw what cannot be. judge must take their origin from
// f.assumed; if a read is not in it, it must judge as if nobody had read there.
func (f *facts) decide(steps int64, judge func() Judgement) Judgement {
	for i := range f.h.Ops {
		if j, found := f.impossible(int32(i)); found {
			return j
		}
	}
	j := judge()
	if j.Verdict == Invalid {
		return j
	}
	s := origins{f: f, judge: judge, left: cmp.Or(steps, DefaultSteps), number: map[int32]int{}, deletes: map[int32][]int32{}}
	if s.list(); len(s.reads) == 0 {
		return j
	}
	return s.search()
}

// list finds the reads, and the deletes that may be their origins.
func (s *origins) list() {
	for i := range s.f.h.Ops {
		if o := &s.f.h.Ops[i]; o.Kind == model.Delete && o.Outcome != history.Fail {
			s.deletes[o.Key] = append(s.deletes[o.Key], int32(i))
		}
	}
	for i := range s.f.h.Ops {
		o := &s.f.h.Ops[i]
		v, saw := observed(o)
		if openSwap(o) {
			v, saw = o.Expect, true
		}
		if saw && v == model.Absent && s.f.deleted[o.Key] < o.Return {
			s.number[int32(i)] = len(s.reads)
			s.reads = append(s.reads, int32(i))
		}
	}
	s.choice = make([]int, len(s.reads))
	if len(s.reads) > 0 {
		s.chooseFirst()
	}
}

// candidates returns how many there are for a read.
func (s *origins) candidates(r int32) int {
	o := s.f.op(r)
	at, _ := slices.BinarySearchFunc(s.deletes[o.Key], o.Return, func(d int32, at int64) int { return cmp.Compare(s.f.op(d).Call, at) })
	return at + 1
}

// candidate returns who it is.
func (s *origins) candidate(p pick) int32 {
	if p.candidate == 0 {
		return initial
	}
	return s.deletes[s.f.op(s.reads[p.read]).Key][p.candidate-1]
}

// search chooses until a choice is valid or none is left.
func (s *origins) search() Judgement {
	for {
		s.assume(s.picks())
		j, ok := s.try()
		switch {
		case !ok:
			return s.doubt()
		case j.Verdict != Invalid:
			return j
		}
		next, ok := s.blame(j)
		if !ok {
			return s.doubt()
		}
		if s.nogoods = append(s.nogoods, next); len(next.picks) == 0 {
			return next.why
		}
		switch s.avoid(s.nogoods) {
		case Invalid:
			return s.proof()
		case Unknown:
			return s.doubt()
		}
	}
}

// try judges the present choice, unless the budget is spent.
func (s *origins) try() (Judgement, bool) {
	if s.left -= int64(len(s.f.h.Ops)); s.left < 0 {
		return Judgement{}, false
	}
	return s.judge(), true
}

func (s *origins) picks() []pick {
	list := make([]pick, len(s.reads))
	for r, c := range s.choice {
		list[r] = pick{r, c}
	}
	return list
}

// assume tells the judge some picks.
func (s *origins) assume(picks []pick) {
	s.f.assumed = make(map[*history.Op]int32, len(picks))
	for _, p := range picks {
		s.f.assumed[s.f.op(s.reads[p.read])] = s.candidate(p)
	}
}

// blame returns the picks that make the present choice invalid: those of the reads in
// the witness, if the judge agrees that they do.
func (s *origins) blame(j Judgement) (nogood, bool) {
	var few []pick
	for _, i := range j.Witness {
		if r, doubtful := s.number[int32(i)]; doubtful {
			few = append(few, pick{r, s.choice[r]})
		}
	}
	slices.SortFunc(few, func(a, b pick) int { return a.read - b.read })
	s.assume(few)
	again, ok := s.try()
	if !ok {
		return nogood{}, false
	}
	if again.Verdict != Invalid {
		return nogood{s.picks(), j}, true
	}
	return nogood{few, again}, true
}

// avoidSteps bounds the search for a choice that repeats no nogood.
const avoidSteps = 100_000

// nogoodsInStep is how many nogoods are looked at in one step: there may be thousands
// of them, and then to choose takes longer than to judge.
const nogoodsInStep = 16

// avoid changes the choice so that it repeats none of the nogoods. The answer is
// Valid if it did, and Invalid if there is no such choice.
func (s *origins) avoid(nogoods []nogood) Verdict {
	var reads []int
	for _, g := range nogoods {
		for _, p := range g.picks {
			reads = append(reads, p.read)
		}
	}
	slices.Sort(reads)
	reads = slices.Compact(reads)
	ending := map[int][]nogood{} // by their last read
	for _, g := range nogoods {
		last := g.picks[len(g.picks)-1].read
		ending[last] = append(ending[last], g)
	}
	first := slices.Clone(s.choice) // what was chosen is tried first
	steps, looked := 0, int64(len(nogoods))
	defer func() { s.left -= looked / nogoodsInStep }()
	var from func(at int) Verdict
	from = func(at int) Verdict {
		if at == len(reads) {
			return Valid
		}
		r := reads[at]
		all := s.candidates(s.reads[r])
		for c := range all {
			s.choice[r] = (first[r] + c) % all
			looked += int64(len(ending[r]))
			if steps++; steps > avoidSteps || looked/nogoodsInStep > s.left {
				return Unknown
			}
			if slices.ContainsFunc(ending[r], s.repeats) {
				continue
			}
			if v := from(at + 1); v != Invalid {
				return v
			}
		}
		return Invalid
	}
	return from(0)
}

func (s *origins) repeats(g nogood) bool {
	return !slices.ContainsFunc(g.picks, func(p pick) bool { return s.choice[p.read] != p.candidate })
}

// mostNogoods is how many a proof may have that is made small.
const mostNogoods = 64

// proof returns the judgement that no choice is valid, for all that the nogoods say.
func (s *origins) proof() Judgement {
	needed := s.nogoods
	for at := 0; at < len(needed) && len(needed) <= mostNogoods; {
		fewer := slices.Delete(slices.Clone(needed), at, at+1)
		if len(fewer) > 0 && s.avoid(fewer) == Invalid {
			needed = fewer
		} else {
			at++
		}
	}
	var witness []int32
	for _, g := range needed {
		for _, i := range g.why.Witness {
			witness = append(witness, int32(i))
		}
	}
	return invalid(needed[0].why.Anomaly, "whoever left nil, clients saw what cannot be: "+s.tell(needed), witness...)
}

func (s *origins) tell(list []nogood) string {
	const most = 4
	var told []string
	for _, g := range list[:min(most, len(list))] {
		var picks []string
		for _, p := range g.picks {
			who := "the beginning"
			if d := s.candidate(p); d != initial {
				who = s.f.words.full(d)
			}
			picks = append(picks, fmt.Sprintf("nil in %s is of %s", s.f.words.full(s.reads[p.read]), who))
		}
		told = append(told, "if "+strings.Join(picks, " and ")+", then "+g.why.Sentence)
	}
	text := strings.Join(told, "; ")
	if more := len(list) - most; more > 0 {
		text += fmt.Sprintf("; and so on, in %d more cases", more)
	}
	return text
}

func (s *origins) doubt() Judgement {
	r := s.reads[0]
	if len(s.nogoods) > 0 {
		r = s.reads[s.nogoods[len(s.nogoods)-1].picks[0].read]
	}
	return unknown(fmt.Sprintf("%d reads of nil may be of the beginning or of a delete, such as %s, and the search for who left it spent its budget", len(s.reads), s.f.words.full(r)))
}
