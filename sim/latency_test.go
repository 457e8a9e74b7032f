package sim

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestNegLog(t *testing.T) {
	check := func(u uint64) {
		want := -math.Log(float64(u) / (1 << 64))
		require.InDelta(t, want, float64(negLog(u))/(1<<32), 1.0/(1<<17), "%#x", u)
	}
	var d Draws
	for range 200_000 {
		check(d.Uint64())
	}
	for shift := range 64 {
		check(1 << shift)
		check(math.MaxUint64 >> shift)
	}
	require.Equal(t, negLog(1), negLog(0))
	require.Zero(t, negLog(math.MaxUint64))
}

func TestNegLogFalls(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := rapid.Uint64().Draw(t, "a"), rapid.Uint64().Draw(t, "b")
		require.LessOrEqual(t, negLog(max(a, b)), negLog(min(a, b)))
	})
}

func sample(l Latency, n int) []time.Duration {
	var d Draws
	s := make([]time.Duration, n)
	for i := range s {
		s[i] = l.draw(d.Uint64())
	}
	slices.Sort(s)
	return s
}

func mean(s []time.Duration) (sum float64) {
	for _, d := range s {
		sum += float64(d) / float64(len(s))
	}
	return sum
}

func TestExponential(t *testing.T) {
	const n = 200_000
	s := sample(Exponential(time.Millisecond, 2*time.Millisecond), n)
	require.GreaterOrEqual(t, s[0], time.Millisecond)
	require.InEpsilon(t, 3e6, mean(s), 0.01)
	for _, q := range []float64{0.1, 0.5, 0.9, 0.99} {
		require.InEpsilon(t, 1e6-2e6*math.Log(1-q), float64(s[int(q*n)]), 0.02, "quantile %v", q)
	}
}

func TestUniform(t *testing.T) {
	s := sample(Uniform(3, 5), 30_000)
	require.EqualValues(t, 3, s[0])
	require.EqualValues(t, 4, s[15_000])
	require.EqualValues(t, 5, s[29_999])
	both := sample(Latency{Min: 1e6, Spread: 1e6, Tail: 1e6}, 200_000)
	require.InEpsilon(t, 2.5e6, mean(both), 0.01)
}

// No latency, however absurd, is negative or makes the time overflow.
func TestLatencyNeverOverflows(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := Latency{
			time.Duration(rapid.Int64().Draw(t, "min")),
			time.Duration(rapid.Int64().Draw(t, "spread")),
			time.Duration(rapid.Int64().Draw(t, "tail")),
		}
		require.GreaterOrEqual(t, l.draw(rapid.Uint64().Draw(t, "u")), max(l.Min, 0))
	})
	l := Exponential(never, never)
	require.Equal(t, never, l.draw(1))
	require.Equal(t, never, l.draw(math.MaxUint64))
}

func TestLatencyText(t *testing.T) {
	for text, l := range map[string]Latency{
		"0s":                   {},
		"2ms":                  Constant(2 * time.Millisecond),
		"1ms..5ms":             Uniform(time.Millisecond, 5*time.Millisecond),
		"1ms+exp(2ms)":         Exponential(time.Millisecond, 2*time.Millisecond),
		"1ms..1.5s+exp(1m0s)":  {time.Millisecond, 1499 * time.Millisecond, time.Minute},
		"0s+exp(1ns)":          {Tail: 1},
		"0s..2562047h47m16.8s": {Spread: never - never%1e8},
	} {
		require.Equal(t, text, l.String())
		parsed, err := ParseLatency(text)
		require.NoError(t, err)
		require.Equal(t, l, parsed, text)
	}
}

func TestLatencyRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		low := rapid.Int64Min(0).Draw(t, "min")
		l := Latency{
			Min:    time.Duration(low),
			Spread: time.Duration(rapid.Int64Range(0, math.MaxInt64-low).Draw(t, "spread")),
			Tail:   time.Duration(rapid.Int64Min(0).Draw(t, "tail")),
		}
		parsed, err := ParseLatency(l.String())
		require.NoError(t, err)
		require.Equal(t, l, parsed)
	})
}

func TestParseLatencyErrors(t *testing.T) {
	const malformed = `expected a latency such as "2ms", "1ms..5ms" or "1ms+exp(2ms)"`
	for text, why := range map[string]string{
		"":                        malformed,
		"fast":                    malformed,
		"2":                       malformed,
		" 2ms":                    malformed,
		"..5ms":                   malformed,
		"1ms..":                   malformed,
		"1ms..2ms..3ms":           malformed,
		"+exp(1ms)":               malformed,
		"1ms+exp()":               malformed,
		"1ms+exp(1ms":             malformed,
		"1ms+exp(1ms) ":           malformed,
		"1ms+exp(1ms)+exp(1ms)":   malformed,
		"9999999h":                malformed,
		"5ms..1ms":                "1ms is less than 5ms",
		"-1ms":                    "a delay must not be negative",
		"-1ms..1ms":               "a delay must not be negative",
		"1ms+exp(-1ms)":           "a delay must not be negative",
		"-2562047h..2562047h1ns":  "a delay must not be negative",
		"-2562047h+exp(2562047h)": "a delay must not be negative",
	} {
		_, err := ParseLatency(text)
		require.EqualError(t, err, `latency `+quote(text)+`: `+why)
	}
}

func quote(s string) string { return `"` + s + `"` }

func FuzzParseLatency(f *testing.F) {
	for _, seed := range []string{"", "2ms", "1ms..5ms", "1ms+exp(2ms)", "1ms..2ms+exp(3ms)", "5ms..1ms", "-1ms", "1h..+exp("} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		l, err := ParseLatency(text)
		if err != nil {
			require.Zero(t, l)
			return
		}
		require.GreaterOrEqual(t, min(l.Min, l.Spread, l.Tail), time.Duration(0))
		again, err := ParseLatency(l.String())
		require.NoError(t, err)
		require.Equal(t, l, again)
	})
}
