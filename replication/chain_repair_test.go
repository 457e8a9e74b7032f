package replication

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/rashomon-go/rashomon/sim"
)

// repairWorld is a random world in which a chain is repaired again and again, until
// healed; then it has rest to become whole.
type repairWorld struct {
	world  *sim.World
	draws  sim.Draws
	cfg    ChainConfig
	nodes  []sim.NodeID
	master sim.NodeID
	acked  []RequestID
	lossy  bool // disks may be lost
	news   int  // greatest number of a configuration
	wrong  error
}

const (
	repairHealed = 700 * time.Millisecond
	repairRest   = 5 * time.Second
)

// mutant changes a node that has just been built.
type chainMutant func(n *ChainNode) sim.Node

func playRepair(seed uint64, mutate chainMutant) (g *repairWorld, err error) {
	g = &repairWorld{draws: sim.NewDraws(sim.Key(seed, 0xc4a1))}
	g.world = sim.New(sim.Config{Seed: seed, Link: g.link()})
	defer g.world.Stop()
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v", r)
		}
	}()
	g.build(mutate)
	g.addClients()
	g.addTroubles()
	for g.world.Step(repairHealed + repairRest) {
		if err := g.prefixes(); err != nil {
			return g, fmt.Errorf("at %v: %w", g.world.Now(), err)
		}
		if g.wrong != nil {
			return g, fmt.Errorf("at %v: %w", g.world.Now(), g.wrong)
		}
	}
	return g, g.whole()
}

func (g *repairWorld) link() sim.Link {
	l := sim.Link{Latency: sim.Exponential(milli/5, time.Duration(1+g.draws.IntN(4))*milli)}
	if g.draws.IntN(2) == 0 {
		l.Loss, l.Duplicate, l.Reorder = 0.05, 0.1, 0.1
	}
	return l
}

func (g *repairWorld) build(mutate chainMutant) {
	n := 2 + g.draws.IntN(4)
	g.master = sim.NodeID(n)
	for i := range n {
		g.nodes = append(g.nodes, sim.NodeID(i))
	}
	g.cfg = ChainConfig{Members: g.nodes, CRAQ: g.draws.IntN(2) == 0, Failover: &FailoverConfig{Master: g.master}}
	for i := range n {
		g.world.AddNode(fmt.Sprint("n", i), func(_ sim.NodeID, disk *sim.Disk) sim.Node {
			node := NewChainNode(&g.cfg, i, disk)
			if mutate == nil {
				return node
			}
			return mutate(node)
		})
	}
	g.world.AddNode("master", func(_ sim.NodeID, disk *sim.Disk) sim.Node {
		return NewMaster(&MasterConfig{FailoverConfig: *g.cfg.Failover, Nodes: g.nodes, Succession: ChainSuccession{}}, disk)
	})
}

// addClients: one writes, one tries every write again at another node, one reads.
// Answers take no time: what is true when a client has its answer was true when it
// was sent.
func (g *repairWorld) addClients() {
	for c := range 3 {
		id := g.world.Go(fmt.Sprint("c", c), func(p *sim.Proc) { g.client(p, c) })
		for _, node := range g.nodes {
			g.world.SetLink(sim.Pair{From: id, To: node}, sim.Link{Latency: sim.Exponential(0, milli)})
			g.world.SetLink(sim.Pair{From: node, To: id}, sim.Link{})
		}
	}
}

func (g *repairWorld) client(p *sim.Proc, c int) {
	for number := uint64(1); p.Now() < repairHealed; number++ {
		p.Sleep(time.Duration(g.pick(p, 12)) * milli)
		var m sim.Message = Read{"k"}
		id := RequestID{p.Self(), number}
		if c < 2 {
			m = Write{Request: id, Key: "k", Value: int64(number)}
		}
		to := g.nodes[g.pick(p, len(g.nodes))]
		for range 4 {
			reply, err := p.Call(to, m, 60*milli)
			if r, ok := reply.(Redirect); ok && err == nil {
				to = r.To
				continue
			}
			if _, ok := reply.(Written); ok && err == nil {
				g.committed(id)
			}
			break
		}
	}
}

func (g *repairWorld) pick(p *sim.Proc, n int) int {
	d := sim.NewDraws(sim.Key(uint64(p.Now()), uint64(p.Self())))
	return d.IntN(n)
}

func (g *repairWorld) addTroubles() {
	g.lossy = g.draws.IntN(3) == 0
	for range g.draws.IntN(5) {
		at := time.Duration(100+g.draws.IntN(450)) * milli
		until := min(at+time.Duration(10+g.draws.IntN(250))*milli, repairHealed)
		id := g.nodes[g.draws.IntN(len(g.nodes))]
		other := sim.NodeID(g.draws.IntN(len(g.nodes) + 1)) // the master, too
		kind := g.draws.IntN(3)
		g.world.At(at, "trouble", func() { g.strike(kind, id, other, until) })
	}
	g.world.At(repairHealed, "all up", func() {
		for _, id := range g.nodes {
			g.world.CrashAfterSends(id, -1)
			g.world.Restart(id)
		}
	})
}

func (g *repairWorld) strike(kind int, id, other sim.NodeID, until time.Duration) {
	switch {
	case kind == 0 && id != other:
		g.lift(until, sim.Pair{From: id, To: other}, sim.Pair{From: other, To: id})
		return
	case kind == 1:
		var pairs []sim.Pair
		for peer := range g.master + 1 {
			if peer != id {
				pairs = append(pairs, sim.Pair{From: id, To: peer}, sim.Pair{From: peer, To: id})
			}
		}
		g.lift(until, pairs...)
		return
	case g.lossy && g.spare(id):
		g.world.Crash(id, sim.LoseAll)
	default:
		g.world.CrashAfterSends(id, int(other)%3)
	}
	g.world.At(until, "restart", func() { g.world.CrashAfterSends(id, -1); g.world.Restart(id) })
}

func (g *repairWorld) lift(until time.Duration, pairs ...sim.Pair) {
	cut := g.world.Impose(sim.Overlay{Cut: true}, pairs...)
	g.world.At(until, "heal", func() { g.world.Lift(cut) })
}

// spare says whether a disk may be lost: somebody else must be whole, and none is
// being added or lost.
func (g *repairWorld) spare(id sim.NodeID) bool {
	m := g.world.Node(g.master).(*Master)
	for _, other := range g.nodes {
		n := g.node(other)
		if other != id && (n == nil || n.chain.Number != m.Configuration().Number || n.whole != n.chain.Number) {
			return false
		}
	}
	return m.proposed == 0
}

// node returns a chain node, or nil while it is down.
func (g *repairWorld) node(id sim.NodeID) *ChainNode {
	switch n := g.world.Node(id).(type) {
	case *ChainNode:
		return n
	case interface{ bare() *ChainNode }:
		return n.bare()
	}
	return nil
}

// committed is called when a client has its answer: then the update is at every
// member of some configuration, and in particular on some disk.
func (g *repairWorld) committed(id RequestID) {
	g.acked = append(g.acked, id)
	for _, node := range g.nodes {
		var log sequence
		log.recover(g.world.Disk(node))
		if s, straggler := log.find(id); s != nil || straggler {
			return
		}
	}
	g.wrong = fmt.Errorf("request %v is acknowledged and nowhere", id)
}

// prefixes is the update propagation invariant, among the nodes that are in one
// configuration.
func (g *repairWorld) prefixes() error {
	var before *ChainNode
	c := g.world.Node(g.master).(*Master).Configuration()
	g.news = max(g.news, int(c.Number))
	for _, id := range c.Members {
		n := g.node(id)
		if n == nil || n.chain.Number != c.Number || n.place == outside {
			continue
		}
		if err := prefix(before, n); err != nil {
			return fmt.Errorf("configuration %d: %w", c.Number, err)
		}
		before = n
	}
	return nil
}

// prefix compares the ends of two logs only: entries of one name are the same, and
// so are all before them.
func prefix(before, n *ChainNode) error {
	if n.acked > n.log.last() {
		return fmt.Errorf("node %d takes %d of %d for committed", n.self, n.acked, n.log.last())
	}
	if before == nil || n.log.last() == 0 {
		return nil
	}
	last := n.log.last()
	if last > before.log.last() {
		if !before.Rules.Complete(before) {
			return nil // it has not yet what a later one has caught up with
		}
		return fmt.Errorf("node %d has update %d, node %d before it ends at %d", n.self, last, before.self, before.log.last())
	}
	if mine, theirs := n.log.at(last).Entry, before.log.at(last).Entry; mine != theirs {
		return fmt.Errorf("node %d has %+v, node %d before it has %+v", n.self, mine, before.self, theirs)
	}
	return nil
}

// whole holds at the end: everybody is back, all have everything that was
// acknowledged, and nothing is pending or dirty.
func (g *repairWorld) whole() error {
	head := g.node(g.nodes[0])
	for _, id := range g.nodes {
		n := g.node(id)
		switch {
		case n == nil || n.place == outside || n.fenced():
			return fmt.Errorf("at the end node %d is not in the chain", id)
		case n.chain.Number != head.chain.Number:
			return fmt.Errorf("at the end node %d is in configuration %d, node 0 in %d", id, n.chain.Number, head.chain.Number)
		case n.log.last() != head.log.last() || n.acked != n.log.last():
			return fmt.Errorf("at the end node %d has %d updates, %d of them acknowledged; node 0 has %d", id, n.log.last(), n.acked, head.log.last())
		case len(n.DirtyKeys()) > 0 || len(n.craq.reads) > 0:
			return fmt.Errorf("at the end node %d has dirty keys %q and %d reads that wait", id, n.DirtyKeys(), len(n.craq.reads))
		case n.Store().Get("k") != head.Store().Get("k"):
			return fmt.Errorf("at the end node %d has %d, node 0 has %d", id, n.Store().Get("k"), head.Store().Get("k"))
		}
	}
	for _, id := range g.acked {
		if s, straggler := head.log.find(id); s == nil && !straggler {
			return fmt.Errorf("at the end request %v, which was acknowledged, is lost", id)
		}
	}
	return nil
}

// TestChainRepair: whatever happens, logs are prefixes along the chain and nothing
// that was acknowledged is lost; and in the end all nodes are back and equal.
func TestChainRepair(t *testing.T) {
	repaired, acked := 0, 0
	for seed := range uint64(300) {
		g, err := playRepair(seed, nil)
		if err != nil {
			t.Errorf("world %d: %v", seed, err)
		}
		acked += len(g.acked)
		if g.news > 1 {
			repaired++
		}
	}
	assert.Greater(t, repaired, 100)
	assert.Greater(t, acked, 300*40)
}

// shell is a node of which a defect sees the messages first.
type shell struct {
	*ChainNode
	receive func(n *ChainNode, env *sim.Env, from sim.Addr, m sim.Message)
}

func (s shell) bare() *ChainNode { return s.ChainNode }
func (s shell) Receive(env *sim.Env, from sim.Addr, m sim.Message) {
	s.receive(s.ChainNode, env, from, m)
}

func receivingChain(receive func(n *ChainNode, env *sim.Env, from sim.Addr, m sim.Message)) chainMutant {
	return func(n *ChainNode) sim.Node { return shell{n, receive} }
}

func ruling(replace func(r *ChainRules)) chainMutant {
	return func(n *ChainNode) sim.Node {
		replace(&n.Rules)
		return n
	}
}

var chainDefects = []struct {
	name   string
	mutate chainMutant
}{
	{"a node that comes back keeps all of its log", ruling(func(r *ChainRules) {
		r.Keep = func(n *ChainNode, _ uint64) uint64 { return n.log.last() }
	})},
	{"nothing is sent again", receivingChain(func(n *ChainNode, env *sim.Env, from sim.Addr, m sim.Message) {
		if _, ok := m.(retransmit); !ok {
			n.Receive(env, from, m)
		}
	})},
	{"the list Sent is not sent to a new successor, nor later", receivingChain(func(n *ChainNode, env *sim.Env, from sim.Addr, m sim.Message) {
		if c, ok := m.(Connect); ok {
			c.Last, c.Acked = n.log.last(), n.log.last()
			m = c
		}
		n.Receive(env, from, m)
	})},
	{"a new tail drops what is not acknowledged", receivingChain(func(n *ChainNode, env *sim.Env, from sim.Addr, m sim.Message) {
		was := n.isTail()
		n.Receive(env, from, m)
		if _, ok := m.(HeartbeatAck); ok && n.isTail() && !was && n.log.last() > 0 {
			n.log.truncate(env, n.log.last()-1)
			n.acked = min(n.acked, n.log.last())
			n.replay()
		}
	})},
	{"a restarted node forgets what it has promised", func(n *ChainNode) sim.Node {
		n.group.number, n.whole = 0, 0
		return n
	}},
	{"messages of older configurations are taken", ruling(func(r *ChainRules) {
		r.Current = func(n *ChainNode, number uint64) bool { return number <= n.chain.Number }
	})},
	{"a lost query is never asked again, nor given up", receivingChain(func(n *ChainNode, env *sim.Env, from sim.Addr, m sim.Message) {
		if _, ok := m.(waited); !ok {
			n.Receive(env, from, m)
		}
	})},
	{"updates are taken as they come", receivingChain(func(n *ChainNode, env *sim.Env, from sim.Addr, m sim.Message) {
		if p, ok := m.(Propagate); ok && p.Entry.Seq > n.log.last() {
			p.Entry.Seq = n.log.last() + 1
			m = p
		}
		n.Receive(env, from, m)
	})},
	{"a node acknowledges what it receives", receivingChain(func(n *ChainNode, env *sim.Env, from sim.Addr, m sim.Message) {
		n.Receive(env, from, m)
		if p, ok := m.(Propagate); ok && n.place > 0 {
			env.Send(n.predecessor(), WriteAck{p.Number, p.Entry.Seq})
		}
	})},
}

// TestChainDefectsAreCaught: each defect breaks a property within so many worlds.
func TestChainDefectsAreCaught(t *testing.T) {
	const worlds = 400
	for _, d := range chainDefects {
		t.Run(d.name, func(t *testing.T) {
			for seed := range uint64(worlds) {
				if _, err := playRepair(seed, d.mutate); err != nil {
					t.Logf("world %d: %v", seed, err)
					return
				}
			}
			t.Fatalf("not caught in %d worlds", worlds)
		})
	}
}

// Of two reports the one that has had everything in a later configuration wins,
// however long the logs are: an old update may have been committed in a later
// configuration than the end of a longer log.
func TestChainSuccession(t *testing.T) {
	old := Configuration{7, []sim.NodeID{0, 1, 2}}
	next := func(reports ...Report) []sim.NodeID { return ChainSuccession{}.Next(old, reports) }
	member := func(id sim.NodeID, whole, seq uint64) Report {
		return Report{Node: id, Member: true, Last: Position{whole, seq}}
	}
	assert.Equal(t, []sim.NodeID{1, 2, 4}, next(member(1, 7, 9), member(2, 7, 8), Report{Node: 3, Last: Position{6, 20}}, Report{Node: 4, CaughtUp: true, Last: Position{5, 8}}))
	assert.Equal(t, []sim.NodeID{3}, next(member(2, 0, 4), Report{Node: 3, Last: Position{6, 20}}), "nobody left is whole")
	assert.True(t, slices.Equal([]sim.NodeID{2}, next(member(2, 7, 4), Report{Node: 3, Last: Position{6, 20}})))
}

// A node that lacks more than a burst when it is connected gets it all: what it has
// got the predecessor learns from itself, for the tail can't tell before.
func TestChainCatchesUpInItsPlace(t *testing.T) {
	w := sim.New(sim.Config{Seed: 1, Link: sim.Link{Latency: sim.Constant(milli)}})
	defer w.Stop()
	cfg := ChainConfig{Failover: &FailoverConfig{Master: 4}}
	nodes, err := BuildChain(w, cfg, "a", "b", "c", "d")
	assert.NoError(t, err)
	w.AddNode("master", func(_ sim.NodeID, disk *sim.Disk) sim.Node {
		return NewMaster(&MasterConfig{FailoverConfig: *cfg.Failover, Nodes: nodes, Succession: ChainSuccession{}}, disk)
	})
	const writes = 3*burst + 1
	w.Run(200 * milli)
	cut := w.Impose(sim.Overlay{Cut: true}, sim.Pair{From: nodes[1], To: nodes[2]})
	for i := range writes {
		w.Go(fmt.Sprint("client", i), func(p *sim.Proc) {
			_, _ = p.Call(nodes[0], Write{Request: RequestID{p.Self(), 1}, Key: "k", Value: int64(i)}, milli)
		})
	}
	w.Run(300 * milli)
	w.Crash(nodes[0], sim.LoseUnsynced)
	w.Run(600 * milli)
	w.Lift(cut)
	w.Run(800 * milli)
	for _, id := range nodes[1:] {
		n := w.Node(id).(*ChainNode)
		assert.Equal(t, []sim.NodeID{1, 2, 3}, n.Configuration().Members)
		assert.Equal(t, []uint64{writes, writes}, []uint64{n.LastSeq(), n.Acked()}, "node %d", id)
	}
}
