package sim

import (
	"fmt"
	"math"
	"time"
)

// Config is what a world starts from. The zero Config is a world with perfect
// links and seed 0.
type Config struct {
	Seed uint64
	// Link is between every two replicas, Client between a process and any node
	// and back, until SetLink says otherwise. What a node sends itself crosses no
	// network: the link from a node to itself is perfect.
	Link, Client Link
	// Trace, if not nil, is called for every event as it happens. The Event may
	// be kept; tracing changes nothing in the world, and Trace must not either.
	Trace func(Event)
	// Count, if not nil, is called whenever a node calls Env.Count. It must not
	// change anything in the world.
	Count func(what string)
}

// World is a simulated world. It is not safe for concurrent use. Its methods
// are for actions, processes and whoever steps it, not for nodes: a node sees
// its Env and nothing else.
type World struct {
	seed   uint64
	now    time.Duration
	seq    uint64
	queue  queue
	hosts  []*host
	links  [][]*link // from, to; nil where nothing was sent yet
	config Config
	digest digest

	imposed []*overlay    // all that ever were, by OverlayID - 1
	strains []*strain     // all that ever were
	live    int           // processes that have not ended
	asked   time.Duration // when the last message from a process arrives
	trace   func(Event)
	traced  uint64

	active *host  // whose code is running, or nil
	acting string // the action that is running, if active is nil
}

// never is later than anything that happens.
const never = time.Duration(math.MaxInt64)

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
// how faults and phases come into a world; name appears in the trace. Actions
// for the same moment happen in the order of the calls of At.
func (w *World) At(t time.Duration, name string, do func()) {
	w.push(evAction, event{at: max(t, w.now), id: Key(nameKey(name), uint64(t)), msg: &action{name, do}})
}

// Now returns the true time: that of the latest event, or later if Run waited.
func (w *World) Now() time.Duration { return w.now }

// Asked returns when the last of the messages arrives that processes have sent so
// far, or when it arrived: until then, a request that its client has given up may
// yet take effect.
func (w *World) Asked() time.Duration { return w.asked }

// Live returns how many processes have not ended.
func (w *World) Live() int { return w.live }

// Len returns how many nodes and processes have been added.
func (w *World) Len() int { return len(w.hosts) }

// Name returns the name of a node or process.
func (w *World) Name(id NodeID) string { return w.host(id).name }

// Digest returns 64 bits that depend on every event so far. Two runs that differ
// in one event differ in their digests but for a chance of 2⁻⁶⁴.
//
// The digest covers when, where and for what cause everything happened, in
// order, and the fate of every message. It does not cover what messages say:
// that shows when a node or a client acts differently because of it.
func (w *World) Digest() uint64 { return w.digest.sum() }

// Step lets the next event happen, if there is one at or before the time until,
// and says whether there was. It takes time logarithmic in the events that wait.
//
// A panic in a node, a process or an action comes out of Step as a *Panic. The
// world can still be looked at and must be stopped, but not stepped again.
func (w *World) Step(until time.Duration) bool {
	defer w.explain()
	return w.step(until)
}

// Run lets everything happen up to the time until, and moves the time there. It
// panics as Step does.
func (w *World) Run(until time.Duration) {
	defer w.explain()
	for w.step(until) {
	}
	w.now = max(w.now, until)
}

func (w *World) step(until time.Duration) bool {
	if w.queue.len() == 0 || w.queue.first().at > until {
		return false
	}
	e := w.queue.pop()
	w.now = e.at
	w.digest.event(&e)
	switch e.kind() {
	case evDeliver:
		w.deliver(&e)
	case evTimer:
		if h := w.hosts[e.to.Node]; h.incarnation == e.to.Port {
			w.traceEvent(TimerFired, &e)
			w.receive(h, &e)
		}
	case evWake:
		w.hosts[e.to.Node].proc.resume()
	case evTimeout:
		w.hosts[e.to.Node].proc.timeout(e.to.Port)
	case evAction:
		w.act(e.msg.(*action))
	case evResume:
		if h := w.hosts[e.to.Node]; h.due == e.order>>kindBits {
			w.resume(h)
		}
	}
	return true
}

func (w *World) act(a *action) {
	if w.trace != nil {
		w.record(&Event{Kind: Acted, From: -1, To: -1, Message: a.name})
	}
	w.acting = a.name
	a.do()
	w.acting = ""
}

// Stop ends the world: all processes end, which unwinds their functions and
// runs what they deferred, and no event happens any more. Stopping a world
// twice changes nothing. A process or a node must not stop its own world.
func (w *World) Stop() {
	if w.active != nil {
		panic(fmt.Sprintf("sim: %v stops its own world", w.active))
	}
	for _, h := range w.hosts {
		if h.proc != nil {
			h.proc.stop()
		}
	}
	w.live, w.queue = 0, queue{}
}

func (w *World) push(k eventKind, e event) {
	e.order = w.order(k)
	w.queue.push(&e)
}

// order numbers the next event.
func (w *World) order(k eventKind) uint64 {
	w.seq++
	return w.seq<<kindBits | uint64(k)
}

// in returns the time after d from now: never in the past, and never at most.
func (w *World) in(d time.Duration) time.Duration { return plus(w.now, max(d, 0)) }

// plus adds two times, of which none is negative, without overflow.
func plus(a, b time.Duration) time.Duration {
	if sum := a + b; sum >= 0 {
		return sum
	}
	return never
}

// addHost gives a host its number, its identity and a place for its links.
func (w *World) addHost(h *host) NodeID {
	id := NodeID(len(w.hosts))
	h.key = nameKey(h.name)
	for _, other := range w.hosts {
		if other.key == h.key { // of the same name: hosts of one name are told apart by their order
			h.key = Key(h.key, forNamesake)
		}
	}
	h.env = Env{w: w, host: h, self: id}
	w.hosts = append(w.hosts, h)
	for from := range w.links {
		w.links[from] = append(w.links[from], nil)
	}
	w.links = append(w.links, make([]*link, len(w.hosts), len(w.hosts)+8))
	return id
}

// host returns a host of this world; any other number is a bug of the caller.
func (w *World) host(id NodeID) *host {
	if id < 0 || int(id) >= len(w.hosts) {
		panic(fmt.Sprintf("sim: this world has no node or process %d", id))
	}
	return w.hosts[id]
}
