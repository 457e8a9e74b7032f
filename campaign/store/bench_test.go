package store_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rashomon-go/rashomon"
	"github.com/rashomon-go/rashomon/campaign"
	"github.com/rashomon-go/rashomon/campaign/store"
	"github.com/rashomon-go/rashomon/checker"
	"github.com/rashomon-go/rashomon/internal/cputime"
	"github.com/rashomon-go/rashomon/systems"
)

// BenchmarkCampaign compares a campaign, kept and with its second runs and second
// judges, to the same runs without anything around them. Its metrics are processor
// time.
func BenchmarkCampaign(b *testing.B) {
	var cells []campaign.Cell
	families := map[string][]campaign.Cell{}
	var names []string
	for _, s := range systems.All() {
		for _, c := range s.Claims {
			cell := campaign.Cell{System: s, Claim: c}
			cells = append(cells, cell)
			if families[cell.Family()] == nil {
				names = append(names, cell.Family())
			}
			families[cell.Family()] = append(families[cell.Family()], cell)
		}
	}
	const runs = 50
	bare := func(b *testing.B, first uint64) {
		for seed := first; seed < first+runs; seed++ {
			for _, name := range names {
				row := families[name][0]
				var claims []rashomon.Property
				for _, c := range families[name] {
					claims = append(claims, c.Claim.Property)
				}
				sc := rashomon.FromSeed(seed, row.System, row.Claim, 0)
				_, err := rashomon.RunClaims(row.System, sc, claims, rashomon.Options{Check: checker.Options{VerdictOnly: true}})
				require.NoError(b, err)
			}
		}
	}
	carried := func(share float64) func(*testing.B, uint64) {
		return func(b *testing.B, first uint64) {
			s, c := begunBench(b)
			past := campaign.Past{Ranges: map[string][]campaign.Range{}} // in the middle of a campaign, where ranges are whole
			for _, name := range names {
				past.Ranges[name] = []campaign.Range{{From: 0, Until: int(first)}}
			}
			p := campaign.Plan{Cells: cells, Runs: int(first) + runs, Workers: 1, Twice: share, Rejudge: share, Keep: c.Keep, Done: past}
			require.NoError(b, campaign.Run(context.Background(), p, nil).Err)
			require.NoError(b, s.Close())
		}
	}
	ways := []struct {
		name  string
		do    func(*testing.B, uint64)
		spent []float64
	}{{name: "bare", do: bare}, {name: "kept", do: carried(-1)}, {name: "judged", do: carried(0)}}
	for round := range b.N {
		for i := range ways {
			before := cputime.Used()
			ways[i].do(b, uint64(1000+round*runs))
			ways[i].spent = append(ways[i].spent, float64((cputime.Used()-before).Microseconds())/float64(runs*len(names)))
		}
	}
	for i := range ways {
		b.ReportMetric(median(ways[i].spent), ways[i].name+"-µs/run")
		over := make([]float64, b.N)
		for round := range over {
			over[round] = 100 * (ways[i].spent[round]/ways[0].spent[round] - 1)
		}
		b.ReportMetric(median(over), ways[i].name+"-%")
	}
}

// BenchmarkMark tells what it costs to say which run is made.
func BenchmarkMark(b *testing.B) {
	s, c := begunBench(b)
	began := cputime.Used()
	for i := range b.N {
		require.NoError(b, c.Mark(0, "primary-backup-semisync, reads at primary: live", uint64(i)))
	}
	b.ReportMetric(float64((cputime.Used()-began).Nanoseconds())/float64(b.N), "cpu-ns/op")
	require.NoError(b, s.Close())
}

func median(x []float64) float64 {
	sorted := slices.Sorted(slices.Values(x))
	return sorted[len(sorted)/2]
}

func begunBench(b *testing.B) (*store.Store, *store.Campaign) {
	s, err := store.Open(b.TempDir())
	require.NoError(b, err)
	c, err := s.Begin([]byte("{}"), "this build")
	require.NoError(b, err)
	return s, c
}

// BenchmarkSize keeps a million runs as a campaign of twelve families does, the ranges
// of a shard among them, and tells how large the database is.
func BenchmarkSize(b *testing.B) {
	for range b.N {
		dir := b.TempDir()
		s, err := store.Open(dir)
		require.NoError(b, err)
		c, err := s.Begin([]byte("{}"), "this build")
		require.NoError(b, err)
		began := cputime.Used()
		const batches = 20_000
		for i := range batches {
			r := campaign.Range{From: i / 12 * 1000, Until: i/12*1000 + 50} // of one shard of 20
			family := string(rune('a'+i%12)) + ", reads at primary: live"
			require.NoError(b, c.Keep(&campaign.Batch{Family: family, Ranges: []campaign.Range{r}, Runs: 50, Digest: 1}))
		}
		b.ReportMetric(float64((cputime.Used()-began).Microseconds())/batches, "µs/batch")
		require.NoError(b, s.Close())
		info, err := os.Stat(filepath.Join(dir, store.File))
		require.NoError(b, err)
		b.ReportMetric(float64(info.Size())/(50*batches/1e6), "bytes/million-runs")
	}
}
