package sim

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// These numbers decide every run that was ever recorded. Do not change them
// lightly: all recorded digests die with them.
func TestStreamsAreFixed(t *testing.T) {
	require.Equal(t, uint64(0xf893a2eefb32555e), Key(1, 2))
	require.Equal(t, uint64(0xf8e46110455c6e53), nameKey("n1"))
	d := NewDraws(42)
	require.Equal(t, uint64(0x989b3f130a063869), d.Uint64())
	require.Equal(t, 160, d.IntN(1000))
}

func TestKeyIsNotSymmetric(t *testing.T) {
	require.NotEqual(t, Key(1, 2), Key(2, 1))
	require.NotEqual(t, nameKey("ab"), nameKey("ba"))
}

func TestIntNIsUniform(t *testing.T) {
	var d Draws
	var seen [10]int
	for range 100_000 {
		seen[d.IntN(10)]++
	}
	for _, n := range seen {
		require.InDelta(t, 10_000, n, 500)
	}
	require.Panics(t, func() { d.IntN(0) })
}

func TestChance(t *testing.T) {
	for p, want := range map[float64]uint64{
		-1: 0, 0: 0, 0.5: 1 << 63, 0.25: 1 << 62, 1: math.MaxUint64, 2: math.MaxUint64,
	} {
		require.Equal(t, want, chance(p), p)
	}
	require.Zero(t, chance(math.NaN()))
	require.Zero(t, chance(math.Inf(-1)))
}

// Either is the chance that at least one of two independent things happens.
func TestEither(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := rapid.Float64Range(0, 1).Draw(t, "p")
		q := rapid.Float64Range(0, 1).Draw(t, "q")
		got := float64(either(chance(p), chance(q))) / (1 << 64)
		require.InDelta(t, 1-(1-p)*(1-q), got, 1e-9)
		require.GreaterOrEqual(t, either(chance(p), chance(q)), chance(p))
	})
	require.Equal(t, uint64(7), either(7, 0))
	require.Equal(t, uint64(7), either(0, 7))
	require.Equal(t, uint64(math.MaxUint64), either(math.MaxUint64, 7))
}
