package replication_test

import (
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rashomon-go/rashomon/replication"
	"github.com/rashomon-go/rashomon/sim"
)

// leaderScenario is a world of leaders and what happens in it, as data.
type leaderScenario struct {
	Seed    uint64
	Leaders int
	Link    sim.Link
	Sync    time.Duration
	Clocks  []sim.Clock   // of the leaders, from the start
	Clients [][]leaderOp  // one after the other
	Faults  []leaderFault // in the first second
}

type leaderOp struct {
	Kind   string // add, mix, erase, after, pin, unpin, hand
	Leader int    // unless the kind decides
	Think  time.Duration
}

type leaderFault struct {
	Kind    string // cut, crash, jump, fall (a crash between two sends)
	Leader  int
	At, For time.Duration
}

const (
	calm  = time.Second // when everything heals
	round = 20 * time.Millisecond
)

func scenarioOf(t *rapid.T) leaderScenario {
	millis := func(low, high int, name string) time.Duration {
		return time.Duration(rapid.IntRange(low, high).Draw(t, name)) * time.Millisecond
	}
	some := func(name string) float64 {
		return float64(rapid.IntRange(0, 5).Draw(t, name)) / 10
	}
	s := leaderScenario{Seed: rapid.Uint64().Draw(t, "seed"), Leaders: rapid.IntRange(2, 4).Draw(t, "leaders")}
	s.Link = sim.Link{Latency: sim.Uniform(0, millis(1, 30, "latency")), Loss: some("loss"), Duplicate: some("duplicate"), Reorder: some("reorder")}
	s.Sync = millis(0, 2, "sync")
	for range s.Leaders {
		s.Clocks = append(s.Clocks, sim.Clock{Offset: millis(0, 3, "skew") * 100, DriftPPM: int64(rapid.IntRange(-500, 500).Draw(t, "drift"))})
	}
	op := rapid.Custom(func(t *rapid.T) leaderOp {
		kinds := []string{"add", "add", "mix", "mix", "erase", "after", "pin", "unpin", "hand"}
		return leaderOp{rapid.SampledFrom(kinds).Draw(t, "kind"), rapid.IntRange(0, s.Leaders-1).Draw(t, "leader"), millis(0, 20, "think")}
	})
	s.Clients = rapid.SliceOfN(rapid.SliceOfN(op, 1, 20), 1, 3).Draw(t, "clients")
	fault := rapid.Custom(func(t *rapid.T) leaderFault {
		kind := rapid.SampledFrom([]string{"cut", "crash", "jump", "fall"}).Draw(t, "fault")
		return leaderFault{kind, rapid.IntRange(0, s.Leaders-1).Draw(t, "at leader"), millis(0, 300, "at"), millis(1, 300, "for")}
	})
	s.Faults = rapid.SliceOfN(fault, 0, 5).Draw(t, "faults")
	return s
}

// leaderVariant is the protocol, or a bug in it.
type leaderVariant struct {
	resolver replication.ConflictResolver
	// rules are made anew at every boot.
	rules func() replication.LeaderRules
	// wrap puts something around a node that has booted, for the nth time from 0.
	wrap func(n *replication.LeaderNode, boots int) sim.Node
	// exact also compares every step with the causal history.
	exact bool
}

// leaderRun is a scenario under way.
type leaderRun struct {
	scenario leaderScenario
	variant  leaderVariant
	w        *sim.World
	nodes    []*replication.LeaderNode // of the moment
	boots    []int
	oracle   *historyOracle
	written  map[int64]bool
	request  uint64
	pins     []singleWriter // by client
	hand     singleWriter
	added    []int64 // acknowledged
}

// singleWriter is what the only writer of a key knows.
type singleWriter struct {
	last    int64   // acknowledged
	unknown []int64 // begun since, and may or may not have happened
}

func (s *singleWriter) outcome(v int64, acked bool) {
	if acked {
		s.last, s.unknown = v, nil
	} else {
		s.unknown = append(s.unknown, v)
	}
}

func (s *singleWriter) may(v int64) bool { return v == s.last || slices.Contains(s.unknown, v) }

// leaderPlay runs a scenario and returns the first claim that it breaks.
func leaderPlay(s leaderScenario, v leaderVariant) (broken error) {
	defer func() {
		if p := recover(); p != nil {
			broken = fmt.Errorf("panic: %v", p)
			if p, ok := p.(*sim.Panic); ok {
				broken = fmt.Errorf("panic: %s", p.Brief())
			}
		}
	}()
	r := prepare(s, v)
	defer r.w.Stop()
	r.w.Run(calm)
	r.heal()
	r.w.Run(calm + 80*round)
	return r.judge()
}

func prepare(s leaderScenario, v leaderVariant) *leaderRun {
	r := &leaderRun{
		scenario: s, variant: v, w: sim.New(sim.Config{Seed: s.Seed, Link: s.Link}),
		nodes: make([]*replication.LeaderNode, s.Leaders), boots: make([]int, s.Leaders),
		written: map[int64]bool{replication.Absent: true}, oracle: newHistoryOracle(s.Leaders),
		pins: make([]singleWriter, len(s.Clients)), hand: singleWriter{last: replication.Absent},
	}
	r.build()
	return r
}

func (r *leaderRun) build() {
	cfg := &replication.LeaderConfig{AntiEntropy: round, Resolver: r.variant.resolver}
	for i := range r.scenario.Leaders {
		cfg.Leaders = append(cfg.Leaders, sim.NodeID(i))
	}
	if err := cfg.Validate(); err != nil {
		panic(err)
	}
	for i, id := range cfg.Leaders {
		r.w.AddNode("L"+strconv.Itoa(i), func(_ sim.NodeID, disk *sim.Disk) sim.Node { return r.boot(cfg, i, disk) })
		r.w.SetClock(id, r.scenario.Clocks[i])
		r.w.SetSyncTime(id, r.scenario.Sync)
	}
	for c, ops := range r.scenario.Clients {
		r.pins[c].last = replication.Absent
		r.w.Go("client"+strconv.Itoa(c), func(p *sim.Proc) { r.client(p, c, ops) })
	}
	for _, f := range r.scenario.Faults {
		r.plan(f)
	}
}

func (r *leaderRun) boot(cfg *replication.LeaderConfig, place int, disk *sim.Disk) sim.Node {
	own := *cfg
	if r.variant.rules != nil {
		own.Rules = r.variant.rules()
	}
	n := replication.NewLeaderNode(&own, place, disk)
	r.nodes[place] = n
	r.boots[place]++
	switch {
	case r.variant.exact:
		return r.oracle.watch(n, place, r.variant.wrap)
	case r.variant.wrap != nil:
		return r.variant.wrap(n, r.boots[place]-1)
	}
	return n
}

func (r *leaderRun) plan(f leaderFault) {
	id := sim.NodeID(f.Leader)
	switch f.Kind {
	case "cut":
		var laid sim.OverlayID
		r.w.At(f.At, "cut", func() { laid = r.w.Impose(sim.Overlay{Cut: true}, r.around(id)...) })
		r.w.At(f.At+f.For, "mend", func() { r.w.Lift(laid) })
	case "crash":
		r.w.At(f.At, "crash", func() { r.w.Crash(id, sim.LoseUnsynced) })
		r.w.At(f.At+f.For, "restart", func() { r.w.Restart(id) })
	case "fall":
		r.w.At(f.At, "fall", func() { r.w.CrashAfterSends(id, 1+f.Leader%2) })
		r.w.At(f.At+f.For, "restart", func() { r.w.Restart(id) })
	case "jump":
		r.w.At(f.At, "jump", func() { r.w.SetClock(id, sim.Clock{Offset: -f.For}) })
	}
}

// around returns the links between a leader and the others.
func (r *leaderRun) around(id sim.NodeID) (pairs []sim.Pair) {
	for other := range sim.NodeID(r.scenario.Leaders) {
		if other != id {
			pairs = append(pairs, sim.Pair{From: id, To: other}, sim.Pair{From: other, To: id})
		}
	}
	return pairs
}

// heal mends what a fault may have left: links lose nothing, everybody is up.
func (r *leaderRun) heal() {
	for id := range sim.NodeID(r.scenario.Leaders) {
		r.w.CrashAfterSends(id, -1)
		r.w.Restart(id)
		for _, p := range r.around(id) {
			r.w.SetLink(p, sim.Link{Latency: sim.Constant(time.Millisecond)})
		}
	}
}

func (r *leaderRun) client(p *sim.Proc, c int, ops []leaderOp) {
	contexts := map[string]replication.Context{}
	pinned := c % r.scenario.Leaders
	for _, op := range ops {
		p.Sleep(op.Think)
		r.request++
		v := int64(r.request)
		r.written[v] = true
		pin := "pin" + strconv.Itoa(c)
		switch op.Kind {
		case "add":
			if r.call(p, op.Leader, replication.Add{Request: r.id(p), Key: "set", Element: v}) {
				r.added = append(r.added, v)
			}
		case "mix":
			r.write(p, op.Leader, replication.Write{Key: "mix", Value: v})
		case "erase":
			r.write(p, op.Leader, replication.Write{Key: "mix", Kind: replication.Delete})
		case "after":
			w := replication.Write{Request: r.id(p), Key: "mix", Value: v}
			if r.call(p, op.Leader, replication.WriteAfter{Write: w, Context: contexts["mix"]}) {
				r.oracle.ack(w.Request)
			}
			if reply, err := p.Call(sim.NodeID(op.Leader), replication.ReadContext{Key: "mix"}, 50*time.Millisecond); err == nil {
				contexts["mix"] = reply.(replication.ValueContext).Context
			}
		case "pin":
			r.pins[c].outcome(v, r.write(p, pinned, replication.Write{Key: pin, Value: v}))
		case "unpin":
			r.pins[c].outcome(replication.Absent, r.write(p, pinned, replication.Write{Key: pin, Kind: replication.Delete}))
		case "hand":
			if c == 0 && len(r.hand.unknown) == 0 && r.sees(p, op.Leader, r.hand.last) {
				r.hand.outcome(v, r.write(p, op.Leader, replication.Write{Key: "hand", Value: v}))
			}
		}
	}
}

// sees waits, not for ever, until a leader shows the value of the key hand: then
// a write there replaces it.
func (r *leaderRun) sees(p *sim.Proc, leader int, v int64) bool {
	for range 10 {
		reply, err := p.Call(sim.NodeID(leader), replication.Read{Key: "hand"}, 50*time.Millisecond)
		if err == nil && reply.(replication.Value).Value == v {
			return true
		}
		p.Sleep(5 * time.Millisecond)
	}
	return false
}

func (r *leaderRun) id(p *sim.Proc) replication.RequestID {
	return replication.RequestID{Client: p.Self(), Number: r.request}
}

func (r *leaderRun) write(p *sim.Proc, leader int, w replication.Write) bool {
	w.Request = r.id(p)
	acked := r.call(p, leader, w)
	if acked {
		r.oracle.ack(w.Request)
	}
	return acked
}

func (r *leaderRun) call(p *sim.Proc, leader int, m sim.Message) bool {
	_, err := p.Call(sim.NodeID(leader), m, 50*time.Millisecond)
	return err == nil
}

// judge looks at the leaders when all is quiet.
func (r *leaderRun) judge() error {
	first := r.nodes[0]
	for i, n := range r.nodes {
		if !slices.Equal(n.State(), first.State()) || n.Tree().Root() != first.Tree().Root() {
			return fmt.Errorf("diverged: leader %d holds\n%v\nand leader 0\n%v", i, n.State(), first.State())
		}
	}
	if r.variant.exact {
		if err := r.oracle.judge(r.nodes); err != nil {
			return err
		}
	}
	for _, e := range r.added {
		if !slices.Contains(first.Elements("set"), e) {
			return fmt.Errorf("lost add: %d was acknowledged, and the set is %v", e, first.Elements("set"))
		}
	}
	for _, e := range first.Elements("set") {
		if !r.written[e] {
			return fmt.Errorf("made up: nobody added %d", e)
		}
	}
	if v := first.Get("mix"); !r.written[v] {
		return fmt.Errorf("made up: nobody wrote %d", v)
	}
	if v := first.Get("hand"); !r.hand.may(v) {
		return fmt.Errorf("lost overwrite: hand is %d, not %+v", v, r.hand)
	}
	for c := range r.pins {
		if v := first.Get("pin" + strconv.Itoa(c)); !r.pins[c].may(v) {
			return fmt.Errorf("lost write: pin%d is %d, not %+v", c, v, r.pins[c])
		}
	}
	return nil
}

// byKind merges sets and lets the last writer win in registers, so that one
// world can test both.
var byKind = replication.VectorClockMerge{Merge: func(key string, versions []replication.VersionedValue) replication.VersionedValue {
	if key == "set" {
		return replication.Union(key, versions)
	}
	return replication.LastWriterWins{}.Resolve(key, versions)
}}

// TestLeadersConverge is the claim of the protocol, in worlds of every kind.
func TestLeadersConverge(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.Custom(scenarioOf).Draw(t, "scenario")
		require.NoError(t, leaderPlay(s, leaderVariant{resolver: byKind, exact: true}))
	})
}

// TestAnyResolverConverges: leaders agree even by a resolver that goes against
// time, such as the greatest value.
func TestAnyResolverConverges(t *testing.T) {
	greatest := replication.ResolverFunc(func(key string, versions []replication.VersionedValue) replication.VersionedValue {
		return slices.MaxFunc(versions, func(v, w replication.VersionedValue) int {
			return int(v.Value%7-w.Value%7)*1000 + v.Timestamp.Compare(w.Timestamp)
		})
	})
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.Custom(scenarioOf).Draw(t, "scenario")
		for _, ops := range s.Clients {
			for i := range ops {
				if ops[i].Kind == "add" {
					ops[i].Kind = "after"
				}
			}
		}
		require.NoError(t, leaderPlay(s, leaderVariant{resolver: greatest, exact: true}))
	})
}

// TestLeadersAreDeterministic: one scenario, one digest and one final state.
func TestLeadersAreDeterministic(t *testing.T) {
	for i := range 20 {
		s := rapid.Custom(scenarioOf).Example(i)
		one, two := prepare(s, leaderVariant{resolver: byKind}), prepare(s, leaderVariant{resolver: byKind})
		for _, r := range []*leaderRun{one, two} {
			r.w.Run(calm)
			r.w.Stop()
		}
		require.Equal(t, one.w.Digest(), two.w.Digest())
		for i := range one.nodes {
			require.Equal(t, one.nodes[i].State(), two.nodes[i].State())
		}
	}
}
