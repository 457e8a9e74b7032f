package replication_test

import (
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rashomon-go/rashomon/replication"
	"github.com/rashomon-go/rashomon/sim"
)

// The interleavings M1 to M17 that break the multi-leader replication of
// happy-simulator 0.2.5 are scripts (testdata/scripts/multi_leader), which show that
// nothing breaks here. The tests in this file assert what a script can't: every
// order, both settings, what a mutant does.

// stage is a world of leaders in which a test says what happens when.
type stage struct {
	t     *testing.T
	w     *sim.World
	nodes []*replication.LeaderNode
	calls uint64
}

func newStage(t *testing.T, leaders int, latency time.Duration, cfg replication.LeaderConfig) *stage {
	st := &stage{t: t, w: sim.New(sim.Config{Link: sim.Link{Latency: sim.Constant(latency)}}), nodes: make([]*replication.LeaderNode, leaders)}
	t.Cleanup(st.w.Stop)
	for i := range leaders {
		cfg.Leaders = append(cfg.Leaders, sim.NodeID(i))
	}
	require.NoError(t, cfg.Validate())
	for i := range leaders {
		st.w.AddNode("L"+strconv.Itoa(i), func(_ sim.NodeID, disk *sim.Disk) sim.Node {
			st.nodes[i] = replication.NewLeaderNode(&cfg, i, disk)
			return st.nodes[i]
		})
	}
	return st
}

// ask sends a request at a time and checks the reply.
func (st *stage) ask(at time.Duration, leader int, m, reply sim.Message) {
	st.calls++
	st.w.Go("call"+strconv.FormatUint(st.calls, 10), func(p *sim.Proc) {
		p.Sleep(at)
		got, err := p.Call(sim.NodeID(leader), m, time.Minute)
		require.NoError(st.t, err)
		if reply != nil {
			require.Equal(st.t, reply, got)
		}
	})
}

func (st *stage) put(at time.Duration, leader int, key string, v int64) {
	st.ask(at, leader, replication.Write{Key: key, Value: v}, replication.Written{Swapped: true, Seen: v})
}

func (st *stage) add(at time.Duration, leader int, key string, e int64) {
	st.ask(at, leader, replication.Add{Key: key, Element: e}, replication.Written{Swapped: true, Seen: e})
}

func (st *stage) reads(at time.Duration, leader int, key string, v int64) {
	st.ask(at, leader, replication.Read{Key: key}, replication.Value{Value: v})
}

// cut lets nothing pass one way for a while.
func (st *stage) cut(from, to int, at, until time.Duration) {
	var laid sim.OverlayID
	st.w.At(at, "cut", func() {
		laid = st.w.Impose(sim.Overlay{Cut: true}, sim.Pair{From: sim.NodeID(from), To: sim.NodeID(to)})
	})
	st.w.At(until, "mend", func() { st.w.Lift(laid) })
}

func (st *stage) latency(from, to int, d time.Duration) {
	st.w.SetLink(sim.Pair{From: sim.NodeID(from), To: sim.NodeID(to)}, sim.Link{Latency: sim.Constant(d)})
}

// agree checks that all leaders are equal and returns the first.
func (st *stage) agree() *replication.LeaderNode {
	for _, n := range st.nodes {
		require.Equal(st.t, st.nodes[0].State(), n.State())
		require.Equal(st.t, st.nodes[0].Tree().Root(), n.Tree().Root())
	}
	return st.nodes[0]
}

// millis makes the times below read as the reference document has them.
func millis(n float64) time.Duration { return time.Duration(n * 1000 * float64(time.Microsecond)) }

const second = time.Second

// keepMax is a resolver that goes against time.
var keepMax = replication.ResolverFunc(func(_ string, vs versions) replication.VersionedValue {
	return slices.MaxFunc(vs, func(v, w replication.VersionedValue) int { return int(v.Value - w.Value) })
})

var sets = replication.VectorClockMerge{Merge: replication.Union}

// sum is no idempotent merge.
var sum = replication.VectorClockMerge{Merge: func(_ string, vs versions) replication.VersionedValue {
	var merged replication.VersionedValue
	for _, v := range vs {
		merged.Value += v.Value
	}
	return merged
}}

func TestM5MergeIsIndependentOfTheOrder(t *testing.T) {
	z := replication.VersionedValue{Value: 26, Dot: replication.Dot{Replica: 2, Counter: 1}}
	a := replication.VersionedValue{Value: 1, Dot: replication.Dot{Replica: 0, Counter: 1}, Clock: replication.VectorClock{0, 0, 1}}
	m := replication.VersionedValue{Value: 13, Dot: replication.Dot{Replica: 1, Counter: 1}, Timestamp: replication.HLCTimestamp{Node: 1}}
	for _, vs := range []versions{{z, a, m}, {z, m, a}, {a, z, m}, {a, m, z}, {m, a, z}, {m, z, a}} {
		require.EqualValues(t, 13, replication.VectorClockMerge{}.Resolve("k", vs).Value)
		merged := sum.Resolve("k", vs)
		require.EqualValues(t, 14, merged.Value)
		require.Equal(t, replication.VectorClock{1, 1, 1}, merged.Clock)
	}
}

// slowAfterFast lets a slow clock overwrite what a fast clock wrote, with a third
// write whose time lies between, in every order of delivery, and returns the
// values that the leaders end with.
func slowAfterFast(t *testing.T, r rules) (ends [][]int64) {
	late := []time.Duration{millis(30), millis(60), millis(90)}
	for _, order := range [][3]int{{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}} {
		st := newStage(t, 3, millis(1), replication.LeaderConfig{Rules: r})
		st.latency(0, 2, late[order[0]])
		st.w.SetClock(0, sim.Clock{Offset: 100 * second})
		st.w.SetClock(2, sim.Clock{Offset: 50 * second})
		st.put(millis(10), 0, "k", 26) // z
		st.w.At(millis(12), "slower", func() {
			for _, other := range []int{0, 1} {
				st.latency(2, other, late[order[1]])
			}
			st.latency(1, 2, late[order[2]])
		})
		st.put(millis(20), 1, "k", 1)  // a, after z
		st.put(millis(20), 2, "k", 13) // m
		st.w.Run(second)
		end := []int64{st.nodes[0].Get("k"), st.nodes[1].Get("k"), st.nodes[2].Get("k")}
		ends = append(ends, end)
	}
	return ends
}

func TestM6SlowClockOverwritesFastClock(t *testing.T) {
	for _, end := range slowAfterFast(t, rules{}) {
		require.Equal(t, []int64{1, 1, 1}, end)
	}
}

// TestM6Mutant: dominance before the last writer is associative if timestamps
// follow causality, as those of a hybrid clock do, and only then.
func TestM6Mutant(t *testing.T) {
	one := oneVersion(func(here, incoming replication.VersionedValue) replication.VersionedValue {
		return replication.LastWriterWins{}.Resolve("", versions{here, incoming})
	})
	for _, end := range slowAfterFast(t, rules{Join: one}) {
		require.Equal(t, []int64{1, 1, 1}, end)
	}
	wall := func(env *sim.Env, _ string, v replication.VersionedValue) replication.VersionedValue {
		v.Timestamp = replication.HLCTimestamp{Physical: env.Wall(), Node: env.Self()}
		return v
	}
	diverged := slices.ContainsFunc(slowAfterFast(t, rules{Join: one, Stamp: wall}), func(end []int64) bool {
		return end[0] != end[1] || end[1] != end[2]
	})
	require.True(t, diverged)
}

func TestM10FingerprintIsCanonicalAndCoversVersions(t *testing.T) {
	v := replication.VersionedValue{Value: 7, Clock: replication.VectorClock{1}, Dot: replication.Dot{Replica: 1, Counter: 1}}
	same, other, later, gone := v, v, v, v
	same.Clock = replication.VectorClock{1, 0, 0}
	other.Clock = replication.VectorClock{2}
	later.Timestamp.Logical = 1
	gone.Deleted = true
	h := replication.Fingerprint("k", versions{v})
	require.Equal(t, h, replication.Fingerprint("k", versions{same}))
	for _, w := range []replication.VersionedValue{other, later, gone} {
		require.NotEqual(t, h, replication.Fingerprint("k", versions{w}))
	}
	require.NotEqual(t, h, replication.Fingerprint("l", versions{v}))
	require.Equal(t, replication.Hash{0xdc0e0a81686dcd0e, 0}, replication.Hash{h[0], 0}, "in every process the same")
}

func TestM17OneLostReplicate(t *testing.T) {
	for _, c := range []struct {
		interval time.Duration
		reaches  int64
	}{{0, replication.Absent}, {millis(100), 1}} {
		st := newStage(t, 2, millis(1), replication.LeaderConfig{AntiEntropy: c.interval})
		st.cut(0, 1, millis(5), millis(15))
		st.put(millis(10), 0, "k", 1)
		st.w.Run(10 * second)
		require.Equal(t, c.reaches, st.nodes[1].Get("k"), "interval %v", c.interval)
	}
}
