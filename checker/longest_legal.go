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
	longestBytes = 1 << 29
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

// longestBudget bounds a search in steps and in memory: porcupine remembers a set and
// a state for each step, and a state may hold every text and value of the operations.
func longestBudget(list []porcupine.Operation) model.Budget {
	bytes := 200 + len(list)/8 + 8*len(list)
	for _, o := range list {
		bytes += len(o.Input.(*model.Op).Text)
	}
	return model.Budget{Limit: max(1, min(longestSteps, longestBytes/int64(bytes)))}
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
	b := longestBudget(list)
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
