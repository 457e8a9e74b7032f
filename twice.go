package rashomon

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/rashomon-go/rashomon/history"
	"github.com/rashomon-go/rashomon/sim"
)

// Difference is in what the second of two runs of one scenario differs from the
// first. A scenario decides everything, so there must be none.
type Difference struct {
	// Event is the first event that differs, messages included, or nil.
	Event *sim.Divergence
	// End says, if all events are equal, what differs at the end: an answer that a
	// client got, the final state of a replica, or the verdict.
	End string

	names []string
}

// Twice runs a scenario two times, each time as RunClaims does, and compares every event
// with what its message says, what clients saw, the final states, and the verdicts. The
// difference is nil if there is none. opt.Trace and
// opt.Look see the first run only.
func Twice(s *System, sc *Scenario, claims []Property, opt Options) (first, again []*Result, d *Difference, err error) {
	var results [2][]*Result
	var traces [2]trace
	see := opt.Trace
	for i := range results {
		opt.Trace = func(e sim.Event) {
			traces[i].add(e)
			if i == 0 && see != nil {
				see(e)
			}
		}
		if results[i], err = RunClaims(s, sc, claims, opt); err != nil {
			return nil, nil, nil, err
		}
		opt.Look = nil
	}
	first, again = results[0], results[1]
	return first, again, difference(first, again, traces[0], traces[1]), nil
}

// trace is the events of a run, in pieces: a slice that grows is copied again and again.
type trace [][]sim.Event

const tracePiece = 1024

func (t *trace) add(e sim.Event) {
	last := len(*t) - 1
	if last < 0 || len((*t)[last]) == tracePiece {
		*t = append(*t, make([]sim.Event, 0, tracePiece))
		last++
	}
	(*t)[last] = append((*t)[last], e)
}

// piece returns a piece of the trace, which is empty behind the end.
func (t trace) piece(i int) []sim.Event {
	if i >= len(t) {
		return nil
	}
	return t[i]
}

func divergence(first, again trace) *sim.Divergence {
	for i := range max(len(first), len(again)) {
		if d := sim.FindDivergence(first.piece(i), again.piece(i)); d != nil {
			d.Index += i * tracePiece
			return d
		}
	}
	return nil
}

func difference(first, again []*Result, events, others trace) *Difference {
	if len(first) == 0 {
		return nil
	}
	d := &Difference{Event: divergence(events, others), names: first[0].Names}
	for i := 0; i < len(first) && d.Event == nil && d.End == ""; i++ {
		d.End = differentEnd(first[i], again[i])
	}
	if d.Event == nil && d.End == "" {
		return nil
	}
	return d
}

// differentEnd compares runs of which all events are equal.
func differentEnd(first, again *Result) string {
	const was = "%s was first %q and then %q"
	ops := min(len(first.History.Ops), len(again.History.Ops))
	if sameHistory(*first.History, *again.History) {
		ops = 0 // no words are needed, which take longer
	}
	for i := range ops {
		if a, b := first.DescribeOp(i), again.DescribeOp(i); a != b {
			return fmt.Sprintf(was, fmt.Sprintf("operation %d of the history", i+1), a, b)
		}
	}
	for i := range min(len(first.States), len(again.States)) {
		if !slices.Equal(first.States[i], again.States[i]) {
			a, b := differing(first.States[i], again.States[i])
			return fmt.Sprintf(was, "the final state of "+first.Names[i], a, b)
		}
	}
	switch {
	case first.Digest != again.Digest:
		return fmt.Sprintf(was, "the digest", DigestString(first.Digest), DigestString(again.Digest))
	case first.Verdict != again.Verdict || first.cause != again.cause:
		return fmt.Sprintf(was, "the verdict", first.Verdict.String()+" "+first.Panic, again.Verdict.String()+" "+again.Panic)
	}
	return ""
}

// sameHistory compares operations, of which there are many, without reflection.
func sameHistory(a, b history.History) bool {
	if !slices.Equal(a.Ops, b.Ops) {
		return false
	}
	a.Ops, b.Ops = nil, nil
	return reflect.DeepEqual(a, b)
}

// differing prints the first variable in which two states differ.
func differing(a, b []sim.Variable) (first, again string) {
	for i := range max(len(a), len(b)) {
		if first, again = variable(a, i), variable(b, i); first != again {
			return first, again
		}
	}
	return first, again
}

// String tells the difference in one line, with both sides.
func (d *Difference) String() string {
	if d.Event == nil {
		return d.End
	}
	words := func(e *sim.Event) string {
		if e == nil {
			return "the end"
		}
		return strings.Join(strings.Fields(e.Describe(d.name)), " ")
	}
	return fmt.Sprintf("event %d was first %q and then %q", d.Event.Index+1, words(d.Event.First), words(d.Event.Again))
}

func (d *Difference) name(id sim.NodeID) string {
	if id >= 0 && int(id) < len(d.names) {
		return d.names[id]
	}
	return fmt.Sprintf("node %d", id)
}
