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
	h    History
	seq  int64
	now  time.Duration
	open map[int32]int32 // process → its open operation, or retired
	keys map[string]int32
}

// retired marks a process whose last operation ended in an unknown outcome.
const retired int32 = -1

// Asked is what a client asks for when it calls.
type Asked struct {
	ID      int32 // number in the scenario, or 0
	Process int32
	Kind    model.Kind
	Key     string
	Value   model.Value // Write, CAS, Append
	Expect  model.Value // CAS
	Node    int32       // index into the history's nodes, or NoNode
}

// Answered is how an operation ended.
type Answered struct {
	Outcome Outcome
	Seen    model.Value // Read, failed CAS
	Swapped bool        // CAS
	Node    int32       // the node that answered, or NoNode for the one asked
}

// Nodes names the nodes that operations refer to by index.
func (r *Recorder) Nodes(names []string) { r.h.Nodes = names }

// Call records that a process calls an operation at time at, and returns the
// operation's index. It fails if the process has an operation open, has ended
// with an unknown outcome, or if time runs backwards.
func (r *Recorder) Call(a Asked, at time.Duration) (int, error) {
	if at < r.now {
		return 0, fmt.Errorf("history: call of process %d at %v, after an event at %v", a.Process, at, r.now)
	}
	if i, busy := r.open[a.Process]; busy {
		if i == retired {
			return 0, fmt.Errorf("history: process %d calls after an unknown outcome, expected a fresh process", a.Process)
		}
		return 0, fmt.Errorf("history: process %d calls before its operation %d has returned", a.Process, i)
	}
	if r.open == nil {
		r.open = map[int32]int32{}
	}
	i := len(r.h.Ops)
	r.seq++
	r.now = at
	r.open[a.Process] = int32(i)
	r.h.Ops = append(r.h.Ops, Op{
		Call: r.seq, Return: Never, CalledAt: at,
		Value: a.Value, Expect: a.Expect, Seen: model.Unseen,
		ID: a.ID, Process: a.Process, Key: r.key(a.Key), Node: a.Node,
		Kind: a.Kind, Outcome: Unknown,
	})
	return i, nil
}

// Return records how operation i ended at time at. An unknown outcome retires
// the process. It fails if the operation is not open or if time runs backwards.
func (r *Recorder) Return(i int, a Answered, at time.Duration) error {
	if i < 0 || i >= len(r.h.Ops) {
		return fmt.Errorf("history: return of operation %d, expected 0..%d", i, len(r.h.Ops)-1)
	}
	o := &r.h.Ops[i]
	if j, busy := r.open[o.Process]; !busy || j != int32(i) {
		return fmt.Errorf("history: return of operation %d, which is not open", i)
	}
	if at < r.now {
		return fmt.Errorf("history: return of operation %d at %v, after an event at %v", i, at, r.now)
	}
	r.now = at
	o.ReturnedAt, o.Outcome = at, a.Outcome
	if a.Node != NoNode {
		o.Node = a.Node
	}
	switch a.Outcome {
	case OK:
		o.Seen, o.Swapped = a.Seen, a.Swapped
	case Fail:
	case Unknown:
		r.open[o.Process] = retired
		return nil
	default:
		return fmt.Errorf("history: operation %d returns without an outcome", i)
	}
	r.seq++
	o.Return = r.seq
	delete(r.open, o.Process)
	return nil
}

// Finish ends the recording: operations still open end unknown at time at. The
// history belongs to the caller, and the recorder is empty again.
func (r *Recorder) Finish(at time.Duration) *History {
	for i := range r.h.Ops {
		if o := &r.h.Ops[i]; o.Outcome == Unknown && o.ReturnedAt == 0 {
			o.ReturnedAt = at
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
