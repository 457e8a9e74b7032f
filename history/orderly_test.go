package history

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/rashomon-go/rashomon/model"
)

// The short cut of Validate must never find a broken history orderly, and must
// find what a Recorder made orderly, or it would be none.
func TestOrderlyMeansWithoutFault(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	orderly, faulty := 0, 0
	for range 20_000 {
		h := recorded(r)
		if !h.orderly(func(int, int) {}) {
			t.Fatalf("a recorded history is not orderly: %+v", h)
		}
		o := &h.Ops[r.IntN(len(h.Ops))]
		breakings := []func(){
			func() { o.Call += int64(r.IntN(7) - 3) },
			func() { o.Return += int64(r.IntN(7) - 3) },
			func() { o.Return = Never },
			func() { o.Process = int32(r.IntN(6) - 1) },
			func() { o.Key = int32(r.IntN(4) - 1) },
			func() { o.Node = int32(r.IntN(4) - 2) },
			func() { o.Kind = model.Kind(r.IntN(8)) },
			func() { o.Outcome = Outcome(r.IntN(5)) },
			func() { h.Texts = []string{"a", "b"} },
			func() { h.Keys = append(h.Keys, h.Keys[r.IntN(len(h.Keys))]) },
			func() { h.Nodes[1] = "n0" },
			func() { o.CalledAt = time.Second },
			func() { o.Value = model.Absent + model.Value(r.IntN(3)) },
			func() { o.Expect = model.Unseen },
			func() { o.Swapped = true },
			func() { o.Call, o.Return = o.Call+1000, o.Return+1000 },
		}
		breakings[r.IntN(len(breakings))]()
		fault := h.fault()
		if h.orderly(func(int, int) {}) {
			orderly++
			if fault != nil {
				t.Fatalf("orderly, but %v", fault)
			}
		}
		if fault != nil {
			faulty++
		}
	}
	if orderly < 5000 || faulty < 5000 {
		t.Errorf("the sample says little: %d orderly, %d faulty", orderly, faulty)
	}
}

func recorded(r *rand.Rand) *History {
	var rec Recorder
	rec.Nodes([]string{"n0", "n1"})
	process := []int32{0, 1, 2}
	for range 2 + r.IntN(16) {
		c := r.IntN(3)
		if op, open := rec.Open(process[c]); open {
			a := Answered{Outcome: Outcome(1 + r.IntN(3)), Node: NoNode, Seen: model.Value(r.IntN(3))}
			if a.Outcome == Unknown {
				process[c] += 3
			}
			if err := rec.Return(op, a, 0); err != nil {
				panic(err)
			}
			continue
		}
		_, err := rec.Call(Asked{Process: process[c], Kind: model.Kind(1 + r.IntN(4)), Key: []string{"x", "y"}[r.IntN(2)], Value: model.Value(r.IntN(3)), Node: int32(r.IntN(2))}, 0)
		if err != nil {
			panic(err)
		}
	}
	return rec.Finish(time.Second)
}

// Names that collide make the table give up, and nothing worse.
func TestDistinct(t *testing.T) {
	var names, alike []string
	for i := range 5000 {
		names = append(names, fmt.Sprint("k", i))
		alike = append(alike, fmt.Sprintf("%08d%024d", i, 0))
	}
	var u usage
	if !u.distinct(names) || u.distinct(append(names, "k77")) || u.distinct([]string{"", ""}) {
		t.Error("names")
	}
	h := &History{Texts: alike}
	if u.distinct(alike) || h.Validate() != nil {
		t.Error("names that collide")
	}
}
