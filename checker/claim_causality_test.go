package checker

import (
	"slices"
	"testing"

	"github.com/rashomon-go/rashomon/history"
	"github.com/rashomon-go/rashomon/model"
)

// keepsCausality says what the definitions of Bouajjani et al. say, by trying every
// order of writes. The causal order is the smallest that there can be: sessions,
// and who wrote what was read.
func keepsCausality(level Causality) func(*history.History, Terms) bool {
	return func(h *history.History, terms Terms) bool {
		if illusion(h, every) {
			return false
		}
		happened, sane := swapsThatHappened(h)
		if !sane {
			return false
		}
		before, acyclic := causalOrder(h, terms, happened)
		if !acyclic {
			return false
		}
		var writes []int
		for i := range h.Ops {
			if changes(&h.Ops[i]) && (h.Ops[i].Kind != model.CAS || happened[i] || swapped(&h.Ops[i])) {
				writes = append(writes, i)
			}
		}
		if level == CausalConvergence {
			return someOrder(writes, 0, func(order []int) bool {
				return follows(order, before) && !slices.ContainsFunc(reads(h, happened), func(r int) bool { return !tells(h, r, order, before) })
			})
		}
		for _, r := range reads(h, happened) {
			if !someOrder(writes, 0, func(order []int) bool { return follows(order, before) && tells(h, r, order, before) }) {
				return false
			}
		}
		return true
	}
}

// swapsThatHappened returns the unknown compare-and-sets whose values were seen.
func swapsThatHappened(h *history.History) (happened map[int]bool, sane bool) {
	happened = map[int]bool{}
	for again := true; again; {
		again = false
		for i := range h.Ops {
			o := &h.Ops[i]
			if o.Kind != model.CAS || o.Outcome != history.Unknown || happened[i] {
				continue
			}
			for j := range h.Ops {
				p := &h.Ops[j]
				v, saw := observed(p)
				if happened[j] {
					v, saw = p.Expect, true
				}
				if j != i && saw && p.Key == o.Key && v == o.Value {
					happened[i], again = true, true
				}
			}
		}
	}
	for i := range happened {
		written := h.Ops[i].Expect == model.Absent
		for j := range h.Ops {
			v, stores := stored(&h.Ops[j])
			written = written || j != i && stores && h.Ops[j].Outcome != history.Fail && h.Ops[j].Key == h.Ops[i].Key && v == h.Ops[i].Expect
		}
		if !written {
			return nil, false
		}
	}
	return happened, true
}

func reads(h *history.History, happened map[int]bool) (list []int) {
	for i := range h.Ops {
		if _, saw := observed(&h.Ops[i]); saw || happened[i] {
			list = append(list, i)
		}
	}
	return list
}

func causalOrder(h *history.History, terms Terms, happened map[int]bool) (before [][]bool, acyclic bool) {
	n := len(h.Ops)
	before = make([][]bool, n)
	for i := range before {
		before[i] = make([]bool, n)
		for j := range i {
			a, b := &h.Ops[j], &h.Ops[i]
			before[i][j] = a.Outcome == history.OK && terms.Sessions(a) == terms.Sessions(b)
		}
		v, saw := observed(&h.Ops[i])
		if happened[i] {
			v, saw = h.Ops[i].Expect, true
		}
		for j := range h.Ops {
			w, stores := stored(&h.Ops[j])
			if saw && stores && v != model.Absent && h.Ops[j].Outcome != history.Fail && j != i && h.Ops[j].Key == h.Ops[i].Key && w == v {
				before[i][j] = true
			}
		}
	}
	for k := range n {
		for i := range n {
			for j := range n {
				before[i][j] = before[i][j] || before[i][k] && before[k][j]
			}
		}
	}
	for i := range n {
		if before[i][i] {
			return nil, false
		}
	}
	return before, true
}

func follows(order []int, before [][]bool) bool {
	for n, a := range order {
		for _, b := range order[n+1:] {
			if before[a][b] {
				return false
			}
		}
	}
	return true
}

// tells reports whether the latest write in the causal past of r is what it saw.
// What Absent is of a delete, of which there must be none, nobody knows.
func tells(h *history.History, r int, order []int, before [][]bool) bool {
	held := model.Absent
	for _, w := range order {
		if before[r][w] && h.Ops[w].Key == h.Ops[r].Key {
			held, _ = stored(&h.Ops[w])
		}
	}
	v, saw := observed(&h.Ops[r])
	if !saw {
		v = h.Ops[r].Expect
	}
	return held == v
}

func TestCausalAgreesWithOracle(t *testing.T) {
	for _, level := range []Causality{CausalConsistency, CausalConvergence} {
		claim := func(h *history.History, terms Terms) (Judgement, error) { return Causal(h, level, terms) }
		for name, c := range map[string]trial{
			"":          {story: story{ops: 12, clients: 2, keys: 2, lag: 70, reads: 55}, exact: true},
			"/one key":  {story: story{ops: 11, clients: 3, keys: 1, lag: 60, reads: 55}, exact: true},
			"/cas":      {story: story{ops: 12, clients: 3, keys: 2, lag: 60, reads: 55, cas: true}, exact: true},
			"/sessions": {story: story{ops: 14, clients: 2, keys: 2, lag: 50, reads: 65, cas: true}, exact: true},
			"/delete":   {story: story{ops: 12, clients: 2, keys: 2, lag: 70, reads: 60, cas: true, deletes: true}, exact: true},
		} {
			t.Run(level.String()+name, func(t *testing.T) {
				t.Parallel()
				c.nodes, c.least = 2, 7
				c.claim, c.oracle, c.terms = claim, keepsCausality(level), Terms{Sessions: PerClient(c.clients + 1)}
				if c.deletes {
					c.oracle = withDeletes(keepsCausality(level))
				}
				c.run(t, *histories/10)
			})
		}
	}
}

// withDeletes makes an oracle one for histories with deletes: every read of Absent
// may be of the beginning or of one of the deletes called by then.
func withDeletes(plain func(*history.History, Terms) bool) func(*history.History, Terms) bool {
	const gone = 1000
	return func(h *history.History, terms Terms) bool {
		copied := *h
		copied.Ops = slices.Clone(h.Ops)
		var absent []int
		for i := range copied.Ops {
			o := &copied.Ops[i]
			if v, saw := observed(o); saw && v == model.Absent || openSwap(o) && o.Expect == model.Absent {
				absent = append(absent, i)
			}
			if o.Kind == model.Delete { // a write of a value of its own
				o.Kind, o.Value = model.Write, model.Value(gone+i)
			}
		}
		var choose func([]int) bool
		choose = func(left []int) bool {
			if len(left) == 0 {
				return plain(&copied, terms)
			}
			o := &copied.Ops[left[0]]
			was := *o
			defer func() { *o = was }()
			for i := range h.Ops {
				if d := &h.Ops[i]; d.Kind == model.Delete && d.Outcome != history.Fail && d.Key == o.Key && d.Call < o.Return {
					if o.Kind == model.Read || !o.Swapped && o.Outcome == history.OK {
						o.Seen = model.Value(gone + i)
					} else {
						o.Expect = model.Value(gone + i)
					}
					if choose(left[1:]) {
						return true
					}
					*o = was
				}
			}
			return choose(left[1:])
		}
		return choose(absent)
	}
}
