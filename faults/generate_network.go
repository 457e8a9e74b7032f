package faults

import (
	"time"

	"github.com/rashomon-go/rashomon/sim"
)

// flap draws a fault of links that comes and goes. Its roles may mean somebody
// else each time.
func (g generator) flap(f *Fault) {
	g.effect(f, pick(g, []Classes{Isolation, Halves, OneWay, Losses, Delays}))
	f.Every = max(short((f.Until-f.From)/pick(g, []time.Duration{2, 3, 5, 10})), (f.Until-f.From)/mostTimes+1)
	f.For = max(short(f.Every/pick(g, []time.Duration{2, 3, 1})), 1)
}

// short keeps the text of a duration short.
func short(d time.Duration) time.Duration {
	if d >= time.Millisecond {
		return d.Truncate(time.Millisecond)
	}
	return d
}

// typed draws a fault for messages of one type.
func (g generator) typed(f *Fault) {
	g.effect(f, pick(g, []Classes{Losses, Delays, Links, Duplicates, Holds}))
	i := g.IntN(len(g.Messages))
	f.Only = g.Messages[i : i+1 : i+1]
}

// mostFailures bounds the partitions of a series.
const mostFailures = 8

// failures draws a series: the network is whole for a while and parted for a
// while, again and again, both for exponential times with means of their own.
func (g generator) failures() (s Schedule) {
	span := g.Until - g.From
	between := sim.Exponential(0, span/pick(g, []time.Duration{2, 4, 8}))
	repair := sim.Exponential(0, span/pick(g, []time.Duration{32, 16, 8}))
	for at := g.From; len(s) < mostFailures; {
		from := at + g.after(between)
		until := from + g.after(repair)
		if until > g.Until {
			return s
		}
		s = append(s, Fault{Kind: Partition, From: from, Until: until, Who: g.halves(g.Nodes)})
		at = until
	}
	return s
}

// after draws a time of at least a grain, which keeps texts short: the smaller the
// draw, the shorter the time.
func (g generator) after(l sim.Latency) time.Duration {
	grain := time.Duration(1)
	if g.Until-g.From >= 100*time.Millisecond {
		grain = time.Millisecond
	}
	u := uint64(g.IntN(1 << 16))
	return l.Draw(^(u << 48)).Truncate(grain) + grain
}

// narrow are bandwidths at which messages of the default size take 2 to 200 ms.
var narrow = []sim.Bandwidth{1e6, 100e3, 10e3}

func (g generator) shuffled(names []string) []string {
	ring := append([]string(nil), names...)
	for i := len(ring) - 1; i > 0; i-- {
		j := i - g.IntN(i+1)
		ring[i], ring[j] = ring[j], ring[i]
	}
	return ring
}
