// Package workload makes what clients do: who asks which node for what, and when.
// A Workload is a value made of smaller ones, and several of them are the phases of
// a run.
//
// Everything is drawn from a Source, in whole numbers: the same draws give the same
// operations on every machine.
package workload

import (
	"strconv"
	"time"

	"github.com/rashomon-go/rashomon/model"
)

// Source yields the choices that operations are made of. IntN returns a number in
// 0..n-1 for a positive n; 0 is the simplest choice.
type Source interface{ IntN(n int) int }

// Workload is what clients do for a while. The zero fields are the simplest ones: a
// client without a pause, one key, reads and writes in equal shares.
type Workload struct {
	Operations int           // how many; an open loop may end before
	Start      time.Duration // of the first operations; from the beginning of the run
	Clients    Clients
	// Think is how long clients of a closed loop pause before an operation: 0 to
	// twice as long, in whole milliseconds.
	Think    time.Duration
	Open     *Open // not nil: an open loop
	Keys     Keys  // nil is Uniform(1)
	Mix      Mix
	Timeouts Timeouts
}

// MaxClients is how many clients a run can have.
const MaxClients = 1000

// Clients says who asks. A client that has left does not come back; there are never
// more than MaxClients, so that in the end nobody leaves.
type Clients struct {
	// Count is how many there are at a time; 0 means 1. An open loop has as many as it
	// needs instead, and they are its own.
	Count int
	// Stay is how many operations a client asks of one node before it goes to another.
	// 0 means that all are pinned: client c stays at node c modulo their number. 1 means
	// a node at random for each operation.
	Stay int
	// Every, in a closed loop, is the time between the arrivals of clients.
	Every time.Duration
	// Lifetime, in a closed loop, is after how many operations a client leaves, and
	// another one comes in its place; 0 means never.
	Lifetime int
}

// Timeouts says how long clients wait for a reply. The zero Timeouts leaves it to
// the scenario.
type Timeouts struct {
	Choices      []time.Duration // 0 among them is the scenario's
	PerOperation bool            // each operation draws one of them; otherwise each client does, once
}

// Share is a kind of operation and its weight in a mix.
type Share struct {
	Kind   model.Kind
	Weight int // the share is Weight of the sum of the weights
}

// Mix is which kinds of operations there are. The first is the simplest.
type Mix []Share

var readsAndWrites = Mix{{model.Read, 1}, {model.Write, 1}}

func (m Mix) draw(src Source) model.Kind {
	sum := 0
	for _, s := range m {
		sum += max(s.Weight, 0)
	}
	if sum == 0 {
		return readsAndWrites.draw(src)
	}
	left := src.IntN(sum)
	for _, s := range m {
		if left -= max(s.Weight, 0); left < 0 {
			return s.Kind
		}
	}
	panic("unreachable")
}

// Generate makes the operations of several phases on a number of nodes, in an order
// in which each client finds its own. Numbers run from 1, and what an operation
// stores is its number, so that no value is stored twice. Phases follow each other
// client by client; one with a Start begins no sooner than that.
func Generate(src Source, nodes int, phases ...Workload) []Operation {
	g := generator{src: src, nodes: max(nodes, 1)}
	total := 0
	for i := range phases {
		total += max(phases[i].Operations, 0)
	}
	g.operations = make([]Operation, 0, total)
	for i := range phases {
		p := phase{generator: &g, Workload: phases[i]}
		if p.Keys == nil {
			p.Keys = Uniform(1)
		}
		if p.Open != nil {
			p.open()
		} else {
			p.closed()
		}
	}
	if len(g.operations) == 0 {
		return nil
	}
	return g.operations
}

type generator struct {
	src        Source
	nodes      int
	operations []Operation
	seats      []*client // of closed loops: a client that leaves makes room for another
	clients    int       // so far
	names      []string  // of keys
}

type client struct {
	number  int
	node    int
	stays   int // operations until it goes to another node
	done    int
	timeout time.Duration
	busy    time.Duration // of an open loop: until when it may be
}

// phase is a workload being turned into operations.
type phase struct {
	*generator
	Workload
	done     int // operations
	arrivals int // clients
}

func (p *phase) arrive() *client {
	c := &client{number: p.clients, node: p.clients % p.nodes}
	if !p.Timeouts.PerOperation {
		c.timeout = p.timeout()
	}
	p.clients++
	p.arrivals++
	return c
}

func (p *phase) timeout() time.Duration {
	if len(p.Timeouts.Choices) == 0 {
		return 0
	}
	return p.Timeouts.Choices[p.src.IntN(len(p.Timeouts.Choices))]
}

func (p *phase) closed() {
	count := min(max(p.Clients.Count, 1), MaxClients)
	for i := range max(p.Operations, 0) {
		seat, start := i%count, time.Duration(0)
		switch {
		case seat == len(p.seats):
			p.seats = append(p.seats, nil)
			fallthrough
		case p.Clients.Lifetime > 0 && p.seats[seat].done >= p.Clients.Lifetime && p.clients < MaxClients:
			start = p.Start + time.Duration(p.arrivals)*p.Clients.Every
			p.seats[seat] = p.arrive()
		case i < count:
			start = p.Start
		}
		op := p.next(p.seats[seat])
		op.Start = start
		if steps := int(2 * p.Think / time.Millisecond); steps > 0 {
			op.Think = time.Duration(p.src.IntN(steps+1)) * time.Millisecond
		}
		p.operations = append(p.operations, op)
	}
}

// next draws a client's next operation.
func (p *phase) next(c *client) Operation {
	op := Operation{ID: int32(len(p.operations) + 1), Client: c.number, Timeout: c.timeout}
	op.Key = p.name(p.Keys.Key(p.src, p.done))
	op.Kind = p.Mix.draw(p.src)
	switch op.Kind {
	case model.CAS:
		op.Expect = LastSeen
		fallthrough
	case model.Write, model.Add:
		op.Value = model.Value(op.ID)
	}
	if p.Clients.Stay > 0 {
		if c.stays == 0 {
			c.node, c.stays = p.src.IntN(p.nodes), p.Clients.Stay
		}
		c.stays--
	}
	op.Node = c.node
	if p.Timeouts.PerOperation {
		op.Timeout = p.timeout()
	}
	c.done++
	p.done++
	return op
}

func (g *generator) name(key int) string {
	for len(g.names) <= key {
		g.names = append(g.names, "k"+strconv.Itoa(len(g.names)))
	}
	return g.names[key]
}
