package campaign

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// Range by range, what is left is what no other range has.
func TestWithoutAgainstASet(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var done []Range
		in := map[int]bool{}
		for at := 0; rapid.Bool().Draw(rt, "more"); {
			from := at + rapid.IntRange(0, 5).Draw(rt, "gap")
			at = from + rapid.IntRange(1, 6).Draw(rt, "runs")
			done = append(done, Range{from, at})
			for i := from; i < at; i++ {
				in[i] = true
			}
		}
		from := rapid.IntRange(0, 30).Draw(rt, "from")
		whole := Range{from, from + rapid.IntRange(0, 20).Draw(rt, "size")}
		left := map[int]bool{}
		for _, r := range whole.Without(done) {
			require.Less(rt, r.From, r.Until)
			for i := r.From; i < r.Until; i++ {
				require.False(rt, left[i])
				left[i] = true
			}
		}
		for i := 0; i < 60; i++ {
			require.Equal(rt, i >= whole.From && i < whole.Until && !in[i], left[i], "%d in %v without %v", i, whole, done)
		}
	})
}

// Shards share all runs among them, and none twice.
func TestShardsPartTheRuns(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		p := Plan{
			Shards: rapid.IntRange(1, 25).Draw(rt, "shards"), Runs: rapid.IntRange(1, 500).Draw(rt, "runs"),
			Operations: rapid.SampledFrom([]int{0, 1, 100, 1000, 100_000}).Draw(rt, "operations"),
		}
		made := make([]int, p.Runs)
		for p.Shard = range p.Shards {
			for k := 0; ; k++ {
				r := p.rangeOf(k)
				if r.From >= r.Until {
					break
				}
				for i := r.From; i < r.Until && p.ours(k); i++ {
					made[i]++
				}
			}
		}
		for i, times := range made {
			require.Equal(rt, 1, times, "run %d", i)
		}
	})
}
