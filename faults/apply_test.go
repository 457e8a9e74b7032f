package faults

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

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

// The lab is some nodes, which a process probes in the middle of every
// millisecond: each that is up shows its clocks and greets all others. Windows
// begin and end with milliseconds, so what a probe sees is in force all over it.
type lab struct {
	w       *sim.World
	ids     []sim.NodeID
	arrived map[hop][]time.Duration // how long the greetings of a probe took
	shown   map[hop]dials
}

// hop is a link, or a node twice, at the time of a probe.
type hop struct {
	at       time.Duration
	from, to int
}

type dials struct{ now, wall time.Duration }

type (
	probe  struct{ at time.Duration }
	greet  struct{ at time.Duration }
	answer dials
)

type subject struct {
	l  *lab
	me int
}

func (s *subject) Receive(env *sim.Env, from sim.Addr, m sim.Message) {
	switch m := m.(type) {
	case probe:
		env.Append(m)
		env.Reply(from, answer{env.Now(), env.Wall()})
		for i, id := range s.l.ids {
			if i != s.me {
				env.Send(id, greet(m))
			}
		}
	case greet:
		h := hop{m.at, int(from.Node), s.me}
		s.l.arrived[h] = append(s.l.arrived[h], s.l.w.Now()-m.at)
	}
}

func newLab(n int) *lab {
	l := &lab{arrived: map[hop][]time.Duration{}, shown: map[hop]dials{}}
	l.w = sim.New(sim.Config{Link: sim.Link{Latency: sim.Constant(latency)}})
	for i := range n {
		boot := func(sim.NodeID, *sim.Disk) sim.Node { return &subject{l, i} }
		l.ids = append(l.ids, l.w.AddNode(fmt.Sprintf("n%d", i), boot))
	}
	return l
}

// run probes every node in every millisecond until end.
func (l *lab) run(end time.Duration) {
	for i, id := range l.ids {
		l.w.Go(fmt.Sprintf("prober of n%d", i), func(p *sim.Proc) {
			for at := ms / 2; at < end; at += ms {
				p.Sleep(at - p.Now())
				if m, err := p.Call(id, probe{at}, ms/2-1); err == nil {
					l.shown[hop{at, i, i}] = dials(m.(answer))
				}
			}
		})
	}
	l.w.Run(end + ms)
	l.w.Stop()
}

// The model computes what is in force at a moment from the windows that hold it
// and from nothing else.
type model struct {
	s     Schedule
	nodes int
}

func (m model) active(t time.Duration, kind Kind) (active Schedule) {
	for _, f := range m.s {
		there := f.From <= t && t < f.Until
		if f.Every != 0 {
			there = there && (t-f.From)%f.Every < f.For
		}
		if len(f.Only) > 0 {
			there = there && slices.Contains(f.Only, "greet")
		}
		if f.Kind == kind && there {
			active = append(active, f)
		}
	}
	return active
}

func in(group []string, i int) bool {
	return group[0] == everyone || slices.Contains(group, fmt.Sprintf("n%d", i))
}

// down says whether a node is down, or goes down when it is probed, since it writes
// then.
func (m model) down(t time.Duration, i int) bool {
	for _, f := range m.active(t, Crash) {
		if !f.Rolling && in(f.Who[0], i) {
			return true
		}
		if f.Rolling && in(f.Who[0], i) {
			place, places := i, m.nodes
			if f.Who[0][0] != everyone {
				place, places = slices.Index(f.Who[0], fmt.Sprintf("n%d", i)), len(f.Who[0])
			}
			from, length := f.From, f.Until-f.From
			if f.Every != 0 {
				from, length = t-(t-f.From)%f.Every, f.For
			}
			halves := time.Duration(2*places) * (t - from) / length
			if int(halves) == 2*place {
				return true
			}
		}
	}
	return m.befalls(t, FillDisk, i) || m.befalls(t, FailDisk, i)
}

// late says whether a node does things at another time than it is asked to.
func (m model) late(t time.Duration, i int) bool {
	return m.befalls(t, Pause, i) || m.befalls(t, Slow, i)
}

func (m model) befalls(t time.Duration, kind Kind, i int) bool {
	return slices.ContainsFunc(m.active(t, kind), func(f Fault) bool { return in(f.Who[0], i) })
}

// on returns the directed faults that lie over a link.
func (m model) on(t time.Duration, kind Kind, from, to int) (on Schedule) {
	for _, f := range m.active(t, kind) {
		if in(f.Who[0], from) && in(f.Who[1], to) {
			on = append(on, f)
		}
	}
	return on
}

// side returns the group of a partition that a node is in, or -1.
func side(f Fault, i int) int {
	named := slices.IndexFunc(f.Who, func(g []string) bool { return g[0] != everyone && in(g, i) })
	if named >= 0 {
		return named
	}
	return slices.IndexFunc(f.Who, func(g []string) bool { return g[0] == everyone })
}

func place(f Fault, i int) int { return slices.Index(f.Who[0], fmt.Sprintf("n%d", i)) }

func (m model) severed(t time.Duration, from, to int) bool {
	for _, f := range m.active(t, Partition) {
		if a, b := side(f, from), side(f, to); a >= 0 && b >= 0 && a != b {
			return true
		}
	}
	for _, f := range m.active(t, Ring) {
		n, a, b := len(f.Who[0]), place(f, from), place(f, to)
		// The distance from who hears to who is heard, around the ring.
		ahead, behind := (a-b+n)%n, (b-a+n)%n
		majority := n/2 + 1
		if a >= 0 && b >= 0 && ahead > (majority-1)/2 && behind > majority/2 {
			return true
		}
	}
	if certain(m.on(t, Lose, from, to)) || certain(m.on(t, Corrupt, from, to)) {
		return true
	}
	return len(m.on(t, Cut, from, to)) > 0
}

func certain(s Schedule) bool {
	return slices.ContainsFunc(s, func(f Fault) bool { return f.Percent == 100 })
}

// clock returns what a node's clocks should show, as a sum over milliseconds.
func (m model) clock(t time.Duration, i int) (d dials) {
	drift := func(at, d time.Duration) time.Duration {
		var ppm int64
		for _, f := range m.active(at, Clock) {
			if in(f.Who[0], i) {
				ppm += f.Clock.DriftPPM
			}
		}
		return d + d*time.Duration(ppm)/1e6
	}
	at := time.Duration(0)
	for ; at+ms <= t; at += ms {
		d.now += drift(at, ms)
	}
	d.now += drift(at, t-at)
	d.wall = d.now
	for _, f := range m.active(t, Clock) {
		if in(f.Who[0], i) {
			d.wall += f.Clock.Offset
		}
	}
	return d
}

// window draws a window of whole milliseconds within the first thirty.
func window(t *rapid.T) (from, until time.Duration) {
	from = time.Duration(rapid.IntRange(0, 25).Draw(t, "from")) * ms
	return from, from + time.Duration(rapid.IntRange(1, 20).Draw(t, "length"))*ms
}

// aMessage lets a message of the default size pass in the time of the latency.
const aMessage = sim.Bandwidth(8 * sim.DefaultSize * time.Second / latency)

// certainFault draws a fault whose effect a probe sees for certain: shares are
// none or all, and delays too short to reach into the next millisecond.
func certainFault(t *rapid.T, nodes []string) (f Fault) {
	f.From, f.Until = window(t)
	group := func() []string {
		g := rapid.SliceOfNDistinct(rapid.SampledFrom(nodes), 1, -1, rapid.ID).Draw(t, "group")
		if rapid.IntRange(0, 3).Draw(t, "everyone") == 3 {
			return []string{everyone}
		}
		return g
	}
	f.Kind = rapid.SampledFrom([]Kind{
		Partition, Ring, Cut, Delay, Lose, Duplicate, Reorder, Corrupt, Hold, Throttle, Crash, Pause, Slow, SlowDisk, FillDisk, FailDisk, Clock,
	}).Draw(t, "kind")
	switch {
	case f.Kind == Partition:
		parting := rapid.IntRange(1, len(nodes)-1).Draw(t, "parting")
		f.Who = [][]string{nodes[:parting:parting], nodes[parting:]}
		switch rapid.IntRange(0, 2).Draw(t, "form") {
		case 1:
			f.Who[0] = []string{everyone}
		case 2:
			f.Who[1] = f.Who[1][:1]
		}
	case f.Kind.directed():
		f.Who = [][]string{group(), group()}
	case f.Kind == Ring:
		ring := rapid.Permutation(nodes).Draw(t, "ring")
		f.Who = [][]string{ring[:rapid.IntRange(3, len(ring)).Draw(t, "length of the ring")]}
	default:
		f.Who = [][]string{group()}
	}
	if f.Kind.OfLinks() {
		f.Only = rapid.SampledFrom([][]string{nil, {"greet"}, {"answer", "probe"}, {"answer", "greet"}}).Draw(t, "only")
	}
	if rapid.IntRange(0, 2).Draw(t, "repeated") == 2 {
		f.For = time.Duration(rapid.IntRange(1, 4).Draw(t, "for")) * ms
		f.Every = f.For + time.Duration(rapid.IntRange(0, 4).Draw(t, "pause"))*ms
	}
	switch f.Kind {
	case Delay:
		f.Delay = sim.Constant(time.Duration(rapid.IntRange(1, 5).Draw(t, "delay")) * latency)
	case Throttle:
		f.Bandwidth = aMessage
	case Lose, Duplicate, Reorder, Corrupt:
		f.Percent = rapid.SampledFrom([]float64{0, 100}).Draw(t, "percent")
	case Crash:
		f.Fate = sim.DiskFate(rapid.IntRange(0, 2).Draw(t, "fate"))
		if f.Rolling = rapid.Bool().Draw(t, "rolling"); f.Rolling {
			turns := len(f.Who[0])
			if f.Who[0][0] == everyone {
				turns = len(nodes)
			}
			f.Until = f.From + 2*time.Duration(rapid.IntRange(1, 3).Draw(t, "half a turn")*turns)*ms
			f.Repeat = Repeat{} // turns must not end when nodes are probed
		}
	case Slow, SlowDisk:
		f.Time = time.Duration(rapid.IntRange(1, 3000).Draw(t, "time")) * time.Microsecond
	case Clock:
		f.Clock.Offset = time.Duration(rapid.IntRange(-5, 5).Draw(t, "offset")) * ms
		f.Clock.DriftPPM = rapid.Int64Range(-100, 100).Draw(t, "drift") * 1000
	}
	return f
}

// TestApplyAgainstModel lets faults overlap in every way and compares every probe
// with the model, also after the last fault has ended.
func TestApplyAgainstModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const n = 4
		l := newLab(n)
		names := []string{"n0", "n1", "n2", "n3"}
		var s Schedule
		for range rapid.IntRange(0, 8).Draw(t, "faults") {
			s = append(s, certainFault(t, names))
		}
		s.Apply(l.w, l.ids, nil)
		end := s.End() + 2*ms
		l.run(end)
		compare(t, l, model{s, n}, end)
	})
}

// TestOverlaps keeps the overlaps that other simulators got wrong, and those that
// random faults meet too rarely.
func TestOverlaps(t *testing.T) {
	for _, lines := range [][]string{
		{"1ms..5ms partition n0 | *", "3ms..8ms partition n0 n1 | n2"}, // the end of one heals the other
		{"1ms..8ms cut n0 -> n1", "1ms..8ms cut n0 -> n1", "3ms..5ms cut * -> *"},
		{"1ms..9ms delay n0 -> n1 by 10µs", "3ms..5ms delay n0 -> n1 by 50µs"}, // the first to end restores the latency
		{"1ms..5ms delay n0 -> n1 by 10µs", "3ms..9ms delay n0 -> n1 by 50µs"},
		{"1ms..9ms crash n0 keeping synced", "3ms..5ms crash * keeping nothing"},
		{"1ms..9ms crash n0 keeping synced", "3ms..5ms pause n0"}, // the end of the pause revives the node
		{"0s..9ms pause n0", "1ms..3ms pause n0", "4ms..5ms crash n0 keeping synced"},
		{"3ms..9ms crash n0 keeping synced", "1ms..5ms pause n0", "8ms..12ms pause *"},
		{"1ms..9ms fail-disk n0", "2ms..4ms crash n0 keeping synced"}, // the restart fails, too
		{"1ms..9ms crash n0 keeping synced", "2ms..4ms fill-disk n0"}, // the end of a disk's fault revives the node
		{"1ms..9ms fail-disk n0", "2ms..4ms fill-disk *"},
		{"1ms..9ms fail-disk n0", "2ms..12ms pause n0"},
		{"0s..12ms crash n0 n1 n2 keeping synced rolling", "1ms..6ms crash n1 keeping synced", "4ms..5ms pause *"},
		{"0s..16ms crash n0 n1 keeping synced rolling every 8ms for 4ms"},
		{"0s..12ms crash * keeping nothing rolling", "2ms..14ms crash * keeping nothing rolling"},
		{"1ms..9ms slow n0 by 3ms", "2ms..4ms slow * by 1s"},
		{"1ms..4ms slow n0 by 3ms", "2ms..6ms crash n0 keeping synced", "3ms..9ms fail-disk n0"},
		{"1ms..9ms cut n0 -> n1", "2ms..8ms cut * -> * every 2ms for 1ms"}, // the pauses of one heal the other
		{"1ms..9ms crash n0 keeping synced every 3ms for 1ms", "3ms..5ms crash n0 keeping synced", "2ms..8ms pause n0 every 2ms for 1ms"},
		{"1ms..9ms ring n0 n1 n2", "3ms..5ms partition n0 | *", "4ms..7ms ring n2 n1 n0"},
		{"1ms..9ms corrupt 100% of n0 -> n1", "3ms..5ms lose 100% of * -> *", "4ms..6ms corrupt 100% of * -> n1"},
		{"1ms..9ms throttle n0 -> n1 to 204800kbit/s", "3ms..5ms throttle * -> * to 204800kbit/s", "1ms..9ms cut n1 -> * only probe"},
		{"1ms..9ms hold n0 -> n1", "3ms..12ms hold * -> * only greet", "4ms..7ms cut n0 -> * only answer"},
		{"1ms..9ms clock n0 offset 5ms drift 1000ppm", "3ms..5ms clock * offset -2ms drift -1000ppm"},
	} {
		l := newLab(3)
		s := schedule(t, lines...)
		s.Apply(l.w, l.ids, nil)
		l.run(s.End() + 2*ms)
		compare(t, l, model{s, 3}, s.End()+2*ms)
	}
}

func compare(t require.TestingT, l *lab, m model, end time.Duration) {
	for at := ms / 2; at < end; at += ms {
		for i := range m.nodes {
			shown, up := l.shown[hop{at, i, i}]
			if m.befalls(at, Pause, i) || !m.late(at, i) {
				require.Equal(t, !m.down(at, i) && !m.late(at, i), up, "n%d answers at %v\n%v", i, at, m.s)
			}
			if up && !m.late(at, i) {
				want := m.clock(at, i)
				require.InDelta(t, want.now, shown.now, 100, "monotonic clock of n%d at %v\n%v", i, at, m.s)
				require.Equal(t, want.wall-want.now, shown.wall-shown.now, "offset of n%d at %v\n%v", i, at, m.s)
			}
			for j := range m.nodes {
				if i != j && !m.late(at, i) && !m.late(at, j) {
					compareLink(t, l, m, hop{at, i, j})
				}
			}
		}
	}
}

// compareLink leaves out nodes that are late: what they send and
// receive happens at another time than that of the probe.
func compareLink(t require.TestingT, l *lab, m model, h hop) {
	greetings := 1
	if certain(m.on(h.at, Duplicate, h.from, h.to)) {
		greetings = 2
	}
	if m.severed(h.at, h.from, h.to) || m.down(h.at, h.from) || m.down(h.at, h.to) {
		greetings = 0
	}
	arrived := l.arrived[h]
	if held := m.on(h.at, Hold, h.from, h.to); len(held) > 0 {
		for _, took := range arrived {
			if m.late(h.at+took-1, h.to) {
				continue // it was let through before, and waited for the receiver
			}
			for _, f := range m.on(h.at+took, Hold, h.from, h.to) {
				require.NotContains(t, held, f, "%+v arrives at %v\n%v", h, h.at+took, m.s)
			}
		}
		return
	}
	require.Len(t, arrived, greetings, "greetings on %+v\n%v", h, m.s)
	least, most := latency, latency
	if certain(m.on(h.at, Reorder, h.from, h.to)) {
		least, most = 2*latency, 9*latency
	}
	for _, f := range m.on(h.at, Delay, h.from, h.to) {
		least, most = least+f.Delay.Min, most+f.Delay.Min
	}
	for range m.on(h.at, Throttle, h.from, h.to) {
		least, most = least+latency, most+2*latency // a copy waits for its original
	}
	for _, took := range arrived {
		require.True(t, least <= took && took <= most, "%v is not in %v..%v on %+v\n%v", took, least, most, h, m.s)
	}
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
