package rashomon

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rashomon-go/rashomon/faults"
	"github.com/rashomon-go/rashomon/report"
	"github.com/rashomon-go/rashomon/sim"
)

// counter counts the messages that it gets and passes each on to its neighbour.
type counter struct {
	next  sim.NodeID
	count int
}

func (c *counter) Receive(env *sim.Env, _ sim.Addr, m sim.Message) {
	if c.count++; m.(int) > 0 {
		env.Send(c.next, m.(int)-1)
	}
}

func (c *counter) State() []sim.Variable {
	return []sim.Variable{{Name: "count", Value: string(rune('0' + c.count))}}
}

// TestWatcher sees every change of a state once, when it happens, and the states of
// all when the window begins.
func TestWatcher(t *testing.T) {
	watch := func(window ...report.Span) *watcher {
		w := newWatcher(2, window)
		world := sim.New(sim.Config{Link: sim.Link{Latency: sim.Constant(10)}, Trace: w.event})
		defer world.Stop()
		for i := range 2 {
			world.AddNode("n", func(sim.NodeID, *sim.Disk) sim.Node { return &counter{next: sim.NodeID(1 - i)} })
		}
		world.Go("client", func(p *sim.Proc) { _, _ = p.Call(0, 4, 500) })
		for world.Step(1000) {
			w.look(world)
		}
		return w
	}
	type seen struct {
		node  sim.NodeID
		value string
	}
	list := func(w *watcher) (all []seen) {
		for _, s := range w.states {
			if e := w.events[s.Seq-1]; len(all) >= w.nodes { // after the first look
				assert.Equal(t, sim.Delivered, e.Kind)
				assert.Equal(t, s.Node, e.To)
			}
			all = append(all, seen{s.Node, s.Variables[0].Value})
		}
		return all
	}
	whole := watch(report.Span{Until: 1000})
	assert.Equal(t, []seen{{0, "0"}, {1, "0"}, {0, "1"}, {1, "1"}, {0, "2"}, {1, "2"}, {0, "3"}}, list(whole))
	require.False(t, whole.full)
	last := whole.events[len(whole.events)-1].At
	assert.Equal(t, []seen{{0, "3"}, {1, "2"}}, list(watch(report.Span{From: last, Until: last})))
	assert.Empty(t, list(watch()))
}

// TestThePageOfARole tells which nodes a fault befell that names a role.
func TestThePageOfARole(t *testing.T) {
	r := &Result{
		Names: []string{"n0", "n1", "n2", "c0"}, firstClient: 3,
		cast: []casting{{5, "primary", []sim.NodeID{1}}, {50, "primary", []sim.NodeID{2}}, {5, "clients", []sim.NodeID{3}}},
	}
	for text, want := range map[string][]sim.NodeID{
		"5ns..10ns partition primary | *":                     {1},
		"5ns..60ns partition primary | *":                     {1},
		"5ns..60ns partition primary | * every 45ns for 10ns": {1, 2},
		"5ns..10ns partition n0 primary | n2":                 {0, 1, 2},
		"5ns..10ns lose 10% of * -> *":                        nil,
		"5ns..10ns cut * -> clients":                          nil,
		"20ns..30ns partition primary | *":                    nil,
	} {
		f, err := faults.Parse(text)
		require.NoError(t, err, text)
		assert.Equal(t, want, r.befallen(f), text)
	}
}
