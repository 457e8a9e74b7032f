package replication

import (
	"fmt"
	"math"

	"github.com/rashomon-go/rashomon/sim"
)

// Absent is the value of a key that holds nothing.
const Absent int64 = math.MinInt64

// RequestID names a request of a client. A client numbers its requests upwards
// and has one under way at a time, so that a server need remember only the
// latest. The zero RequestID is never recognised.
type RequestID struct {
	Client sim.NodeID
	Number uint64
}

// WriteKind says what a Write does.
type WriteKind uint8

const (
	Put           WriteKind = iota // store Value
	CompareAndSet                  // store Value if the key holds Expect
	Delete                         // hold nothing
	NoOp                           // change nothing: opens the log of a configuration; not for clients
)

// String returns put, cas, delete or no-op.
func (k WriteKind) String() string {
	switch k {
	case Put:
		return "put"
	case CompareAndSet:
		return "cas"
	case Delete:
		return "delete"
	case NoOp:
		return "no-op"
	}
	return fmt.Sprintf("kind(%d)", uint8(k))
}

// What clients ask.
type (
	// Write asks for a change of one key.
	Write struct {
		Request       RequestID
		Kind          WriteKind
		Key           string
		Value, Expect int64
	}
	// Read asks for the value of a key.
	Read struct{ Key string }
)

// What clients are told.
type (
	// Written says that a Write is committed. Swapped is false for a
	// CompareAndSet that found Seen instead of what it expected.
	Written struct {
		Swapped bool
		Seen    int64
	}
	// Value answers a Read.
	Value struct{ Value int64 }
	// Redirect says that another node has to be asked. Nothing happened.
	Redirect struct{ To sim.NodeID }
	// Refused says that the node can't serve the request now. Nothing happened.
	Refused struct{}
)

// refuse tells a client that the node can't serve it now.
func refuse(env *sim.Env, client sim.Addr) {
	env.Count(ReachedRefusal)
	env.Reply(client, Refused{})
}

// redirect tells a client whom to ask.
func redirect(env *sim.Env, client sim.Addr, to sim.NodeID) {
	env.Count(ReachedRedirect)
	env.Reply(client, Redirect{to})
}
