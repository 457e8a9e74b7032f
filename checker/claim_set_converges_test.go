package checker

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/rashomon-go/rashomon/history"
	"github.com/rashomon-go/rashomon/model"
)

// randomSets returns a history of adds that ends with reads, some of them wrong.
func randomSets(r *rand.Rand) (*history.History, []int) {
	var rec history.Recorder
	rec.Nodes([]string{"n0", "n1"})
	n := 1 + r.IntN(5)
	var there []model.Value
	for i := range n {
		a := history.Asked{Process: int32(i), Kind: model.Add, Key: "k0", Value: model.Value(1 + r.IntN(5)), Node: int32(r.IntN(2))}
		op, _ := rec.Call(a, 0)
		switch r.IntN(6) {
		case 0:
			if r.IntN(2) == 0 {
				there = append(there, a.Value)
			}
			continue
		case 1:
			_ = rec.Return(op, history.Answered{Outcome: history.Fail, Node: history.NoNode}, 0)
		default:
			_ = rec.Return(op, history.Answered{Outcome: history.OK, Node: history.NoNode}, 0)
			there = append(there, a.Value)
		}
	}
	if r.IntN(4) == 0 {
		there = append(there, model.Value(1+r.IntN(6)))
	}
	var final []int
	for node := range 2 {
		op, _ := rec.Call(history.Asked{Process: 99, Kind: model.Read, Key: "k0", Node: int32(node)}, 0)
		seen := slices.Clone(there)
		if len(seen) > 0 && r.IntN(5) == 0 {
			seen = slices.Delete(seen, 0, 1+r.IntN(len(seen)))
		}
		_ = rec.Return(op, history.Answered{Outcome: history.OK, Seen: rec.Set(seen...), Node: history.NoNode}, 0)
		final = append(final, op)
	}
	return rec.Finish(0), final
}

func setsAgree(h *history.History, terms Terms) bool {
	for _, i := range terms.Final {
		set := h.Sets[h.Ops[i].Seen]
		if !slices.Equal(set, h.Sets[h.Ops[terms.Final[0]].Seen]) {
			return false
		}
		for _, v := range set {
			if !slices.ContainsFunc(h.Ops, func(o history.Op) bool {
				return o.Kind == model.Add && o.Value == v && o.Outcome != history.Fail
			}) {
				return false
			}
		}
		for _, o := range h.Ops {
			if o.Kind == model.Add && o.Outcome == history.OK && !slices.Contains(set, o.Value) {
				return false
			}
		}
	}
	return true
}

func TestSetConvergesAgreesWithOracle(t *testing.T) {
	r := rand.New(rand.NewPCG(13, 14))
	count, found := map[Verdict]int{}, map[Anomaly]int{}
	c := trial{claim: SetConverges, oracle: setsAgree}
	for n := range 20_000 {
		h, final := randomSets(r)
		terms := Terms{Final: final}
		got, err := SetConverges(h, terms)
		if err != nil {
			t.Fatal(err)
		}
		count[got.Verdict]++
		found[got.Anomaly]++
		if (got.Verdict == Invalid) == setsAgree(h, terms) {
			t.Fatalf("history %d: %+v\n%s", n, got, show(h))
		}
		c.confirm(t, n, h, terms, got)
	}
	t.Log(count, found)
	if count[Invalid] < 5000 || count[Valid] < 5000 || found[Divergence] < 200 || found[LostElement] < 500 || found[FailedRead] < 100 || found[PhantomRead] < 500 {
		t.Errorf("the sample says little: %v %v", count, found)
	}
}
