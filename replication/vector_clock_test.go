package replication_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rashomon-go/rashomon/replication"
	"github.com/rashomon-go/rashomon/sim"
)

var clocks = rapid.Custom(func(t *rapid.T) replication.VectorClock {
	return rapid.SliceOfN(rapid.Uint64Range(0, 3), 0, 4).Draw(t, "clock")
})

// dotsOf is the set that a clock stands for.
func dotsOf(c replication.VectorClock) map[replication.Dot]bool {
	set := map[replication.Dot]bool{}
	for i, n := range c {
		for k := uint64(1); k <= n; k++ {
			set[replication.Dot{Replica: i, Counter: k}] = true
		}
	}
	return set
}

func inclusion(a, b map[replication.Dot]bool) replication.Order {
	within := func(a, b map[replication.Dot]bool) bool {
		for d := range a {
			if !b[d] {
				return false
			}
		}
		return true
	}
	switch {
	case within(a, b) && within(b, a):
		return replication.Equal
	case within(a, b):
		return replication.Before
	case within(b, a):
		return replication.After
	}
	return replication.Concurrent
}

// TestVectorClockIsASet compares clocks with the sets that they stand for.
func TestVectorClockIsASet(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c, d := clocks.Draw(t, "c"), clocks.Draw(t, "d")
		require.Equal(t, inclusion(dotsOf(c), dotsOf(d)), c.Compare(d))
		union := dotsOf(c)
		for dot := range dotsOf(d) {
			union[dot] = true
		}
		require.Equal(t, union, dotsOf(c.Join(d)))
		dot := replication.Dot{Replica: rapid.IntRange(0, 4).Draw(t, "replica"), Counter: rapid.Uint64Range(1, 4).Draw(t, "counter")}
		require.Equal(t, dotsOf(c)[dot], c.Covers(dot))
		require.Equal(t, replication.Before, c.Compare(c.Tick(dot.Replica)))
	})
}

func TestVectorClockJoinIsASemilattice(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b, c := clocks.Draw(t, "a"), clocks.Draw(t, "b"), clocks.Draw(t, "c")
		equal := func(x, y replication.VectorClock) { require.Equal(t, replication.Equal, x.Compare(y)) }
		equal(a.Join(a), a)
		equal(a.Join(b), b.Join(a))
		equal(a.Join(b).Join(c), a.Join(b.Join(c)))
		require.Contains(t, []replication.Order{replication.Before, replication.Equal}, a.Compare(a.Join(b)))
	})
}

func TestLamportClockFollowsCausality(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		nodes := make([]replication.LamportClock, 3)
		last := make([]uint64, 3)
		var sent []uint64
		for range rapid.IntRange(1, 50).Draw(t, "events") {
			i := rapid.IntRange(0, 2).Draw(t, "node")
			var now uint64
			if len(sent) > 0 && rapid.Bool().Draw(t, "receive") {
				m := rapid.SampledFrom(sent).Draw(t, "message")
				now = nodes[i].Observe(m)
				require.Greater(t, now, m)
			} else {
				now = nodes[i].Tick()
				sent = append(sent, now)
			}
			require.Greater(t, now, last[i])
			last[i] = now
		}
	})
}

// TestHybridLogicalClock: timestamps grow along causality, never fall behind the
// node's wall clock, and run ahead of the fastest wall clock not at all.
func TestHybridLogicalClock(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const nodes = 3
		var clocks [nodes]replication.HybridLogicalClock
		var last [nodes]replication.HLCTimestamp
		for i := range clocks {
			clocks[i] = replication.NewHybridLogicalClock(sim.NodeID(i))
		}
		var sent []replication.HLCTimestamp
		var fastest time.Duration
		for range rapid.IntRange(1, 60).Draw(t, "events") {
			i := rapid.IntRange(0, nodes-1).Draw(t, "node")
			if len(sent) > 0 && rapid.Bool().Draw(t, "receive") {
				m := rapid.SampledFrom(sent).Draw(t, "message")
				clocks[i].Observe(m)
				m.Node = sim.NodeID(i)
				if last[i].Compare(m) < 0 {
					last[i] = m
				}
				continue
			}
			wall := time.Duration(rapid.IntRange(0, 20).Draw(t, "wall")) // jumps as it likes
			fastest = max(fastest, wall)
			now := clocks[i].Now(wall)
			require.Positive(t, now.Compare(last[i]))
			require.GreaterOrEqual(t, now.Physical, wall)
			require.LessOrEqual(t, now.Physical, fastest)
			require.NotContains(t, sent, now)
			last[i] = now
			sent = append(sent, now)
		}
	})
}
