package sim

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestRightClock(t *testing.T) {
	var c clock
	require.Equal(t, time.Hour, c.monotonic(time.Hour))
	require.Equal(t, time.Hour, c.wait(time.Hour, 7))
	require.Zero(t, c.wait(-time.Hour, 7))
}

func TestClockDrifts(t *testing.T) {
	var c clock
	c.change(Clock{DriftPPM: 100}, 0)
	require.Equal(t, time.Second+100*time.Microsecond, c.monotonic(time.Second))
	c.change(Clock{DriftPPM: -500_000}, time.Second)
	require.Equal(t, 1500*time.Millisecond+100*time.Microsecond, c.monotonic(2*time.Second))
	require.Equal(t, 2*time.Second, c.wait(time.Second, 2*time.Second))
	c.change(Clock{Offset: time.Hour}, 2*time.Second)
	require.Equal(t, 1500*time.Millisecond+100*time.Microsecond, c.monotonic(2*time.Second), "the monotonic clock never jumps")
}

func drift(t *rapid.T) Clock {
	return Clock{DriftPPM: rapid.Int64Range(1-million, 10*million).Draw(t, "drift")}
}

// Wait is the shortest true time after which the clock shows d more: it is never
// early, and not a nanosecond late.
func TestWaitInvertsMonotonic(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var c clock
		span := rapid.Int64Range(0, int64(24*time.Hour))
		set := time.Duration(span.Draw(t, "set"))
		now := set + time.Duration(span.Draw(t, "now"))
		d := time.Duration(span.Draw(t, "d"))
		c.change(drift(t), set)
		start, w := c.monotonic(now), c.wait(d, now)
		require.GreaterOrEqual(t, w, time.Duration(0))
		if plus(now, w) == never { // a clock that all but stands still may not get there before the end of time
			require.Less(t, c.monotonic(never-1), start+d)
			return
		}
		require.GreaterOrEqual(t, c.monotonic(now+w), start+d)
		if w > 0 {
			require.Less(t, c.monotonic(now+w-1), start+d)
		}
	})
}

func TestMonotonicNeverFalls(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var c clock
		now, shown := time.Duration(0), time.Duration(0)
		for range 10 {
			now += time.Duration(rapid.Int64Range(0, int64(time.Hour)).Draw(t, "step"))
			require.GreaterOrEqual(t, c.monotonic(now), shown)
			shown = c.monotonic(now)
			c.change(drift(t), now)
			require.Equal(t, shown, c.monotonic(now), "a change is no jump")
		}
	})
}

func TestClocksDoNotOverflow(t *testing.T) {
	var c clock
	c.change(Clock{DriftPPM: million}, 0)
	require.Equal(t, never, c.monotonic(never))
	require.Equal(t, never/2+1, c.wait(never, 0))
	c.change(Clock{DriftPPM: 1 - million}, 0)
	require.Equal(t, never, c.wait(24*365*time.Hour, 0))
}

func TestClockMustRunForwards(t *testing.T) {
	w, a := worldOf(nodeFunc(nil))
	require.PanicsWithValue(t, "sim: a clock with a drift of -1000000 ppm does not run forwards",
		func() { w.SetClock(a, Clock{DriftPPM: -million}) })
}

func TestNodeSeesItsClocks(t *testing.T) {
	var now, wall, fired time.Duration
	w, a := worldOf(nodeFunc(func(env *Env, _ Addr, m Message) {
		if m == "set" {
			now, wall = env.Now(), env.Wall()
			env.After(time.Second, "ring")
		} else {
			fired = env.Now()
		}
	}))
	w.SetClock(a, Clock{DriftPPM: 250_000, Offset: -time.Hour})
	tell(w, 4*time.Second, a, "set")
	w.Run(time.Minute)
	require.Equal(t, 5*time.Second, now)
	require.Equal(t, 5*time.Second-time.Hour, wall)
	require.Equal(t, 6*time.Second, fired)
}
