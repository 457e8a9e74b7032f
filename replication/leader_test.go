package replication_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rashomon-go/rashomon/replication"
	"github.com/rashomon-go/rashomon/sim"
)

func TestLeaderConfigNamesTheField(t *testing.T) {
	good := replication.LeaderConfig{Leaders: []sim.NodeID{4, 2}}
	require.NoError(t, good.Validate())
	place, err := good.Place(2)
	require.NoError(t, err)
	require.Equal(t, 1, place)
	_, err = good.Place(3)
	require.ErrorContains(t, err, "Leaders [4 2] lacks node 3")
	for field, bad := range map[string]replication.LeaderConfig{
		"0 Leaders":         {},
		"1 Leaders":         {Leaders: []sim.NodeID{0}},
		"has node 2 twice":  {Leaders: []sim.NodeID{2, 1, 2}},
		"AntiEntropy is -1": {Leaders: []sim.NodeID{0, 1}, AntiEntropy: -1},
	} {
		require.ErrorContains(t, bad.Validate(), field)
	}
}

func TestLeaderInAWrongPlacePanics(t *testing.T) {
	w := sim.New(sim.Config{})
	cfg := &replication.LeaderConfig{Leaders: []sim.NodeID{0, 1}}
	boot := func(_ sim.NodeID, disk *sim.Disk) sim.Node { return replication.NewLeaderNode(cfg, 1, disk) }
	require.PanicsWithError(t, "leader: node 0 was built for place 1, which is that of node 1", func() {
		defer func() {
			p := recover().(*sim.Panic)
			panic(panicked(p.Value.(string)))
		}()
		w.AddNode("L0", boot)
	})
}

type panicked string

func (p panicked) Error() string { return string(p) }

// TestRetriesAreRecognised: one request is one write, also after a crash.
func TestRetriesAreRecognised(t *testing.T) {
	st := newStage(t, 2, millis(1), replication.LeaderConfig{})
	one := replication.RequestID{Client: 100, Number: 1}
	two := replication.RequestID{Client: 100, Number: 2}
	put := func(id replication.RequestID, v int64) replication.Write {
		return replication.Write{Request: id, Key: "k", Value: v}
	}
	cas := replication.Write{Request: two, Kind: replication.CompareAndSet, Key: "k", Expect: 1, Value: 3}
	st.ask(millis(1), 0, put(one, 1), replication.Written{Swapped: true, Seen: 1})
	st.put(millis(2), 0, "k", 2)
	st.ask(millis(3), 0, put(one, 1), replication.Written{Swapped: true, Seen: 1})
	st.reads(millis(4), 0, "k", 2)
	st.ask(millis(5), 0, cas, replication.Written{Seen: 2})
	st.put(millis(6), 0, "k", 1)
	st.w.At(millis(7), "crash", func() { st.w.Crash(0, sim.LoseUnsynced); st.w.Restart(0) })
	st.ask(millis(8), 0, cas, replication.Written{Seen: 2}) // refused once is refused for good
	st.w.Go("straggler", func(p *sim.Proc) {
		p.Sleep(millis(9))
		_, err := p.Call(0, put(one, 1), millis(10))
		require.ErrorIs(t, err, sim.ErrTimeout)
	})
	st.w.Run(second)
	require.EqualValues(t, 1, st.agree().Get("k"))
}

func TestCompareAndSetComparesLocally(t *testing.T) {
	st := newStage(t, 2, millis(1), replication.LeaderConfig{})
	cas := replication.Write{Kind: replication.CompareAndSet, Key: "k", Expect: replication.Absent, Value: 5}
	st.ask(millis(1), 0, cas, replication.Written{Swapped: true, Seen: 5})
	st.ask(millis(5), 1, cas, replication.Written{Seen: 5})
	st.w.Run(second)
	require.EqualValues(t, 5, st.agree().Get("k"))
	require.EqualValues(t, 5, st.agree().Store().Get("k"))
}

// TestContextsTellConcurrentWritesApart: two writes at one leader, neither of
// which knew of the other, are both kept, and a write that knew of both replaces
// them, at whichever leader.
func TestContextsTellConcurrentWritesApart(t *testing.T) {
	st := newStage(t, 2, millis(1), replication.LeaderConfig{})
	after := func(v int64, c replication.Context) replication.WriteAfter {
		return replication.WriteAfter{Write: replication.Write{Key: "k", Value: v}, Context: c}
	}
	var both replication.Context
	st.ask(millis(1), 0, after(1, replication.Context{}), nil)
	st.ask(millis(2), 0, after(2, replication.Context{}), nil)
	st.w.Go("reader", func(p *sim.Proc) {
		p.Sleep(millis(10))
		reply, err := p.Call(0, replication.ReadContext{Key: "k"}, second)
		require.NoError(t, err)
		require.EqualValues(t, 2, reply.(replication.ValueContext).Value)
		both = reply.(replication.ValueContext).Context
	})
	st.w.Run(millis(20))
	require.Len(t, st.agree().Versions("k"), 2)
	require.Equal(t, replication.VectorClock{2}, both.Clock)
	st.ask(millis(10), 1, after(3, both), nil)
	st.w.Run(second)
	require.Len(t, st.agree().Versions("k"), 1)
	require.EqualValues(t, 3, st.agree().Get("k"))
}

// TestElementsAreTheClients: what a client does to its reply concerns nobody.
func TestElementsAreTheClients(t *testing.T) {
	st := newStage(t, 2, millis(1), replication.LeaderConfig{Resolver: sets})
	st.add(millis(1), 0, "s", 7)
	st.add(millis(2), 0, "s", 5)
	st.add(millis(3), 0, "s", 7)
	st.w.Go("vandal", func(p *sim.Proc) {
		p.Sleep(millis(10))
		reply, err := p.Call(0, replication.ReadSet{Key: "s"}, second)
		require.NoError(t, err)
		elements := reply.(replication.Elements).Elements
		require.Equal(t, []int64{5, 7}, elements)
		clear(elements)
	})
	st.w.Run(second)
	require.Equal(t, []int64{5, 7}, st.agree().Elements("s"))
}

// TestAddStaysOverConcurrentDelete, and a delete that knew of it removes it.
func TestAddStaysOverConcurrentDelete(t *testing.T) {
	st := newStage(t, 2, millis(5), replication.LeaderConfig{Resolver: sets})
	st.add(millis(1), 0, "s", 1)
	st.add(millis(20), 0, "s", 2)
	st.ask(millis(21), 1, replication.Write{Key: "s", Kind: replication.Delete}, nil)
	st.w.Run(millis(50))
	require.Equal(t, []int64{1, 2}, st.agree().Elements("s"))
	st.ask(millis(1), 1, replication.Write{Key: "s", Kind: replication.Delete}, nil)
	st.w.Run(millis(80))
	require.Empty(t, st.agree().Elements("s"))
}

// TestEvictedKeysLeaveTheTree, and come back to it: at any time it holds the key
// that the store has room for.
func TestEvictedKeysLeaveTheTree(t *testing.T) {
	st := newStage(t, 2, millis(1), replication.LeaderConfig{Store: replication.KVStoreConfig{Capacity: 1}})
	for i, key := range []string{"a", "b", "a", "b"} {
		st.put(millis(1), 0, key, int64(i))
		st.w.Run(millis(float64(10 * (i + 1))))
		tree := st.agree().Tree()
		require.NoError(t, tree.CheckShape())
		require.Equal(t, 1, tree.Len())
		_, found := tree.Get(key)
		require.True(t, found)
	}
}

// TestStateNamesEverything is what drawings show.
func TestStateNamesEverything(t *testing.T) {
	st := newStage(t, 2, millis(5), replication.LeaderConfig{Resolver: sets})
	st.add(millis(1), 0, "s", 1)
	st.put(millis(1), 1, "r", 2)
	st.ask(millis(1), 1, replication.Write{Key: "d", Kind: replication.Delete}, nil)
	st.w.Run(second)
	var names []string
	for _, v := range st.agree().State() {
		names = append(names, v.Name)
	}
	require.Equal(t, "versions d, store r, versions r, store s, versions s, root", strings.Join(names, ", "))
	require.Contains(t, st.agree().State(), sim.Variable{Name: "versions r", Value: "[2 as 1:1 over [] at 1ms+0@n1]"})
}

// TestLostDisksConverge: a leader without its disk gives dots a second time. What
// it then writes may be lost, but all leaders agree.
func TestLostDisksConverge(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.Custom(scenarioOf).Draw(t, "scenario")
		r := prepare(s, leaderVariant{resolver: byKind})
		defer r.w.Stop()
		for _, f := range s.Faults {
			if f.Kind == "crash" {
				r.w.At(f.At, "lose", func() { r.w.Crash(sim.NodeID(f.Leader), sim.LoseAll); r.w.Restart(sim.NodeID(f.Leader)) })
			}
		}
		r.w.Run(calm)
		r.heal()
		r.w.Run(calm + 80*round)
		for _, n := range r.nodes {
			require.Equal(t, r.nodes[0].State(), n.State())
		}
	})
}

// TestWorldsExerciseTheProtocol: the random worlds above would prove nothing if
// nothing happened in them.
func TestWorldsExerciseTheProtocol(t *testing.T) {
	const worlds = 200
	var conflicts, repairs, tombstones, siblings int
	for i := range worlds {
		r := prepare(rapid.Custom(scenarioOf).Example(i), leaderVariant{resolver: byKind})
		r.w.Run(calm)
		var repaired, detected uint64
		for _, n := range r.nodes {
			repaired += n.Stats().AntiEntropyKeysRepaired
			detected += n.Stats().ConflictsDetected
		}
		count := func(n *int, yes bool) {
			if yes {
				*n++
			}
		}
		count(&repairs, repaired > 0)
		count(&conflicts, detected > 0)
		count(&siblings, slices.ContainsFunc(r.nodes, func(n *replication.LeaderNode) bool { return len(n.Versions("mix")) > 1 }))
		count(&tombstones, slices.ContainsFunc(r.nodes, func(n *replication.LeaderNode) bool {
			v, found := n.Version("mix")
			return found && v.Deleted
		}))
		r.w.Stop()
	}
	t.Logf("of %d worlds: conflicts in %d, repairs in %d, two versions at the end in %d, a tombstone in %d", worlds, conflicts, repairs, siblings, tombstones)
	for _, n := range []int{conflicts, repairs, siblings, tombstones} {
		require.Greater(t, n, worlds/20)
	}
}
