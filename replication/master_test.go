package replication

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rashomon-go/rashomon/sim"
)

// allOrOne is the succession of a protocol that commits when all members have an
// update: anyone may succeed.
type allOrOne struct{ least int }

func (allOrOne) Quorum(int) int { return 1 }
func (s allOrOne) Least() int   { return s.least }
func (s allOrOne) Next(old Configuration, reports []Report) []sim.NodeID {
	return Survivors(old, reports, s.least)
}

// bystander is a replica without a protocol: it keeps its promises and its lease,
// and has caught up whenever it is no member.
type bystander struct{ membership }

func (b *bystander) Start(env *sim.Env) { b.start(env) }

func (b *bystander) tell(env *sim.Env) {
	b.established = b.latest.Number
	b.beat(env, Position{Number: b.latest.Number}, b.current() && !b.member(env))
}

func (b *bystander) Receive(env *sim.Env, from sim.Addr, m sim.Message) {
	switch m := m.(type) {
	case heartbeatTick:
		b.tell(env)
		b.beatAgain(env)
	case HeartbeatAck:
		if b.hear(env, m) != nothingNew {
			b.tell(env)
		}
	}
}

// town is a master and its bystanders.
type town struct {
	world  *sim.World
	nodes  []sim.NodeID
	master sim.NodeID
	drift  []int64 // of all clocks
}

func newTown(seed uint64, n, least int, link sim.Link) *town {
	c := &town{world: sim.New(sim.Config{Seed: seed, Link: link}), master: sim.NodeID(n)}
	for i := range n {
		c.nodes = append(c.nodes, sim.NodeID(i))
		c.world.AddNode(fmt.Sprint("n", i), func(_ sim.NodeID, disk *sim.Disk) sim.Node {
			return &bystander{newMembership(FailoverConfig{Master: c.master}, nil, disk)}
		})
	}
	c.world.AddNode("master", func(_ sim.NodeID, disk *sim.Disk) sim.Node {
		return NewMaster(&MasterConfig{
			FailoverConfig: FailoverConfig{Master: c.master}, Nodes: c.nodes, Succession: allOrOne{least},
		}, disk)
	})
	return c
}

func (c *town) run(until time.Duration) Configuration {
	c.world.Run(until)
	return c.world.Node(c.master).(*Master).Configuration()
}

const milli = time.Millisecond

var lan = sim.Link{Latency: sim.Constant(milli)}

func TestFirstConfigurationIsOfAll(t *testing.T) {
	c := newTown(1, 3, 1, lan)
	defer c.world.Stop()
	assert.Equal(t, Configuration{1, c.nodes}, c.run(10*milli))
	assert.Equal(t, Configuration{1, c.nodes}, c.run(5*time.Second), "and nothing changes it")
}

// A member that fails is removed when its lease has run out, and comes back as the
// last.
func TestMemberFailsAndComesBack(t *testing.T) {
	for _, fate := range []sim.DiskFate{sim.KeepAll, sim.LoseAll} {
		c := newTown(1, 3, 1, lan)
		defer c.world.Stop()
		c.run(50 * milli)
		c.world.Crash(0, fate)
		assert.Equal(t, uint64(1), c.run(140*milli).Number)
		assert.Equal(t, Configuration{2, []sim.NodeID{1, 2}}, c.run(190*milli))
		c.world.Restart(0)
		assert.Equal(t, Configuration{3, []sim.NodeID{1, 2, 0}}, c.run(230*milli))
	}
}

// A restart that the master hardly notices changes nothing, but for a disk that was
// lost: what it had acknowledged is gone.
func TestShortCrash(t *testing.T) {
	c := newTown(1, 3, 2, lan)
	defer c.world.Stop()
	c.run(50 * milli)
	c.world.Crash(0, sim.LoseUnsynced)
	c.world.Restart(0)
	assert.Equal(t, uint64(1), c.run(300*milli).Number)
	c.world.Crash(0, sim.LoseAll)
	c.world.Restart(0)
	assert.Equal(t, Configuration{2, []sim.NodeID{1, 2}}, c.run(306*milli))
	assert.Equal(t, Configuration{3, []sim.NodeID{1, 2, 0}}, c.run(350*milli))
}

// A heartbeat and the report of a promise that leave in the same instant may arrive
// the other way round. That is no lost disk: if it were taken for one, at the last
// member who knows, no configuration would be made any more.
func TestReportOvertakesHeartbeat(t *testing.T) {
	for seed := range uint64(30) {
		c := newTown(seed, 2, 1, sim.Link{Latency: sim.Constant(5 * milli), Reorder: 0.3})
		c.run(50 * milli)
		for range 5 {
			c.world.Crash(0, sim.KeepAll)
			c.run(c.world.Now() + 300*milli)
			c.world.Restart(0)
			c.run(c.world.Now() + 300*milli)
		}
		for _, p := range c.world.Node(c.master).(*Master).peers {
			assert.Zero(t, p.lost, "seed %d: node %d has kept its disk", seed, p.id)
		}
		assert.Len(t, c.run(c.world.Now()).Members, 2, "seed %d", seed)
		c.world.Stop()
	}
}

// On a network whose interruptions are often longer than Patience the master learns
// to bear them: after a while members come and go no more.
func TestMasterLearnsToBear(t *testing.T) {
	for seed := range uint64(10) {
		link := sim.Link{Latency: sim.Exponential(5*milli, 10*milli), Loss: 0.15, Duplicate: 0.02, Reorder: 0.3}
		c := newTown(seed, 5, 2, link)
		early := c.run(3 * time.Second)
		assert.Equal(t, early, c.run(13*time.Second), "seed %d", seed)
		assert.Len(t, early.Members, 5, "seed %d", seed)
		c.world.Stop()
	}
}

// What was learned has a bound, and a crash teaches nothing: who has restarted is
// missed as soon as before.
func TestMasterLearnsNothingFromCrashes(t *testing.T) {
	c := newTown(1, 3, 1, lan)
	defer c.world.Stop()
	c.run(50 * milli)
	for range 3 {
		c.world.Crash(0, sim.KeepAll)
		c.run(c.world.Now() + 150*milli)
		c.world.Restart(0)
		c.run(c.world.Now() + 100*milli)
	}
	patience := func() time.Duration { return c.world.Node(c.master).(*Master).peers[0].patience }
	assert.Equal(t, 100*milli, patience())
	cutFor := func(d time.Duration) Configuration {
		cut := c.world.Impose(sim.Overlay{Cut: true}, sim.Pair{From: 0, To: c.master})
		during := c.run(c.world.Now() + d)
		c.world.Lift(cut)
		c.run(c.world.Now() + 100*milli)
		return during
	}
	cutFor(150 * milli)
	assert.Greater(t, patience(), 280*milli)
	assert.Len(t, cutFor(250*milli).Members, 3)
	assert.Len(t, cutFor(time.Second).Members, 2)
	assert.Equal(t, 400*milli, patience())
}

// Nobody who lost its disk speaks for what it had: with all others gone, no
// configuration is made until one of them is back.
func TestNobodyLeftWhoKnows(t *testing.T) {
	c := newTown(1, 3, 1, lan)
	defer c.world.Stop()
	c.run(50 * milli)
	c.world.Crash(1, sim.KeepAll)
	c.world.Crash(2, sim.KeepAll)
	c.world.Crash(0, sim.LoseAll)
	c.world.Restart(0)
	assert.Equal(t, uint64(1), c.run(time.Second).Number)
	c.world.Restart(2)
	assert.Equal(t, Configuration{2, []sim.NodeID{2}}, c.run(1100*milli).first(2))
}

func (c Configuration) first(number uint64) Configuration {
	if c.Number > number {
		c.Members, c.Number = c.Members[:1], number
	}
	return c
}

// Configurations keep to the least number of members, if necessary with some who
// have yet to catch up.
func TestLeastMembers(t *testing.T) {
	c := newTown(1, 3, 2, lan)
	defer c.world.Stop()
	c.run(50 * milli)
	c.world.Crash(1, sim.KeepAll)
	c.world.Crash(2, sim.KeepAll)
	assert.Equal(t, uint64(1), c.run(time.Second).Number)
	c.world.Restart(2)
	c.world.Crash(0, sim.LoseAll)
	c.world.Restart(0)
	assert.Equal(t, []sim.NodeID{2, 0}, c.run(1200*milli).Members)
}

// A master that comes back takes all leases for given, and what it decided stands.
func TestMasterRestarts(t *testing.T) {
	c := newTown(1, 3, 1, lan)
	defer c.world.Stop()
	c.run(50 * milli)
	c.world.Crash(2, sim.KeepAll)
	require.Equal(t, Configuration{2, []sim.NodeID{0, 1}}, c.run(200*milli))
	c.world.Crash(c.master, sim.LoseUnsynced)
	c.world.Restart(c.master)
	assert.Equal(t, Configuration{2, []sim.NodeID{0, 1}}, c.run(500*milli))
}

// A master that was cut off from everybody does not throw anybody out when it is
// back.
func TestMasterIsCutOff(t *testing.T) {
	c := newTown(1, 4, 1, lan)
	defer c.world.Stop()
	c.run(50 * milli)
	var pairs []sim.Pair
	for _, id := range c.nodes {
		pairs = append(pairs, sim.Pair{From: id, To: c.master}, sim.Pair{From: c.master, To: id})
	}
	cut := c.world.Impose(sim.Overlay{Cut: true}, pairs...)
	c.run(500 * milli)
	c.world.Lift(cut)
	assert.Equal(t, c.nodes, c.run(600*milli).Members)
}

// A replica that is heard but does not hear has no lease and is of no use.
func TestDeafMember(t *testing.T) {
	c := newTown(1, 3, 1, lan)
	defer c.world.Stop()
	c.run(50 * milli)
	c.world.Impose(sim.Overlay{Cut: true}, sim.Pair{From: c.master, To: 0})
	assert.Equal(t, []sim.NodeID{1, 2}, c.run(400*milli).Members)
}

func TestImpossibleMasters(t *testing.T) {
	right := MasterConfig{Nodes: []sim.NodeID{0, 1}, Succession: allOrOne{1}}
	require.NoError(t, right.Validate())
	for want, change := range map[string]func(*MasterConfig){
		"failover: Patience is 70ms, expected more than 72ms, which is what a clock that is 200000 ppm fast shows after a Lease of 60ms": func(c *MasterConfig) { c.Patience = 70 * milli },
		"failover: DriftPPM is 1000000, expected 0..999999":                                         func(c *MasterConfig) { c.DriftPPM = 1_000_000 },
		"failover: HeartbeatEvery is -1ns and Lease 60ms, expected durations that are not negative": func(c *MasterConfig) { c.HeartbeatEvery = -1 },
		"master: Least is 3, expected 1..2":                                                         func(c *MasterConfig) { c.Succession = allOrOne{3} },
		"master: Members has node 0 twice":                                                          func(c *MasterConfig) { c.Nodes = []sim.NodeID{0, 0} },
		"master: 0 Nodes and Succession {1}, expected a node and a Succession":                      func(c *MasterConfig) { c.Nodes = nil },
	} {
		c := right
		change(&c)
		assert.EqualError(t, c.Validate(), want)
	}
}

// TestLeases: whatever the network does, and however far the clocks run apart
// within what is tolerated, no two replicas believe at one moment of true time that
// they may serve as the first of a configuration.
func TestLeases(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(2, 4).Draw(t, "nodes")
		c := newTown(rapid.Uint64().Draw(t, "seed"), n, 1, sim.Link{
			Latency: sim.Exponential(milli, time.Duration(rapid.IntRange(0, 40).Draw(t, "tail"))*milli),
			Loss:    float64(rapid.IntRange(0, 30).Draw(t, "loss")) / 100, Duplicate: 0.1, Reorder: 0.1,
		})
		defer c.world.Stop()
		for id := range n + 1 {
			c.drift = append(c.drift, rapid.Int64Range(-200_000, 200_000).Draw(t, "drift"))
			c.world.SetClock(sim.NodeID(id), sim.Clock{DriftPPM: c.drift[id]})
		}
		for range rapid.IntRange(0, 6).Draw(t, "troubles") {
			c.trouble(time.Duration(rapid.IntRange(0, 800).Draw(t, "at"))*milli, sim.Pair{
				From: sim.NodeID(rapid.IntRange(0, n).Draw(t, "from")), To: sim.NodeID(rapid.IntRange(0, n).Draw(t, "to")),
			})
		}
		for now := milli / 2; now < 1200*milli; now += milli / 2 {
			c.world.Run(now)
			if may := c.serving(); len(may) > 1 {
				t.Fatalf("at %v nodes %v may all serve", now, may)
			}
		}
		members := c.run(1200 * milli).Members
		if len(members) == 0 || len(slices.Compact(slices.Sorted(slices.Values(members)))) != len(members) {
			t.Fatalf("the configuration has %v", members)
		}
	})
}

// trouble cuts a link off for a while, or lets a replica crash that sends to itself.
func (c *town) trouble(at time.Duration, link sim.Pair) {
	c.world.At(at, "trouble", func() {
		if link.From == link.To && link.To != c.master {
			c.world.Crash(link.To, sim.DiskFate(at/milli%3))
			c.world.At(at+100*milli, "restart", func() { c.world.Restart(link.To) })
			return
		}
		cut := c.world.Impose(sim.Overlay{Cut: true}, link)
		c.world.At(at+200*milli, "heal", func() { c.world.Lift(cut) })
	})
}

// serving returns who believes to be allowed to serve as the first.
func (c *town) serving() (may []sim.NodeID) {
	for _, id := range c.nodes {
		b, up := c.world.Node(id).(*bystander)
		if !up {
			continue
		}
		shows := c.world.Now() * time.Duration(million+c.drift[id]) / million
		if first, _ := b.latest.First(); b.current() && first == id && shows < b.lease {
			may = append(may, id)
		}
	}
	return may
}
