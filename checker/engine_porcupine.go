package checker

import (
	"github.com/anishathalye/porcupine"

	"github.com/rashomon-go/rashomon/history"
	"github.com/rashomon-go/rashomon/model"
)

// search judges operations on one key by looking for a legal order of them.
type search struct {
	h     *history.History
	m     model.Model
	steps int64 // budget of each judgement
	bytes int64
	used  int64 // steps of all judgements so far
}

// limit returns the steps that a search over n operations may take. Porcupine
// remembers the set of operations done after each step that succeeds, in n bits
// and about 200 bytes around them.
func (s *search) limit(n int) int64 {
	return max(1, min(s.steps, s.bytes/int64(n/8+200)))
}

// judge decides about the history as it was at position cut: operations called
// later are not there, and those that return later are open. With the cut
// history.Never it decides about all of it.
func (s *search) judge(ops []int32, cut int64) Verdict {
	list := s.operations(ops, cut)
	if len(list) == 0 {
		return Valid
	}
	b := model.Budget{Limit: s.limit(len(list))}
	// Operations, not events: a call whose return event is missing makes
	// porcupine's check of events fail. One partition, so that one goroutine
	// runs at a time, and no timeout.
	found := porcupine.CheckOperationsTimeout(s.m.Porcupine(&b), list, 0)
	s.used += b.Used
	switch {
	case found == porcupine.Ok:
		return Valid
	case b.Spent:
		return Unknown
	}
	return Invalid
}

func (s *search) operations(ops []int32, cut int64) []porcupine.Operation {
	inputs := make([]model.Op, 0, len(ops)) // never grows: its elements are pointed to
	list := make([]porcupine.Operation, 0, len(ops))
	for _, i := range ops {
		o := &s.h.Ops[i]
		open := o.Return > cut || o.Outcome == history.Unknown
		if o.Call > cut || !counts(o) {
			continue
		}
		in := s.h.ModelOp(int(i))
		if in.Open = open; open && in.Looks() {
			continue
		}
		inputs = append(inputs, in)
		list = append(list, porcupine.Operation{
			ClientId: int(o.Process),
			Input:    &inputs[len(inputs)-1],
			Call:     o.Call,
			Return:   returned(o, open),
		})
	}
	return list
}

// returned is the one place that says when an open operation ends: after
// everything else. Had it no end, or an early one, the search would be wrong.
func returned(o *history.Op, open bool) int64 {
	if open {
		return history.Never
	}
	return o.Return
}
