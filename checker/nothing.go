package checker

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/rashomon-go/rashomon/history"
	"github.com/rashomon-go/rashomon/model"
)

// nothing is the search for who left nothing where somebody saw nothing: the
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
type nothing struct {
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

// whoever judges a history that may have reads of nothing of unknown origin. judge
// must take their origin from f.nils; if a read is not in it, it must judge as if
// nobody had read there.
func (f *facts) whoever(steps int64, judge func() Judgement) Judgement {
	j := judge()
	if j.Verdict == Invalid {
		return j
	}
	n := nothing{f: f, judge: judge, left: cmp.Or(steps, DefaultSteps), number: map[int32]int{}, deletes: map[int32][]int32{}}
	if n.find(); len(n.reads) == 0 {
		return j
	}
	return n.search()
}

// find lists the reads and chooses for each what its session makes likely; but on
// keys that are linearizable what was there in such an order, which is right then.
func (n *nothing) find() {
	for i := range n.f.h.Ops {
		if o := &n.f.h.Ops[i]; o.Kind == model.Delete && o.Outcome != history.Fail {
			n.deletes[o.Key] = append(n.deletes[o.Key], int32(i))
		}
	}
	for i := range n.f.h.Ops {
		o := &n.f.h.Ops[i]
		v, saw := observed(o)
		if openSwap(o) {
			v, saw = o.Expect, true
		}
		if saw && v == model.Absent && n.f.deleted[o.Key] < o.Return {
			n.number[int32(i)] = len(n.reads)
			n.reads = append(n.reads, int32(i))
		}
	}
	n.choice = make([]int, len(n.reads))
	if len(n.reads) > 0 {
		n.guessBySessions()
		for k := range n.deletes {
			n.linearize(int(k))
		}
	}
}

// guessBySessions chooses for each read the last delete that had returned when it was
// called, among those between what its session saw or wrote before and after it: so
// it follows a client that sees what was there a while ago.
func (n *nothing) guessBySessions() {
	type client struct {
		session int64
		key     int32
	}
	near := func(latest map[client]int64, i int32, otherwise int64) (at int64) {
		o := n.f.op(i)
		c := client{int64(n.f.sessions[i]), o.Key}
		if c.session == int64(none) {
			return otherwise
		}
		at, known := latest[c]
		if !known {
			at = otherwise
		}
		if _, stores := stored(o); stores {
			latest[c] = o.Call
		} else if w := n.f.from(o); w >= 0 {
			latest[c] = n.f.op(w).Call
		}
		return at
	}
	from := make([]int64, len(n.f.h.Ops))
	latest := map[client]int64{}
	for i := range n.f.h.Ops {
		from[i] = near(latest, int32(i), 0)
	}
	clear(latest)
	for i := int32(len(from)) - 1; i >= 0; i-- {
		until := near(latest, i, history.Never)
		if r, doubtful := n.number[i]; doubtful {
			n.choice[r] = n.likely(i, from[i], until)
		}
	}
}

// likely returns the last delete that was called in a span of time and had returned
// when r was called, or else the last in that span, or else the beginning.
func (n *nothing) likely(r int32, from, until int64) (likely int) {
	deletes := n.deletes[n.f.op(r).Key]
	for d := n.candidates(r) - 1; d > 0; d-- {
		switch o := n.f.op(deletes[d-1]); {
		case o.Call <= from:
			return likely
		case o.Call > until:
		case o.Return < n.f.op(r).Call:
			return d
		default:
			likely = max(likely, d)
		}
	}
	return likely
}

// linearizeSteps is what a search for a linearization may take on a key.
const linearizeSteps = 100_000

// linearize chooses for the reads of key k as a linearization does, if there is one.
func (n *nothing) linearize(k int) {
	c := &n.f.parts
	c.h, c.m, c.opts = n.f.h, model.CASRegister(), Options{Steps: linearizeSteps}.withDefaults()
	d, err := c.decide(c.part(k), "")
	if err != nil || d.verdict != Valid {
		return
	}
	order, _ := c.linearization(c.part(k), d)
	last := 0
	for _, i := range order {
		if at, deletes := slices.BinarySearch(n.deletes[int32(k)], i); deletes {
			last = at + 1
		}
		if r, doubtful := n.number[i]; doubtful {
			n.choice[r] = last
		}
	}
}

// candidates returns how many there are for a read.
func (n *nothing) candidates(r int32) int {
	o := n.f.op(r)
	at, _ := slices.BinarySearchFunc(n.deletes[o.Key], o.Return, func(d int32, at int64) int { return cmp.Compare(n.f.op(d).Call, at) })
	return at + 1
}

// candidate returns who it is.
func (n *nothing) candidate(p pick) int32 {
	if p.candidate == 0 {
		return initial
	}
	return n.deletes[n.f.op(n.reads[p.read]).Key][p.candidate-1]
}

// search chooses until a choice is valid or none is left.
func (n *nothing) search() Judgement {
	for {
		n.guess(n.all())
		j, ok := n.take()
		switch {
		case !ok:
			return n.doubt()
		case j.Verdict != Invalid:
			return j
		}
		next, ok := n.blame(j)
		if !ok {
			return n.doubt()
		}
		if n.nogoods = append(n.nogoods, next); len(next.picks) == 0 {
			return next.why
		}
		switch n.choose(n.nogoods) {
		case Invalid:
			return n.proof()
		case Unknown:
			return n.doubt()
		}
	}
}

// take judges the present choice.
func (n *nothing) take() (Judgement, bool) {
	if n.left -= int64(len(n.f.h.Ops)); n.left < 0 {
		return Judgement{}, false
	}
	return n.judge(), true
}

func (n *nothing) all() []pick {
	list := make([]pick, len(n.reads))
	for r, c := range n.choice {
		list[r] = pick{r, c}
	}
	return list
}

// guess tells the judge some picks.
func (n *nothing) guess(picks []pick) {
	n.f.nils = make(map[*history.Op]int32, len(picks))
	for _, p := range picks {
		n.f.nils[n.f.op(n.reads[p.read])] = n.candidate(p)
	}
}

// blame returns the picks that make the present choice invalid: those of the reads in
// the witness, if the judge agrees that they do.
func (n *nothing) blame(j Judgement) (nogood, bool) {
	var few []pick
	for _, i := range j.Witness {
		if r, doubtful := n.number[int32(i)]; doubtful {
			few = append(few, pick{r, n.choice[r]})
		}
	}
	slices.SortFunc(few, func(a, b pick) int { return a.read - b.read })
	n.guess(few)
	again, ok := n.take()
	if !ok {
		return nogood{}, false
	}
	if again.Verdict != Invalid {
		return nogood{n.all(), j}, true
	}
	return nogood{few, again}, true
}

// chosenSteps bounds the search for a choice.
const chosenSteps = 100_000

// nogoodsInStep is how many nogoods are looked at in one step: there may be thousands
// of them, and then to choose takes longer than to judge.
const nogoodsInStep = 16

// choose changes the choice so that it repeats none of the nogoods. The answer is
// Valid if it did, and Invalid if there is no such choice.
func (n *nothing) choose(nogoods []nogood) Verdict {
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
	first := slices.Clone(n.choice) // what was chosen is tried first
	steps, looked := 0, int64(len(nogoods))
	defer func() { n.left -= looked / nogoodsInStep }()
	var from func(at int) Verdict
	from = func(at int) Verdict {
		if at == len(reads) {
			return Valid
		}
		r := reads[at]
		all := n.candidates(n.reads[r])
		for c := range all {
			n.choice[r] = (first[r] + c) % all
			looked += int64(len(ending[r]))
			if steps++; steps > chosenSteps || looked/nogoodsInStep > n.left {
				return Unknown
			}
			if slices.ContainsFunc(ending[r], n.repeats) {
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

func (n *nothing) repeats(g nogood) bool {
	return !slices.ContainsFunc(g.picks, func(p pick) bool { return n.choice[p.read] != p.candidate })
}

// mostNogoods is how many a proof may have that is made small.
const mostNogoods = 64

// proof returns the judgement that no choice is valid, for all that the nogoods say.
func (n *nothing) proof() Judgement {
	needed := n.nogoods
	for at := 0; at < len(needed) && len(needed) <= mostNogoods; {
		fewer := slices.Delete(slices.Clone(needed), at, at+1)
		if len(fewer) > 0 && n.choose(fewer) == Invalid {
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
	return invalid(needed[0].why.Anomaly, "whoever left nil, clients saw what cannot be: "+n.tell(needed), witness...)
}

func (n *nothing) tell(list []nogood) string {
	const most = 4
	var told []string
	for _, g := range list[:min(most, len(list))] {
		var picks []string
		for _, p := range g.picks {
			who := "the beginning"
			if d := n.candidate(p); d != initial {
				who = n.f.words.full(d)
			}
			picks = append(picks, fmt.Sprintf("nil in %s is of %s", n.f.words.full(n.reads[p.read]), who))
		}
		told = append(told, "if "+strings.Join(picks, " and ")+", then "+g.why.Sentence)
	}
	s := strings.Join(told, "; ")
	if more := len(list) - most; more > 0 {
		s += fmt.Sprintf("; and so on, in %d more cases", more)
	}
	return s
}

func (n *nothing) doubt() Judgement {
	r := n.reads[0]
	if len(n.nogoods) > 0 {
		r = n.reads[n.nogoods[len(n.nogoods)-1].picks[0].read]
	}
	return unknown(fmt.Sprintf("%d reads of nil may be of the beginning or of a delete, such as %s, and the search for who left it spent its budget", len(n.reads), n.f.words.full(r)))
}
