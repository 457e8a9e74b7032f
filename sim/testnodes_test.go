package sim

import "time"

// nodeFunc is a node that is only its Receive.
type nodeFunc func(env *Env, from Addr, m Message)

func (f nodeFunc) Receive(env *Env, from Addr, m Message) { f(env, from, m) }

// worldOf returns a world with perfect links and one node that survives crashes
// as it is.
func worldOf(n Node) (*World, NodeID) {
	w := New(Config{})
	return w, w.AddNode("a", func(NodeID, *Disk) Node { return n })
}

// add adds a node whose boots all give the same value.
func add(w *World, name string, n Node) NodeID {
	return w.AddNode(name, func(NodeID, *Disk) Node { return n })
}

// tell sends a node a message from nowhere in particular.
func tell(w *World, at time.Duration, to NodeID, m Message) {
	w.At(at, "tell "+w.Name(to), func() {
		w.receive(w.hosts[to], &event{id: Key(uint64(at), uint64(to)), from: Addr{Node: to}, to: Addr{Node: to}, msg: m})
	})
}

// inbox keeps what arrives, and when.
type inbox struct {
	w    *World
	got  []Message
	when []time.Duration
	from []Addr
}

func (n *inbox) Receive(_ *Env, from Addr, m Message) {
	n.got = append(n.got, m)
	n.when = append(n.when, n.w.Now())
	n.from = append(n.from, from)
}

// burst sends n numbered messages to a node at time at.
func burst(w *World, at time.Duration, from, to NodeID, n int) {
	tell(w, at, from, func(env *Env) {
		for i := range n {
			env.Send(to, i)
		}
	})
}

// doer does what it is told.
type doer struct{}

func (doer) Receive(env *Env, _ Addr, m Message) {
	if do, ok := m.(func(*Env)); ok {
		do(env)
	}
}

// pipe returns a world with a doer that sends over a link to an inbox.
func pipe(seed uint64, l Link) (w *World, p Pair, in *inbox) {
	w = New(Config{Seed: seed, Link: l})
	in = &inbox{w: w}
	p.From = add(w, "sender", doer{})
	p.To = add(w, "receiver", in)
	return w, p, in
}
