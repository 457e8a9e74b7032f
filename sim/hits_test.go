package sim

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestCorruptionIsLoss(t *testing.T) {
	const n = 10_000
	w, p, in := pipe(2, Link{Latency: Constant(ms), Corrupt: 0.1, Duplicate: 0.5})
	id := w.Impose(Overlay{Corrupt: 0.1}, p)
	burst(w, 0, p.From, p.To, n)
	w.Run(time.Second)
	c := w.Traffic(p)
	require.InDelta(t, 0.19*1.5*n, c.Dropped[Corrupted], 0.02*n, "every copy by itself")
	require.Len(t, in.got, int(c.Sent+c.Duplicated-c.Dropped[Corrupted]))
	require.InDelta(t, 0.09*1.5*n, w.Hits(id).Dropped, 0.02*n, "half of them are the link's own")
}

func TestHoldReleasesInOrder(t *testing.T) {
	w, p, in := pipe(3, Link{Latency: Constant(ms)})
	burst(w, 0, p.From, p.To, 2) // in flight when the hold begins
	id := w.Impose(Overlay{Hold: true}, p)
	more := w.Impose(Overlay{Hold: true}, p)
	sendAll(w, 5*ms, p, 2, 3)
	w.At(8*ms, "lift one", func() { w.Lift(id) })
	sendAll(w, 8*ms, p, 4)
	sendAll(w, 9*ms, p, 5) // arrives at the moment of the release
	w.At(10*ms, "lift the other", func() { w.Lift(more) })
	w.Run(9 * ms)
	require.Empty(t, in.got)
	w.Run(time.Second)
	require.Equal(t, []Message{0, 1, 2, 3, 4, 5}, in.got)
	for _, at := range in.when {
		require.Equal(t, 10*ms, at)
	}
	require.EqualValues(t, 4, w.Hits(id).Held)
	require.EqualValues(t, 5, w.Hits(more).Held, "those of the first, and its own")
	require.EqualValues(t, 6, w.Traffic(p).Delivered)
}

// What was held meets what stands when it is released.
func TestReleasedIntoACut(t *testing.T) {
	w, p, in := pipe(3, Link{})
	id := w.Impose(Overlay{Hold: true}, p)
	burst(w, ms, p.From, p.To, 1)
	w.At(2*ms, "cut", func() { w.Impose(Overlay{Cut: true}, p) })
	w.At(3*ms, "lift", func() { w.Lift(id) })
	w.Run(time.Second)
	require.Empty(t, in.got)
	require.EqualValues(t, 1, w.Traffic(p).Dropped[CutInFlight])
}

func TestOverlaysForSomeTypes(t *testing.T) {
	w, p, in := pipe(4, Link{Latency: Constant(ms)})
	cut := w.Impose(Overlay{Cut: true, Only: []string{"int"}}, p)
	slow := w.Impose(Overlay{Delay: Constant(ms), Only: []string{"string", "thousand"}}, p)
	sendAll(w, 0, p, 1, "a", thousand{7}, 2.5, 2)
	w.At(5*ms, "lift", func() { w.Lift(cut) })
	sendAll(w, 6*ms, p, 3, "b")
	w.At(20*ms, "lift", func() { w.Lift(slow) })
	sendAll(w, 21*ms, p, "c")
	w.Run(time.Second)
	require.Equal(t, []Message{2.5, "a", thousand{7}, 3, "b", "c"}, in.got)
	require.Equal(t, []time.Duration{ms, 2 * ms, 2 * ms, 7 * ms, 8 * ms, 22 * ms}, in.when)
	require.Equal(t, Hits{Dropped: 2}, w.Hits(cut))
	require.Equal(t, Hits{Delayed: 3}, w.Hits(slow))
}

// Of a chance that several overlays share, each hit counts for one of them.
func TestHitsAreShared(t *testing.T) {
	const n = 10_000
	w, p, _ := pipe(5, Link{Loss: 0.5})
	var ids []OverlayID
	for range 2 {
		ids = append(ids, w.Impose(Overlay{Loss: 0.5, Duplicate: 0.2}, p))
	}
	burst(w, 0, p.From, p.To, n)
	w.Run(time.Second)
	first, second := w.Hits(ids[0]), w.Hits(ids[1])
	require.InDelta(t, 0.25*n, first.Dropped, 0.02*n)
	require.InDelta(t, 0.125*n, second.Dropped, 0.02*n)
	require.EqualValues(t, w.Traffic(p).Duplicated, first.Duplicated+second.Duplicated)
}

func TestProfiles(t *testing.T) {
	require.Len(t, Profiles(), 9)
	for _, p := range Profiles() {
		l, ok := ProfileNamed(p.Name)
		require.True(t, ok)
		require.Equal(t, p.Link, l)
		w, pair, in := pipe(1, l)
		burst(w, 0, pair.From, pair.To, 100)
		w.Run(time.Minute)
		require.Greater(t, len(in.got), 80, p.Name)
		require.GreaterOrEqual(t, in.when[0], l.Latency.Min)
	}
	_, ok := ProfileNamed("wet-string")
	require.False(t, ok)
}
