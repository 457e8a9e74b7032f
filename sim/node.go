package sim

import "time"

// NodeID numbers everything that has an address, replicas and processes alike,
// in the order in which they were added, from 0.
type NodeID int32

// Addr is where a message goes or comes from. Port 0 is a node's entrance;
// other ports belong to calls that wait for their reply.
type Addr struct {
	Node NodeID
	Port uint32
}

// Message is what nodes send each other: an immutable value. Whoever sends a
// message that holds a slice or a map gives it away.
type Message any

// Node is a replica. Receive is its only entrance; one call is one step, which
// is atomic. The Env is valid during the step only.
//
// A message that a node sends itself, and a timer that it set, come in the same
// way, from its own address.
type Node interface {
	Receive(env *Env, from Addr, m Message)
}

// Starter is a Node that has something to do when it has booted, such as
// setting its first timer. Start is a step like any other.
type Starter interface {
	Start(env *Env)
}

// Observable is a node that lets others look inside between steps: for
// drawings, invariants, and the digest of a run's final states.
type Observable interface {
	// State returns the node's variables in a fixed order. By convention those
	// that begin with "store" are what clients could read, and "pending" is there
	// as long as something of that may change without a client's doing.
	State() []Variable
}

// Variable is one part of a node's state, printed.
type Variable struct{ Name, Value string }

// Boot builds a node from its disk, at the start and after every crash. It must
// not return nil. What else it captures survives crashes too: anything but
// configuration there is a bug in the making.
type Boot func(self NodeID, disk *Disk) Node

// AddNode adds a node that starts at once and returns its number. The name is
// the node's identity: random numbers are derived from it, and so stay as they
// are when other nodes or processes are taken out of the scenario. Hosts of the
// same name are told apart by their order.
func (w *World) AddNode(name string, boot Boot) NodeID {
	defer w.explain()
	h := &host{name: name, boot: boot}
	id := w.addHost(h)
	w.start(h)
	return id
}

// Node returns the value that the node is at the moment, or nil while it is
// down. It is for looking, between steps.
func (w *World) Node(id NodeID) Node { return w.replica(id).node }

// Disk returns the node's disk. It is for looking, between steps.
func (w *World) Disk(id NodeID) *Disk { return &w.replica(id).disk }

// SetClock changes how the node's clocks run from now on. It panics if they
// would stand still or run backwards.
func (w *World) SetClock(id NodeID, c Clock) { w.replica(id).change(c, w.now) }

// SetSyncTime sets how long the node's disk takes for a Sync from now on, without
// what strains it.
func (w *World) SetSyncTime(id NodeID, d time.Duration) {
	h := w.replica(id)
	h.ownSyncTime = max(d, 0)
	h.refresh()
}
