package replication_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	. "github.com/rashomon-go/rashomon/replication"
	"github.com/rashomon-go/rashomon/sim"
)

// dumbStore is the oracle: a map, and its keys in the order in which they came.
type dumbStore struct {
	capacity  int
	keys      []string
	values    map[string]int64
	evictions uint64
}

func (d *dumbStore) get(key string) int64 {
	if !slices.Contains(d.keys, key) {
		return Absent
	}
	return d.values[key]
}

func (d *dumbStore) apply(w Write) Written {
	switch {
	case w.Kind == NoOp:
		return Written{}
	case w.Kind == Delete:
		d.keys = slices.DeleteFunc(d.keys, func(k string) bool { return k == w.Key })
		return Written{Swapped: true, Seen: Absent}
	case w.Kind == CompareAndSet && d.get(w.Key) != w.Expect:
		return Written{Seen: d.get(w.Key)}
	}
	d.values[w.Key] = w.Value
	if !slices.Contains(d.keys, w.Key) {
		d.keys = append(d.keys, w.Key)
	}
	if d.capacity > 0 && len(d.keys) > d.capacity {
		d.keys = d.keys[1:]
		d.evictions++
	}
	return Written{Swapped: true, Seen: w.Value}
}

var someKeys = []string{"a", "b", "c", "d", "e"}

func drawWrite(t *rapid.T) Write {
	return Write{
		Kind:   rapid.SampledFrom([]WriteKind{Put, Put, CompareAndSet, Delete, NoOp}).Draw(t, "kind"),
		Key:    rapid.SampledFrom(someKeys).Draw(t, "key"),
		Value:  rapid.Int64Range(1, 2).Draw(t, "value"),
		Expect: rapid.SampledFrom([]int64{Absent, 1, 2}).Draw(t, "expect"),
	}
}

// A store is what the dumb one is, after every write.
func TestStoreIsTheDumbOne(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		capacity := rapid.IntRange(0, 4).Draw(t, "capacity")
		store := NewKVStore(KVStoreConfig{Capacity: capacity})
		dumb := &dumbStore{capacity: capacity, values: map[string]int64{}}
		for range rapid.IntRange(1, 60).Draw(t, "writes") {
			w := drawWrite(t)
			require.Equal(t, dumb.apply(w), store.Apply(w), "%+v", w)
			require.Equal(t, len(dumb.keys), store.Len())
			require.Equal(t, dumb.evictions, store.Evictions())
			for _, key := range someKeys {
				require.Equal(t, dumb.get(key), store.Get(key), key)
			}
		}
	})
}

// The one that was inserted first goes, although it was updated last; who is deleted
// and comes back comes last. What is gone reads as absent.
func TestEvictionIsLossByFirstInsertion(t *testing.T) {
	s := NewKVStore(KVStoreConfig{Capacity: 2})
	for _, w := range []Write{{Key: "a", Value: 1}, {Key: "b", Value: 1}, {Key: "a", Value: 2}, {Key: "c", Value: 1}} {
		s.Apply(w)
	}
	assert.Equal(t, []int64{Absent, 1, 1}, []int64{s.Get("a"), s.Get("b"), s.Get("c")})
	s.Apply(Write{Kind: Delete, Key: "b"})
	s.Apply(Write{Key: "b", Value: 2})
	s.Apply(Write{Key: "a", Value: 3})
	assert.Equal(t, []int64{3, 2, Absent}, []int64{s.Get("a"), s.Get("b"), s.Get("c")})
	assert.Equal(t, uint64(2), s.Evictions())
	assert.Panics(t, func() { NewKVStore(KVStoreConfig{Capacity: -1}) })
}

const (
	oneWay     = 5 * ms
	writeTime  = 3 * ms
	readTime   = ms
	deleteTime = 2 * ms
)

var slowStore = KVStoreConfig{ReadLatency: readTime, WriteLatency: writeTime, DeleteLatency: deleteTime}

// newSlowWorld has links of oneWay; clients' take no time.
func newSlowWorld(t *testing.T) *sim.World {
	w := sim.New(sim.Config{Seed: 1, Link: sim.Link{Latency: sim.Constant(oneWay)}})
	t.Cleanup(w.Stop)
	return w
}

// ask lets a client ask a node one thing after the other, without a retry, and
// returns the answers and how long each took.
func ask(w *sim.World, messages []sim.Message, of func(m sim.Message) sim.NodeID) (answers []sim.Message, took []time.Duration) {
	id := w.Go("client", func(p *sim.Proc) {
		for _, m := range messages {
			start := p.Now()
			reply, err := p.Call(of(m), m, time.Second)
			if err != nil {
				reply = err
			}
			answers, took = append(answers, reply), append(took, p.Now()-start)
		}
	})
	for node := range id {
		w.SetLink(sim.Pair{From: id, To: node}, sim.Link{})
		w.SetLink(sim.Pair{From: node, To: id}, sim.Link{})
	}
	for end := w.Now() + 10*time.Second; w.Step(end); {
	}
	return answers, took
}

// request numbers a client's write.
func request(number uint64, w Write) Write {
	w.Request = RequestID{Client: 99, Number: number}
	return w
}

// An update passes every store of a chain before its client hears of it.
func TestChainStoreLatencyAddsUp(t *testing.T) {
	for n := 2; n <= 5; n++ {
		w := newSlowWorld(t)
		var names []string
		for i := range n {
			names = append(names, fmt.Sprint("n", i))
		}
		nodes, err := BuildChain(w, ChainConfig{Store: slowStore, Retransmit: time.Second}, names...)
		require.NoError(t, err)
		_, took := ask(w, []sim.Message{
			request(1, Write{Key: "k", Value: 1}), Read{"k"}, request(2, Write{Kind: CompareAndSet, Key: "k", Expect: 5}), request(3, Write{Kind: Delete, Key: "k"}),
		}, func(m sim.Message) sim.NodeID {
			if _, read := m.(Read); read {
				return nodes[n-1]
			}
			return nodes[0]
		})
		way, stores := time.Duration(n-1)*oneWay, time.Duration(n)
		assert.Equal(t, []time.Duration{way + stores*writeTime, readTime, way + stores*writeTime, way + stores*deleteTime}, took)
	}
}

// The primary applies what its backups have logged: theirs is not on the client's
// way.
func TestPrimaryStoreLatency(t *testing.T) {
	w := newSlowWorld(t)
	cfg := &PrimaryBackupConfig{Mode: Sync, Members: []sim.NodeID{0, 1, 2}, Store: slowStore, ServeReads: true}
	addGroup(w, cfg, []string{"n0", "n1", "n2"}, nil)
	_, took := ask(w, []sim.Message{request(1, Write{Key: "k", Value: 1}), Read{"k"}}, func(sim.Message) sim.NodeID { return 0 })
	assert.Equal(t, []time.Duration{2*oneWay + writeTime, readTime}, took)
	assert.Equal(t, 2*oneWay+writeTime, w.Node(0).(*PrimaryNode).Stats().WriteLatencySum)
	answers, took := ask(w, []sim.Message{Read{"k"}}, func(sim.Message) sim.NodeID { return 1 })
	assert.Equal(t, []sim.Message{Value{1}}, answers)
	assert.Equal(t, []time.Duration{readTime}, took)
}

// A chain of two that crashes while the head writes to its store: the update is in
// the log, and nobody was told; the restart does what was not done. A leader's store
// is its disk: what was not done is lost.
func TestCrashDuringStoreLatency(t *testing.T) {
	w := newSlowWorld(t)
	nodes, err := BuildChain(w, ChainConfig{Store: slowStore}, "head", "tail")
	require.NoError(t, err)
	at := func(sim.Message) sim.NodeID { return nodes[0] }
	w.At(writeTime-1, "crash", func() {
		w.Crash(nodes[0], sim.LoseUnsynced)
		assert.Zero(t, w.Node(nodes[1]).(*ChainNode).LastSeq())
	})
	w.At(100*ms, "restart", func() { w.Restart(nodes[0]) })
	answers, _ := ask(w, []sim.Message{request(1, Write{Key: "k", Value: 1}), request(1, Write{Key: "k", Value: 1})}, at)
	assert.Equal(t, []sim.Message{Written{Swapped: true, Seen: 1}}, answers[:1], "the tail answers")
	assert.Equal(t, uint64(1), w.Node(nodes[1]).(*ChainNode).LastSeq())

	w = newSlowWorld(t)
	addLeaders(w, &LeaderConfig{Leaders: []sim.NodeID{0, 1}, Store: slowStore})
	w.At(writeTime-1, "crash", func() { w.Crash(0, sim.KeepAll) })
	w.At(100*ms, "restart", func() { w.Restart(0) })
	answers, took := ask(w, []sim.Message{request(1, Write{Key: "k", Value: 1}), Read{"k"}}, func(sim.Message) sim.NodeID { return 0 })
	assert.Error(t, answers[0].(error))
	assert.Equal(t, Value{Absent}, answers[1])
	assert.Equal(t, readTime, took[1])
}

// Nodes that apply the same updates lose the same keys, also after a restart.
func TestReplicasEvictTheSame(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := newSlowWorld(t)
		capacity := rapid.IntRange(1, 4).Draw(rt, "capacity")
		nodes, err := BuildChain(w, ChainConfig{CRAQ: true, Store: KVStoreConfig{Capacity: capacity}}, "n0", "n1", "n2")
		require.NoError(rt, err)
		dumb := &dumbStore{capacity: capacity, values: map[string]int64{}}
		var writes, reads, want []sim.Message
		for i := range rapid.IntRange(1, 20).Draw(rt, "writes") {
			update := request(uint64(i+1), drawWrite(rt))
			writes, want = append(writes, update), append(want, dumb.apply(update))
		}
		answers, _ := ask(w, writes, func(sim.Message) sim.NodeID { return nodes[0] })
		require.Equal(rt, want, answers)
		w.Crash(nodes[1], sim.LoseUnsynced)
		w.Restart(nodes[1])
		want = nil
		for _, key := range someKeys {
			reads, want = append(reads, Read{key}), append(want, Value{dumb.get(key)})
		}
		for _, id := range nodes {
			answers, _ = ask(w, reads, func(sim.Message) sim.NodeID { return id })
			require.Equal(rt, want, answers)
			require.Equal(rt, dumb.evictions, w.Node(id).(*ChainNode).Stats().Evictions)
		}
	})
}

// An eviction is as dirty as the update that made room for itself: until the tail has
// that, the key is read there. In the end it is absent everywhere.
func TestEvictionIsAVersionOfCRAQ(t *testing.T) {
	w := newSlowWorld(t)
	nodes, err := BuildChain(w, ChainConfig{CRAQ: true, Store: KVStoreConfig{Capacity: 1}}, "head", "tail")
	require.NoError(t, err)
	head := func(sim.Message) sim.NodeID { return nodes[0] }
	ask(w, []sim.Message{request(1, Write{Key: "a", Value: 1})}, head)
	cut := w.Impose(sim.Overlay{Cut: true}, sim.Pair{From: nodes[0], To: nodes[1]})
	answers, _ := ask(w, []sim.Message{request(2, Write{Key: "b", Value: 2}), Read{"a"}}, head)
	assert.Error(t, answers[0].(error))
	assert.Equal(t, Refused{}, answers[1], "the tail can't be asked")
	assert.Equal(t, []string{"a", "b"}, w.Node(nodes[0]).(*ChainNode).DirtyKeys())
	w.Lift(cut)
	answers, _ = ask(w, []sim.Message{request(3, Write{Key: "b", Value: 3}), Read{"a"}, Read{"b"}}, head)
	assert.Equal(t, []sim.Message{Value{Absent}, Value{3}}, answers[1:])
	assert.Empty(t, w.Node(nodes[0]).(*ChainNode).DirtyKeys())
}

// Leaders lose keys each for itself; anti-entropy brings them back at the expense of
// others. A leader never gives a dot twice, so that what it writes to a key that it
// has lost supersedes nothing by mistake, and is superseded by nothing.
func TestLeaderEvicts(t *testing.T) {
	w := newSlowWorld(t)
	addLeaders(w, &LeaderConfig{Leaders: []sim.NodeID{0, 1}, Store: KVStoreConfig{Capacity: 1}})
	answers, _ := ask(w, []sim.Message{
		request(1, Write{Key: "a", Value: 1}), request(2, Write{Key: "a", Value: 2}),
		request(3, Write{Key: "b", Value: 3}), Read{"a"}, Read{"b"},
	}, func(sim.Message) sim.NodeID { return 0 })
	assert.Equal(t, []sim.Message{Value{Absent}, Value{3}}, answers[3:])
	for i := range 2 {
		n := w.Node(sim.NodeID(i)).(*LeaderNode)
		assert.Equal(t, uint64(1), n.Stats().Evictions)
		assert.Equal(t, 1, n.Tree().Len())
		assert.Equal(t, 1, n.Store().Len())
	}
	ask(w, []sim.Message{request(4, Write{Key: "a", Value: 4})}, func(sim.Message) sim.NodeID { return 0 })
	versions := w.Node(0).(*LeaderNode).Versions("a")
	require.Len(t, versions, 1)
	assert.Equal(t, Dot{Replica: 0, Counter: 3}, versions[0].Dot)
}
