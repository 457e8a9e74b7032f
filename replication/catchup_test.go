package replication_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	. "github.com/rashomon-go/rashomon/replication"
	"github.com/rashomon-go/rashomon/sim"
)

const missed = 1000

// groupOf returns a world of three nodes with links of 1 ms, and a client that
// writes, in the background, without waiting for answers.
func groupOf(t *testing.T, kind string) (*sim.World, func(n int)) {
	w := sim.New(sim.Config{Link: sim.Link{Latency: sim.Constant(ms)}})
	t.Cleanup(w.Stop)
	if kind == "chain" {
		_, err := BuildChain(w, ChainConfig{}, "n0", "n1", "n2")
		require.NoError(t, err)
	} else {
		addGroup(w, &PrimaryBackupConfig{Mode: Sync, Members: []sim.NodeID{0, 1, 2}}, []string{"n0", "n1", "n2"}, nil)
	}
	return w, func(n int) {
		s := &source{keys: []string{"k"}, writes: n, every: ms / 10}
		w.AddNode("source", func(sim.NodeID, *sim.Disk) sim.Node { return s })
	}
}

func lastSeq(w *sim.World, id sim.NodeID) uint64 {
	return w.Node(id).(interface{ LastSeq() uint64 }).LastSeq()
}

// A node that was cut off catches up at the pace of its acknowledgements, not of
// the timer, and is not flooded meanwhile.
func TestCatchUp(t *testing.T) {
	for _, kind := range []string{"sync", "chain"} {
		t.Run(kind, func(t *testing.T) {
			w, write := groupOf(t, kind)
			from := sim.NodeID(0)
			if kind == "chain" {
				from = 1
			}
			cut := w.Impose(sim.Overlay{Cut: true}, sim.Pair{From: from, To: 2})
			write(missed)
			w.Run(time.Second)
			before := w.Traffic(sim.Pair{From: from, To: 2})
			assert.Less(t, before.Sent, uint64(missed+16*50+1), "one burst of 16 every 20 ms, besides the updates")
			w.Lift(cut)
			w.Run(time.Second + 200*ms)
			assert.Equal(t, uint64(missed), lastSeq(w, 2), "1000 updates in bursts of 16, a round trip each")
			sent := w.Traffic(sim.Pair{From: from, To: 2}).Sent - before.Sent
			assert.Less(t, sent, uint64(missed*3/2), "most are sent once")
			for w.Step(time.Minute) {
			}
			assert.Less(t, w.Now(), 2*time.Second, "then the world is at rest")
		})
	}
}

// A backup that comes back without its disk gets everything again, and is not
// taken for one that still has what it once acknowledged: not even if an
// acknowledgement from before arrives late. Until it has caught up it refuses
// reads.
func TestBackupLosesItsDisk(t *testing.T) {
	w := sim.New(sim.Config{Link: sim.Link{Latency: sim.Constant(ms)}})
	defer w.Stop()
	addGroup(w, &PrimaryBackupConfig{Mode: Sync, Members: []sim.NodeID{0, 1, 2}, ServeReads: true}, []string{"n0", "n1", "n2"}, nil)
	s := &source{keys: []string{"k"}, writes: missed, every: ms / 10}
	w.AddNode("source", func(sim.NodeID, *sim.Disk) sim.Node { return s })
	w.Run(500 * ms)
	require.Equal(t, uint64(missed), lastSeq(w, 1))

	back := sim.Pair{From: 1, To: 0}
	w.SetLink(back, sim.Link{Latency: sim.Constant(10 * ms)})
	w.Go("late", func(p *sim.Proc) { _, _ = p.Call(1, Commit{}, ms) }) // is acknowledged late
	w.Run(501 * ms)
	w.SetLink(back, sim.Link{Latency: sim.Constant(ms)})
	w.Crash(1, sim.LoseAll)
	w.Restart(1)
	require.Zero(t, lastSeq(w, 1))

	refused, served := 0, 0
	w.Go("reader", func(p *sim.Proc) {
		for served == 0 {
			switch m, _ := p.Call(1, Read{"k"}, 5*ms); m {
			case Refused{}:
				refused++
			default:
				served++
				assert.Equal(t, Value{Value: missed}, m)
			}
			p.Sleep(ms)
		}
	})
	w.Run(2 * time.Second)
	assert.Equal(t, w.Disk(0).Records(), w.Disk(1).Records())
	assert.Equal(t, uint64(missed), w.Node(1).(*BackupNode).LastAppliedSeq())
	assert.Equal(t, 1, served)
	assert.Greater(t, refused, 20)
	assert.False(t, w.Step(time.Minute), "the world is at rest")
}

// Counters are what the page of the reference says they are.
func TestStats(t *testing.T) {
	w, write := groupOf(t, "sync")
	write(10)
	for w.Step(time.Minute) {
	}
	p := w.Node(0).(*PrimaryNode).Stats()
	assert.Equal(t, uint64(10), p.Writes)
	assert.Equal(t, uint64(10), p.Committed)
	assert.Equal(t, uint64(20), p.ReplicationsSent)
	assert.Equal(t, 20*ms, p.WriteLatencySum, "a round trip each")
	assert.Equal(t, Sync, w.Node(0).(*PrimaryNode).Mode())
	assert.Equal(t, uint64(10), w.Node(1).(*BackupNode).Stats().ReplicationsApplied)
	assert.Equal(t, uint64(10), w.Node(1).(*BackupNode).Stats().LastAppliedSeq)

	w, write = groupOf(t, "chain")
	write(10)
	for w.Step(time.Minute) {
	}
	for i, want := range []ChainReplicationStats{
		{WritesReceived: 10, PropagationsSent: 10},
		{PropagationsSent: 10, PropagationsReceived: 10, AcksSent: 10},
		{PropagationsReceived: 10, AcksSent: 10},
	} {
		assert.Equal(t, want, w.Node(sim.NodeID(i)).(*ChainNode).Stats(), fmt.Sprint("node ", i))
	}
}

// Broken invariants stop the node with the values, and so do messages that no
// protocol sends.
func TestPanics(t *testing.T) {
	for _, c := range []struct {
		kind string
		to   sim.NodeID
		m    sim.Message
		want string
	}{
		{"chain", 0, WriteAck{Number: 1, Seq: 3}, "chain: acknowledgement of update 3, but the log of node 0 ends at 0"},
		{"chain", 1, "hello", "chain: unexpected message string"},
		{"sync", 0, ReplicationAck{}, "primary: acknowledgement from node 3, which is no backup"},
		{"sync", 0, "hello", "primary: unexpected message string"},
		{"sync", 1, "hello", "backup: unexpected message string"},
	} {
		w, _ := groupOf(t, c.kind)
		w.Go("stranger", func(p *sim.Proc) { _, _ = p.Call(c.to, c.m, ms) })
		func() {
			defer func() {
				caught, _ := recover().(*sim.Panic)
				if assert.NotNil(t, caught, c.want) {
					assert.Equal(t, c.want, caught.Value)
				}
			}()
			w.Run(time.Second)
		}()
	}
}

// The random worlds are rough and yet get work done; otherwise the properties
// would hold for nothing.
func TestPlansAreRough(t *testing.T) {
	var asked, answered int
	var all sim.Traffic
	for seed := range 100 {
		g, err := run(plans.Example(seed), nil)
		require.NoError(t, err)
		for _, ops := range g.Clients {
			asked += len(ops)
		}
		answered += len(g.acked)
		all.Add(g.traffic)
	}
	assert.Greater(t, answered, asked*6/10)
	assert.Less(t, answered, asked, "some clients give up")
	for _, cause := range []sim.DropCause{sim.Lost, sim.CutAtSend, sim.NodeDown, sim.PortClosed} {
		assert.NotZero(t, all.Dropped[cause], cause)
	}
	assert.NotZero(t, all.Duplicated)
	assert.NotZero(t, all.HeldBack)
}
