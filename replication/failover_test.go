package replication

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rashomon-go/rashomon/sim"
)

// party is a primary-backup group with its master and clients that write.
type party struct {
	world *sim.World
	cfg   *PrimaryBackupConfig
	drift []int64
	acked map[RequestID]bool
	logs  map[Position]Entry // of every name that an entry had on any disk
	seen  []int              // records of each disk that have been looked at
}

func newParty(seed uint64, cfg PrimaryBackupConfig, n int, link sim.Link) *party {
	p := &party{world: sim.New(sim.Config{Seed: seed, Link: link}), acked: map[RequestID]bool{}, logs: map[Position]Entry{}}
	cfg.Failover = &FailoverConfig{Master: sim.NodeID(n)}
	for i := range n {
		cfg.Members = append(cfg.Members, sim.NodeID(i))
	}
	p.cfg = &cfg
	for i := range n {
		p.world.AddNode(fmt.Sprint("n", i), func(_ sim.NodeID, disk *sim.Disk) sim.Node { return NewPrimaryBackupNode(p.cfg, disk) })
	}
	p.world.AddNode("master", func(_ sim.NodeID, disk *sim.Disk) sim.Node {
		return NewMaster(&MasterConfig{FailoverConfig: *cfg.Failover, Nodes: cfg.Members, Succession: p.cfg.Succession()}, disk)
	})
	p.drift, p.seen = make([]int64, n+1), make([]int, n)
	return p
}

func (p *party) node(id sim.NodeID) *PrimaryBackupNode {
	n, _ := p.world.Node(id).(*PrimaryBackupNode)
	return n
}

func (p *party) master() *Master { return p.world.Node(p.cfg.Failover.Master).(*Master) }

// write adds a client that writes so many values, asking one node after the other.
func (p *party) write(name string, times int) {
	p.world.Go(name, func(c *sim.Proc) {
		for i := range times {
			w := Write{Request: RequestID{Client: c.Self(), Number: uint64(i + 1)}, Key: "k", Value: int64(i)}
			node := p.cfg.Members[i%len(p.cfg.Members)]
			for range 12 {
				reply, _ := c.Call(node, w, 40*milli)
				if _, ok := reply.(Written); ok {
					p.acked[w.Request] = true
					break
				}
				c.Sleep(5 * milli)
				node = p.cfg.Members[(int(node)+1)%len(p.cfg.Members)]
				if r, ok := reply.(Redirect); ok {
					node = r.To
				}
			}
			c.Sleep(5 * milli)
		}
	})
}

// serving returns who would answer a read as the primary.
func (p *party) serving() (ids []sim.NodeID) {
	for _, id := range p.cfg.Members {
		n := p.node(id)
		if n == nil || n.Primary() == nil || n.committed < n.Primary().began {
			continue
		}
		if shows := p.world.Now() * time.Duration(million+p.drift[id]) / million; shows < n.lease {
			ids = append(ids, id)
		}
	}
	return ids
}

// invariants hold at every moment: one primary serves at most, and entries of one
// name are one entry, on whichever disk.
func (p *party) invariants() error {
	if ids := p.serving(); len(ids) > 1 {
		return fmt.Errorf("nodes %v all serve", ids)
	}
	for i, id := range p.cfg.Members {
		records := p.world.Disk(id).Records()
		p.seen[i] = min(p.seen[i], len(records))
		for ; p.seen[i] < len(records); p.seen[i]++ {
			e, ok := records[p.seen[i]].(Entry)
			if !ok {
				continue
			}
			name := Position{e.Number, e.Seq}
			if before, known := p.logs[name]; known && before != e {
				return fmt.Errorf("n%d has %+v, another has %+v", i, e, before)
			}
			p.logs[name] = e
		}
	}
	return nil
}

// healed checks the group when it has had time to come together: all are members,
// their logs are equal, and nothing acknowledged is missing or there twice.
func (p *party) healed() error {
	if got := len(p.master().Configuration().Members); got != len(p.cfg.Members) {
		return fmt.Errorf("%d of %d nodes are members", got, len(p.cfg.Members))
	}
	log := p.node(0).Log()
	times := map[RequestID]int{}
	for _, e := range log {
		times[e.Write.Request]++
	}
	for id := range p.acked { // in any order
		if times[id] != 1 {
			return fmt.Errorf("request %v was acknowledged and is in the log %d times", id, times[id])
		}
	}
	for i, id := range p.cfg.Members {
		n := p.node(id)
		if fmt.Sprint(n.Log()) != fmt.Sprint(log) || n.Committed() != uint64(len(log)) {
			return fmt.Errorf("n%d has %d updates and %d committed, n0 has %d", i, n.log.last(), n.Committed(), len(log))
		}
		if got, want := n.Store().Get("k"), p.node(0).Store().Get("k"); got != want {
			return fmt.Errorf("n%d has k=%d, n0 has %d", i, got, want)
		}
	}
	return nil
}

// failoverPlan is a random party as data.
type failoverPlan struct {
	Config   PrimaryBackupConfig
	Nodes    int
	Seed     uint64
	Link     sim.Link
	Drift    []int64
	Troubles []failoverTrouble
}

// failoverTrouble crashes a node if From is To, and otherwise cuts From off from
// everybody, or with LoseUnsynced from To.
type failoverTrouble struct {
	At, For  time.Duration
	From, To sim.NodeID
	Fate     sim.DiskFate
}

// failoverPlans lose no more disks than the configuration allows for.
var failoverPlans = rapid.Custom(func(t *rapid.T) failoverPlan {
	n := rapid.IntRange(2, 5).Draw(t, "nodes")
	p := failoverPlan{Nodes: n, Seed: rapid.Uint64().Draw(t, "seed"), Link: sim.Link{
		Latency: sim.Exponential(milli/2, time.Duration(rapid.IntRange(0, 5).Draw(t, "tail"))*milli),
		Loss:    float64(rapid.IntRange(0, 10).Draw(t, "loss")) / 100, Duplicate: 0.1, Reorder: 0.1,
	}}
	p.Config = PrimaryBackupConfig{Mode: Sync, Least: 1 + (n-1)/2}
	losses := p.Config.Least - 1
	if rapid.Bool().Draw(t, "semi-sync") {
		p.Config = PrimaryBackupConfig{Mode: SemiSync, Acks: n / 2}
		losses = n / 2
	}
	for range n + 1 {
		p.Drift = append(p.Drift, rapid.Int64Range(-200_000, 200_000).Draw(t, "drift"))
	}
	for range rapid.IntRange(0, 8).Draw(t, "troubles") {
		f := failoverTrouble{
			At:   time.Duration(rapid.IntRange(0, 600).Draw(t, "at")) * milli,
			For:  time.Duration(rapid.IntRange(1, 300).Draw(t, "for")) * milli,
			From: sim.NodeID(rapid.IntRange(0, n).Draw(t, "from")), To: sim.NodeID(rapid.IntRange(0, n).Draw(t, "to")),
			Fate: sim.DiskFate(rapid.IntRange(0, 2).Draw(t, "fate")),
		}
		if f.From == f.To && f.Fate == sim.LoseAll {
			if losses--; losses < 0 {
				f.Fate = sim.LoseUnsynced
			}
		}
		p.Troubles = append(p.Troubles, f)
	}
	return p
})

// play runs a plan and returns the first thing that is wrong.
func (f failoverPlan) play(rules *PrimaryBackupRules) error {
	f.Config.Rules = rules
	p := newParty(f.Seed, f.Config, f.Nodes, f.Link)
	defer p.world.Stop()
	p.drift = f.Drift
	for id, drift := range f.Drift {
		p.world.SetClock(sim.NodeID(id), sim.Clock{DriftPPM: drift})
	}
	for c := range 3 {
		p.write(fmt.Sprint("c", c), 30)
	}
	for _, t := range f.Troubles {
		p.trouble(t.At, t.For, t.From, t.To, t.Fate)
	}
	for p.world.Step(6 * time.Second) {
		if err := p.invariants(); err != nil {
			return fmt.Errorf("at %v: %w", p.world.Now(), err)
		}
		if p.world.Now() > 3*time.Second && p.healed() == nil {
			return nil
		}
	}
	return p.healed()
}

// TestFailoverProperties: while the budget of lost disks holds, no acknowledged
// update is lost, whatever crashes, drifts and is cut off; and when all is healed,
// everybody is a member again with the same log.
func TestFailoverProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		if err := failoverPlans.Draw(t, "plan").play(nil); err != nil {
			t.Fatal(err)
		}
	})
}

// TestFailoverDefectsAreCaught: with one decision wrong, a property breaks.
func TestFailoverDefectsAreCaught(t *testing.T) {
	for name, plant := range map[string]func(*PrimaryBackupRules){
		"no backup is waited for": func(r *PrimaryBackupRules) {
			r.Need = func(*PrimaryBackupConfig, int) int { return 0 }
		},
		"the shortest log is promoted": func(r *PrimaryBackupRules) {
			r.Quorum = func(*PrimaryBackupConfig, int) int { return 1 }
			r.Promote = func(reports []Report) (worst int) {
				for i := range reports {
					if reports[i].Last.Compare(reports[worst].Last) < 0 {
						worst = i
					}
				}
				return worst
			}
		},
		"a lease is longer than the master's patience": func(r *PrimaryBackupRules) {
			r.LeaseEnd = func(sent, _, lease time.Duration) time.Duration { return sent + 5*lease }
		},
		"nothing is synced": func(r *PrimaryBackupRules) { r.Sync = func(*sim.Env) {} },
	} {
		t.Run(name, func(t *testing.T) {
			rules := RightPrimaryBackupRules()
			plant(&rules)
			for seed := range 1000 {
				if err := failoverPlans.Example(seed).play(&rules); err != nil {
					t.Logf("plan %d: %v", seed, err)
					return
				}
			}
			t.Fatal("not caught in 1000 plans")
		})
	}
}

// trouble cuts a node off, or a link, or crashes a node, for a while.
func (p *party) trouble(at, span time.Duration, a, b sim.NodeID, fate sim.DiskFate) {
	p.world.At(at, "trouble", func() {
		if a == b && a != p.cfg.Failover.Master {
			p.world.Crash(a, fate)
			p.world.At(at+span, "restart", func() { p.world.Restart(a) })
			return
		}
		pairs := []sim.Pair{{From: a, To: b}}
		if fate != sim.LoseUnsynced { // from everybody, both ways
			pairs = nil
			for id := range p.cfg.Failover.Master + 1 {
				pairs = append(pairs, sim.Pair{From: a, To: id}, sim.Pair{From: id, To: a})
			}
		}
		cut := p.world.Impose(sim.Overlay{Cut: true}, pairs...)
		p.world.At(at+span, "heal", func() { p.world.Lift(cut) })
	})
}

// A primary that is cut off stops serving before the next one begins, and takes
// back what only it had.
func TestDeposedPrimary(t *testing.T) {
	p := newParty(1, PrimaryBackupConfig{Mode: Sync}, 3, lan)
	defer p.world.Stop()
	p.write("c", 10)
	p.world.Run(100 * milli)
	require.Equal(t, []sim.NodeID{0}, p.serving())
	p.trouble(100*milli, 400*milli, 0, 0, sim.KeepAll)
	p.world.Run(160 * milli)
	assert.Empty(t, p.serving())
	p.world.Run(300 * milli)
	assert.Equal(t, []sim.NodeID{1}, p.serving())
	p.world.Run(time.Second)
	assert.Equal(t, []sim.NodeID{1, 2, 0}, p.master().Configuration().Members)
	assert.NoError(t, p.healed())
}

// SemiSync promotes nobody before N-K members have reported: of three with K = 1,
// two must be there.
func TestSemiSyncWaitsForReports(t *testing.T) {
	p := newParty(1, PrimaryBackupConfig{Mode: SemiSync, Acks: 1}, 3, lan)
	defer p.world.Stop()
	p.write("c", 10)
	p.world.Run(100 * milli)
	p.world.Crash(0, sim.KeepAll)
	p.world.Crash(1, sim.KeepAll)
	p.world.Run(time.Second)
	assert.Equal(t, uint64(1), p.master().Configuration().Number)
	assert.Empty(t, p.serving())
	p.world.Restart(1)
	p.world.Run(2 * time.Second)
	assert.Len(t, p.serving(), 1)
	assert.Greater(t, p.master().Configuration().Number, uint64(1))
}

func TestCommon(t *testing.T) {
	log := func(ends ...Position) *sequence { return &sequence{runs: ends} }
	for _, c := range []struct {
		mine, theirs []Position
		want         uint64
	}{
		{nil, nil, 0},
		{[]Position{{1, 5}}, nil, 0},
		{[]Position{{1, 5}}, []Position{{1, 3}}, 3},
		{[]Position{{1, 5}}, []Position{{2, 3}}, 0},
		{[]Position{{1, 5}, {2, 7}}, []Position{{1, 6}}, 5},
		{[]Position{{1, 5}, {2, 7}}, []Position{{1, 5}, {3, 9}}, 5},
		{[]Position{{1, 5}, {3, 7}}, []Position{{1, 5}, {3, 9}}, 7},
		{[]Position{{1, 4}, {3, 7}}, []Position{{1, 5}, {3, 9}}, 4},
	} {
		assert.Equal(t, c.want, log(c.mine...).common(c.theirs), "%v and %v", c.mine, c.theirs)
		assert.Equal(t, c.want, log(c.theirs...).common(c.mine), "%v and %v", c.theirs, c.mine)
	}
}
