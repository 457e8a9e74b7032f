package checker

import (
	"testing"

	"github.com/rashomon-go/rashomon/history"
	"github.com/rashomon-go/rashomon/model"
)

// keepsSession tries every order of the writes of each key, and every origin of
// reads of Absent.
func keepsSession(g Guarantee) func(*history.History, Terms) bool {
	g |= guaranteeWords[g].with
	return func(h *history.History, terms Terms) bool {
		if illusion(h, every) {
			return false
		}
		for k := range h.Keys {
			var writes []int
			for i := range h.Ops {
				if o := &h.Ops[i]; o.Key == int32(k) && changes(o) {
					writes = append(writes, i)
				}
			}
			if !someOrder(writes, 0, func(order []int) bool { return keepsInOrder(h, k, g, terms, order) }) {
				return false
			}
		}
		return true
	}
}

func someOrder(list []int, from int, keeps func([]int) bool) bool {
	if from == len(list) {
		return keeps(list)
	}
	for i := from; i < len(list); i++ {
		list[from], list[i] = list[i], list[from]
		ok := someOrder(list, from+1, keeps)
		list[from], list[i] = list[i], list[from]
		if ok {
			return true
		}
	}
	return false
}

func keepsInOrder(h *history.History, k int, g Guarantee, terms Terms, order []int) bool {
	var absent []int // reads of Absent: rank[i] may be 0 or that of a delete
	rank := map[int]int{}
	for n, w := range order {
		rank[w] = n + 1
	}
	read := map[int]int{} // by operation, the rank of what it saw
	for i := range h.Ops {
		o := &h.Ops[i]
		v, saw := observed(o)
		if o.Key != int32(k) || !saw {
			continue
		}
		if v == model.Absent {
			absent = append(absent, i)
			continue
		}
		for _, w := range order {
			if x, _ := stored(&h.Ops[w]); x == v {
				read[i] = rank[w]
			}
		}
	}
	var choose func([]int) bool
	choose = func(left []int) bool {
		if len(left) == 0 {
			return keepsPairs(h, k, g, terms, rank, read)
		}
		read[left[0]] = 0
		if choose(left[1:]) {
			return true
		}
		for _, w := range order {
			if h.Ops[w].Kind == model.Delete && h.Ops[w].Call < h.Ops[left[0]].Return {
				read[left[0]] = rank[w]
				if choose(left[1:]) {
					return true
				}
			}
		}
		return false
	}
	return choose(absent)
}

func keepsPairs(h *history.History, k int, g Guarantee, terms Terms, rank, read map[int]int) bool {
	for i := range h.Ops {
		for j := range h.Ops {
			a, b := &h.Ops[i], &h.Ops[j]
			if a.Key != int32(k) || b.Key != int32(k) || i > j || a.Outcome != history.OK ||
				terms.Sessions(a) != terms.Sessions(b) || terms.Sessions(a) == NoSession {
				continue
			}
			wa, writesA := rank[i]
			wb, writesB := rank[j]
			ra, readsA := read[i]
			rb, readsB := read[j]
			if i == j { // a compare-and-set reads first
				if g&WritesFollowReads != 0 && readsA && writesA && ra > wa {
					return false
				}
				continue
			}
			if g&ReadYourWrites != 0 && writesA && readsB && wa > rb ||
				g&MonotonicReads != 0 && readsA && readsB && ra > rb ||
				g&MonotonicWrites != 0 && writesA && writesB && wa > wb ||
				g&WritesFollowReads != 0 && readsA && writesB && ra > wb {
				return false
			}
		}
	}
	return true
}

func TestSessionAgreesWithOracle(t *testing.T) {
	for g, reads := range map[Guarantee]int{ReadYourWrites: 45, MonotonicReads: 70, MonotonicWrites: 60, WritesFollowReads: 60, AllGuarantees: 55} {
		claim := func(h *history.History, terms Terms) (Judgement, error) { return Session(h, g, terms) }
		for name, c := range map[string]trial{
			"":        {story: story{ops: 12, clients: 2, lag: 100}, exact: true},
			"/cas":    {story: story{ops: 12, clients: 2, lag: 100, cas: true}, exact: true},
			"/delete": {story: story{ops: 13, clients: 2, lag: 100, cas: true, deletes: true}, exact: true},
		} {
			t.Run(g.String()+name, func(t *testing.T) {
				t.Parallel()
				c.keys, c.nodes, c.least, c.reads = 1, 2, 6, reads
				c.claim, c.oracle, c.terms = claim, keepsSession(g), Terms{Sessions: PerClient(3)}
				histories := 2000
				if c.deletes {
					histories = 500 // the oracle takes long
				}
				c.run(t, histories)
			})
		}
	}
}
