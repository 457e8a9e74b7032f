package faults

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rashomon-go/rashomon/sim"
)

const (
	ms      = time.Millisecond
	latency = 10 * time.Microsecond // of the bare links
)

// schedule parses a schedule for three nodes.
func schedule(t testing.TB, lines ...string) (s Schedule) {
	for _, line := range lines {
		f, err := Parse(line)
		require.NoError(t, err)
		s = append(s, f)
	}
	return s
}

// TestHoldFault shows when what was held arrives: not before the last hold ends.
func TestHoldFault(t *testing.T) {
	l := newLab(2)
	s := schedule(t, "1ms..5ms hold n0 -> n1", "3ms..7ms hold * -> * only greet", "1ms..9ms hold n0 -> * only answer")
	effects := s.Apply(l.w, l.ids, nil)
	l.run(12 * ms)
	for i, want := range []time.Duration{0, 7, 7, 7, 7, 7, 7} {
		at := ms/2 + time.Duration(i)*ms
		took := latency
		if want > 0 {
			took = want*ms - at
		}
		require.Equal(t, []time.Duration{took}, l.arrived[hop{at, 0, 1}], "%v", at)
	}
	require.Equal(t, []Effect{
		{Befell: 1, Messages: sim.Hits{Held: 4}},
		{Befell: 2, Messages: sim.Hits{Held: 10}}, // four from the first, two of n0's own, four of n1's
		{Befell: 1},
	}, effects())
}

// TestRepeatedRoles shows that every repetition finds out anew whom a role means.
func TestRepeatedRoles(t *testing.T) {
	l := newLab(3)
	role := func(string) []sim.NodeID { return l.ids[l.w.Now()/(2*ms)%3:][:1] }
	s := schedule(t, "0s..6ms crash primary keeping synced every 2ms for 1ms", "6ms..7ms lose 0% of n0 -> n1")
	effects := s.Apply(l.w, l.ids, role)
	l.run(8 * ms)
	for at := ms / 2; at < 8*ms; at += ms {
		for i := range 3 {
			_, up := l.shown[hop{at, i, i}]
			require.Equal(t, at%(2*ms) > ms || at > 6*ms || int(at/(2*ms)) != i, up, "n%d at %v", i, at)
		}
	}
	require.Equal(t, []Effect{{Befell: 3, Hits: 3}, {Befell: 1}}, effects())
}

// TestRing: everyone hears a majority, and no two hear the same one.
func TestRing(t *testing.T) {
	for n := 3; n <= 9; n++ {
		circle := make([]sim.NodeID, n)
		for i := range circle {
			circle[i] = sim.NodeID(i)
		}
		g := ring(circle)
		views := map[string]bool{}
		for _, node := range circle {
			heard := slices.Clone(circle)
			for _, d := range g {
				if d.node == node {
					heard = slices.DeleteFunc(heard, func(id sim.NodeID) bool { return slices.Contains(d.senders, id) })
				}
			}
			require.Len(t, heard, n/2+1)
			require.Contains(t, heard, node)
			views[fmt.Sprint(heard)] = true
		}
		require.Len(t, views, n)
	}
	require.Empty(t, ring([]sim.NodeID{0}))
}

// TestTouchingWindowsAreOne shows that a node does not boot between two crashes
// that touch, in whatever order they are written.
func TestTouchingWindowsAreOne(t *testing.T) {
	for _, s := range []Schedule{
		schedule(t, "1ms..2ms crash n0 keeping synced", "2ms..3ms crash n0 keeping synced"),
		schedule(t, "2ms..3ms crash n0 keeping synced", "1ms..2ms crash n0 keeping synced"),
	} {
		require.Equal(t, []string{"1ms crash", "3ms restart"}, crashes(s, nil))
	}
}

// crashes runs a schedule over three nodes and returns when a node crashes or
// restarts. Every node greets the others once every millisecond.
func crashes(s Schedule, roles Roles) (log []string) {
	w := sim.New(sim.Config{Trace: func(e sim.Event) {
		if e.Kind == sim.Crashed || e.Kind == sim.Restarted {
			log = append(log, fmt.Sprintf("%v %v", e.At, e.Kind))
		}
	}})
	ids := make([]sim.NodeID, 3)
	for i := range ids {
		ids[i] = w.AddNode(fmt.Sprintf("n%d", i), func(sim.NodeID, *sim.Disk) sim.Node { return ticker{} })
	}
	s.Apply(w, ids, roles)
	w.Run(10 * ms)
	return log
}

type ticker struct{}

func (ticker) Start(env *sim.Env) { env.After(ms-1, nil) }

func (ticker) Receive(env *sim.Env, from sim.Addr, _ sim.Message) {
	if from.Node == env.Self() {
		env.Send((env.Self()+1)%3, "tick")
		env.Send((env.Self()+2)%3, "tick")
		env.After(ms, nil)
	}
}

func TestCrashSending(t *testing.T) {
	for _, c := range []struct {
		want  []string
		lines []string
	}{
		{[]string{"999.999µs crash", "3ms restart"}, []string{"0s..3ms crash n0 after 1 send"}},
		{[]string{"1.999999ms crash", "3ms restart"}, []string{"0s..3ms crash n0 after 2 sends"}},
		{nil, []string{"0s..3ms crash n0 after 9 sends"}}, // it does not get that far, and is off again
		{[]string{"1ms crash", "3ms restart"}, []string{"0s..3ms crash n0 after 9 sends", "1ms..2ms crash n0 keeping synced"}},
		// Each is called off by itself.
		{[]string{"2.999999ms crash", "5ms restart"}, []string{"0s..5ms crash n0 after 5 sends", "0s..2ms crash n0 after 4 sends"}},
		{nil, []string{"0s..5ms crash n0 after 12 sends", "1ms..2ms crash n0 after 2 sends"}},
		{[]string{"1ms crash", "4ms restart"}, []string{"1ms..4ms crash n0 keeping synced", "2ms..3ms crash n0 after 0 sends"}},
	} {
		require.Equal(t, c.want, crashes(schedule(t, c.lines...), nil), "%v", c.lines)
	}
}

// TestFates shows what each crash leaves on a disk with one record that was
// synced and one that was not.
func TestFates(t *testing.T) {
	for fate, left := range map[string]int{"synced": 1, "everything": 2, "nothing": 0} {
		var booted []int
		w := sim.New(sim.Config{})
		id := w.AddNode("n0", func(_ sim.NodeID, d *sim.Disk) sim.Node {
			booted = append(booted, len(d.Records()))
			return scribe{}
		})
		schedule(t, "1ms..2ms crash n0 keeping "+fate).Apply(w, []sim.NodeID{id}, nil)
		w.Run(3 * ms)
		require.Equal(t, []int{0, left}, booted, fate)
	}
}

type scribe struct{}

func (scribe) Start(env *sim.Env) {
	env.Append("synced")
	env.Sync()
	env.Append("not synced")
}

func (scribe) Receive(*sim.Env, sim.Addr, sim.Message) {}

// TestRoles shows that a role is resolved when the fault begins, that the end
// concerns the same node, and that a role that nobody plays is no obstacle.
func TestRoles(t *testing.T) {
	asked := 0
	roles := func(name string) []sim.NodeID {
		if name != "primary" {
			return nil
		}
		asked++
		return []sim.NodeID{sim.NodeID(asked)}
	}
	s := schedule(t, "1ms..2ms crash primary keeping synced", "1ms..2ms crash nobody keeping synced")
	require.Equal(t, []string{"1ms crash", "2ms restart"}, crashes(s, roles))
	require.Equal(t, 1, asked)
	require.PanicsWithValue(t, `faults: no node is called "primary"`, func() {
		c := newCast(sim.New(sim.Config{}), nil, nil)
		c.resolve([]string{"primary"})
	})
}

// TestPartitionOfRoles shows that a node that plays a role is in one group only.
func TestPartitionOfRoles(t *testing.T) {
	l := newLab(3)
	roles := func(string) []sim.NodeID { return []sim.NodeID{l.ids[1], l.ids[2]} }
	c := newCast(l.w, l.ids, roles)
	require.Equal(t, l.ids[1:], c.resolve([]string{"n1", "backups"}))
	for text, want := range map[string]string{
		"0s..1s partition n0 n1 | backups": "[[0 1] [2]]",
		"0s..1s partition backups | n0 n1": "[[1 2] [0]]",
		"0s..1s partition * | backups":     "[[0] [1 2]]",
		"0s..1s partition n0 n1 n2 | *":    "[[0 1 2] []]",
	} {
		f, err := Parse(text)
		require.NoError(t, err)
		require.Equal(t, want, fmt.Sprint(c.groups(f.Who)))
	}
}

// TestClockNeverStops adds up drifts that would stop a clock.
func TestClockNeverStops(t *testing.T) {
	l := newLab(1)
	schedule(t, "0s..4ms clock n0 drift -999999ppm", "1ms..3ms clock n0 drift -999999ppm").Apply(l.w, l.ids, nil)
	l.run(6 * ms)
	for at := 3 * ms / 2; at < 6*ms; at += ms {
		before, now := l.shown[hop{at - ms, 0, 0}], l.shown[hop{at, 0, 0}]
		require.Greater(t, now.now, before.now, "%v", at)
	}
	require.InDelta(t, 2*ms-ms/2, l.shown[hop{5*ms + ms/2, 0, 0}].now, 100)
}

func TestEnd(t *testing.T) {
	require.Equal(t, 3*ms, schedule(t, "1ms..3ms pause n0", "1ms..2ms pause n1").End())
	require.Zero(t, Schedule(nil).End())
}

// TestTrace shows that a trace tells when faults begin and end.
func TestTrace(t *testing.T) {
	var log []string
	w := sim.New(sim.Config{Trace: func(e sim.Event) {
		if e.Kind == sim.Acted {
			log = append(log, fmt.Sprint(e.At, " ", e.Message))
		}
	}})
	id := w.AddNode("n0", func(sim.NodeID, *sim.Disk) sim.Node { return scribe{} })
	schedule(t, "1ms..2ms pause n0", "0s..1ms pause *").Apply(w, []sim.NodeID{id}, nil)
	w.Run(3 * ms)
	require.Equal(t, []string{
		"0s begin 0s..1ms pause *", "1ms begin 1ms..2ms pause n0",
		"1ms end 0s..1ms pause *", "2ms end 1ms..2ms pause n0",
	}, log)
}

// TestCancel ends every kind of fault in the middle of its window, twice over: it
// really ends, and it can begin again.
func TestCancel(t *testing.T) {
	for _, line := range []string{
		"2ms..20ms partition n0 | *", "2ms..20ms delay * -> * by 30us", "2ms..20ms lose 100% of n0 -> *",
		"2ms..20ms crash n0 n1 keeping synced", "2ms..18ms crash n0 n1 keeping nothing rolling",
		"2ms..20ms crash n0 after 40 sends", "2ms..20ms pause *", "2ms..20ms slow * by 1s", "2ms..20ms slow-disk n0 by 1s",
		"2ms..20ms fill-disk n0", "2ms..20ms fail-disk n0", "2ms..20ms clock n0 offset 5ms",
	} {
		l := newLab(3)
		f := schedule(t, line)[0]
		c := newCast(l.w, l.ids, nil)
		var cut Schedule
		for _, from := range []time.Duration{2 * ms, 12 * ms} {
			g := f
			g.From, g.Until = from, from+2*ms
			l.w.At(from, "begin", func() {
				end := c.begin(f, &deed{})
				l.w.At(g.Until, "cancel", end)
			})
			g.Rolling = false // the first turn lasts beyond that
			if g.Who = f.Who; f.Rolling {
				g.Who = [][]string{f.Who[0][:1]}
			}
			if f.Kind != CrashSending {
				cut = append(cut, g)
			}
		}
		l.run(40 * ms)
		compare(t, l, model{cut, 3}, 40*ms)
	}
}
