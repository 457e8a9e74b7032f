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
	register bool    // the model is a register
	txns     bool    // the model is of registers and transactions
	object   string  // the name of the model if it is a lock, a counter, a queue, a set or a list; of others only Unordered applies

	anomaly  Anomaly
	sentence string

	clock     clock    // how the sentence tells moments
	mentioned []moment // in it
}

func (e *explanation) find() {
	if e.register && (e.impossible() || e.stale() || e.twice() || e.inverted() || e.denied()) {
		return
	}
	if e.txns && (e.unlikeMoment() || e.unlikeOrder()) || e.unlikeObject() {
		return
	}
	e.unordered()
}

func (e *explanation) is(a Anomaly, say func() string, witness ...int32) bool {
	e.anomaly, e.sentence, e.witness = a, e.tell(say), e.supported(union(witness...))
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
		writers := slices.DeleteFunc(e.writers(v), func(w int32) bool { return w == r }) // cas 3->3 stores what it saw
		if len(writers) == 0 {
			return e.neverStored(r, v)
		}
		if first := writers[0]; e.op(r).Return < e.op(first).Call { // writers stand in the order of calls
			return e.is(FutureRead, func() string {
				return fmt.Sprintf("%s comes from the future: %s began only afterwards (%s)", e.full(r), e.by(first), e.called(first))
			}, r, first)
		}
	}
	return false
}

func (e *explanation) neverStored(r int32, v model.Value) bool {
	key := e.op(r).Key
	for i := range e.h.Ops {
		o := &e.h.Ops[i]
		if f := int32(i); f != r && o.Key == key && o.Value == v && refused(o) {
			return e.is(FailedRead, func() string {
				return fmt.Sprintf("%s saw a value that was not stored: %s by %s had failed (%s)",
					e.full(r), e.asked(f), e.client(f), e.span(f))
			}, r, f)
		}
	}
	nobody := "nobody"
	if stores, _ := stored(e.op(r)); swapped(e.op(r)) && stores == v {
		nobody = "nobody else"
	}
	return e.is(PhantomRead, func() string { return fmt.Sprintf("%s saw a value that %s wrote", e.full(r), nobody) }, r)
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
	witness := []int32{past, n}
	if past != none {
		v, _ := observed(e.op(r))
		if w, stores := stored(e.op(past)); !stores || w != v { // it only saw v
			witness = append(witness, e.writers(v)[0])
		}
	}
	if reads, next := e.lost(n, r); len(reads) >= 2 {
		few := reads[:min(mostReads, len(reads))]
		if x := e.among(reads, few, past, n, r); x != none {
			return e.is(LostWrite, func() string { return e.lostSentence(past, n, x, len(reads), next) },
				append(append(append(witness, few...), x), next)...)
		}
	}
	return e.is(StaleRead, func() string {
		s := e.full(r) + " is stale: "
		if past != none {
			s += fmt.Sprintf("%s had finished before %s began (%s), and ", e.by(past), e.by(n), e.called(n))
		}
		return s + fmt.Sprintf("%s had finished (%s) before %s began", e.by(n), e.returned(n), e.noun(r))
	}, append(witness, r)...)
}

// among returns r if it is one of the reads, or one of few of them that is stale
// for the same reason, or none: r may have come after another write.
func (e *explanation) among(reads, few []int32, past, n, r int32) int32 {
	if slices.Contains(reads, r) {
		return r
	}
	v, _ := observed(e.op(r))
	for _, x := range few {
		if p, ok := e.pastBefore(v, n, x); ok && p == past {
			return x
		}
	}
	return none
}

// mostReads is how many of the reads that miss a lost write its witness has.
const mostReads = 8

// lost returns the reads that began after n and before the next operation that
// stored something or may have, which it returns too if there is one. If they
// did not all return the same as r, or if somebody saw what n stored, it returns
// none.
func (e *explanation) lost(n, r int32) (reads []int32, next int32) {
	old, _ := observed(e.op(r))
	wrote, _ := stored(e.op(n))
	if e.op(n).Kind != model.Write {
		return nil, none
	}
	next = none
	for _, i := range e.ops {
		o := e.op(i)
		v, saw := observed(o)
		if saw && v == wrote {
			return nil, none
		}
		if !e.before(n, i) || next != none {
			continue
		}
		if _, stores := stored(o); stores {
			next = i
		} else if saw && v != old {
			return nil, none
		} else if saw && o.Kind == model.Read {
			reads = append(reads, i)
		}
	}
	return reads, next
}

func (e *explanation) lostSentence(past, n, r int32, reads int, next int32) string {
	wrote, _ := stored(e.op(n))
	old, _ := observed(e.op(r))
	s := e.full(n) + " was lost: "
	if past != none {
		s += fmt.Sprintf("%s had finished (%s) before it began, ", e.by(past), e.returned(past))
	}
	s += fmt.Sprintf("nobody ever saw %s, and all %d reads that began after it", e.h.ValueString(wrote), reads)
	if next != none {
		s += fmt.Sprintf(" and before %s began (%s)", e.by(next), e.called(next))
	}
	return s + fmt.Sprintf(" returned %s, among them %s", e.h.ValueString(old), e.full(r))
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
			return e.is(LostUpdate, func() string {
				return fmt.Sprintf("%s and %s both replaced %s, which was there only once",
					e.full(j), e.full(i), e.h.ValueString(a.Expect))
			}, append(writers, i, j)...)
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
	return e.is(ReadInversion, func() string {
		return fmt.Sprintf("%s and %s contradict each other: %s, but %s", e.full(one), e.full(other),
			e.demandSentence(d[0], d[1], a, b), e.demandSentence(d[2], d[3], b, a))
	}, append([]int32{a.write, b.write, one, other}, d[:]...)...)
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

// denied looks for a compare-and-set r that failed although the value that it
// expected was certainly there all the time.
func (e *explanation) denied() bool {
	for _, r := range e.witness {
		o := e.op(r)
		if o.Kind != model.CAS || o.Outcome != history.OK || o.Swapped || o.Seen != model.Unseen {
			continue
		}
		v := e.h.ValueString(o.Expect)
		if o.Expect == model.Absent && e.undisturbed(none, r) {
			return e.is(Unordered, func() string {
				return fmt.Sprintf("%s, although %s was there: nobody stored anything before it returned", e.full(r), v)
			}, r)
		}
		if past, writer, ok := e.holds(r); ok {
			return e.is(Unordered, func() string {
				return fmt.Sprintf("%s, although %s was there: %s had finished (%s) before it began, and nothing else was stored before it returned",
					e.full(r), v, e.by(past), e.returned(past))
			}, past, writer, r)
		}
	}
	return false
}

// holds returns an operation that proves that the value which the failed
// compare-and-set r expected was there: it stored the value, or saw it, and
// nothing else was stored from then on until r returned. If it only saw the
// value, who may have stored it comes with it.
func (e *explanation) holds(r int32) (past, writer int32, ok bool) {
	v := e.op(r).Expect
	for _, p := range slices.Backward(e.ops) {
		seen, saw := observed(e.op(p))
		stores, changes := stored(e.op(p))
		if !e.before(p, r) || !(changes && stores == v || !changes && saw && seen == v) || !e.undisturbed(p, r) {
			continue
		}
		if changes || v == model.Absent {
			return p, none, true
		}
		for _, w := range slices.Backward(e.writers(v)) {
			if e.op(w).Call < e.op(p).Return {
				return p, w, true
			}
		}
	}
	return none, none, false
}

// undisturbed reports whether no operation can have stored anything but what r
// expects between p, or the beginning if p is none, and the return of r.
func (e *explanation) undisturbed(p, r int32) bool {
	for _, w := range e.ops {
		v, stores := stored(e.op(w))
		if !stores || w == p || v == e.op(r).Expect || e.before(r, w) {
			continue
		}
		if p == none || !e.before(w, p) {
			return false
		}
	}
	return true
}

// unordered lists the operations.
func (e *explanation) unordered() {
	e.anomaly, e.sentence = Unordered, e.tell(e.list)
}

func (e *explanation) list() string {
	const most = 12
	if len(e.witness) == 1 {
		return "nothing that was stored before allows " + e.full(e.witness[0])
	}
	var b strings.Builder
	fmt.Fprintf(&b, "no order of these %d operations on %s is legal: ", len(e.witness), e.h.Keys[e.op(e.witness[0]).Key])
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
	return b.String()
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
