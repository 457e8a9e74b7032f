package checker

import (
	"testing"

	"github.com/rashomon-go/rashomon/history"
	"github.com/rashomon-go/rashomon/model"
)

// relation is a relation between operations.
type relation [][]bool

func newRelation(h *history.History, related func(a, b *history.Op) bool) relation {
	r := make(relation, len(h.Ops))
	for i := range r {
		r[i] = make([]bool, len(h.Ops))
		for j := range r[i] {
			r[i][j] = i != j && related(&h.Ops[i], &h.Ops[j])
		}
	}
	for k := range r { // Warshall
		for i := range r {
			for j := range r {
				r[i][j] = r[i][j] || r[i][k] && r[k][j]
			}
		}
	}
	return r
}

// readsFrom reports whether b saw what a stored, or would have.
func readsFrom(a, b *history.Op) bool {
	x, stores := stored(a)
	if !stores || a.Outcome == history.Fail || x == model.Absent || a.Key != b.Key || b.Return < a.Call {
		return false
	}
	if b.Kind == model.CAS && (b.Outcome == history.Unknown || b.Swapped) {
		return b.Expect == x
	}
	return b.Outcome == history.OK && (b.Kind == model.Read || b.Kind == model.CAS) && b.Seen == x
}

// converges says what Convergent says, by quantifiers.
func converges(h *history.History, terms Terms) bool {
	causally := newRelation(h, func(a, b *history.Op) bool {
		session := terms.Sessions(a) == terms.Sessions(b) && a.Outcome == history.OK && a.Return < b.Call
		return session || readsFrom(a, b)
	})
	final := map[int]bool{}
	for _, i := range terms.Final {
		final[i] = true
	}
	if illusion(h, func(i int) bool { return final[i] }) {
		return false
	}
	for i := range final {
		for j := range final {
			if a, b := &h.Ops[i], &h.Ops[j]; a.Key == b.Key && a.Seen != b.Seen {
				return false
			}
		}
		if terms.Rule != AnyWriteWins && !explained(h, causally, &h.Ops[i], terms.Rule) {
			return false
		}
	}
	return true
}

// explained reports whether some write, or none, can be the last.
func explained(h *history.History, causally relation, r *history.Op, rule ConflictRule) bool {
	var ends, acknowledged, open []int
	for i := range h.Ops {
		o := &h.Ops[i]
		x, stores := stored(o)
		if !stores || o.Outcome == history.Fail || o.Key != r.Key {
			continue
		}
		if x == r.Seen {
			ends = append(ends, i)
		}
		if o.Outcome == history.OK {
			acknowledged = append(acknowledged, i)
		} else {
			open = append(open, i)
		}
	}
	same := func(i int) bool { return r.Seen == model.Absent && h.Ops[i].Kind == model.Delete }
	found := false
	for _, w := range ends {
		beaten := false
		for _, x := range acknowledged {
			beaten = beaten || causally[w][x] && x != w && !same(x)
		}
		found = found || !beaten
	}
	if r.Seen == model.Absent {
		others := 0
		for _, x := range acknowledged {
			if !same(x) {
				others++
			}
		}
		if others == 0 {
			return true
		}
	}
	if !found || rule == LastWriterWins {
		return found
	}
	for _, x := range acknowledged {
		kept := false
		for _, w := range append(append([]int{}, ends...), open...) {
			kept = kept || w == x || causally[x][w]
		}
		if !kept {
			return false
		}
	}
	return true
}

func TestConvergentAgreesWithOracle(t *testing.T) {
	for name, c := range map[string]trial{
		"last writer wins": {story: story{ops: 10, keys: 1, lag: 20, wrong: 35}, terms: Terms{Rule: LastWriterWins}},
		"with deletes":     {story: story{ops: 10, keys: 1, lag: 20, wrong: 40, deletes: true}, terms: Terms{Rule: LastWriterWins}},
		"two keys":         {story: story{ops: 12, keys: 2, lag: 20, wrong: 30, deletes: true, cas: true}, terms: Terms{Rule: LastWriterWins}},
		"any write wins":   {story: story{ops: 10, keys: 1, lag: 20, wrong: 60}, terms: Terms{Rule: AnyWriteWins}},
		"no rule":          {story: story{ops: 9, keys: 1, lag: 10, wrong: 20, cas: true}},
		"no rule, deletes": {story: story{ops: 6, keys: 1, lag: 10, wrong: 10, deletes: true}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.clients, c.nodes, c.reads, c.final, c.exact = 3, 2, 50, true, true
			c.claim, c.oracle = Convergent, converges
			c.terms.Sessions = PerClient(4)
			c.run(t, 20_000)
		})
	}
}
