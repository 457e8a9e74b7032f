package sim

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// thousand takes a millisecond at 1 Mbit/s.
type thousand struct{ N int }

func (thousand) Size() int { return 125 }

func sendAll(w *World, at time.Duration, p Pair, all ...Message) {
	tell(w, at, p.From, func(env *Env) {
		for _, m := range all {
			env.Send(p.To, m)
		}
	})
}

func TestBandwidthQueues(t *testing.T) {
	w, p, in := pipe(1, Link{Latency: Constant(10 * ms), Bandwidth: 1e6})
	sendAll(w, 0, p, thousand{1}, thousand{2}, thousand{3})
	sendAll(w, 20*ms, p, thousand{4}, "small")
	w.Run(time.Second)
	small := 2048 * time.Microsecond // DefaultSize
	require.Equal(t, []time.Duration{11 * ms, 12 * ms, 13 * ms, 31 * ms, 31*ms + small}, in.when)
	require.EqualValues(t, 3, w.Traffic(p).Queued)
	require.Zero(t, w.Traffic(Pair{p.To, p.From}).Queued, "the way back has a line of its own")
}

func TestQueueOverflows(t *testing.T) {
	w, p, in := pipe(1, Link{Bandwidth: 1e6, Queue: 2 * ms})
	for i := range 5 {
		sendAll(w, 0, p, thousand{i})
	}
	sendAll(w, 9*ms, p, thousand{9})
	w.Run(time.Second)
	require.Equal(t, []Message{thousand{0}, thousand{1}, thousand{2}, thousand{9}}, in.got)
	require.EqualValues(t, 2, w.Traffic(p).Dropped[Overflow])
}

// A throttle that is lifted leaves nothing for later messages, and the link's own
// line as it was.
func TestThrottleEnds(t *testing.T) {
	w, p, in := pipe(1, Link{Bandwidth: 1e6})
	id := w.Impose(Overlay{Bandwidth: 1e3}, p)
	sendAll(w, 0, p, thousand{1}, thousand{2})
	w.At(5*ms, "lift", func() { w.Lift(id) })
	sendAll(w, 6*ms, p, thousand{3})
	w.Run(time.Minute)
	require.Equal(t, []time.Duration{7 * ms, 1001 * ms, 2001 * ms}, in.when)
	require.Equal(t, Hits{Delayed: 1}, w.Hits(id))
}

func TestBandwidthText(t *testing.T) {
	for text, b := range map[string]Bandwidth{"500bit/s": 500, "64kbit/s": 64_000, "1Mbit/s": 1e6, "10Gbit/s": 1e10, "1500Mbit/s": 15e8} {
		require.Equal(t, text, b.String())
		back, err := ParseBandwidth(text)
		require.NoError(t, err)
		require.Equal(t, b, back)
	}
	rapid.Check(t, func(t *rapid.T) {
		b := Bandwidth(rapid.Int64Min(1).Draw(t, "b"))
		back, err := ParseBandwidth(b.String())
		require.NoError(t, err)
		require.Equal(t, b, back)
	})
	for _, text := range []string{"", "64", "64kbit", "-1bit/s", "1.5Mbit/s", "k", "bit/s", "9999999999999Gbit/s", "1 bit/s"} {
		_, err := ParseBandwidth(text)
		require.EqualError(t, err, "bandwidth "+quote(text)+`: expected a bandwidth such as "64kbit/s" or "10Mbit/s"`)
	}
	_, err := ParseBandwidth("0kbit/s")
	require.EqualError(t, err, `bandwidth "0kbit/s": nothing would ever pass, expected more than 0bit/s`)
}

func TestBandwidthNeverOverflows(t *testing.T) {
	require.Equal(t, never, Bandwidth(1).takes(1<<62))
	require.Equal(t, time.Duration(1), Bandwidth(1<<62).takes(1))
	require.Equal(t, 8*time.Second, Bandwidth(1).takes(1))
}
