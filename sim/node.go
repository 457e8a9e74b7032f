package sim

import (
	"fmt"
	"time"
)

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
type Node interface {
	Receive(env *Env, from Addr, m Message)
}

// Starter is a Node that has something to do when it has booted, such as
// setting its first timer.
type Starter interface {
	Start(env *Env)
}

// Observable is a node that lets others look inside between steps: for
// drawings, invariants, and the digest of a run's final states.
type Observable interface {
	// State returns the node's variables in a fixed order.
	State() []Variable
}

// Variable is one part of a node's state, printed.
type Variable struct{ Name, Value string }

// Boot builds a node from its disk, at the start and after every crash.
type Boot func(self NodeID, disk *Disk) Node

// host is the machine that a node runs on.
type host struct {
	name string
	boot Boot
	node Node  // nil while the node is down
	proc *Proc // for a process
	disk Disk
	clock
	syncTime    time.Duration
	incarnation uint32
	cut         int      // sends that the next step may still make; -1 without limit
	busy        bool     // a step is still taking effect
	rest        []effect // what is left of that step
	restCause   uint64
	inbox       []event // what arrived meanwhile
}

// Env is what a node sees of the world during a step.
type Env struct {
	w       *World
	self    NodeID
	host    *host
	cause   uint64
	effects []effect
	sends   uint64 // ordinals, for identities
	timers  uint64
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
	to   Addr
	wait time.Duration
	id   uint64
	msg  any
}

// Self returns the node's own number.
func (e *Env) Self() NodeID { return e.self }

// Now returns what the node's monotonic clock shows: it drifts, it never jumps,
// and it starts at 0 with the world.
func (e *Env) Now() time.Duration { return e.host.monotonic(e.w.now) }

// Wall returns what the node's wall clock shows: it drifts, and it jumps.
func (e *Env) Wall() time.Duration { return e.Now() + e.host.set.Offset }

// Send sends a message to a node's entrance.
func (e *Env) Send(to NodeID, m Message) { e.Reply(Addr{Node: to}, m) }

// Reply sends a message to an address, usually the one that a request came from.
func (e *Env) Reply(to Addr, m Message) {
	e.sends++
	id := Key(Key(e.cause, forSend), uint64(to.Node)<<32|e.sends)
	e.effects = append(e.effects, effect{kind: doSend, to: to, id: id, msg: m})
}

// After sends the node itself a message when its own clock has run for d. Such a
// timer cannot be cancelled; it is lost when the node crashes.
func (e *Env) After(d time.Duration, m Message) {
	e.timers++
	id := Key(Key(e.cause, forTimer), e.timers)
	e.effects = append(e.effects, effect{kind: doTimer, wait: d, id: id, msg: m})
}

// Append writes a record at the end of the disk's log. It survives a crash for
// certain only after a Sync.
func (e *Env) Append(record any) {
	e.effects = append(e.effects, effect{kind: doAppend, msg: record})
}

// Sync makes what was written durable. It keeps the node busy for as long as the
// disk takes; what the step sends after it, it sends then.
func (e *Env) Sync() { e.effects = append(e.effects, effect{kind: doSync}) }

// Busy keeps the node busy for d of true time: what the step does after it
// happens then, and messages wait in the inbox, in order.
func (e *Env) Busy(d time.Duration) {
	e.effects = append(e.effects, effect{kind: doBusy, wait: d})
}

// Rand returns a stream of random numbers that belongs to this step and label.
func (e *Env) Rand(label uint64) Draws {
	return NewDraws(Key(Key(e.w.seed^e.cause, forNode), label))
}

// AddNode adds a node that starts at once and returns its number.
func (w *World) AddNode(name string, boot Boot) NodeID {
	id := w.addHost(&host{name: name, boot: boot, cut: -1})
	w.start(id)
	return id
}

func (w *World) start(id NodeID) {
	h := w.hosts[id]
	h.node = h.boot(id, &h.disk)
	if s, ok := h.node.(Starter); ok {
		w.begin(id, Key(Key(uint64(id), forStart), uint64(h.incarnation)))
		s.Start(&w.env)
		w.finish(h)
	}
}

// receive lets a node take a step, or keeps the message until it can.
func (w *World) receive(h *host, e *event) {
	if h.busy {
		h.inbox = append(h.inbox, *e)
		return
	}
	w.begin(e.to.Node, e.id)
	h.node.Receive(&w.env, e.from, e.msg)
	w.finish(h)
}

func (w *World) begin(self NodeID, cause uint64) {
	w.env = Env{w: w, self: self, host: w.hosts[self], cause: cause, effects: w.env.effects[:0]}
}

// finish lets the effects of a step happen.
func (w *World) finish(h *host) { w.flush(h, w.env.self, w.env.cause, w.env.effects) }

func (w *World) flush(h *host, self NodeID, cause uint64, effects []effect) {
	for i := range effects {
		switch f := &effects[i]; f.kind {
		case doSend:
			if h.cut == 0 {
				w.Crash(self, LoseUnsynced)
				return
			}
			if h.cut > 0 {
				h.cut--
			}
			w.send(Addr{Node: self}, f.to, f.msg, f.id, cause)
		case doTimer:
			w.push(event{
				at: w.now + max(h.wait(f.wait), 0), id: f.id, cause: cause, msg: f.msg,
				from: Addr{Node: self}, to: Addr{Node: self}, incarnation: h.incarnation, kind: evTimer,
			})
		case doAppend:
			h.disk.records = append(h.disk.records, f.msg)
		case doSync:
			if h.syncTime > 0 {
				f.kind = doSynced
				w.block(h, self, cause, h.syncTime, effects[i:])
				return
			}
			h.disk.synced = len(h.disk.records)
		case doSynced:
			h.disk.synced = len(h.disk.records)
		case doBusy:
			if f.wait > 0 {
				w.block(h, self, cause, f.wait, effects[i+1:])
				return
			}
		}
	}
}

// block keeps a node busy; the rest of its step happens afterwards.
func (w *World) block(h *host, self NodeID, cause uint64, d time.Duration, rest []effect) {
	h.busy = true
	h.rest = append(h.rest[:0:0], rest...)
	h.restCause = cause
	w.push(event{at: w.now + d, id: cause, cause: cause, to: Addr{Node: self}, incarnation: h.incarnation, kind: evResume})
}

// resume goes on where block stopped: first with the rest of the step, then with
// the inbox until a step blocks again.
func (w *World) resume(h *host, self NodeID) {
	h.busy = false
	rest := h.rest
	h.rest = nil
	w.flush(h, self, h.restCause, rest)
	for !h.busy && h.node != nil && len(h.inbox) > 0 {
		e := h.inbox[0]
		h.inbox = h.inbox[1:]
		w.receive(h, &e)
	}
}

// Crash stops a node at once. Its value, its timers, its inbox and what its
// step had not yet done are gone; fate says what becomes of the disk. Crashing a
// node that is down changes nothing.
func (w *World) Crash(id NodeID, fate DiskFate) {
	h := w.replica(id)
	if h.node == nil {
		return
	}
	h.node, h.inbox, h.rest, h.busy, h.cut = nil, nil, nil, false, -1
	h.incarnation++
	h.disk.crash(fate)
	w.mark(Crashed, id)
}

// CrashAfterSends lets the node crash in the middle of a step: it still makes n
// sends from now on, and the next one crashes it instead.
func (w *World) CrashAfterSends(id NodeID, n int) { w.replica(id).cut = n }

// Restart boots a node from its disk. Restarting a node that is up changes
// nothing.
func (w *World) Restart(id NodeID) {
	h := w.replica(id)
	if h.node != nil {
		return
	}
	w.mark(Restarted, id)
	w.start(id)
}

// Node returns the value that the node is at the moment, or nil while it is
// down. It is for looking, between steps.
func (w *World) Node(id NodeID) Node { return w.replica(id).node }

// Disk returns the node's disk. It is for looking, between steps.
func (w *World) Disk(id NodeID) *Disk { return &w.replica(id).disk }

// SetClock changes how the node's clocks run from now on.
func (w *World) SetClock(id NodeID, c Clock) { w.replica(id).change(c, w.now) }

// SetSyncTime sets how long the node's disk takes for a Sync from now on.
func (w *World) SetSyncTime(id NodeID, d time.Duration) { w.replica(id).syncTime = d }

func (w *World) replica(id NodeID) *host {
	if id < 0 || int(id) >= len(w.hosts) || w.hosts[id].proc != nil {
		panic(fmt.Sprintf("sim: %d is not a node of this world", id))
	}
	return w.hosts[id]
}
