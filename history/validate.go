package history

import (
	"fmt"

	"github.com/rashomon-go/rashomon/model"
)

// Validate reports the first way in which the history breaks the contract of
// the package: positions that are not strictly increasing or used twice, a
// return before its call, two operations of one process at once, a process that
// goes on after an unknown outcome, a missing kind or outcome, an index of a
// key, node, text, set or transaction out of range, sets mixed with anything else, a step of
// a transaction that is none, a name or
// a text twice in its table, an answer at a time before that of its call, a
// write of nothing, a swap of what is no successful compare-and-set. It takes
// time proportional to the operations and to the tables.
func (h *History) Validate() error { return h.ValidateEach(func(int, int) {}) }

// ValidateEach is Validate for who is about to look at all operations anyway: it
// calls look for piece after piece of them, h.Ops[from:to], as soon as it has been
// through the piece itself, while the processor has it at hand. Without an error
// every operation has been shown once, in order; with one, what was seen is worth
// nothing.
func (h *History) ValidateEach(look func(from, to int)) error {
	for i := range h.Faults {
		if err := h.Faults[i].validate(); err != nil {
			return err
		}
	}
	shown := 0
	if h.orderly(func(from, to int) { shown = to; look(from, to) }) {
		return nil
	}
	if err := h.fault(); err != nil {
		return err
	}
	look(shown, len(h.Ops))
	return nil
}

// fault is Validate without the short cut: what it takes longer it spends on
// knowing which operations are at fault.
func (h *History) fault() error {
	if err := h.tableFault(); err != nil {
		return err
	}
	if err := h.nameFault(); err != nil {
		return err
	}
	v := validation{open: map[int32]int{}}
	returns := make(map[int64]int, len(h.Ops))
	for i := range h.Ops {
		if o := &h.Ops[i]; o.Return != Never {
			if j, twice := returns[o.Return]; twice {
				return fmt.Errorf("operations %d and %d both return at position %d, expected positions used once", j, i, o.Return)
			}
			returns[o.Return] = i
		}
	}
	for i := range h.Ops {
		if err := v.add(h, i, returns); err != nil {
			return fmt.Errorf("operation %d (%s): %w", i, v.describe(h, i), err)
		}
	}
	return nil
}

type validation struct {
	last int64
	open map[int32]int // the latest operation of each process
}

func (v *validation) describe(h *History, i int) string {
	if o := &h.Ops[i]; o.Key < 0 || int(o.Key) >= len(h.Keys) {
		return o.Kind.String()
	}
	return h.OpString(i)
}

func (v *validation) add(h *History, i int, returns map[int64]int) error {
	o := &h.Ops[i]
	switch {
	case o.Key < 0 || int(o.Key) >= len(h.Keys):
		return fmt.Errorf("key number %d, expected 0..%d", o.Key, len(h.Keys)-1)
	case o.Node != NoNode && (o.Node < 0 || int(o.Node) >= len(h.Nodes)):
		return fmt.Errorf("node number %d, expected 0..%d", o.Node, len(h.Nodes)-1)
	case o.Kind < model.Read || o.Kind > model.LastKind:
		return fmt.Errorf("no kind, expected read, write, cas, delete, append, add, increment, acquire, release, enqueue, dequeue or txn")
	case o.Outcome < OK || o.Outcome > Unknown:
		return fmt.Errorf("no outcome, expected ok, fail or unknown")
	case o.Call <= v.last:
		return fmt.Errorf("called at position %d after a call at %d, expected increasing positions", o.Call, v.last)
	case o.Outcome == Unknown && o.Return != Never:
		return fmt.Errorf("returns at %d with an unknown outcome, expected that it never returns", o.Return)
	case o.Outcome != Unknown && o.Return == Never:
		return fmt.Errorf("outcome %s but it never returns", o.Outcome)
	case o.Return <= o.Call:
		return fmt.Errorf("returns at position %d before its call at %d", o.Return, o.Call)
	}
	if err := o.fault(); err != nil {
		return err
	}
	if err := h.setFault(o); err != nil {
		return err
	}
	if o.Kind == model.Txn {
		if err := h.txnFault(o); err != nil {
			return err
		}
	}
	if v, missing := h.missingText(o); missing {
		return fmt.Errorf("text number %d, expected 0..%d", v, len(h.Texts)-1)
	}
	if j, twice := returns[o.Call]; twice {
		return fmt.Errorf("called at position %d, at which operation %d returns, expected positions used once", o.Call, j)
	}
	if j, busy := v.open[o.Process]; busy && h.Ops[j].Return > o.Call {
		if h.Ops[j].Outcome == Unknown {
			return fmt.Errorf("process %d goes on after operation %d, whose outcome is unknown; expected a fresh process", o.Process, j)
		}
		return fmt.Errorf("process %d calls before its operation %d has returned", o.Process, j)
	}
	v.last, v.open[o.Process] = o.Call, i
	return nil
}

// fault reports in which way the fields of o contradict each other, as far as
// positions and tables have nothing to do with it.
func (o *Op) fault() error {
	switch {
	case o.Outcome != Unknown && o.ReturnedAt < o.CalledAt:
		return fmt.Errorf("returns at %v before its call at %v", o.ReturnedAt, o.CalledAt)
	case o.Swapped && o.Kind != model.CAS:
		return fmt.Errorf("swapped, expected that of a cas only")
	case o.Swapped && o.Outcome != OK:
		return fmt.Errorf("swapped with outcome %s, expected that with ok only", o.Outcome)
	case o.Kind == model.Write && o.Value == model.Absent:
		return fmt.Errorf("stores nothing, expected a value or a delete")
	case o.stores() && o.Value == model.Unseen, o.addsTo() && o.Value == model.Absent:
		return fmt.Errorf("stores no value, expected one")
	case o.Kind == model.CAS && o.Expect == model.Unseen:
		return fmt.Errorf("expects no value, expected one or nil")
	}
	return nil
}

// nameFault reports the first name or text that stands twice in its table: keys
// that look alike would hide what happened on them together, and texts that are
// alike would be told apart.
func (h *History) nameFault() error {
	for _, t := range h.tables() {
		seen := make(map[string]bool, len(t.names))
		for _, s := range t.names {
			if seen[s] {
				return fmt.Errorf("%s %q twice, expected names used once", t.what, s)
			}
			seen[s] = true
		}
	}
	return nil
}

type table struct {
	what  string
	names []string
}

func (h *History) tables() [4]table {
	return [4]table{{"key", h.Keys}, {"node", h.Nodes}, {"client", h.Clients}, {"text", h.Texts}}
}

// addsTo reports whether o adds something to what is there, which cannot be
// nothing.
func (o *Op) addsTo() bool {
	return o.Kind == model.Append || o.Kind == model.Increment || o.Kind == model.Enqueue
}
