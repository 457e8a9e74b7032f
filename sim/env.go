package sim

import (
	"fmt"
	"time"
)

// Env is what a node sees of the world during a step. What it does to the world
// (Send, Reply, After, Append, Sync, Busy) is collected and happens, in that
// order, when the step returns. Doing something outside of a step panics.
type Env struct {
	w       *World
	host    *host
	self    NodeID
	open    bool   // a step is under way
	timers  uint32 // set in this step
	cause   uint64 // identity of the event that the step answers
	effects []effect
	done    int // effects that have happened
}

type effectKind uint8

const (
	doSend effectKind = iota
	doTimer
	doAppend
	doSync
	doSynced // a sync whose time has passed
	doBusy
)

// effect is one thing that a step does to the world.
type effect struct {
	kind effectKind
	nth  uint32 // of the sends of this step to one node, or of its timers, from 0
	to   Addr
	wait time.Duration
	msg  any
}

// Self returns the node's own number.
func (e *Env) Self() NodeID { return e.self }

// Now returns what the node's monotonic clock shows: it drifts, it never jumps,
// and it starts at 0 with the world. It stands still during a step.
func (e *Env) Now() time.Duration { return e.host.monotonic(e.w.now) }

// Wall returns what the node's wall clock shows: it drifts, and it jumps.
func (e *Env) Wall() time.Duration { return e.Now() + e.host.set.Offset }

// Send sends a message to a node's entrance.
func (e *Env) Send(to NodeID, m Message) { e.Reply(Addr{Node: to}, m) }

// Reply sends a message to an address, usually the one that a request came from.
func (e *Env) Reply(to Addr, m Message) {
	e.w.host(to.Node)
	e.collect(effect{kind: doSend, nth: e.sends(to.Node), to: to, msg: m})
}

// sends counts the sends of this step to a node. Looking for the latest of them
// is quick: a step seldom sends to many nodes.
func (e *Env) sends(to NodeID) uint32 {
	for i := len(e.effects) - 1; i >= 0; i-- {
		if f := &e.effects[i]; f.kind == doSend && f.to.Node == to {
			return f.nth + 1
		}
	}
	return 0
}

// After sends the node itself a message when its own clock has run for d, which
// is at once if d is not positive. Such a timer cannot be cancelled; it is lost
// when the node crashes. It never goes off early by the node's own clock, unless
// SetClock changes the drift in the meantime: timers that are set do not move.
func (e *Env) After(d time.Duration, m Message) {
	e.collect(effect{kind: doTimer, nth: e.timers, wait: d, msg: m})
	e.timers++
}

// Append writes a record at the end of the disk's log. It survives a crash for
// certain only after a Sync. Where the disk fails it, the node stops (DiskTrouble).
func (e *Env) Append(record any) { e.collect(effect{kind: doAppend, msg: record}) }

// Sync makes what was written durable. It keeps the node busy for as long as the
// disk takes; what the step does after it happens then, unless the disk fails it.
func (e *Env) Sync() { e.collect(effect{kind: doSync}) }

// Busy keeps the node busy for d of true time: what the step does after it
// happens then, and messages wait in the inbox, in order.
func (e *Env) Busy(d time.Duration) { e.collect(effect{kind: doBusy, wait: d}) }

// Rand returns a stream of random numbers that belongs to this step and label:
// asked for twice, it is the same stream twice.
func (e *Env) Rand(label uint64) Draws {
	return NewDraws(Key(Key(e.w.seed^e.cause, forNode), label))
}

// Count tells whoever runs the world (Config.Count) that something has happened that
// is worth counting, such as a read that needs a detour. It is no effect of the step:
// a crash does not undo it, and the digest does not know of it.
func (e *Env) Count(what string) {
	if e.w.config.Count != nil {
		e.w.config.Count(what)
	}
}

func (e *Env) collect(f effect) {
	if !e.open {
		panic(fmt.Sprintf("sim: the Env of %v is used outside of its steps", e.host))
	}
	e.effects = append(e.effects, f)
}

// begin opens a step.
func (e *Env) begin(cause uint64) {
	e.cause, e.open, e.timers, e.done, e.effects = cause, true, 0, 0, e.effects[:0]
}
