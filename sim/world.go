package sim

import "time"

// Config is what a world starts from. The zero Config is a world with perfect
// links and seed 0.
type Config struct {
	Seed uint64
	// Link is between every two replicas, Client between a process and any node
	// and back, until SetLink says otherwise.
	Link, Client Link
	// Trace, if not nil, is called for every event as it happens. The Event may
	// be kept; tracing changes nothing in the world.
	Trace func(Event)
}

// World is a simulated world. It is not safe for concurrent use.
type World struct {
	seed     uint64
	now      time.Duration
	seq      uint64
	queue    queue
	hosts    []*host
	links    [][]link // from, to
	overlays []overlay
	config   Config

	env         Env // of the step under way
	live        int // processes that have not ended
	lastOverlay OverlayID
	digest      digest
	trace       func(Event)
	traced      uint64
}

// New returns an empty world at time 0.
func New(c Config) *World {
	return &World{seed: mix(c.Seed), config: c, trace: c.Trace, digest: newDigest(c.Seed)}
}

// action is a function of the scenario and what it is called.
type action struct {
	name string
	do   func()
}

// At lets do happen at time t (or now, if t has passed), between steps. It is
// how faults and phases come into a world; name appears in the trace.
func (w *World) At(t time.Duration, name string, do func()) {
	w.push(event{at: max(t, w.now), id: uint64(t), msg: &action{name, do}, kind: evAction})
}

// Now returns the true time: that of the latest event, or later if Run waited.
func (w *World) Now() time.Duration { return w.now }

// Live returns how many processes have not ended.
func (w *World) Live() int { return w.live }

// Name returns the name of a node or process.
func (w *World) Name(id NodeID) string { return w.hosts[id].name }

// Digest returns 64 bits that depend on every event so far. Two runs that differ
// in one event differ in their digests but for a chance of 2⁻⁶⁴.
func (w *World) Digest() uint64 { return w.digest.sum() }

// Step lets the next event happen, if there is one at or before the time until,
// and says whether there was. It takes time logarithmic in the events that wait.
func (w *World) Step(until time.Duration) bool {
	if w.queue.len() == 0 || w.queue.heap[0].at > until {
		return false
	}
	e := w.queue.pop()
	w.now = e.at
	w.digest.event(&e)
	switch h := w.destination(&e); e.kind {
	case evDeliver:
		w.deliver(&e)
	case evTimer:
		if h.node != nil && h.incarnation == e.incarnation {
			w.traceEvent(TimerFired, &e)
			w.receive(h, &e)
		}
	case evWake:
		h.proc.resume()
	case evTimeout:
		h.proc.timeout(e.to.Port)
	case evAction:
		a := e.msg.(*action)
		if w.trace != nil {
			w.record(&Event{Kind: Acted, From: -1, To: -1, Message: a.name})
		}
		a.do()
	case evResume:
		if h.node != nil && h.incarnation == e.incarnation {
			w.resume(h, e.to.Node)
		}
	}
	return true
}

func (w *World) destination(e *event) *host {
	if e.kind == evAction {
		return nil
	}
	return w.hosts[e.to.Node]
}

// Run lets everything happen up to the time until, and moves the time there.
func (w *World) Run(until time.Duration) {
	for w.Step(until) {
	}
	w.now = max(w.now, until)
}

// Stop ends all processes, which unwinds their functions. The world must not be
// stepped afterwards.
func (w *World) Stop() {
	for _, h := range w.hosts {
		if h.proc != nil {
			h.proc.stop()
		}
	}
}

func (w *World) push(e event) {
	w.seq++
	e.seq = w.seq
	w.queue.push(e)
}

// addHost gives a host its number and its links.
func (w *World) addHost(h *host) NodeID {
	id := NodeID(len(w.hosts))
	w.hosts = append(w.hosts, h)
	w.links = append(w.links, make([]link, 0, len(w.hosts)+4))
	for from := range w.links {
		for to := len(w.links[from]); to < len(w.hosts); to++ {
			k := link{base: w.config.Link}
			if w.hosts[from].proc != nil || w.hosts[to].proc != nil {
				k.base = w.config.Client
			}
			w.links[from] = append(w.links[from], k)
			w.refresh(Pair{NodeID(from), NodeID(to)}, &w.links[from][to])
		}
	}
	return id
}

// Len returns how many nodes and processes have been added.
func (w *World) Len() int { return len(w.hosts) }
