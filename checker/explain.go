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
	if !e.reason() {
		e.unordered()
	}
}

// reason looks for operations of the witness that no order permits, whatever else
// happened.
func (e *explanation) reason() bool {
	switch {
	case e.register:
		return e.contrary() || e.impossible() || e.stale() || e.twice() || e.inverted() || e.denied()
	case e.txns:
		return e.unlikeMoment() || e.unlikeOrder()
	}
	return e.unlikeObject()
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
