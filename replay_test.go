package rashomon_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rashomon-go/rashomon"
	"github.com/rashomon-go/rashomon/model"
	"github.com/rashomon-go/rashomon/sim"
	"github.com/rashomon-go/rashomon/systems"
)

// A replay goes to any event of a run and shows what the replicas are then.
func ExampleReplay() {
	s, err := systems.ByName("chain")
	if err != nil {
		fmt.Println(err)
		return
	}
	scenario := rashomon.FromSeed(1, s, s.Claims[0], 1)
	scenario.Nodes = 2
	scenario.Operations = []rashomon.Operation{{ID: 1, Kind: model.Write, Key: "k0", Value: 7}}
	scenario.Faults = nil

	replay, err := rashomon.NewReplay(s, scenario)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer replay.Close()
	for replay.Next() {
		if e := replay.Event(); e.Kind == sim.Delivered && sim.MessageName(e.Message) == "Propagate" {
			break
		}
	}
	fmt.Println(sim.MessageName(replay.Event().Message))
	for _, node := range replay.States()[:scenario.Nodes] {
		fmt.Println(node.Name, node.State[0])
	}
	// Output:
	// Propagate
	// n0 {store k0 7}
	// n1 {store k0 7}
}

// The replay of every scenario has the events, the final states and the digest of its
// run; it goes back and forth, and its end is one.
func TestReplayIsTheRun(t *testing.T) {
	everySystem(func(s *rashomon.System, c rashomon.Claim) {
		sc := rashomon.FromSeed(5, s, c, 20)
		var events []sim.Event
		want := run(t, s, sc, rashomon.Options{Trace: func(e sim.Event) { events = append(events, e) }})

		p, err := rashomon.NewReplay(s, sc)
		require.NoError(t, err)
		defer p.Close()
		require.Empty(t, p.States())
		require.Zero(t, p.Event())
		for i := range events {
			require.True(t, p.Next())
			if a, b := p.Event(), events[i]; a.Seq != b.Seq || a.At != b.At || a.Kind != b.Kind || a.ID != b.ID {
				t.Fatalf("%s: event %d is %v, expected %v", s.Name, i+1, a, b)
			}
		}
		require.False(t, p.Next())
		require.False(t, p.Next())
		require.Equal(t, want.Digest, p.Result().Digest)
		require.Equal(t, want.Verdict, p.Result().Verdict)
		for i, state := range want.States {
			require.Equal(t, state, p.States()[i].State)
		}

		half := len(events) / 2
		for _, number := range []int{half, half + 1, 1, half} {
			require.True(t, p.To(number))
			require.EqualValues(t, number, p.Event().Seq)
			require.Len(t, p.States(), sc.Nodes+len(s.Services))
		}
		require.False(t, p.To(len(events)+1))
		require.NotNil(t, p.Result())
		require.True(t, p.To(0))
		require.Zero(t, p.Event())
		require.True(t, p.To(1))
	})
}

// A panic of the system ends the run.
func TestReplayOfPanics(t *testing.T) {
	s := *lazySystem
	s.Boot = func(*rashomon.Cluster, int) sim.Boot {
		return func(sim.NodeID, *sim.Disk) sim.Node { return fragile{} }
	}
	sc := rashomon.FromSeed(1, &s, s.Claims[0], 10)
	p, err := rashomon.NewReplay(&s, sc)
	require.NoError(t, err)
	defer p.Close()
	last := sim.Event{}
	for p.Next() {
		last = p.Event()
	}
	assert.Equal(t, sim.Delivered, last.Kind, "of what the node panicked at")
	assert.Contains(t, p.Result().Panic, "update 5 follows 3")

	sc.Nodes = 99
	_, err = rashomon.NewReplay(&s, sc)
	assert.ErrorContains(t, err, "nodes is 99")
}
