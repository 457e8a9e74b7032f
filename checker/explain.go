package checker

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rashomon-go/rashomon/history"
	"github.com/rashomon-go/rashomon/model"
)

// explanation finds the reason why the operations of a witness are invalid,
// whichever engine found them: it tries the reasons that people know, the
// simplest first. A reason is only given if it is a proof. Reasons other than
// Unordered leave in the witness only the operations they need.
type explanation struct {
	h        *history.History
	ops      []int32 // all operations that count on the key
	witness  []int32 // invalid
	register bool    // the model is a register; else only Unordered applies

	anomaly  Anomaly
	sentence string
}

func (e *explanation) find() {
	if e.register && (e.impossible() || e.stale() || e.twice() || e.inverted()) {
		return
	}
	e.unordered()
}

func (e *explanation) is(a Anomaly, sentence string, witness ...int32) bool {
	e.anomaly, e.sentence, e.witness = a, sentence, e.supported(union(witness...))
	return true
}

// supported adds to the witness what its compare-and-sets expect, so that they
// are possible by themselves.
func (e *explanation) supported(witness []int32) []int32 {
	for at := 0; at < len(witness); at++ {
		o := e.op(witness[at])
		if !swapped(o) {
			continue
		}
		writers := e.writers(o.Expect)
		if len(writers) > 0 && !slices.ContainsFunc(writers, func(w int32) bool { return slices.Contains(witness, w) }) {
			witness = append(witness, writers[0])
		}
	}
	return union(witness...)
}

// impossible looks for an operation that saw a value before anybody could have
// stored it.
func (e *explanation) impossible() bool {
	for _, r := range e.witness {
		v, saw := observed(e.op(r))
		if !saw || v == model.Absent {
			continue
		}
		writers := e.writers(v)
		if len(writers) == 0 {
			return e.neverStored(r, v)
		}
		if first := writers[0]; e.op(r).Return < e.op(first).Call { // writers stand in the order of calls
			return e.is(FutureRead, fmt.Sprintf("%s comes from the future: %s began only afterwards (%s)",
				e.full(r), e.by(first), e.called(first)), r, first)
		}
	}
	return false
}

func (e *explanation) neverStored(r int32, v model.Value) bool {
	key := e.op(r).Key
	for i := range e.h.Ops {
		o := &e.h.Ops[i]
		if f := int32(i); f != r && o.Key == key && o.Value == v && refused(o) {
			return e.is(FailedRead, fmt.Sprintf("%s saw a value that was not stored: %s by client %d had failed (%s)",
				e.full(r), e.asked(f), o.Process, e.span(f)), r, f)
		}
	}
	return e.is(PhantomRead, fmt.Sprintf("%s saw a value that nobody wrote", e.full(r)), r)
}

// refused reports whether o asked to store a value that certainly was not
// stored.
func refused(o *history.Op) bool {
	return o.Kind == model.Write && o.Outcome == history.Fail ||
		o.Kind == model.CAS && (o.Outcome == history.Fail || o.Outcome == history.OK && !o.Swapped)
}

// stale looks for an operation r that saw v, although an operation n that
// certainly stored something else had returned before r began, and v was there
// before n began, and not after.
func (e *explanation) stale() bool {
	for _, n := range e.witness {
		stores, certain := stored(e.op(n))
		if !certain || e.op(n).Outcome != history.OK {
			continue
		}
		for _, r := range e.witness {
			v, saw := observed(e.op(r))
			if !saw || v == stores || !e.before(n, r) {
				continue
			}
			if past, ok := e.pastBefore(v, n, r); ok {
				return e.staleRead(past, n, r)
			}
		}
	}
	return false
}

// pastBefore returns an operation that proves that v was there before n began
// and that nobody stored it between n and r: the last writer, or an observer if
// the only writer was still open, or none if v was there from the beginning.
func (e *explanation) pastBefore(v model.Value, n, r int32) (past int32, ok bool) {
	writers := slices.DeleteFunc(e.writers(v), func(w int32) bool { return e.before(r, w) })
	past = none
	for _, w := range writers {
		if e.before(w, n) {
			past = w
			continue
		}
		if len(writers) > 1 || v == model.Absent {
			return none, false
		}
		for _, o := range e.witness {
			if seen, saw := observed(e.op(o)); saw && seen == v && e.before(o, n) {
				return o, true
			}
		}
		return none, false
	}
	return past, past != none || v == model.Absent
}

func (e *explanation) staleRead(past, n, r int32) bool {
	witness := []int32{past, n, r}
	if past != none {
		v, _ := observed(e.op(r))
		if w, stores := stored(e.op(past)); !stores || w != v { // it only saw v
			witness = append(witness, e.writers(v)[0])
		}
	}
	if reads := e.lost(n, r); reads >= 2 {
		return e.is(LostWrite, e.lostSentence(past, n, r, reads), witness...)
	}
	s := e.full(r) + " is stale: "
	if past != none {
		s += fmt.Sprintf("%s had finished before %s began (%s), and ", e.by(past), e.by(n), e.called(n))
	}
	s += fmt.Sprintf("%s had finished (%s) before %s began", e.by(n), e.returned(n), e.noun(r))
	return e.is(StaleRead, s, witness...)
}

// lost returns how many reads began after n, before anything else was stored,
// if all of them returned the same as r and nobody ever saw what n stored; and
// else 0.
func (e *explanation) lost(n, r int32) (reads int) {
	old, _ := observed(e.op(r))
	wrote, _ := stored(e.op(n))
	if e.op(n).Kind != model.Write {
		return 0
	}
	overwritten := false
	for _, i := range e.ops {
		o := e.op(i)
		v, saw := observed(o)
		if saw && v == wrote {
			return 0
		}
		if !e.before(n, i) || overwritten {
			continue
		}
		if _, stores := stored(o); stores {
			overwritten = true
		} else if saw && v != old {
			return 0
		} else if saw {
			reads++
		}
	}
	return reads
}

func (e *explanation) lostSentence(past, n, r int32, reads int) string {
	wrote, _ := stored(e.op(n))
	old, _ := observed(e.op(r))
	s := e.full(n) + " was lost: "
	if past != none {
		s += fmt.Sprintf("%s had finished (%s) before it began, ", e.by(past), e.returned(past))
	}
	return s + fmt.Sprintf("nobody ever saw %s, and all %d reads that began after it returned %s, among them %s",
		e.h.ValueString(wrote), reads, e.h.ValueString(old), e.full(r))
}

// twice looks for two compare-and-sets that both replaced the same value, which
// was there only once.
func (e *explanation) twice() bool {
	for at, i := range e.witness {
		for _, j := range e.witness[:at] {
			a, b := e.op(j), e.op(i)
			if !swapped(a) || !swapped(b) || a.Expect != b.Expect {
				continue
			}
			writers := e.writers(a.Expect)
			if len(writers) > 1 || a.Expect == model.Absent && len(writers) > 0 {
				continue
			}
			return e.is(LostUpdate, fmt.Sprintf("%s and %s both replaced %s, which was there only once",
				e.full(j), e.full(i), e.h.ValueString(a.Expect)), append(writers, i, j)...)
		}
	}
	return false
}

func swapped(o *history.Op) bool {
	return o.Kind == model.CAS && o.Outcome == history.OK && o.Swapped
}

// inverted looks for two values, each written by one operation at most, whose
// operations demand contradictory orders.
func (e *explanation) inverted() bool {
	clusters := e.valuesOfWitness()
	for i, a := range clusters {
		for _, b := range clusters[:i] {
			if x, y, ok := e.demand(a, b); ok {
				if p, q, ok := e.demand(b, a); ok {
					return e.inversion(a, b, [4]int32{x, y, p, q})
				}
			}
		}
	}
	return false
}

// group is what the witness has to do with one value.
type group struct {
	value model.Value
	write int32 // or none, for what was there from the beginning
	ops   []int32
}

func (e *explanation) valuesOfWitness() []group {
	var list []group
	at := map[model.Value]int{}
	for _, i := range e.witness {
		v, saw := observed(e.op(i))
		if !saw || e.op(i).Kind != model.Read {
			continue
		}
		g, known := at[v]
		if !known {
			writers := e.writers(v)
			if len(writers) > 1 || v == model.Absent && len(writers) > 0 {
				continue
			}
			g, at[v] = len(list), len(list)
			list = append(list, group{value: v, write: none})
			if len(writers) == 1 {
				list[g].write, list[g].ops = writers[0], writers
			}
		}
		list[g].ops = append(list[g].ops, i)
	}
	return list
}

// demand returns an operation of a that returned before one of b was called, so
// that a came before b.
func (e *explanation) demand(a, b group) (x, y int32, ok bool) {
	if a.write == none {
		return none, b.ops[0], true
	}
	for _, x := range a.ops {
		for _, y := range b.ops {
			if e.before(x, y) {
				return x, y, true
			}
		}
	}
	return none, none, false
}

// inversion explains that x of a preceded y of b, and p of b preceded q of a.
func (e *explanation) inversion(a, b group, d [4]int32) bool {
	one, other := e.readOf(a, d), e.readOf(b, d)
	if one > other {
		one, other = other, one
	}
	s := fmt.Sprintf("%s and %s contradict each other: %s, but %s", e.full(one), e.full(other),
		e.demandSentence(d[0], d[1], a, b), e.demandSentence(d[2], d[3], b, a))
	return e.is(ReadInversion, s, append([]int32{a.write, b.write, one, other}, d[:]...)...)
}

// readOf returns a read of the value of g, one of d if possible.
func (e *explanation) readOf(g group, d [4]int32) int32 {
	for _, i := range d {
		if i != none && i != g.write && slices.Contains(g.ops, i) {
			return i
		}
	}
	return g.ops[len(g.ops)-1]
}

func (e *explanation) demandSentence(x, y int32, a, b group) string {
	first, second := e.h.ValueString(a.value), e.h.ValueString(b.value)
	if x == none {
		return fmt.Sprintf("%s was there first", first)
	}
	return fmt.Sprintf("%s had finished (%s) before %s began (%s), so %s came before %s",
		e.by(x), e.returned(x), e.by(y), e.called(y), first, second)
}

// unordered lists the operations.
func (e *explanation) unordered() {
	const most = 12
	var b strings.Builder
	fmt.Fprintf(&b, "no order of these %d operations on %s is legal: ", len(e.witness), e.h.Keys[e.op(e.witness[0]).Key])
	if len(e.witness) == 1 {
		b.Reset()
		b.WriteString("no state allows ")
	}
	for n, i := range e.witness {
		if n == most {
			fmt.Fprintf(&b, " and %d more", len(e.witness)-most)
			break
		}
		if n > 0 {
			b.WriteString("; ")
		}
		b.WriteString(e.full(i))
	}
	e.anomaly, e.sentence = Unordered, b.String()
}

func (e *explanation) op(i int32) *history.Op { return &e.h.Ops[i] }

// before reports whether i had returned when j was called.
func (e *explanation) before(i, j int32) bool { return e.op(i).Return < e.op(j).Call }

// writers returns the operations on the key that stored v or may have, in the
// order of their calls.
func (e *explanation) writers(v model.Value) []int32 {
	var list []int32
	for _, i := range e.ops {
		if w, stores := stored(e.op(i)); stores && w == v {
			list = append(list, i)
		}
	}
	return list
}
