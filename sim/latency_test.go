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
		s[i] = l.Draw(d.Uint64())
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

func TestLogNormal(t *testing.T) {
	const n = 200_000
	s := sample(LogNormal(time.Millisecond, 2*time.Millisecond, 50), n)
	for q, z := range map[float64]float64{0.01: -2.3263, 0.1: -1.2816, 0.5: 0, 0.9: 1.2816, 0.99: 2.3263, 0.999: 3.0902} {
		require.InEpsilon(t, 1e6+2e6*math.Exp(0.5*z), float64(s[int(q*n)]), 0.03, "quantile %v", q)
	}
	require.InEpsilon(t, 1e6+2e6*math.Exp(0.125), mean(s), 0.01)
	for range 100 {
		l := LogNormal(0, ms, 0)
		require.InDelta(t, ms, l.Draw(7), 10)
	}
}

func TestMeasured(t *testing.T) {
	const n = 200_000
	s := sample(Measured(1*ms, 2*ms, 5*ms, 9*ms, 20*ms, 80*ms), n)
	for q, want := range map[float64]time.Duration{0: ms, 0.25: 3 * ms / 2, 0.5: 2 * ms, 0.7: 7 * ms / 2, 0.9: 5 * ms, 0.99: 9 * ms, 0.999: 20 * ms} {
		require.InEpsilon(t, want, s[int(q*n)], 0.05, "quantile %v", q)
	}
	l := Measured(1*ms, 2*ms, 5*ms, 9*ms, 20*ms, 80*ms)
	require.Equal(t, 80*ms, l.Draw(math.MaxUint64))
	require.Equal(t, ms, l.Draw(0))
}

func TestExp2(t *testing.T) {
	var d Draws
	for range 100_000 {
		x := d.Uint64() >> 32
		require.InEpsilon(t, math.Exp2(float64(x)/(1<<32)), float64(exp2(x))/(1<<32), 1.0/(1<<17))
	}
}

// No latency, however absurd, is negative or makes the time overflow.
func TestLatencyNeverOverflows(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		any := func(what string) time.Duration { return time.Duration(rapid.Int64().Draw(t, what)) }
		l := Latency{Min: any("min"), Spread: any("spread"), Tail: any("tail"), Median: any("median"), Sigma: int(any("sigma"))}
		for i := range l.Percentiles {
			l.Percentiles[i] = any("percentile")
		}
		require.GreaterOrEqual(t, l.Draw(rapid.Uint64().Draw(t, "u")), max(l.Min, 0))
	})
	l := Exponential(never, never)
	require.Equal(t, never, l.Draw(1))
	require.Equal(t, never, l.Draw(math.MaxUint64))
}

func TestLatencyText(t *testing.T) {
	for text, l := range map[string]Latency{
		"0s":                                 {},
		"2ms":                                Constant(2 * time.Millisecond),
		"1ms..5ms":                           Uniform(time.Millisecond, 5*time.Millisecond),
		"1ms+exp(2ms)":                       Exponential(time.Millisecond, 2*time.Millisecond),
		"1ms..1.5s+exp(1m0s)":                {Min: time.Millisecond, Spread: 1499 * time.Millisecond, Tail: time.Minute},
		"0s+exp(1ns)":                        {Tail: 1},
		"0s..2562047h47m16.8s":               {Spread: never - never%1e8},
		"1ms+lognormal(2ms,50%)":             LogNormal(time.Millisecond, 2*time.Millisecond, 50),
		"0s..1ms+exp(1ms)+lognormal(2ms,0%)": {Spread: time.Millisecond, Tail: time.Millisecond, Median: 2 * time.Millisecond},
		"1ms..p50=2ms..p90=5ms..p99=9ms..p99.9=20ms..80ms": Measured(ms, 2*ms, 5*ms, 9*ms, 20*ms, 80*ms),
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
		if rapid.Bool().Draw(t, "lognormal") {
			l.Median = time.Duration(rapid.Int64Min(1).Draw(t, "median"))
			l.Sigma = rapid.IntRange(0, MaxSigma).Draw(t, "sigma")
		}
		if rapid.Bool().Draw(t, "measured") {
			at := rapid.SliceOfN(rapid.Int64Range(0, int64(l.Spread)), 4, 4).Draw(t, "percentiles")
			slices.Sort(at)
			for i := range at {
				l.Percentiles[i] = time.Duration(at[i])
			}
		}
		parsed, err := ParseLatency(l.String())
		require.NoError(t, err)
		require.Equal(t, l, parsed)
	})
}

func TestParseLatencyErrors(t *testing.T) {
	const malformed = `expected a latency such as "2ms", "1ms..5ms", "1ms+exp(2ms)" or "1ms+lognormal(2ms,50%)"`
	for text, why := range map[string]string{
		"":                      malformed,
		"fast":                  malformed,
		"2":                     malformed,
		" 2ms":                  malformed,
		"..5ms":                 malformed,
		"1ms..":                 malformed,
		"1ms..2ms..3ms":         malformed,
		"+exp(1ms)":             malformed,
		"1ms+exp()":             malformed,
		"1ms+exp(1ms":           malformed,
		"1ms+exp(1ms) ":         malformed,
		"1ms+exp(1ms)+exp(1ms)": malformed,
		"9999999h":              malformed,
		"1ms+lognormal(2ms)":    malformed,
		"1ms+lognormal(2ms,5)":  malformed,
		"1ms+lognormal(2ms,x%)": malformed,
		"1ms..p50=2ms..3ms":     malformed,
		"1ms..p50=2ms..p90=3ms..p99=4ms..p999=5ms..6ms":  malformed,
		"1ms..p50=2ms..p90=1ms..p99=4ms..p99.9=5ms..6ms": "1ms is less than 2ms",
		"1ms+lognormal(0s,5%)":                           "a lognormal part without a median, expected more than 0s",
		"1ms+lognormal(2ms,301%)":                        "a sigma of 301%, expected 0%..300%",
		"5ms..1ms":                                       "1ms is less than 5ms",
		"-1ms":                                           "a delay must not be negative",
		"-1ms..1ms":                                      "a delay must not be negative",
		"1ms+exp(-1ms)":                                  "a delay must not be negative",
		"-2562047h..2562047h1ns":                         "a delay must not be negative",
		"-2562047h+exp(2562047h)":                        "a delay must not be negative",
	} {
		_, err := ParseLatency(text)
		require.EqualError(t, err, `latency `+quote(text)+`: `+why)
	}
}

func quote(s string) string { return `"` + s + `"` }

func FuzzParseLatency(f *testing.F) {
	for _, seed := range []string{"", "2ms", "1ms..5ms", "1ms+exp(2ms)", "1ms..2ms+exp(3ms)", "5ms..1ms", "-1ms", "1h..+exp(", "1ms+lognormal(2ms,50%)", "0s..p50=1ms..p90=2ms..p99=3ms..p99.9=4ms..5ms"} {
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
