package checker

import (
	"fmt"
	"html"
	"io"
	"slices"

	"github.com/anishathalye/porcupine"

	"github.com/rashomon-go/rashomon/history"
	"github.com/rashomon-go/rashomon/model"
)

// describedState bounds the text of a state in porcupine's page, in runes: the page
// repeats states in up to longestOps orders of up to longestOps steps.
const describedState = 80

// PorcupinePage returns what writes porcupine's own page of a history that is not
// linearizable. It shows the operations that LongestLegal looks at, at most 300 on one
// key; times are positions in the history. It returns nil if there is no witness, if
// those operations alone are linearizable, and if 200,000 steps in half a gigabyte do
// not decide that: a point that porcupine did not reach would be shown as an illegal one. The history
// must stay as it is until the page is written. Which of equally long orders the page
// shows is left to chance.
func PorcupinePage(h *history.History, m model.Model, witness []int) func(io.Writer) error {
	ops := aroundWitness(h, witness)
	s := search{h: h, m: m}
	list := s.operations(ops, history.Never)
	if len(list) == 0 {
		return nil
	}
	label(list, h.Keys[h.Ops[ops[0]].Key])
	b := longestBudget(list)
	found, info := porcupine.CheckOperationsVerbose(m.Porcupine(&b), list, 0)
	if found != porcupine.Illegal || b.Spent {
		return nil
	}
	return func(w io.Writer) error { return porcupine.Visualize(drawn(m), info, w) }
}

// label numbers the clients without gaps, because porcupine draws a row for each
// number up to the greatest, and says under the pointer which they are.
func label(list []porcupine.Operation, key string) {
	var processes []int
	for _, o := range list {
		processes = append(processes, o.ClientId)
	}
	slices.Sort(processes)
	processes = slices.Compact(processes)
	for i := range list {
		o := &list[i]
		o.Metadata = html.EscapeString(fmt.Sprintf("process %d, key %s", o.ClientId, clip(key)))
		o.ClientId, _ = slices.BinarySearch(processes, o.ClientId)
	}
}

// drawn is a model as porcupine draws it. The page's script takes descriptions of
// states for HTML, and they hold texts that come from anywhere.
func drawn(m model.Model) porcupine.Model {
	p := m.Porcupine(&model.Budget{}) // it only repeats what was found
	describe := p.DescribeState
	p.DescribeState = func(state any) string { return html.EscapeString(clip(describe(state))) }
	return p
}

func clip(s string) string {
	if r := []rune(s); len(r) > describedState {
		return string(r[:describedState]) + "…"
	}
	return s
}
