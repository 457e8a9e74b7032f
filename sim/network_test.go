package sim

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

const ms = time.Millisecond

func TestPerfectLink(t *testing.T) {
	w, p, in := pipe(1, Link{})
	burst(w, 3*ms, p.From, p.To, 4)
	w.Run(3 * ms)
	require.Equal(t, []Message{0, 1, 2, 3}, in.got)
	require.Equal(t, Addr{Node: p.From}, in.from[0])
	require.Equal(t, Traffic{Sent: 4, Delivered: 4}, w.Traffic(p))
	require.Equal(t, Traffic{Sent: 4, Delivered: 4}, w.TotalTraffic())
}

func TestLossDuplicationReorder(t *testing.T) {
	const n = 10_000
	w, p, in := pipe(2, Link{Latency: Constant(ms), Loss: 0.2, Duplicate: 0.1, Reorder: 0.05})
	burst(w, 0, p.From, p.To, n)
	w.Run(time.Second)
	c := w.Traffic(p)
	require.EqualValues(t, n, c.Sent)
	require.InDelta(t, 0.2*n, c.Dropped[Lost], 0.02*n)
	require.InDelta(t, 0.1*0.8*n, c.Duplicated, 0.01*n)
	require.InDelta(t, 0.05*0.88*n, c.HeldBack, 0.01*n)
	require.EqualValues(t, c.Sent+c.Duplicated, c.Delivered+c.Dropped[Lost])
	require.Len(t, in.got, int(c.Delivered))
	require.LessOrEqual(t, slices.Max(in.when), 9*ms)
	require.Equal(t, ms, slices.Min(in.when))
}

func TestCertainLossAndDuplication(t *testing.T) {
	w, p, in := pipe(3, Link{Duplicate: 2})
	burst(w, 0, p.From, p.To, 100)
	w.Run(0)
	require.Len(t, in.got, 200)
	w.SetLink(p, Link{Loss: 1})
	burst(w, ms, p.From, p.To, 100)
	w.Run(ms)
	require.Len(t, in.got, 200)
}

func TestNoFIFO(t *testing.T) {
	w, p, in := pipe(4, Link{Latency: Uniform(0, ms)})
	burst(w, 0, p.From, p.To, 100)
	w.Run(ms)
	require.Len(t, in.got, 100)
	require.False(t, slices.IsSortedFunc(in.got, func(a, b Message) int { return a.(int) - b.(int) }))
}

// Nothing overtakes on a FIFO link, whatever lies over it, not even at the
// moment at which an overlay is lifted or the link becomes FIFO.
func TestFIFO(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := Link{Latency: Uniform(0, ms), Duplicate: 0.2, Reorder: 0.5}
		w, p, in := pipe(rapid.Uint64().Draw(t, "seed"), l)
		if rapid.Bool().Draw(t, "FIFO from the start") {
			l.FIFO = true
			w.SetLink(p, l)
		}
		slow := w.Impose(Overlay{Delay: Exponential(0, 20*ms), Reorder: 0.5, Duplicate: 0.5}, p)
		tell(w, 0, p.From, func(env *Env) { env.Send(p.To, -1) })
		w.At(ms, "FIFO", func() {
			l.FIFO = true
			w.SetLink(p, l)
		})
		w.At(3*ms, "lift", func() { w.Lift(slow) })
		for i := range 5 {
			tell(w, time.Duration(i+1)*ms, p.From, func(env *Env) { env.Send(p.To, i) })
		}
		w.Run(time.Minute)
		require.True(t, slices.IsSortedFunc(in.got, func(a, b Message) int { return a.(int) - b.(int) }), in.got)
	})
}

func TestCutAtSendAndInFlight(t *testing.T) {
	w, p, in := pipe(5, Link{Latency: Constant(10 * ms)})
	var cut OverlayID
	burst(w, 0, p.From, p.To, 1) // arrives during the cut
	w.At(5*ms, "cut", func() { cut = w.Impose(Overlay{Cut: true}, p) })
	burst(w, 12*ms, p.From, p.To, 1) // is sent during the cut
	w.At(15*ms, "heal", func() { w.Lift(cut) })
	burst(w, 16*ms, p.From, p.To, 1)
	w.Run(time.Second)
	require.Equal(t, []time.Duration{26 * ms}, in.when)
	c := w.Traffic(p)
	require.EqualValues(t, 1, c.Dropped[CutInFlight])
	require.EqualValues(t, 1, c.Dropped[CutAtSend])
}

func TestMessageSurvivesCutThatHealsBeforeItArrives(t *testing.T) {
	w, p, in := pipe(5, Link{Latency: Constant(10 * ms)})
	burst(w, 0, p.From, p.To, 1)
	w.At(2*ms, "cut and heal", func() { w.Lift(w.Impose(Overlay{Cut: true}, p)) })
	w.Run(time.Second)
	require.Len(t, in.got, 1)
}

func TestOneWayCut(t *testing.T) {
	w := New(Config{})
	a, b := &inbox{w: w}, &inbox{w: w}
	relay := func(in *inbox) Node {
		return nodeFunc(func(env *Env, from Addr, m Message) {
			if do, ok := m.(func(*Env)); ok {
				do(env)
				return
			}
			in.Receive(env, from, m)
		})
	}
	left, right := add(w, "left", relay(a)), add(w, "right", relay(b))
	w.Impose(Overlay{Cut: true}, Pair{left, right})
	burst(w, 0, left, right, 3)
	burst(w, 0, right, left, 3)
	w.Run(ms)
	require.Empty(t, b.got)
	require.Len(t, a.got, 3)
}

// What a node sends itself crosses no network.
func TestSelfSend(t *testing.T) {
	got := 0
	w := New(Config{Link: Link{Loss: 1}, Client: Link{Loss: 1}})
	a := add(w, "a", nodeFunc(func(env *Env, from Addr, m Message) {
		if got++; m == "go" {
			env.Send(env.Self(), "again")
		} else {
			require.Equal(t, Addr{Node: env.Self()}, from)
		}
	}))
	tell(w, ms, a, "go")
	w.Run(ms)
	require.Equal(t, 2, got)
}

func TestClientLinks(t *testing.T) {
	w := New(Config{Link: Link{Latency: Constant(ms)}, Client: Link{Latency: Constant(2 * ms)}})
	c := w.Go("early", func(*Proc) {})
	a, b := add(w, "a", doer{}), add(w, "b", doer{})
	d := w.Go("late", func(*Proc) {})
	for p, want := range map[Pair]time.Duration{
		{a, b}: ms, {b, a}: ms, {a, a}: 0, {a, c}: 2 * ms, {c, a}: 2 * ms, {b, d}: 2 * ms, {d, b}: 2 * ms, {c, d}: 2 * ms, {c, c}: 0,
	} {
		require.Equal(t, want, w.link(p.From, p.To).base.Latency.Min, p)
	}
	w.Stop()
}

func TestStrangersPanic(t *testing.T) {
	w, p, _ := pipe(1, Link{})
	const text = "sim: this world has no node or process 7"
	for _, f := range []func(){
		func() { w.SetLink(Pair{7, 0}, Link{}) },
		func() { w.Impose(Overlay{Cut: true}, p, Pair{0, 7}) },
		func() { w.Traffic(Pair{0, 7}) },
		func() { w.Name(7) },
		func() { w.Crash(7, KeepAll) },
	} {
		require.PanicsWithValue(t, text, f)
	}
	require.False(t, w.link(p.From, p.To).cut, "an Impose that panics changes nothing")
	w.Lift(99)
}

// What one message meets does not depend on the messages before it.
func TestFateIsOfTheMessageAlone(t *testing.T) {
	run := func(skip int) map[Message]time.Duration {
		w, p, in := pipe(6, Link{Latency: Exponential(ms, 5*ms), Loss: 0.1, Duplicate: 0.1, Reorder: 0.1})
		for i := range 100 {
			if i != skip {
				tell(w, time.Duration(i)*ms, p.From, func(env *Env) { env.Send(p.To, i) })
			}
		}
		w.Run(time.Second)
		last := map[Message]time.Duration{}
		for i, m := range in.got {
			last[m] = in.when[i]
		}
		delete(last, skip)
		return last
	}
	require.Equal(t, run(7), func() map[Message]time.Duration {
		all := run(-1)
		delete(all, 7)
		return all
	}())
}

// A send within a step does not move what the step sends to others.
func TestSendsToOthersDoNotCount(t *testing.T) {
	run := func(both bool) time.Duration {
		w, p, in := pipe(7, Link{Latency: Exponential(0, ms)})
		other := add(w, "other", doer{})
		tell(w, 0, p.From, func(env *Env) {
			if both {
				env.Send(other, "x")
			}
			env.Send(p.To, "y")
		})
		w.Run(time.Second)
		return in.when[0]
	}
	require.Equal(t, run(false), run(true))
}

func TestSecondSendToOneNodeHasItsOwnLatency(t *testing.T) {
	w, p, in := pipe(8, Link{Latency: Exponential(0, ms)})
	other := add(w, "other", doer{})
	tell(w, 0, p.From, func(env *Env) {
		for range 50 {
			env.Send(p.To, "x")
			env.Send(other, "y")
		}
	})
	w.Run(time.Second)
	slices.Sort(in.when)
	require.Len(t, slices.Compact(in.when), 50)
}

func TestEndlessLatency(t *testing.T) {
	w, p, in := pipe(9, Link{Latency: Exponential(never, never), Reorder: 1})
	w.Impose(Overlay{Delay: Constant(never)}, p)
	burst(w, ms, p.From, p.To, 3)
	w.Run(never - 1)
	require.Empty(t, in.got)
	w.SetLink(p, Link{Latency: Latency{Min: math.MinInt64, Spread: -1, Tail: -1}, Reorder: 1})
}
