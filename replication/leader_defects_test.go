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

// The tests in this file leaderPlay the interleavings M1 to M17 that break the
// multi-leader replication of happy-simulator 0.2.5, each with its times, and
// show that nothing breaks here.

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

func (st *stage) syncTime(d time.Duration) {
	for i := range st.nodes {
		st.w.SetSyncTime(sim.NodeID(i), d)
	}
}

// agree checks that all leaders are equal and returns the first.
func (st *stage) agree() *replication.LeaderNode {
	for _, n := range st.nodes {
		require.Equal(st.t, st.nodes[0].State(), n.State())
		require.Equal(st.t, st.nodes[0].Tree().Root(), n.Tree().Root())
	}
	return st.nodes[0]
}

func (st *stage) conflicts() (counts []uint64) {
	for _, n := range st.nodes {
		counts = append(counts, n.Stats().ConflictsDetected)
	}
	return counts
}

// millis makes the times below read as the reference document has them.
func millis(n float64) time.Duration { return time.Duration(n * 1000 * float64(time.Microsecond)) }

const (
	valueA, valueB = 1, 2
	second         = time.Second
)

// TestM1 lets a local write and a Replicate meet while the disk is at work.
func TestM1LocalWriteMeetsReplicate(t *testing.T) {
	st := newStage(t, 2, millis(6), replication.LeaderConfig{})
	st.syncTime(millis(5))
	st.put(second, 1, "k", valueB)
	st.put(second+millis(2), 0, "k", valueA)
	st.w.Run(2 * second)
	require.EqualValues(t, valueA, st.agree().Get("k"))
	require.Equal(t, []uint64{1, 1}, st.conflicts())
}

func TestM1bTwoReplicatesMeetAtAThird(t *testing.T) {
	st := newStage(t, 3, millis(6), replication.LeaderConfig{})
	st.syncTime(millis(5))
	st.latency(1, 2, millis(8))
	st.put(second, 0, "k", valueA)
	st.put(second, 1, "k", valueB)
	st.w.Run(2 * second)
	st.agree()
	require.Equal(t, []uint64{1, 1, 1}, st.conflicts())
}

// keepMax is a resolver that goes against time.
var keepMax = replication.ResolverFunc(func(_ string, vs versions) replication.VersionedValue {
	return slices.MaxFunc(vs, func(v, w replication.VersionedValue) int { return int(v.Value - w.Value) })
})

func TestM2OverwriteOfWhatAntiEntropyBrought(t *testing.T) {
	st := newStage(t, 2, millis(1), replication.LeaderConfig{Resolver: keepMax, AntiEntropy: millis(100)})
	st.cut(0, 1, 0, millis(50))
	st.put(millis(10), 0, "k", 9)
	st.reads(millis(60), 1, "k", replication.Absent)
	st.reads(millis(120), 1, "k", 9)
	st.put(millis(121), 1, "k", 1)
	st.w.Run(5 * second)
	require.EqualValues(t, 1, st.agree().Get("k"))
	require.Equal(t, []uint64{0, 0}, st.conflicts())
}

var sets = replication.VectorClockMerge{Merge: replication.Union}

func TestM3ClockOfAnotherKeySupersedesNothing(t *testing.T) {
	st := newStage(t, 2, millis(5), replication.LeaderConfig{Resolver: sets})
	st.latency(1, 0, millis(100))
	st.add(millis(10), 1, "k", valueB) // arrives late
	st.w.At(millis(11), "faster", func() { st.latency(1, 0, millis(5)) })
	st.add(millis(12), 1, "j", 1)
	st.ask(millis(20), 0, replication.ReadSet{Key: "k"}, replication.Elements{})
	st.add(millis(21), 0, "k", valueA)
	st.w.Run(second)
	require.Equal(t, []int64{valueA, valueB}, st.agree().Elements("k"))
	require.Equal(t, []uint64{1, 1}, st.conflicts())
}

func TestM3bNothingIsVisibleAfterItsClock(t *testing.T) {
	st := newStage(t, 2, millis(5), replication.LeaderConfig{Resolver: sets})
	st.syncTime(millis(5))
	st.add(millis(10), 1, "k", valueB) // at 0 from 20 to 25 ms
	st.add(millis(22), 0, "k", valueA)
	st.w.Run(second)
	require.Equal(t, []int64{valueA, valueB}, st.agree().Elements("k"))
}

func TestM4EqualVersionsAreNoConflict(t *testing.T) {
	st := newStage(t, 2, millis(1), replication.LeaderConfig{AntiEntropy: millis(100)})
	st.put(millis(10), 0, "k", 1)
	st.w.Run(10 * second)
	st.agree()
	require.Equal(t, []uint64{0, 0}, st.conflicts())
	for _, n := range st.nodes {
		require.EqualValues(t, 100, n.Stats().AntiEntropySyncs)
		require.Zero(t, n.Stats().AntiEntropyKeysRepaired)
	}
}

// sum is no idempotent merge.
var sum = replication.VectorClockMerge{Merge: func(_ string, vs versions) replication.VersionedValue {
	var merged replication.VersionedValue
	for _, v := range vs {
		merged.Value += v.Value
	}
	return merged
}}

func TestM4bAMergeThatIsNotIdempotentDoesNotRunAway(t *testing.T) {
	st := newStage(t, 2, millis(1), replication.LeaderConfig{Resolver: sum, AntiEntropy: millis(100)})
	st.put(millis(10), 0, "k", 1)
	st.put(millis(10), 0, "j", 1)
	st.put(millis(10), 1, "j", 2)
	st.w.Run(10 * second)
	require.EqualValues(t, 1, st.agree().Get("k"))
	require.EqualValues(t, 3, st.agree().Get("j"))
}

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

func TestM7AntiEntropyMeetsANewerWrite(t *testing.T) {
	st := newStage(t, 2, millis(5), replication.LeaderConfig{AntiEntropy: second})
	st.syncTime(millis(5))
	st.cut(0, 1, millis(2900), millis(3001))
	st.put(millis(2950), 0, "k", 1) // old: lost, then carried by the round that begins at 3 s
	st.cut(1, 0, millis(3011), millis(3030))
	st.put(millis(3011), 1, "k", 2) // new: its Replicate is lost
	st.w.Run(20 * second)
	require.EqualValues(t, 2, st.agree().Get("k"))
}

func TestM8DeletesAreRepairedAndStay(t *testing.T) {
	st := newStage(t, 2, millis(1), replication.LeaderConfig{AntiEntropy: millis(100)})
	st.put(millis(10), 0, "k", 1)
	st.cut(0, 1, millis(20), millis(50))
	st.ask(millis(30), 0, replication.Write{Key: "k", Kind: replication.Delete}, replication.Written{Swapped: true, Seen: replication.Absent})
	st.w.Run(millis(60))
	require.NotEqual(t, st.nodes[0].Tree().Root(), st.nodes[1].Tree().Root())
	require.EqualValues(t, 1, st.nodes[1].Get("k"))
	st.w.Run(5 * second)
	require.Equal(t, replication.Absent, st.agree().Get("k"))
}

func TestM9AntiEntropySurvivesRestarts(t *testing.T) {
	st := newStage(t, 2, millis(1), replication.LeaderConfig{AntiEntropy: second})
	for i := range sim.NodeID(2) {
		st.w.At(millis(1200), "crash", func() { st.w.Crash(i, sim.LoseUnsynced) })
		st.w.At(millis(1800), "restart", func() { st.w.Restart(i) })
	}
	st.cut(0, 1, 2*second, millis(2100))
	st.put(millis(2050), 0, "k", 1)
	st.w.Run(100 * second)
	require.EqualValues(t, 1, st.agree().Get("k"))
	require.EqualValues(t, 98, st.nodes[0].Stats().AntiEntropySyncs)
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

func TestM11MergesAgreeWithoutRounds(t *testing.T) {
	st := newStage(t, 2, millis(6), replication.LeaderConfig{Resolver: sets, AntiEntropy: millis(100)})
	st.add(millis(10), 0, "k", valueA)
	st.add(millis(10), 1, "k", valueB)
	st.w.Run(millis(50))
	require.Equal(t, []int64{valueA, valueB}, st.agree().Elements("k"))
	root := st.agree().Tree().Root()
	st.w.Run(8 * second)
	require.Equal(t, root, st.agree().Tree().Root())
}

// TestM15 restarts a leader, which is the nearest there is to adding peers twice:
// its clocks go on from where they were.
func TestM15ClocksSurvive(t *testing.T) {
	st := newStage(t, 2, millis(1), replication.LeaderConfig{})
	st.put(millis(10), 0, "k", 1)
	st.put(millis(20), 0, "k", 2)
	st.w.At(millis(30), "crash", func() { st.w.Crash(0, sim.LoseUnsynced) })
	st.w.At(millis(40), "restart", func() { st.w.Restart(0) })
	st.w.At(millis(45), "clock", func() { st.w.SetClock(0, sim.Clock{Offset: -millis(40)}) })
	st.put(millis(50), 0, "k", 3)
	st.w.Run(second)
	require.EqualValues(t, 3, st.agree().Get("k"))
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
