// Package model holds sequential specifications: what an object answers when
// its operations happen one at a time. A checker asks a specification whether
// some order of the operations of a concurrent history is legal.
//
// The package knows no history, no simulator and no time.
package model

import (
	"fmt"
	"math"
	"slices"
	"strconv"
)

// Value is what a register holds: a number chosen by the workload, or the
// index of an interned text when the history has texts, or one of the two
// special values below.
type Value int64

const (
	// Absent is the value of a key that holds nothing: never written, or
	// deleted. Real systems print it as nil or null.
	Absent Value = math.MinInt64
	// Unseen stands where an answer could have told a value and did not, as
	// in a failed compare-and-set that only says "failed".
	Unseen Value = math.MinInt64 + 1
)

// String returns the number, "nil" for Absent and "?" for Unseen.
func (v Value) String() string {
	switch v {
	case Absent:
		return "nil"
	case Unseen:
		return "?"
	}
	return strconv.FormatInt(int64(v), 10)
}

// Kind says what an operation asks for. The zero Kind is no operation.
type Kind uint8

const (
	Read      Kind = iota + 1 // what does the key hold?
	Write                     // store Value
	CAS                       // store Value if the key holds Expect
	Delete                    // hold nothing
	Append                    // add Value's text at the end of the text held
	Add                       // put Value into the set held
	Increment                 // add Value to the number held
	Acquire                   // take the lock
	Release                   // leave the lock
	Enqueue                   // put Value at the end of the queue
	Dequeue                   // take what stands first in the queue
	Txn                       // read and write several registers at once
	kinds
)

// LastKind is the last of the kinds, of which Read is the first.
const LastKind = kinds - 1

var kindNames = [kinds]string{Read: "read", Write: "write", CAS: "cas", Delete: "delete", Append: "append", Add: "add",
	Increment: "increment", Acquire: "acquire", Release: "release", Enqueue: "enqueue", Dequeue: "dequeue", Txn: "txn"}

// String returns the word for the kind that histories and scenarios use.
func (k Kind) String() string {
	if k < kinds && kindNames[k] != "" {
		return kindNames[k]
	}
	return fmt.Sprintf("kind(%d)", uint8(k))
}

// ParseKind returns the kind that String prints as s.
func ParseKind(s string) (Kind, bool) {
	for k := Read; k < kinds; k++ {
		if kindNames[k] == s {
			return k, true
		}
	}
	return 0, false
}

// Op is one operation on one key as a specification sees it: what was asked
// and what was answered, without client and without time.
type Op struct {
	Kind   Kind
	Open   bool  // the answer is not known: a specification must accept any
	Value  Value // Write, CAS, Append, Add, Increment, Enqueue: what to store
	Expect Value // CAS: what must be there
	Seen   Value // Read, Dequeue: the answer; failed CAS: what was there, or Unseen

	Swapped bool // CAS: the answer says that Value was stored

	// Text and SeenText are the texts behind Value and Seen when the history
	// has texts ("" for Absent). In a history of sets SeenText is the set, such
	// as {1 3}.
	Text, SeenText string

	Txn []Micro // Txn: its steps with their answers, which must not be changed
}

// Looks reports whether the operation only looks, whatever it was answered: a
// read, or a transaction of reads.
func (o *Op) Looks() bool {
	return o.Kind == Read || o.Kind == Txn && !slices.ContainsFunc(o.Txn, func(m Micro) bool { return m.Kind == Write })
}

// String returns the operation in a few words, such as "write 7", "read -> 7"
// or "cas 3->4: failed, saw 5".
func (o Op) String() string {
	s := o.Kind.String()
	switch o.Kind {
	case Write, Append, Add, Increment, Enqueue:
		s += " " + orText(o.Value, o.Text)
	case CAS:
		s += " " + o.Expect.String() + "->" + o.Value.String()
	case Txn:
		s += " " + TxnString(o.Txn, !o.Open, Value.String)
	}
	switch {
	case o.Open:
		s += ": unknown"
	case o.Kind == Read || o.Kind == Dequeue:
		s += " -> " + orText(o.Seen, o.SeenText)
	case o.Kind == CAS && !o.Swapped:
		s += ": failed"
		if o.Seen != Unseen {
			s += ", saw " + o.Seen.String()
		}
	}
	return s
}

func orText(v Value, text string) string {
	if text == "" {
		return v.String()
	}
	return strconv.Quote(text)
}
