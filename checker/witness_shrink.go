package checker

import (
	"slices"

	"github.com/rashomon-go/rashomon/history"
	"github.com/rashomon-go/rashomon/model"
)

// shrink returns few of the operations ops, which are invalid as d says, such
// that they are still invalid, and for no other reason than before. The engine
// of d judges them. All its judgements together may take as many steps as one
// search, and a few hundred for each operation.
func (c *check) shrink(ops []int32, d decision) []int32 {
	s := shrinking{check: c, engine: d.engine, left: c.opts.Steps + 500*int64(len(ops))}
	ops = s.seed(s.earliest(ops))
	// Large pieces first, then single operations until none can go.
	for size := len(ops) / 2; size > 1; size /= 2 {
		ops = s.drop(ops, size)
	}
	for {
		fewer := s.drop(ops, 1)
		if len(fewer) == len(ops) {
			return fewer
		}
		ops = fewer
	}
}

type shrinking struct {
	*check
	engine Engine
	used   int64 // steps so far; engines that do not search take one for each operation
	left   int64
	trial  []history.Op
	all    []int32
	flaw   flaw // what the engine found last, about trial
}

// seed returns the operations that the engine itself blames.
func (s *shrinking) seed(ops []int32) []int32 {
	if s.engine != Blocks && s.engine != Greedy || !s.invalid(ops, history.Never) {
		return ops
	}
	few := make([]int32, len(s.flaw.seed))
	for n, i := range s.flaw.seed {
		few[n] = ops[i]
	}
	if !s.invalid(few, history.Never) {
		return ops
	}
	return few
}

// invalid reports whether the operations are certainly invalid, as the history
// was at position cut.
func (s *shrinking) invalid(ops []int32, cut int64) bool {
	if s.used >= s.left {
		return false
	}
	if s.engine == Porcupine {
		search := search{h: s.h, m: s.m, steps: s.left - s.used, bytes: s.opts.Bytes}
		v := search.judge(ops, cut)
		s.used += search.used
		return v == Invalid
	}
	s.trial, s.all = s.trial[:0], s.all[:0]
	for _, i := range ops {
		if o, there := until(s.h.Ops[i], cut); there {
			s.all = append(s.all, int32(len(s.trial)))
			s.trial = append(s.trial, o)
		}
	}
	if s.engine == Window {
		v := s.window.judge(s.trial, s.all, s.left-s.used, s.opts.Bytes)
		s.used += s.window.steps
		return v == Invalid
	}
	s.used += int64(len(ops))
	d, ok := s.byBlocks(s.trial, s.all)
	s.flaw = d.blocks
	return ok && d.verdict == Invalid
}

// until returns o as it was at position cut, and whether it counted then.
func until(o history.Op, cut int64) (history.Op, bool) {
	if o.Call > cut {
		return o, false
	}
	if o.Return > cut {
		o.Outcome, o.Return, o.Swapped = history.Unknown, history.Never, false
	}
	return o, counts(&o)
}

// earliest returns the operations called until the history became invalid for
// the first time, without the reads that had no answer then. What is invalid
// stays so whatever follows, hence halving finds the moment.
func (s *shrinking) earliest(ops []int32) []int32 {
	var moments []int64 // only a return can make a history invalid
	for _, i := range ops {
		if o := &s.h.Ops[i]; o.Return != history.Never {
			moments = append(moments, o.Return)
		}
	}
	slices.Sort(moments)
	at, _ := slices.BinarySearchFunc(moments, true, func(cut int64, _ bool) int {
		if s.invalid(ops, cut) {
			return 0
		}
		return -1
	})
	if at == len(moments) { // the budget was spent on the way
		return ops
	}
	return s.completed(ops, moments[at])
}

// completed returns the operations called before a moment at which they were
// invalid. Those that only look, and had no answer then, are left out. A
// compare-and-set that stored may have got its answer later, from an operation
// called later still, which must not be missing: it would be a new reason.
func (s *shrinking) completed(ops []int32, moment int64) []int32 {
	kept := map[int32]bool{}
	expected := map[model.Value]bool{}
	for _, i := range ops {
		o := &s.h.Ops[i]
		_, stores := stored(o)
		if o.Call > moment || s.looks(i, stores) && o.Return > moment {
			continue
		}
		kept[i] = true
		if swapped(o) && o.Return > moment {
			expected[o.Expect] = true
		}
	}
	for more := len(expected) > 0; more; {
		more = false
		for _, i := range ops {
			o := &s.h.Ops[i]
			if v, stores := stored(o); stores && expected[v] && !kept[i] {
				kept[i], more = true, true
				if swapped(o) {
					expected[o.Expect] = true
				}
			}
		}
	}
	if s.m.Registers() {
		s.keepAuthors(ops, kept)
	}
	return slices.DeleteFunc(slices.Clone(ops), func(i int32) bool { return !kept[i] })
}

// keepAuthors adds the transactions that wrote what those that are kept saw.
func (s *shrinking) keepAuthors(ops []int32, kept map[int32]bool) {
	n := demands{values: map[model.Value]bool{}, sights: map[sight]bool{}}
	for again := true; again; {
		again = false
		for _, i := range ops {
			if !kept[i] && !s.mayGo(&n, i) {
				kept[i] = true
			}
			if kept[i] {
				before := len(n.sights)
				s.demand(&n, i)
				again = again || len(n.sights) > before
			}
		}
	}
}

// looks reports whether o changes nothing, whatever it was answered.
func (s *shrinking) looks(i int32, stores bool) bool {
	o := s.h.ModelOp(int(i))
	return o.Looks() || s.m.Register() && !stores
}

// drop leaves out one piece of that size after the other, as far as the rest is
// still invalid.
func (s *shrinking) drop(ops []int32, size int) []int32 {
	for at := 0; at < len(ops); {
		fewer := s.without(ops, at, min(at+size, len(ops)))
		if len(fewer) < len(ops) && s.invalid(fewer, history.Never) {
			ops = fewer
		} else {
			at += size
		}
	}
	return ops
}

// without returns ops without those of ops[from:to] that may be left out: a
// history that is valid with them must be valid without them, or the rest could
// be invalid for a new reason. Reads may always go. What stores a value may go
// if none of the rest depends on it; about models that are neither a register nor
// several nothing is known, and it stays.
func (s *shrinking) without(ops []int32, from, to int) []int32 {
	rest := slices.Concat(ops[:from], ops[to:])
	piece := slices.Clone(ops[from:to])
	n := demands{values: map[model.Value]bool{}, sights: map[sight]bool{}}
	for _, i := range rest {
		s.demand(&n, i)
	}
	for again := true; again; {
		again = false
		piece = slices.DeleteFunc(piece, func(i int32) bool {
			if s.mayGo(&n, i) {
				return false
			}
			s.demand(&n, i) // it stays, and what it needs stays as well
			rest, again = append(rest, i), true
			return true
		})
	}
	slices.Sort(rest)
	return rest
}

// mayGo reports whether an operation is not needed for what others saw.
func (s *shrinking) mayGo(n *demands, i int32) bool {
	o := s.h.ModelOp(int(i))
	switch {
	case s.m.Register():
		return o.Kind == model.Read || !n.need(&s.h.Ops[i])
	case s.m.Registers():
		return !slices.ContainsFunc(o.Txn, func(m model.Micro) bool { return m.Kind == model.Write && n.sights[sight{m.Register, m.Value}] })
	}
	return o.Looks()
}

// demand adds what an operation saw.
func (s *shrinking) demand(n *demands, i int32) {
	n.add(&s.h.Ops[i])
	for _, m := range s.h.ModelOp(int(i)).Txn {
		if m.Kind == model.Read && m.Value != model.Unseen {
			n.sights[sight{m.Register, m.Value}] = true
		}
	}
}

// demands are what some operations on a register need others for.
type demands struct {
	values map[model.Value]bool // somebody saw this value, or may have
	sights map[sight]bool       // a transaction saw this in a register
	others []model.Value        // somebody saw that it was not this one
}

func (d *demands) add(o *history.Op) {
	if v, saw := observed(o); saw {
		d.values[v] = true
	}
	if o.Kind != model.CAS {
		return
	}
	if o.Outcome == history.Unknown {
		d.values[o.Expect] = true
	} else if !o.Swapped && o.Seen == model.Unseen {
		d.others = append(d.others, o.Expect)
	}
}

// need reports whether an operation stores what the demands ask for.
func (d *demands) need(o *history.Op) bool {
	v, stores := stored(o)
	if !stores {
		return false
	}
	for _, not := range d.others {
		if v != not {
			return true
		}
	}
	return d.values[v]
}
