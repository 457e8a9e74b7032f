package checker

import (
	"slices"

	"github.com/anishathalye/porcupine"

	"github.com/rashomon-go/rashomon/history"
	"github.com/rashomon-go/rashomon/model"
)

// What LongestLegal looks at: more operations make no drawing clearer.
const (
	longestOps   = 300
	longestSteps = 200_000
)

// LongestLegal returns operations of a history that is not linearizable in an order
// that the model allows and that real time allows, as many as there can be: those on
// the key of the last operation of the witness, or, if they are too many, those of the
// witness on that key. It is for drawings. It returns nil if it finds none within a
// budget of steps.
func LongestLegal(h *history.History, m model.Model, witness []int) []int {
	return longest(h, m, aroundWitness(h, witness))
}

// aroundWitness returns the operations that are drawn with a witness, in the order of
// the history.
func aroundWitness(h *history.History, witness []int) []int32 {
	if len(witness) == 0 {
		return nil
	}
	key := h.Ops[slices.Max(witness)].Key
	var all, few []int32
	for i := range h.Ops {
		if h.Ops[i].Key == key {
			all = append(all, int32(i))
		}
	}
	for _, i := range witness {
		if h.Ops[i].Key == key {
			few = append(few, int32(i))
		}
	}
	if len(all) > longestOps {
		all = few
	}
	slices.Sort(all)
	return all[:min(len(all), longestOps)]
}

func longest(h *history.History, m model.Model, ops []int32) (order []int) {
	s := search{h: h, m: m}
	list := s.operations(ops, history.Never)
	places := map[*model.Op]int{} // porcupine gives back what it was given
	byCall := map[int64]int{}
	for _, i := range ops {
		byCall[h.Ops[i].Call] = int(i)
	}
	for _, o := range list {
		places[o.Input.(*model.Op)] = byCall[o.Call]
	}
	b := model.Budget{Limit: longestSteps}
	_, info := porcupine.CheckOperationsVerbose(m.Porcupine(&b), list, 0)
	for _, partition := range info.PartialLinearizationsOperations() {
		for _, part := range partition {
			next := make([]int, 0, len(part))
			for _, o := range part {
				next = append(next, places[o.Input.(*model.Op)])
			}
			// Which comes first is left to chance, so that of equally long ones
			// the least is taken.
			if len(next) > len(order) || len(next) == len(order) && slices.Compare(next, order) < 0 {
				order = next
			}
		}
	}
	return order
}
