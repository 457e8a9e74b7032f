package report

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"

	"github.com/rashomon-go/rashomon/internal/english"
)

func always(n int) func(span) int { return func(span) int { return n } }

func TestTheTimeAroundTheWitness(t *testing.T) {
	const ms = time.Millisecond
	run := span{0, 2 * time.Second}
	for name, c := range map[string]struct {
		points []time.Duration
		count  int
		want   []span
	}{
		"one stretch":         {[]time.Duration{100 * ms, 130 * ms, 170 * ms}, 10, []span{{90 * ms, 180 * ms}}},
		"the edge of the run": {[]time.Duration{0, 1400 * ms, 2000 * ms}, 10, []span{{0, 2300 * ms}}},
		"far apart":           {[]time.Duration{100 * ms, 107 * ms, 1900 * ms, 1907 * ms}, 5000, []span{{98 * ms, 109 * ms}, {1898 * ms, 1909 * ms}}},
		"an end alone":        {[]time.Duration{100 * ms, 107 * ms, 1900 * ms}, 3, []span{{99 * ms, 108 * ms}, {1899 * ms, 1901 * ms}}},
		"far but little":      {[]time.Duration{100 * ms, 1900 * ms}, 3, []span{{0, 2200 * ms}}},
		"far and much":        {[]time.Duration{100 * ms, 1900 * ms}, 300, []span{{90 * ms, 110 * ms}, {1890 * ms, 1910 * ms}}},
		"an instant":          {[]time.Duration{500 * ms}, 3, []span{{490 * ms, 510 * ms}}},
	} {
		t.Run(name, func(t *testing.T) { assert.Equal(t, c.want, around(c.points, run, always(c.count))) })
	}
}

func TestTheAxisIsMonotone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		points := rapid.SliceOfN(rapid.Int64Range(0, 1e9), 1, 8).Draw(t, "points")
		var at []time.Duration
		for _, p := range points {
			at = append(at, time.Duration(p))
		}
		run := span{0, 1e9}
		a := axis{around(at, run, always(rapid.SampledFrom([]int{0, 1000}).Draw(t, "count"))), 1000}
		for _, p := range at {
			assert.True(t, a.touches(span{p, p}), "the witness is drawn")
			assert.True(t, a.x(p) >= 0 && a.x(p) <= 1000.001)
		}
		u := time.Duration(rapid.Int64Range(0, 1e9).Draw(t, "u"))
		v := time.Duration(rapid.Int64Range(0, 1e9).Draw(t, "v"))
		assert.LessOrEqual(t, a.x(min(u, v)), a.x(max(u, v)))
		assert.InDelta(t, 1000, a.x(a.whole().until), .001)
		assert.InDelta(t, 0, a.x(a.whole().from), .001)
	})
}

func TestTicks(t *testing.T) {
	a := axis{[]span{{103 * time.Millisecond, 142 * time.Millisecond}}, 1000}
	at, step := a.ticks(90)
	assert.Equal(t, 5*time.Millisecond, step)
	assert.Equal(t, 105*time.Millisecond, at[0])
	assert.Len(t, at, 8)
	assert.Equal(t, "105", tick(at[0], step))
	assert.Equal(t, "0.25", tick(250*time.Microsecond, 50*time.Microsecond))
}

func TestWords(t *testing.T) {
	assert.Equal(t, "12.345", ms(12345*time.Microsecond))
	assert.Equal(t, "120", ms(120*time.Millisecond))
	assert.Equal(t, "0", ms(0))
	assert.Equal(t, "1,234,567", english.Grouped(1234567))
	assert.Equal(t, "999", english.Grouped(999))
	assert.Equal(t, "1 fault is", are(1, "fault"))
	assert.Equal(t, "abc", clip("abc", 3))
	assert.Equal(t, "ab…", clip("abcd", 3))
	assert.Equal(t, "ä日…", clip("ä日本語", 3))
	assert.Equal(t, "\uFFFD", clip("\u202e", 3))
	assert.True(t, names("Put{Key:k1 Value:7}", "7"))
	assert.False(t, names("Put{Key:k1 Value:77 Seq:17}", "7"))
	assert.True(t, names("77 7", "7"))
	assert.False(t, names("anything", ""))
}
