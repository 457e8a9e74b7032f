package checker

import (
	"fmt"
	"slices"

	"github.com/rashomon-go/rashomon/history"
	"github.com/rashomon-go/rashomon/model"
)

// Confirm judges the operations of a witness by themselves, as if nothing else
// had happened, by search: Invalid confirms the witness. steps limits the
// search (0 means DefaultSteps); if it is spent, the verdict is Unknown.
func Confirm(h *history.History, m model.Model, witness []int, steps int64) Verdict {
	alone := *h
	alone.Ops = make([]history.Op, 0, len(witness))
	for _, i := range witness {
		alone.Ops = append(alone.Ops, h.Ops[i])
	}
	r, err := Linearizable(&alone, m, Options{Engine: Porcupine, Steps: steps, VerdictOnly: true})
	if err != nil {
		return Unknown
	}
	return r.Verdict
}

// explain adds the witness, the anomaly and the sentence to r, for key k with
// the operations ops, which are invalid as d says.
func (c *check) explain(r *Result, k int, ops []int32, d decision) error {
	var few []int32
	switch {
	case d.engine == Zones:
		few = d.zones.witness(c.h.Ops, ops)
	case d.few != nil:
		few = c.shrink(d.few, decision{engine: Porcupine})
	default:
		few = c.shrink(ops, d)
	}
	e := c.explanation(ops, few)
	e.find()
	r.Anomaly, r.Sentence, r.Witness = e.anomaly, e.sentence, indices(e.witness)
	switch confirmed := Confirm(c.h, c.m, r.Witness, c.opts.Steps); {
	case confirmed == Invalid:
		return nil
	case confirmed == Valid && c.m.Register():
		return c.unproved(k, d, fmt.Sprintf("the witness (%v) is valid by itself", r.Anomaly), e.witness)
	}
	// Too long for the budget, or the model breaks its contract. What was
	// judged invalid already is all of it.
	if d.few != nil {
		ops = d.few
	}
	e = explanation{h: c.h, ops: ops, witness: ops}
	e.unordered()
	r.Anomaly, r.Sentence, r.Witness = e.anomaly, e.sentence, indices(e.witness)
	return nil
}

// explanation returns one to be found of why operations of the witness are invalid.
func (c *check) explanation(ops, witness []int32) explanation {
	return explanation{h: c.h, ops: ops, witness: witness, register: c.m.Register(), txns: c.m.Registers(), object: objectOf(c.m)}
}

// contradiction returns operations that no order permits whatever else happened, of
// which porcupine says so as well, or nil. To look for them takes quadratic time, where
// the search of all may find nothing in any.
func (c *check) contradiction(ops []int32) []int32 {
	e := c.explanation(ops, ops)
	if len(ops) > mostBlamed || !e.reason() || Confirm(c.h, c.m, indices(e.witness), c.opts.Steps) != Invalid {
		return nil
	}
	return e.witness
}

func indices(ops []int32) []int {
	list := make([]int, len(ops))
	for i, op := range ops {
		list[i] = int(op)
	}
	slices.Sort(list)
	return list
}

// witness returns the operations that f is about. For two clusters A and B in
// conflict they are the two writes, an operation of A that returned before one
// of B was called, and one of B that returned before one of A was called. Which
// of them is chosen so that there are as few as possible, hence writes where
// they prove the order.
func (f finding) witness(ops []history.Op, part []int32) []int32 {
	switch f.broken {
	case ruleNever:
		return []int32{f.read}
	case ruleFuture:
		return union(f.read, f.a.write)
	}
	a, b := limitsOf(f.a, ops, part), limitsOf(f.b, ops, part)
	var best []int32
	for _, ab := range precedences(ops, a, b) {
		for _, ba := range precedences(ops, b, a) {
			u := union(a.write, b.write, ab[0], ab[1], ba[0], ba[1])
			if best == nil || len(u) < len(best) {
				best = u
			}
		}
	}
	return best
}

// limits are the write of a value and the operations that prove the limits of its
// zone: the one that returned first, and the one that was called last.
type limits struct{ write, early, late int32 }

// limitsOf finds the limits of a cluster of ops[part...].
func limitsOf(x cluster, ops []history.Op, part []int32) limits {
	l, v := limits{x.write, x.write, x.write}, model.Absent
	if x.write != none {
		v = ops[x.write].Value
	}
	for _, i := range part {
		if o := &ops[i]; o.Kind != model.Read || o.Seen != v {
			continue
		}
		if l.early != none && ops[i].Return < ops[l.early].Return {
			l.early = i
		}
		if l.late == none || ops[i].Call > ops[l.late].Call {
			l.late = i
		}
	}
	return l
}

// precedences returns pairs of an operation of a that returned before an
// operation of b was called, those with writes first.
func precedences(ops []history.Op, a, b limits) [][2]int32 {
	var pairs [][2]int32
	for _, x := range [2]int32{a.write, a.early} {
		for _, y := range [2]int32{b.write, b.late} {
			if y != none && (x == none || ops[x].Return < ops[y].Call) {
				pairs = append(pairs, [2]int32{x, y})
			}
		}
	}
	return pairs
}

// union returns the operations given, each once, in the order of their calls.
func union(ops ...int32) []int32 {
	slices.Sort(ops)
	ops = slices.Compact(ops)
	for len(ops) > 0 && ops[0] == none {
		ops = ops[1:]
	}
	return ops
}
