package sim

import (
	"fmt"
	"math/bits"
	"reflect"
	"strings"
	"time"
)

// EventKind says what happened.
type EventKind uint8

const (
	Sent       EventKind = iota + 1 // a message leaves From for To
	Delivered                       // it arrives
	Dropped                         // it never will; Why says why
	Duplicated                      // the network makes a copy; ID is the copy's, Cause the original's
	TimerFired                      // a timer of To goes off
	Crashed                         // node To stops
	Restarted                       // node To boots
	Acted                           // an action of the scenario; Message is its name
	Held                            // a message has arrived and waits for an overlay to be lifted
)

var eventNames = [...]string{"?", "send", "recv", "drop", "copy", "timer", "crash", "restart", "act", "hold"}

// String returns a word for logs.
func (k EventKind) String() string {
	if int(k) < len(eventNames) {
		return eventNames[k]
	}
	return fmt.Sprintf("event(%d)", uint8(k))
}

// Event is one thing that happened in a world, for traces and drawings.
type Event struct {
	At       time.Duration
	Seq      uint64 // position in the trace, from 1
	Kind     EventKind
	From, To NodeID
	ID       uint64 // identity of the message or timer: it joins Sent with Delivered or Dropped
	Cause    uint64 // identity of the event whose step sent it
	Why      DropCause
	Message  Message
}

func (w *World) record(e *Event) {
	if w.trace == nil {
		return
	}
	w.traced++
	e.At, e.Seq = w.now, w.traced
	w.trace(*e)
}

func (w *World) traceEvent(k EventKind, e *event) {
	if w.trace != nil {
		w.record(&Event{Kind: k, From: e.from.Node, To: e.to.Node, ID: e.id, Cause: e.cause, Message: e.msg})
	}
}

// mark folds and records something that happens to a node and is no event of the
// queue.
func (w *World) mark(k EventKind, id NodeID) {
	w.digest.fold(uint64(k)<<32, uint64(id))
	w.record(&Event{Kind: k, From: id, To: id})
}

// Describe prints an event in one line. The names are those of the nodes and
// processes, by number; World.Name has them.
func (e Event) Describe(name func(NodeID) string) string {
	at := fmt.Sprintf("%12v %-7s ", e.At, e.Kind)
	switch e.Kind {
	case Sent, Delivered, Duplicated, Held:
		return at + name(e.From) + " → " + name(e.To) + " " + DescribeMessage(e.Message)
	case Dropped:
		return at + name(e.From) + " → " + name(e.To) + " " + DescribeMessage(e.Message) + " (" + e.Why.String() + ")"
	case TimerFired:
		return at + name(e.To) + " " + DescribeMessage(e.Message)
	case Crashed, Restarted:
		return at + name(e.To)
	}
	return at + fmt.Sprint(e.Message)
}

// nothing is how protocols write that there is no value: the smallest int64.
const nothing = "-9223372036854775808"

// DescribeMessage prints a message with its type's name and its fields.
func DescribeMessage(m Message) string {
	if m == nil {
		return "nil"
	}
	s := strings.ReplaceAll(fmt.Sprintf("%+v", m), nothing, "nil")
	if t := reflect.TypeOf(m); t.Kind() == reflect.Struct {
		if s = strings.TrimSuffix(strings.TrimPrefix(s, "{"), "}"); s == "" {
			return t.Name()
		}
		return t.Name() + "{" + s + "}"
	}
	return s
}

// MessageName returns the name of a message's type, which is what DescribeMessage
// begins with.
func MessageName(m Message) string {
	t := reflect.TypeOf(m)
	if t == nil {
		return "nil"
	}
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t.Name()
}

// Divergence is the first event in which two runs of the same thing differ.
type Divergence struct {
	Index        int    // position in the trace, from 0
	First, Again *Event // nil where one run had already ended
}

// FindDivergence compares two whole traces event by event, messages included, and
// returns nil if they are equal.
func FindDivergence(first, again []Event) *Divergence {
	known := comparisons{}
	for i := range max(len(first), len(again)) {
		switch {
		case i >= len(first):
			return &Divergence{i, nil, &again[i]}
		case i >= len(again):
			return &Divergence{i, &first[i], nil}
		case !known.same(&first[i], &again[i]):
			return &Divergence{i, &first[i], &again[i]}
		}
	}
	return nil
}

// digest is a running hash over everything that happens.
type digest struct{ h uint64 }

func newDigest(seed uint64) digest { return digest{mix(seed ^ 0x7261736f6d6f6e)} }

// event folds an event of the queue. The message is not hashed: it follows from
// the step that sent it, and what clients see of it is hashed with the history.
func (d *digest) event(e *event) {
	d.fold(uint64(e.at), e.id^uint64(e.kind())<<56^uint64(uint32(e.to.Node))<<24^uint64(uint32(e.from.Node)))
}

// sent folds a message at its departure. Its identity says from which step and
// to whom; the order of departures within a step is what betrays a node that
// ranges over a map.
func (d *digest) sent(id uint64) { d.h = (bits.RotateLeft64(d.h, 27) ^ id) * 0x9e3779b97f4a7c15 }

func (d *digest) fold(a, b uint64) {
	h := (bits.RotateLeft64(d.h, 27) ^ a) * 0x9e3779b97f4a7c15
	d.h = (bits.RotateLeft64(h, 31) ^ b) * 0xd6e8feb86659fd93
}

func (d *digest) sum() uint64 { return mix(d.h) }
