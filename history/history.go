// Package history is what clients saw: operations with their beginning, their
// end and their outcome, recorded anywhere — by the simulator next door or by a
// real system — and nothing about how the system works inside.
//
// # The contract of a history
//
// Operations stand in the order of their calls. Call and Return are positions
// in one global order of events: every position is used at most once, so that
// of two events one is certainly the earlier. (Times alone would not do:
// checkers take equal times as concurrent, and a tie hides a stale read.)
// Simulated or wall times are kept beside the positions, for drawing.
//
// A process does one thing at a time. An operation whose outcome is Unknown may
// have happened, may still happen, or may never happen; it stays open for ever
// (Return is Never) and its process does nothing more: the client goes on under
// a fresh process number.
package history

import (
	"fmt"
	"math"
	"time"

	"github.com/rashomon-go/rashomon/model"
)

// Never is the Return of an operation that did not return.
const Never int64 = math.MaxInt64

// NoNode is the Node of an operation when it is not known which node was asked.
const NoNode int32 = -1

// Outcome says how an operation ended. The zero Outcome is not valid.
type Outcome uint8

const (
	OK      Outcome = iota + 1 // it happened, and this is the answer
	Fail                       // it certainly did not happen
	Unknown                    // it may have happened, or may yet happen
)

// String returns ok, fail or unknown.
func (o Outcome) String() string {
	switch o {
	case OK:
		return "ok"
	case Fail:
		return "fail"
	case Unknown:
		return "unknown"
	}
	return fmt.Sprintf("outcome(%d)", uint8(o))
}

// Op is one operation of one process on one key. Keys, nodes and texts are
// interned in the History.
type Op struct {
	Call   int64 // position of the call, from 1, strictly increasing
	Return int64 // position of the return, or Never

	CalledAt   time.Duration // time of the call since the start of the run
	ReturnedAt time.Duration // time of the return, or when the client gave up

	Value  model.Value // Write, CAS, Append, Add, Increment, Enqueue: what to store; Txn: an index into Txns
	Expect model.Value // CAS: what must be there
	Seen   model.Value // Read, Dequeue: the answer (an index into Sets, if there are); failed CAS: what was there, or Unseen

	ID      int32 // number of the operation in its scenario, or 0
	Process int32
	Key     int32 // index into History.Keys
	Node    int32 // index into History.Nodes, or NoNode: the node asked (last)

	Kind    model.Kind
	Outcome Outcome
	Swapped bool // CAS with outcome OK: Value was stored
}

// History is a whole history. The zero History is empty and ready to use.
// It is not safe for concurrent use while it is being changed.
type History struct {
	Ops   []Op     // in the order of their calls
	Keys  []string // names of the keys
	Nodes []string // names of the nodes, if known
	// Clients, if there are any, are the names of the clients: process p is one
	// of Clients[p%len(Clients)]. A client that goes on after an unknown outcome
	// keeps its name if its processes are that many apart.
	Clients []string
	// Texts, if not nil, are the texts that values stand for: a Value is then
	// an index into it (or Absent, or Unseen).
	Texts []string
	// Sets, if not nil, are the sets that reads returned, each in increasing
	// order: keys then hold sets of numbers, and all operations are reads and
	// adds. A table leaves Op small, and replicas that agree share an entry.
	Sets [][]model.Value
	// Txns are the transactions, each with its steps in their order. A read among
	// them holds what it was told, or Unseen.
	Txns [][]model.Micro
	// Pinned says that claims about the sessions of clients are about what a client
	// did at one node, as whoever recorded the history understands them.
	Pinned bool
	// Faults are what befell the system meanwhile, if that is known.
	Faults []Fault
}

// ModelOp returns operation i as a specification sees it.
func (h *History) ModelOp(i int) model.Op {
	o := &h.Ops[i]
	m := model.Op{
		Kind: o.Kind, Open: o.Outcome == Unknown,
		Value: o.Value, Expect: o.Expect, Seen: o.Seen, Swapped: o.Swapped,
	}
	if h.Texts != nil {
		m.Text, m.SeenText = h.text(o.Value), h.text(o.Seen)
	}
	if h.Sets != nil && o.Kind == model.Read && o.Seen != model.Unseen {
		m.SeenText = setString(h.Set(o.Seen))
	}
	if o.Kind == model.Txn {
		m.Txn = h.Txn(o.Value)
	}
	return m
}

// Client returns what the client of a process is called: its name in Clients,
// or else "client" and the number of the process.
func (h *History) Client(process int32) string {
	if n := len(h.Clients); n > 0 && process >= 0 {
		return h.Clients[int(process)%n]
	}
	return fmt.Sprintf("client %d", process)
}

func (h *History) text(v model.Value) string {
	if v < 0 || int(v) >= len(h.Texts) {
		return ""
	}
	return h.Texts[v]
}

// missingText returns a value of o that should stand for a text but does not.
func (h *History) missingText(o *Op) (model.Value, bool) {
	if h.Texts == nil {
		return 0, false
	}
	switch {
	case o.stores() && !h.hasText(o.Value):
		return o.Value, true
	case o.Kind == model.CAS && !h.hasText(o.Expect):
		return o.Expect, true
	case o.sees() && !h.hasText(o.Seen):
		return o.Seen, true
	}
	return 0, false
}

func (h *History) hasText(v model.Value) bool {
	return v == model.Absent || v == model.Unseen || v >= 0 && int64(v) < int64(len(h.Texts))
}

// stores reports whether o.Value means something.
func (o *Op) stores() bool {
	switch o.Kind {
	case model.Write, model.CAS, model.Append, model.Add, model.Increment, model.Enqueue:
		return true
	}
	return false
}

// sees reports whether o.Seen means something.
func (o *Op) sees() bool {
	return o.Outcome == OK && (o.Kind == model.Read || o.Kind == model.Dequeue || o.Kind == model.CAS && !o.Swapped)
}

// ValueString returns v as a person would write it: the number, or the quoted
// text behind it, or nil.
func (h *History) ValueString(v model.Value) string {
	if h.Texts == nil || v == model.Absent || v == model.Unseen {
		return v.String()
	}
	return fmt.Sprintf("%q", h.text(v))
}

// OpString returns operation i in one line without times, such as
// "read k0 -> 7", "write k0=7" or "cas k0 3->4: failed, saw 5".
func (h *History) OpString(i int) string {
	o := &h.Ops[i]
	key := h.Keys[o.Key]
	var s string
	switch o.Kind {
	case model.Read:
		s = "read " + key
		if o.Outcome == OK {
			return s + " -> " + h.seenString(o.Seen)
		}
	case model.Write:
		s = "write " + key + "=" + h.ValueString(o.Value)
	case model.Append:
		s = "append " + key + "+=" + h.ValueString(o.Value)
	case model.Add:
		s = "add " + h.ValueString(o.Value) + " to " + key
	case model.Increment:
		s = "increment " + key + " by " + o.Value.String()
	case model.Enqueue:
		s = "enqueue " + h.ValueString(o.Value) + " in " + key
	case model.Dequeue:
		s = "dequeue " + key
		if o.Outcome == OK {
			return s + " -> " + h.seenString(o.Seen)
		}
	case model.Txn:
		s = "txn " + key + ": " + model.TxnString(h.Txn(o.Value), o.Outcome == OK, h.ValueString)
		if o.Outcome != OK {
			s += " (" + o.Outcome.String() + ")"
		}
		return s
	case model.CAS:
		s = "cas " + key + " " + h.ValueString(o.Expect) + "->" + h.ValueString(o.Value)
		if o.Outcome == OK && !o.Swapped {
			s += ": failed"
			if o.Seen != model.Unseen {
				s += ", saw " + h.ValueString(o.Seen)
			}
			return s
		}
	default:
		s = o.Kind.String() + " " + key
	}
	if o.Outcome != OK {
		s += ": " + o.Outcome.String()
	}
	return s
}
