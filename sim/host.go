package sim

import (
	"fmt"
	"slices"
	"time"
)

// host is the machine that a node runs on, or the seat of a process.
type host struct {
	env  Env
	name string
	key  uint64 // identity
	boot Boot
	node Node  // nil while the node is down
	proc *Proc // for a process
	disk Disk
	clock
	ownSyncTime time.Duration // of the disk without strain
	strains     []*strain     // in force on this node, oldest first, and their sums:
	stepTime    time.Duration
	syncTime    time.Duration // with the disk's own
	trouble     DiskTrouble
	paused      bool
	incarnation uint32        // grows with every crash
	traps       []*trap       // CrashAfterSends, in force
	busy        bool          // a step is still taking effect, or the node is paused
	occupied                  // if it is busy
	inbox       []event       // what arrived meanwhile
	booted      time.Duration // when it booted last
	again       uint64        // how often it booted at that very time before
}

// occupied says what keeps a node busy, and for how long.
type occupied struct {
	hold         hold
	began, until time.Duration
	due          uint64 // number of the evResume that ends it
}

type hold uint8

const (
	inBusy hold = iota // doing what Busy says
	inPause
	inStep
	inSync
)

func (h *host) String() string {
	if h.proc != nil {
		return "process " + h.name
	}
	return "node " + h.name
}

// start boots a node. The identity of its first step is made of the node and
// the time, so that it stays when an earlier crash is taken out of the scenario.
func (w *World) start(h *host) {
	if h.booted == w.now {
		h.again++
	} else {
		h.booted, h.again = w.now, 0
	}
	was := w.active
	w.active = h
	if h.node = h.boot(h.env.self, &h.disk); h.node == nil {
		panic("Boot returned nil")
	}
	if s, ok := h.node.(Starter); ok {
		h.env.begin(Key(Key(h.key+h.again, forStart), uint64(w.now)))
		s.Start(&h.env)
		h.env.open = false
		w.perform(h)
	}
	w.active = was
	h.halt()
}

// receive lets a node take a step, or keeps the message until it can.
func (w *World) receive(h *host, e *event) {
	if h.busy {
		h.inbox = append(h.inbox, *e)
		if h.paused {
			h.hit(func(s *strain) bool { return s.Pause })
		}
		return
	}
	was := w.active
	w.active = h
	h.env.begin(e.id)
	h.node.Receive(&h.env, e.from, e.msg)
	h.env.open = false
	w.active = was
	w.perform(h)
}

// perform lets the effects of a step happen when the step has taken its time.
func (w *World) perform(h *host) {
	if h.stepTime > 0 {
		h.hit(func(s *strain) bool { return s.Step > 0 })
		w.block(h, inStep, h.stepTime)
		return
	}
	w.flush(h)
}

// flush lets the effects of a step happen, from the first that has not yet. If
// one keeps the node busy, the others stay where they are until resume.
func (w *World) flush(h *host) {
	env := &h.env
	for env.done < len(env.effects) {
		f := &env.effects[env.done]
		env.done++
		switch f.kind {
		case doSend:
			if len(h.traps) > 0 && w.spring(h) {
				return
			}
			id := Key(env.cause, w.hosts[f.to.Node].key+uint64(f.nth))
			w.send(Addr{Node: env.self}, f.to, f.msg, id, env.cause)
		case doTimer:
			w.setTimer(h, f)
		case doAppend:
			if h.trouble >= DiskFull {
				w.fail(h, DiskFull)
				return
			}
			h.disk.records = append(h.disk.records, f.msg)
		case doSync, doSynced:
			if h.trouble >= DiskFailing {
				w.fail(h, DiskFailing)
				return
			}
			if f.kind == doSync && h.syncTime > 0 {
				f.kind = doSynced
				env.done--
				h.hit(func(s *strain) bool { return s.Sync > 0 })
				w.block(h, inSync, h.syncTime)
				return
			}
			h.disk.synced = len(h.disk.records)
		case doBusy:
			if f.wait > 0 {
				w.block(h, inBusy, f.wait)
				return
			}
		}
	}
}

func (w *World) setTimer(h *host, f *effect) {
	w.push(evTimer, event{
		at: w.in(h.wait(f.wait, w.now)), id: Key(h.env.cause, forTimer+uint64(f.nth)<<8), cause: h.env.cause,
		msg: f.msg, from: Addr{Node: h.env.self}, to: Addr{h.env.self, h.incarnation},
	})
}

// fail stops a node whose disk has failed an operation, as any of at least this
// trouble does.
func (w *World) fail(h *host, least DiskTrouble) {
	h.hit(func(s *strain) bool { return s.Disk >= least })
	w.Crash(h.env.self, LoseUnsynced)
}

// block keeps a node busy; the rest of its step happens afterwards.
func (w *World) block(h *host, why hold, d time.Duration) {
	h.busy, h.hold, h.began = true, why, w.now
	w.resumeAt(h, w.in(d))
}

// resumeAt sets when a node is busy no more; an evResume that is due already is
// void.
func (w *World) resumeAt(h *host, t time.Duration) {
	w.push(evResume, event{at: t, id: h.env.cause, to: Addr{Node: h.env.self}})
	h.until, h.due = t, w.seq
}

// resume goes on where block stopped: first with the rest of the step, then with
// the inbox until a step blocks again.
func (w *World) resume(h *host) {
	h.busy = false
	if h.halt(); h.busy {
		return
	}
	w.flush(h)
	for !h.busy && len(h.inbox) > 0 {
		e := h.inbox[0]
		h.inbox[0] = event{} // let the message go
		h.inbox = h.inbox[1:]
		w.receive(h, &e)
	}
}

// halt keeps a node that is paused from taking steps.
func (h *host) halt() {
	if h.paused && h.node != nil && !h.busy {
		h.busy, h.occupied = true, occupied{hold: inPause, until: never}
	}
}

// Crash stops a node at once. Its value, its timers, its inbox and what its
// step had not yet done are gone; fate says what becomes of the disk. Messages
// on their way to it are lost if it is still down when they arrive. Crashing a
// node that is down changes nothing.
func (w *World) Crash(id NodeID, fate DiskFate) {
	h := w.outside(id)
	if h.node == nil {
		return
	}
	h.node, h.inbox, h.busy, h.due, h.traps = nil, nil, false, 0, nil
	h.env.effects = nil
	h.incarnation++
	h.disk.crash(fate)
	w.mark(Crashed, id)
}

// trap is a crash that waits for a send.
type trap struct {
	left   int // sends until then
	sprung bool
}

// CrashAfterSends lets the node crash in the middle of a step: it still makes n
// sends from now on, and the next one crashes it instead, with LoseUnsynced. What
// it returns calls that off, and says whether it had happened. Several on one node
// do not disturb each other; a crash ends them all, and a negative n calls them all
// off. If the node is down, nothing changes.
func (w *World) CrashAfterSends(id NodeID, n int) (callOff func() (crashed bool)) {
	h := w.outside(id)
	t := &trap{left: n}
	switch {
	case n < 0:
		h.traps = nil
	case h.node != nil:
		h.traps = append(h.traps, t)
	}
	return func() bool {
		h.traps = slices.DeleteFunc(h.traps, func(other *trap) bool { return other == t })
		return t.sprung
	}
}

// spring counts a send that is about to happen, and says whether the node crashed
// instead.
func (w *World) spring(h *host) (crashed bool) {
	for _, t := range h.traps {
		if t.left == 0 {
			t.sprung, crashed = true, true
		}
		t.left--
	}
	if crashed {
		w.Crash(h.env.self, LoseUnsynced)
	}
	return crashed
}

// Restart boots a node from its disk. Restarting a node that is up changes
// nothing.
func (w *World) Restart(id NodeID) {
	defer w.explain()
	h := w.outside(id)
	if h.node != nil {
		return
	}
	w.mark(Restarted, id)
	w.start(h)
}

// replica returns the host of a node.
func (w *World) replica(id NodeID) *host {
	h := w.host(id)
	if h.proc != nil {
		panic(fmt.Sprintf("sim: %v is no node", h))
	}
	return h
}

// outside returns the host of a node that is not in the middle of Receive, where
// nobody may crash it.
func (w *World) outside(id NodeID) *host {
	h := w.replica(id)
	if h.env.open {
		panic(fmt.Sprintf("sim: %v meddles with itself within its step", h))
	}
	return h
}
