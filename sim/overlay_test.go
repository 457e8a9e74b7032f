package sim

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func anyOverlay(t *rapid.T) Overlay {
	probability := rapid.Float64Range(0, 1)
	return Overlay{
		Cut:       rapid.Bool().Draw(t, "cut"),
		Delay:     Exponential(0, ms*1<<rapid.IntRange(0, 2).Draw(t, "delay")),
		Loss:      probability.Draw(t, "loss"),
		Duplicate: probability.Draw(t, "duplicate"),
		Reorder:   probability.Draw(t, "reorder"),
		Corrupt:   probability.Draw(t, "corrupt"),
		Hold:      rapid.Bool().Draw(t, "hold"),
		Bandwidth: Bandwidth(rapid.IntRange(0, 2).Draw(t, "bandwidth")),
		Only:      rapid.SampledFrom([][]string{nil, {"int"}, {"string", "func(*Env)"}}).Draw(t, "only"),
	}
}

// effective is what messages of several types meet on a link.
type effective struct {
	base                              Link
	cut, hold                         bool
	loss, duplicate, reorder, corrupt uint64
	delays, lines                     int
}

func effectiveLinks(w *World) (all []effective) {
	for from := range w.hosts {
		for to := range w.hosts {
			k := w.link(NodeID(from), NodeID(to))
			for _, m := range []Message{1, "s", 2.5} {
				c := k.on(m)
				all = append(all, effective{k.base, c.cut, c.hold, c.loss, c.duplicate, c.reorder, c.corrupt, len(c.delays), len(c.lines)})
			}
		}
	}
	return all
}

// Overlays lifted in any order leave exactly what was there before, hosts that
// were added meanwhile included; and what they do while they are in force does
// not depend on what else was imposed and lifted.
func TestOverlaysCompose(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := New(Config{Link: Link{Loss: 0.1, Duplicate: 0.2, Reorder: 0.3}})
		for range 3 {
			add(w, "n", doer{})
		}
		var pairs []Pair
		for from := range NodeID(3) {
			for to := range NodeID(3) {
				pairs = append(pairs, Pair{from, to})
			}
		}
		base := effectiveLinks(w)
		somePairs := rapid.SliceOfN(rapid.SampledFrom(pairs), 0, 12)
		var inForce []OverlayID
		for range rapid.IntRange(0, 12).Draw(t, "overlays") {
			inForce = append(inForce, w.Impose(anyOverlay(t), somePairs.Draw(t, "pairs")...))
			if rapid.Bool().Draw(t, "lift one") {
				i := rapid.IntRange(0, len(inForce)-1).Draw(t, "which")
				w.Lift(inForce[i])
				w.Lift(inForce[i]) // twice changes nothing
				inForce = slices.Delete(inForce, i, i+1)
			}
		}
		middle := effectiveLinks(w)
		extra := w.Impose(anyOverlay(t), somePairs.Draw(t, "more pairs")...)
		w.Lift(extra)
		require.Equal(t, middle, effectiveLinks(w))
		for _, id := range rapid.Permutation(inForce).Draw(t, "order") {
			w.Lift(id)
		}
		require.Equal(t, base, effectiveLinks(w))
		for _, row := range w.links {
			for _, k := range row {
				require.Empty(t, k.overlays)
				require.Nil(t, k.typed)
			}
		}
	})
}

func TestOverlaysAddUp(t *testing.T) {
	w, p, _ := pipe(1, Link{Loss: 0.5})
	k := w.link(p.From, p.To)
	w.Impose(Overlay{Loss: 0.5}, p)
	require.InDelta(t, 0.75, float64(k.loss)/(1<<64), 1e-9)
	first := w.Impose(Overlay{Cut: true}, p)
	second := w.Impose(Overlay{Cut: true}, p)
	w.Lift(first)
	require.True(t, k.cut, "the other cut still stands")
	w.Lift(second)
	require.False(t, k.cut)
	w.SetLink(p, Link{})
	require.Equal(t, uint64(1<<63), k.loss, "SetLink leaves overlays in force")
}

func TestPairNamedTwiceCountsOnce(t *testing.T) {
	w, p, _ := pipe(1, Link{})
	id := w.Impose(Overlay{Loss: 0.5, Delay: Constant(ms)}, p, p, p)
	k := w.link(p.From, p.To)
	require.Equal(t, uint64(1<<63), k.loss)
	require.Len(t, k.delays, 1)
	w.Lift(id)
	require.Zero(t, k.loss)
	require.Empty(t, k.delays)
}

func TestImposeKeepsItsOwnPairs(t *testing.T) {
	w, p, _ := pipe(1, Link{})
	pairs := []Pair{p}
	id := w.Impose(Overlay{Cut: true}, pairs...)
	pairs[0] = Pair{p.To, p.From}
	w.Lift(id)
	require.False(t, w.link(p.From, p.To).cut)
}

func TestHostsAddedLaterHaveNoOverlays(t *testing.T) {
	w, p, _ := pipe(1, Link{})
	id := w.Impose(Overlay{Cut: true}, p)
	c := add(w, "c", doer{})
	for _, q := range []Pair{{p.From, c}, {c, p.To}, {c, c}} {
		require.False(t, w.link(q.From, q.To).cut)
	}
	require.True(t, w.link(p.From, p.To).cut)
	w.Lift(id)
	require.False(t, w.link(p.From, p.To).cut)
}

// The delay that an overlay adds to a message does not depend on the overlays
// that were imposed, or lifted, beside it.
func TestOverlayDelaysAreKeyedByThemselves(t *testing.T) {
	slow, slower := Overlay{Delay: Exponential(0, ms)}, Overlay{Delay: Exponential(0, 2*ms)}
	arrivals := func(impose func(*World, Pair)) []Message {
		w, p, in := pipe(1, Link{})
		impose(w, p)
		burst(w, 0, p.From, p.To, 50)
		w.Run(never - 1)
		var all []Message
		for i := range in.got {
			all = append(all, [2]any{in.got[i], in.when[i]})
		}
		return all
	}
	alone := arrivals(func(w *World, p Pair) { w.Impose(slow, p) })
	require.Equal(t, alone, arrivals(func(w *World, p Pair) {
		lifted := w.Impose(slower, p)
		w.Impose(slow, p)
		w.Lift(lifted)
	}))
	require.Equal(t, alone, arrivals(func(w *World, p Pair) {
		w.Impose(Overlay{Loss: 1e-18}, p)
		lifted := w.Impose(slow, p)
		w.Impose(slow, p)
		w.Lift(lifted)
	}))
	both := arrivals(func(w *World, p Pair) { w.Impose(slow, p); w.Impose(slower, p) })
	require.Equal(t, both, arrivals(func(w *World, p Pair) { w.Impose(slower, p); w.Impose(slow, p) }))
	twice := arrivals(func(w *World, p Pair) { w.Impose(slow, p); w.Impose(slow, p) })
	require.NotEqual(t, alone, twice, "equal delays are drawn independently")
}
