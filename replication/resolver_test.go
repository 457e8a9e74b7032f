package replication_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rashomon-go/rashomon/replication"
	"github.com/rashomon-go/rashomon/sim"
)

// someVersions draws versions of one key as leaders make them: each has seen
// some of those before it.
var someVersions = rapid.Custom(func(t *rapid.T) versions {
	var vs versions
	var counters [3]uint64
	for i := range rapid.IntRange(2, 6).Draw(t, "versions") {
		r := rapid.IntRange(0, 2).Draw(t, "replica")
		var clock replication.VectorClock
		for _, seen := range vs {
			if seen.Dot.Replica == r || rapid.Bool().Draw(t, "seen") {
				clock = clock.Join(seen.Clock)
				for clock.At(seen.Dot.Replica) < seen.Dot.Counter {
					clock = clock.Tick(seen.Dot.Replica)
				}
			}
		}
		counters[r]++
		v := replication.VersionedValue{Value: int64(i + 1), Clock: clock, Dot: replication.Dot{Replica: r, Counter: counters[r]}}
		v.Timestamp = replication.HLCTimestamp{Physical: time.Duration(rapid.IntRange(0, 2).Draw(t, "time")), Logical: uint32(i), Node: sim.NodeID(r)}
		if v.Deleted = rapid.IntRange(0, 4).Draw(t, "deleted") == 0; v.Deleted {
			v.Value = replication.Absent
		} else {
			v.Elements = []int64{v.Value}
		}
		vs = append(vs, v)
	}
	return vs
})

// TestResolversAreIndependentOfTheOrder shuffles what they are given.
func TestResolversAreIndependentOfTheOrder(t *testing.T) {
	resolvers := map[string]replication.ConflictResolver{
		"last writer": replication.LastWriterWins{}, "maximal": replication.VectorClockMerge{},
		"union": sets, "sum": sum,
	}
	rapid.Check(t, func(t *rapid.T) {
		vs := someVersions.Draw(t, "versions")
		shuffled := rapid.Permutation(vs).Draw(t, "shuffled")
		for name, r := range resolvers {
			one, two := r.Resolve("k", slices.Clone(vs)), r.Resolve("k", slices.Clone(shuffled))
			require.Equal(t, one, two, name)
		}
	})
}

// TestVectorClockMergeTakesMaximalVersions compares with the definition.
func TestVectorClockMergeTakesMaximalVersions(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		vs := someVersions.Draw(t, "versions")
		var top versions
		var joined replication.VectorClock
		for _, v := range vs {
			superseded := slices.ContainsFunc(vs, func(w replication.VersionedValue) bool { return w.Dot != v.Dot && w.Clock.Covers(v.Dot) })
			if !superseded {
				top = append(top, v)
			}
			joined = joined.Join(v.Clock)
			for joined.At(v.Dot.Replica) < v.Dot.Counter {
				joined = joined.Tick(v.Dot.Replica)
			}
		}
		merged := sets.Resolve("k", vs)
		if len(top) == 1 {
			require.Equal(t, top[0], merged)
			return
		}
		require.Equal(t, replication.Equal, joined.Compare(merged.Clock), "the result carries the joined clock")
		for _, v := range top {
			if !v.Deleted {
				require.Contains(t, merged.Elements, v.Value)
			}
		}
	})
}

// TestJoinVersionsIsASemilattice: leaders that have heard of the same writes hold
// the same versions.
func TestJoinVersionsIsASemilattice(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		vs := someVersions.Draw(t, "versions")
		// Only complete sets occur: whoever has a write knows what it covers.
		part := func(name string) versions {
			n := rapid.IntRange(0, len(vs)).Draw(t, name)
			var joined versions
			for _, v := range rapid.Permutation(vs[:n]).Draw(t, name+" in order") {
				joined = replication.JoinVersions(joined, versions{v})
			}
			return append(versions{}, joined...)
		}
		a, b, c := part("a"), part("b"), part("c")
		require.Equal(t, a, replication.JoinVersions(a, a))
		require.Equal(t, replication.JoinVersions(a, b), replication.JoinVersions(b, a))
		require.Equal(t, replication.JoinVersions(replication.JoinVersions(a, b), c), replication.JoinVersions(a, replication.JoinVersions(b, c)))
	})
}
