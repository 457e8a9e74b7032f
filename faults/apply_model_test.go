package faults

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rashomon-go/rashomon/sim"
)

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
	f.Kind = rapid.SampledFrom([]Kind{
		Partition, Ring, Cut, Delay, Lose, Duplicate, Reorder, Corrupt, Hold, Throttle, Crash, Pause, Slow, SlowDisk, FillDisk, FailDisk, Clock,
	}).Draw(t, "kind")
	f.Who = certainParties(t, f.Kind, nodes)
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

// certainParties draws whom a fault befalls.
func certainParties(t *rapid.T, kind Kind, nodes []string) [][]string {
	group := func() []string {
		g := rapid.SliceOfNDistinct(rapid.SampledFrom(nodes), 1, -1, rapid.ID).Draw(t, "group")
		if rapid.IntRange(0, 3).Draw(t, "everyone") == 3 {
			return []string{everyone}
		}
		return g
	}
	switch {
	case kind == Partition:
		parting := rapid.IntRange(1, len(nodes)-1).Draw(t, "parting")
		who := [][]string{nodes[:parting:parting], nodes[parting:]}
		switch rapid.IntRange(0, 2).Draw(t, "form") {
		case 1:
			who[0] = []string{everyone}
		case 2:
			who[1] = who[1][:1]
		}
		return who
	case kind.directed():
		return [][]string{group(), group()}
	case kind == Ring:
		ring := rapid.Permutation(nodes).Draw(t, "ring")
		return [][]string{ring[:rapid.IntRange(3, len(ring)).Draw(t, "length of the ring")]}
	}
	return [][]string{group()}
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
