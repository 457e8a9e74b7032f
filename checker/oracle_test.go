package checker

import (
	"math/rand/v2"
	"sort"

	"github.com/rashomon-go/rashomon/history"
	"github.com/rashomon-go/rashomon/model"
)

// oracle decides linearizability of a register by trying every order. It shares
// nothing with the engines, nor with the models: it is short and slow, and
// meant to be read.
func oracle(h *history.History) bool {
	for k := range h.Keys {
		var ops []history.Op
		for _, o := range h.Ops {
			if o.Key == int32(k) && o.Outcome != history.Fail {
				ops = append(ops, o)
			}
		}
		if !tryAll(ops, make([]bool, len(ops)), model.Absent) {
			return false
		}
	}
	return true
}

// tryAll reports whether the operations not yet done can follow one another
// from a register that holds v. Those with an unknown outcome may be left over.
func tryAll(ops []history.Op, done []bool, v model.Value) bool {
	end := true
	for i := range ops {
		end = end && (done[i] || ops[i].Outcome == history.Unknown)
	}
	if end {
		return true
	}
	for i, o := range ops {
		if done[i] {
			continue
		}
		first := true
		for j, p := range ops {
			if !done[j] && p.Return < o.Call {
				first = false
			}
		}
		next, right := answer(o, v)
		if !first || !right {
			continue
		}
		done[i] = true
		ok := tryAll(ops, done, next)
		done[i] = false
		if ok {
			return true
		}
	}
	return false
}

func answer(o history.Op, v model.Value) (next model.Value, right bool) {
	known := o.Outcome == history.OK
	if o.Kind == model.Read {
		return v, !known || o.Seen == v
	}
	if o.Kind == model.Delete {
		return model.Absent, true
	}
	if o.Kind == model.Write {
		return o.Value, true
	}
	// Compare and set.
	if !known {
		if v == o.Expect {
			v = o.Value
		}
		return v, true
	}
	if o.Swapped {
		return o.Value, v == o.Expect
	}
	if o.Seen != model.Unseen && o.Seen != v {
		return v, false
	}
	return v, v != o.Expect
}

// shape says what random histories look like.
type shape struct {
	keys    int
	unique  bool // no value is written twice
	cas     bool
	tells   bool // a compare-and-set that failed tells what it saw
	open    int  // how many more outcomes of twenty are unknown
	deletes bool
	wild    bool // answers are random; else those of a legal order, few of them spoilt
}

// random returns a random history of 2 to 8 operations.
func (s shape) random(r *rand.Rand) *history.History {
	n := 2 + r.IntN(7)
	if s.wild && s.cas {
		n = 2 + r.IntN(4) // of more, hardly any would be valid
	}
	h := &history.History{Keys: []string{"k0", "k1"}[:s.keys], Ops: make([]history.Op, n)}
	positions := r.Perm(2 * n)
	if !s.wild {
		for i := range positions { // few operations at once
			positions[i] = 10*(i/2) + r.IntN(35)*(i%2) + r.IntN(5)
		}
		distinct(positions)
	}
	for i := range h.Ops {
		o := &h.Ops[i]
		o.Call, o.Return = int64(positions[2*i]+1), int64(positions[2*i+1]+1)
		if o.Call > o.Return {
			o.Call, o.Return = o.Return, o.Call
		}
	}
	sort.Slice(h.Ops, func(i, j int) bool { return h.Ops[i].Call < h.Ops[j].Call })
	for i := range h.Ops {
		s.ask(r, &h.Ops[i], i)
	}
	if s.wild {
		for i := range h.Ops {
			s.guess(r, h, i)
		}
	} else {
		s.play(r, h)
		for range 1 + r.IntN(5) {
			s.guess(r, h, r.IntN(n))
		}
	}
	return h
}

// distinct turns positions into ranks, so that each is used once.
func distinct(positions []int) {
	order := make([]int, len(positions))
	for i := range order {
		order[i] = i
	}
	sort.SliceStable(order, func(i, j int) bool { return positions[order[i]] < positions[order[j]] })
	for rank, i := range order {
		positions[i] = rank
	}
}

func (s shape) ask(r *rand.Rand, o *history.Op, i int) {
	o.Process, o.Key, o.Node, o.Outcome = int32(i), int32(r.IntN(s.keys)), history.NoNode, history.OK
	o.Kind, o.Seen = model.Read, model.Unseen
	if r.IntN(2) == 0 {
		o.Kind = model.Write
		if s.cas && r.IntN(2) == 0 {
			o.Kind, o.Expect = model.CAS, model.Value(r.IntN(4))
			if o.Expect == 0 {
				o.Expect = model.Absent
			}
		} else if s.deletes && r.IntN(3) == 0 {
			o.Kind = model.Delete
		}
	}
	o.Value = model.Value(i + 1)
	if !s.unique {
		o.Value = model.Value(1 + r.IntN(3))
	}
	if o.Kind == model.CAS && r.IntN(10) == 0 {
		o.Value = o.Expect // changes nothing
	} else if o.Kind == model.CAS && s.deletes && r.IntN(4) == 0 {
		o.Value = model.Absent
	}
	switch x := r.IntN(20); {
	case x < 3+s.open:
		o.Outcome, o.Return = history.Unknown, history.Never
	case x < 5+s.open:
		o.Outcome = history.Fail
	}
}

// value returns a value for an answer of operation i: mostly one that was
// asked to be stored on the same key, else one that may not have been, or
// Absent.
func (s shape) value(r *rand.Rand, h *history.History, i int) model.Value {
	if r.IntN(6) == 0 {
		return model.Absent
	}
	for range 4 * len(h.Ops) {
		o := &h.Ops[r.IntN(len(h.Ops))]
		if (o.Outcome == history.Fail || o.Call > h.Ops[i].Return) && r.IntN(8) > 0 {
			continue
		}
		if o.Key == h.Ops[i].Key && (o.Kind == model.Write || o.Kind == model.CAS) && r.IntN(40) > 0 {
			return o.Value
		}
	}
	return model.Value(1 + r.IntN(len(h.Ops)+1))
}

// guess gives operation i any answer.
func (s shape) guess(r *rand.Rand, h *history.History, i int) {
	o := &h.Ops[i]
	if o.Outcome != history.OK {
		return
	}
	switch o.Kind {
	case model.Read:
		o.Seen = s.value(r, h, i)
	case model.CAS:
		o.Swapped, o.Seen = r.IntN(2) == 0, model.Unseen
		if !o.Swapped && (s.tells || r.IntN(2) == 0) {
			o.Seen = s.value(r, h, i)
		}
	}
}

// play gives all operations the answers of one legal order of them.
func (s shape) play(r *rand.Rand, h *history.History) {
	moment := make([]int64, len(h.Ops))
	order := make([]int, len(h.Ops))
	for i := range h.Ops {
		o := &h.Ops[i]
		order[i], moment[i] = i, 1000*o.Call+int64(r.IntN(20000))
		if o.Return != history.Never {
			moment[i] = 1000*o.Call + r.Int64N(1000*(o.Return-o.Call))
		}
	}
	sort.Slice(order, func(i, j int) bool { return moment[order[i]] < moment[order[j]] })
	held := map[int32]model.Value{}
	for k := range h.Keys {
		held[int32(k)] = model.Absent
	}
	for _, i := range order {
		o := &h.Ops[i]
		v := held[o.Key]
		if o.Outcome == history.Fail || o.Outcome == history.Unknown && r.IntN(2) == 0 {
			continue
		}
		switch o.Kind {
		case model.Write:
			v = o.Value
		case model.Delete:
			v = model.Absent
		case model.Read:
			o.Seen = v
		case model.CAS:
			if r.IntN(2) == 0 {
				if o.Value == o.Expect {
					o.Value = v
				}
				o.Expect = v // or hardly any would succeed
			}
			if v == o.Expect {
				o.Swapped, v = true, o.Value
			} else if s.tells || r.IntN(2) == 0 {
				o.Seen = v
			}
		}
		held[o.Key] = v
		if o.Outcome == history.Unknown {
			o.Seen, o.Swapped = model.Unseen, false
		}
	}
}
