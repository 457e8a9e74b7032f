package replication_test

import (
	"fmt"
	"time"

	"pgregory.net/rapid"

	. "github.com/rashomon-go/rashomon/replication"
	"github.com/rashomon-go/rashomon/sim"
)

const ms = time.Millisecond

// plan is a random world as data: a group, its network, its clients and what goes
// wrong until healed.
type plan struct {
	Chain      bool
	Mode       ReplicationMode
	Acks       int
	Nodes      int
	Seed       uint64
	Link       sim.Link
	ClientLoss float64
	SyncTime   time.Duration
	Store      KVStoreConfig
	Clients    [][]operation
	Faults     []trouble
}

// operation is a client's write: of key "m" with growing values by client 0, of
// other keys by the others.
type operation struct {
	Write
	Think   time.Duration
	Node    int
	Retries int
}

// trouble is a cut of one direction, or a crash and restart.
type trouble struct {
	At, For    time.Duration
	Crash      bool
	Node, From int
	Sends      int // crash after so many sends; -1 is at once
	KeepAll    bool
}

// healed is when the last trouble is over.
const healed = 400 * ms

var plans = rapid.Custom(func(t *rapid.T) plan {
	p := plan{
		Chain: rapid.Bool().Draw(t, "chain"),
		Mode:  rapid.SampledFrom([]ReplicationMode{Async, SemiSync, Sync}).Draw(t, "mode"),
		Nodes: rapid.IntRange(2, 5).Draw(t, "nodes"),
		Seed:  rapid.Uint64().Draw(t, "seed"),
		Link: sim.Link{
			Latency:   sim.Exponential(ms/10, time.Duration(rapid.IntRange(1, 8000).Draw(t, "tail"))*time.Microsecond),
			Loss:      percent(t, "loss", 20),
			Duplicate: percent(t, "duplicate", 30),
			Reorder:   percent(t, "reorder", 30),
		},
		ClientLoss: percent(t, "client loss", 20),
		SyncTime:   time.Duration(rapid.IntRange(0, 2000).Draw(t, "sync")) * time.Microsecond,
	}
	if rapid.Bool().Draw(t, "slow stores") {
		p.Store = KVStoreConfig{ReadLatency: ms / 2, WriteLatency: 2 * ms, DeleteLatency: ms}
	}
	p.Acks = rapid.IntRange(1, p.Nodes-1).Draw(t, "acks")
	for c := range rapid.IntRange(1, 4).Draw(t, "clients") {
		var ops []operation
		for i := range rapid.IntRange(1, 25).Draw(t, "writes") {
			ops = append(ops, drawOperation(t, c, i, p.Nodes))
		}
		p.Clients = append(p.Clients, ops)
	}
	for range rapid.IntRange(0, 6).Draw(t, "faults") {
		p.Faults = append(p.Faults, drawTrouble(t, p.Nodes))
	}
	return p
})

func percent(t *rapid.T, label string, most int) float64 {
	return float64(rapid.IntRange(0, most).Draw(t, label)) / 100
}

func drawOperation(t *rapid.T, client, i, nodes int) operation {
	op := operation{
		Write:   Write{Key: "m", Value: int64(i + 1)},
		Think:   time.Duration(rapid.IntRange(0, 20).Draw(t, "think")) * ms,
		Node:    rapid.IntRange(0, nodes-1).Draw(t, "at"),
		Retries: rapid.IntRange(0, 8).Draw(t, "retries"),
	}
	if client > 0 {
		op.Kind = rapid.SampledFrom([]WriteKind{Put, Put, CompareAndSet, Delete}).Draw(t, "kind")
		op.Key = rapid.SampledFrom([]string{"x", "y"}).Draw(t, "key")
		op.Value = rapid.Int64Range(1, 3).Draw(t, "value")
		op.Expect = rapid.SampledFrom([]int64{Absent, 1, 2, 3}).Draw(t, "expect")
	}
	return op
}

func drawTrouble(t *rapid.T, nodes int) trouble {
	at := rapid.IntRange(0, 300).Draw(t, "time")
	f := trouble{
		At: time.Duration(at) * ms, For: time.Duration(rapid.IntRange(1, 400-at).Draw(t, "span")) * ms,
		Crash: rapid.Bool().Draw(t, "crash"),
		Node:  rapid.IntRange(0, nodes-1).Draw(t, "node"),
		From:  rapid.IntRange(0, nodes-1).Draw(t, "from"),
		Sends: rapid.IntRange(-1, 3).Draw(t, "sends"),
	}
	f.KeepAll = rapid.Bool().Draw(t, "keep")
	return f
}

// play runs a plan to its end and returns the first thing that is wrong. A
// mutation, if not nil, is put around every node.
func play(p plan, mutate mutation) error {
	_, err := run(p, mutate)
	return err
}

func run(p plan, mutate mutation) (g *group, err error) {
	g = &group{plan: p, acked: map[RequestID]Written{}}
	g.world = sim.New(sim.Config{Seed: p.Seed, Link: p.Link})
	defer g.world.Stop()
	defer func() {
		if r := recover(); r != nil {
			if caught, ok := r.(*sim.Panic); ok {
				r = caught.Brief()
			}
			err = fmt.Errorf("panic: %v", r)
		}
	}()
	g.build(mutate)
	g.addClients()
	g.addFaults()
	for g.world.Step(1 << 62) {
		if g.world.Now() > 20*time.Second {
			return g, fmt.Errorf("at %v the world has not come to rest", g.world.Now())
		}
		if err := g.invariants(); err != nil {
			return g, fmt.Errorf("at %v: %w", g.world.Now(), err)
		}
	}
	g.traffic = g.world.TotalTraffic()
	if g.wrong != nil {
		return g, g.wrong
	}
	return g, g.atRest()
}

// group is a world under way.
type group struct {
	plan
	world   *sim.World
	nodes   []sim.NodeID
	bare    []sim.Node // what is inside the mutants at the moment
	checked []int      // records of each disk that have been compared with those before it
	acked   map[RequestID]Written
	ackedM  int64 // largest value of m that was acknowledged
	wrong   error
	traffic sim.Traffic
}

func (g *group) build(mutate mutation) {
	var names []string
	for i := range g.Nodes {
		names = append(names, fmt.Sprint("n", i))
		g.nodes = append(g.nodes, sim.NodeID(i))
	}
	g.bare, g.checked = make([]sim.Node, g.Nodes), make([]int, g.Nodes)
	around := func(place int, n sim.Node) sim.Node {
		g.bare[place] = n
		if mutate == nil {
			return n
		}
		return mutate(mutant{g.nodes, place, n})
	}
	if g.Chain {
		cfg := &ChainConfig{Members: g.nodes, Store: g.Store}
		for i, name := range names {
			g.world.AddNode(name, func(_ sim.NodeID, disk *sim.Disk) sim.Node {
				return around(i, NewChainNode(cfg, i, disk))
			})
		}
	} else {
		addGroup(g.world, &PrimaryBackupConfig{Mode: g.Mode, Acks: g.Acks, Members: g.nodes, ServeReads: true, Store: g.Store}, names, around)
	}
	for _, id := range g.nodes {
		g.world.SetSyncTime(id, g.SyncTime)
	}
}

func (g *group) addClients() {
	for c, ops := range g.Clients {
		id := g.world.Go(fmt.Sprint("c", c), func(p *sim.Proc) {
			for i, op := range ops {
				p.Sleep(op.Think)
				op.Request = RequestID{Client: p.Self(), Number: uint64(i + 1)}
				g.write(p, op)
			}
		})
		g.clientLinks(id)
	}
	for i, node := range g.nodes {
		g.clientLinks(g.world.Go(fmt.Sprint("r", i), func(p *sim.Proc) { g.readAt(p, node) }))
	}
}

// clientLinks lose messages and hold requests back, so that some arrive after
// their client has gone on. Answers take no time: what is true when a client has
// its answer was true when it was sent.
func (g *group) clientLinks(client sim.NodeID) {
	for _, node := range g.nodes {
		g.world.SetLink(sim.Pair{From: client, To: node}, sim.Link{
			Latency: sim.Exponential(0, ms), Loss: g.ClientLoss, Duplicate: 0.1, Reorder: 0.1,
		})
		g.world.SetLink(sim.Pair{From: node, To: client}, sim.Link{Loss: g.ClientLoss})
	}
}

func (g *group) addFaults() {
	for _, f := range g.Faults {
		g.world.At(f.At, "trouble", func() { g.strike(f) })
	}
	g.world.At(healed, "all up", func() {
		for _, id := range g.nodes {
			g.world.CrashAfterSends(id, -1)
			g.world.Restart(id)
		}
	})
}

func (g *group) strike(f trouble) {
	id := g.nodes[f.Node]
	if !f.Crash {
		cut := g.world.Impose(sim.Overlay{Cut: true}, sim.Pair{From: g.nodes[f.From], To: id})
		g.world.At(f.At+f.For, "heal", func() { g.world.Lift(cut) })
		return
	}
	fate := sim.LoseUnsynced
	if f.KeepAll {
		fate = sim.KeepAll
	}
	if f.Sends >= 0 {
		g.world.CrashAfterSends(id, f.Sends)
	} else {
		g.world.Crash(id, fate)
	}
	g.world.At(f.At+f.For, "restart", func() { g.world.Restart(id) })
}

// write asks, follows redirects and asks again; then it gives up.
func (g *group) write(p *sim.Proc, op operation) {
	node := g.nodes[op.Node]
	for attempt := 0; attempt <= op.Retries; {
		reply, err := p.Call(node, op.Write, 40*ms)
		switch m := reply.(type) {
		case Written:
			g.acknowledged(op.Write, m)
			return
		case Redirect:
			node = m.To
		default:
			if err == nil {
				g.fail("a write was answered with %T", reply)
			}
			attempt++
		}
	}
}

// readAt watches m at one node: what a client sees there never grows older. From
// the node that answers reads of the current value, it is never older than what
// was acknowledged before.
func (g *group) readAt(p *sim.Proc, node sim.NodeID) {
	var seen int64
	for range 60 {
		p.Sleep(10 * ms)
		before := g.ackedM
		reply, err := p.Call(node, Read{"m"}, 20*ms)
		value, ok := reply.(Value)
		if err != nil || !ok {
			continue
		}
		now := max(value.Value, 0)
		if now < seen {
			g.fail("at %v a reader at node %d saw %d after %d", p.Now(), node, now, seen)
		}
		if node == g.serving() && now < before {
			g.fail("at %v a reader at node %d saw %d, but %d was acknowledged", p.Now(), node, now, before)
		}
		seen = now
	}
}

// serving returns the node whose reads are current.
func (g *group) serving() sim.NodeID {
	if g.Chain {
		return g.nodes[g.Nodes-1]
	}
	return g.nodes[0]
}

func (g *group) fail(format string, args ...any) {
	if g.wrong == nil {
		g.wrong = fmt.Errorf(format, args...)
	}
}
