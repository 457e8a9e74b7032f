package history

import (
	"fmt"
	"time"

	"github.com/rashomon-go/rashomon/model"
)

// Recorder builds a history event by event and refuses impossible ones: each
// method returns an error, and records nothing, when the event cannot follow
// what was recorded before. The zero Recorder is ready to use. It is not safe
// for concurrent use: who records from several goroutines must order the events
// anyway, and does that outside.
type Recorder struct {
	h     History
	seq   int64
	now   time.Duration
	open  map[int32]int32 // process → its open operation, or retired
	keys  map[string]int32
	texts map[string]model.Value
}

// retired marks a process whose last operation ended in an unknown outcome.
const retired int32 = -1

// Asked is what a client asks for when it calls. Fields that the kind has no
// use for are ignored.
type Asked struct {
	ID      int32 // number in the scenario, or 0
	Process int32
	Kind    model.Kind
	Key     string
	Value   model.Value   // Write, CAS, Append, Add
	Expect  model.Value   // CAS
	Txn     []model.Micro // Txn: its steps; the values of reads are ignored
	Node    int32         // index into the history's nodes, or NoNode
}

// Answered is how an operation ended. Fields that the kind or the outcome has
// no use for are ignored.
type Answered struct {
	Outcome Outcome
	Seen    model.Value   // Read, failed CAS
	Told    []model.Value // Txn: what its reads were told, one value for each, or nil if nothing is known
	Swapped bool          // CAS
	Node    int32         // the node that answered, or NoNode for the one asked
}

// Nodes names the nodes that operations refer to by index.
func (r *Recorder) Nodes(names []string) { r.h.Nodes = names }

// Clients names the clients: process p is called names[p%len(names)].
func (r *Recorder) Clients(names []string) { r.h.Clients = names }

// Text returns the value that stands for text s in this history. A history in
// which it was called once holds texts: all its values must come from Text, or
// be Absent or Unseen.
func (r *Recorder) Text(s string) model.Value {
	if v, known := r.texts[s]; known {
		return v
	}
	if r.texts == nil {
		r.texts = map[string]model.Value{}
	}
	v := model.Value(len(r.h.Texts))
	r.h.Texts = append(r.h.Texts, s)
	r.texts[s] = v
	return v
}

// Open returns the operation that a process has open, if any.
func (r *Recorder) Open(process int32) (op int, open bool) {
	i, busy := r.open[process]
	return int(i), busy && i != retired
}

// Call records that a process calls an operation at time at, and returns the
// operation's index. It fails if the process has an operation open, has ended
// with an unknown outcome, or if time runs backwards.
func (r *Recorder) Call(a Asked, at time.Duration) (int, error) {
	if at < r.now {
		return 0, &backwardsError{fmt.Sprintf("process %d calls", a.Process), at, r.now}
	}
	if i, busy := r.open[a.Process]; busy {
		if i == retired {
			return 0, fmt.Errorf("process %d calls after an unknown outcome, expected a fresh process", a.Process)
		}
		return 0, fmt.Errorf("process %d calls before its operation %d has returned", a.Process, i)
	}
	if r.open == nil {
		r.open = map[int32]int32{}
	}
	o := Op{
		Call: r.seq + 1, Return: Never, CalledAt: at, Seen: model.Unseen,
		ID: a.ID, Process: a.Process, Node: a.Node,
		Kind: a.Kind, Outcome: Unknown,
	}
	if o.stores() {
		o.Value = a.Value
	}
	if a.Kind == model.CAS {
		o.Expect = a.Expect
	}
	if err := o.fault(); err != nil {
		return 0, fmt.Errorf("a %s of process %d: %w", a.Kind, a.Process, err)
	}
	if a.Kind == model.Txn {
		var err error
		if o.Value, err = r.txn(a.Txn); err != nil {
			return 0, fmt.Errorf("a txn of process %d: %w", a.Process, err)
		}
	}
	if a.Kind == model.Add && r.h.Sets == nil {
		r.h.Sets = [][]model.Value{}
	}
	i := len(r.h.Ops)
	o.Key = r.key(a.Key)
	r.seq++
	r.now = at
	r.open[a.Process] = int32(i)
	r.h.Ops = append(r.h.Ops, o)
	return i, nil
}

// Return records how operation i ended at time at. An unknown outcome retires
// the process. It fails if the operation is not open, if there is no outcome or
// if time runs backwards.
func (r *Recorder) Return(i int, a Answered, at time.Duration) error {
	if err := r.mayReturn(i, a, at); err != nil {
		return err
	}
	o := &r.h.Ops[i]
	r.now = at
	o.ReturnedAt, o.Outcome = at, a.Outcome
	if a.Node != NoNode {
		o.Node = a.Node
	}
	if a.Outcome == Unknown {
		r.open[o.Process] = retired
		return nil
	}
	o.Swapped = o.Kind == model.CAS && a.Outcome == OK && a.Swapped
	if o.sees() {
		o.Seen = a.Seen
	}
	if o.Kind == model.Txn && a.Outcome == OK {
		tell(r.h.Txns[o.Value], a.Told)
	}
	r.seq++
	o.Return = r.seq
	delete(r.open, o.Process)
	return nil
}

func (r *Recorder) mayReturn(i int, a Answered, at time.Duration) error {
	if i < 0 || i >= len(r.h.Ops) {
		return fmt.Errorf("return of operation %d, expected 0..%d", i, len(r.h.Ops)-1)
	}
	if j, busy := r.open[r.h.Ops[i].Process]; !busy || j != int32(i) {
		return fmt.Errorf("return of operation %d, which is not open", i)
	}
	if at < r.now {
		return &backwardsError{fmt.Sprintf("return of operation %d", i), at, r.now}
	}
	if a.Outcome < OK || a.Outcome > Unknown {
		return fmt.Errorf("operation %d returns with %s, expected ok, fail or unknown", i, a.Outcome)
	}
	if o := &r.h.Ops[i]; o.Kind == model.Txn {
		if err := toldFault(r.h.Txn(o.Value), a.Told); err != nil {
			return fmt.Errorf("operation %d %w", i, err)
		}
	}
	return nil
}

// backwardsError says that time runs backwards: an event comes after a later one.
type backwardsError struct {
	event     string
	at, after time.Duration
}

func (e *backwardsError) Error() string {
	return fmt.Sprintf("%s at %v, after an event at %v", e.event, e.at, e.after)
}

// Finish ends the recording: operations still open end unknown at time at, or
// at the time of the last event if that was later. The history belongs to the
// caller, and the recorder is empty again.
func (r *Recorder) Finish(at time.Duration) *History {
	for _, i := range r.open {
		if i != retired {
			r.h.Ops[i].ReturnedAt = max(at, r.now)
		}
	}
	h := r.h
	*r = Recorder{}
	return &h
}

func (r *Recorder) key(name string) int32 {
	if k, known := r.keys[name]; known {
		return k
	}
	if r.keys == nil {
		r.keys = map[string]int32{}
	}
	k := int32(len(r.h.Keys))
	r.h.Keys = append(r.h.Keys, name)
	r.keys[name] = k
	return k
}
