package store_test

import (
	"context"
	"flag"
	"fmt"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rashomon-go/rashomon"
	"github.com/rashomon-go/rashomon/campaign"
	"github.com/rashomon-go/rashomon/campaign/store"
	"github.com/rashomon-go/rashomon/checker"
	"github.com/rashomon-go/rashomon/internal/cputime"
	"github.com/rashomon-go/rashomon/systems"
)

// ways of making runs that BenchmarkCampaign compares: bare, with nothing around them; kept,
// as a campaign whose results are committed; judged, the same with its second runs and second judges;
// pairs and rejudged, as kept, with every run made twice, or judged twice: of those the share of a
// campaign is too small to see what they cost.
var ways = flag.String("ways", "bare,kept,judged", "what BenchmarkCampaign compares to the first of them")

// BenchmarkCampaign makes the same runs in several ways, in turns, and tells how much processor time each
// takes beyond the first one, with the quartiles of all turns. The turns of a few tenths of a second,
// a range of each family in each way, keep what else the machine does out of the comparison.
func BenchmarkCampaign(b *testing.B) {
	defer debug.SetGCPercent(debug.SetGCPercent(400)) // as check fuzz does
	f := families()
	names := strings.Split(*ways, ",")
	var todo []func(family []campaign.Cell, first int)
	for _, name := range names {
		switch name {
		case "bare":
			todo = append(todo, func(family []campaign.Cell, first int) { bare(b, family, first) })
		case "kept":
			todo = append(todo, carried(b, -1, -1))
		case "judged":
			todo = append(todo, carried(b, 0, 0))
		case "pairs":
			todo = append(todo, carried(b, 1, -1))
		case "rejudged":
			todo = append(todo, carried(b, -1, 1))
		default:
			b.Fatalf("-ways %q, expected bare, kept, judged, pairs or rejudged", name)
		}
	}
	spent := make([][]float64, len(todo))
	b.ResetTimer()
	for turn := range b.N {
		for way := range spent {
			spent[way] = append(spent[way], 0)
		}
		for i, family := range f {
			for k := range todo {
				way := (turn + i + k) % len(todo) // each is first as often as the others
				runtime.GC()
				before := cputime.Used()
				todo[way](family, 1000+(turn*len(f)+i)*turnRuns) // other seeds: a seed is run twice, or not, in all families
				spent[way][turn] += float64((cputime.Used() - before).Microseconds()) / float64(turnRuns*len(f))
			}
		}
	}
	b.ReportMetric(0, "ns/op")
	for way, name := range names {
		b.ReportMetric(quantile(spent[way], 0.5), name+"-µs/run")
		if way == 0 {
			continue
		}
		over := make([]float64, b.N)
		for turn := range over {
			over[turn] = 100 * (spent[way][turn]/spent[0][turn] - 1)
		}
		for i, q := range []string{"-q1-%", "-median-%", "-q3-%"} {
			b.ReportMetric(quantile(over, float64(i+1)/4), name+q)
		}
	}
}

// turnRuns is how many runs of each family are one turn: a whole range.
const turnRuns = 100

// families returns the rows of all systems, by the runs that they share.
func families() (all [][]campaign.Cell) {
	for _, s := range systems.All() {
		for _, c := range s.Claims {
			cell := campaign.Cell{System: s, Claim: c}
			same := func(f []campaign.Cell) bool { return f[0].Family() == cell.Family() }
			if i := slices.IndexFunc(all, same); i >= 0 {
				all[i] = append(all[i], cell)
			} else {
				all = append(all, []campaign.Cell{cell})
			}
		}
	}
	return all
}

func bare(b *testing.B, family []campaign.Cell, first int) {
	quick := rashomon.Options{Check: checker.Options{VerdictOnly: true}}
	var claims []rashomon.Property
	for _, c := range family {
		claims = append(claims, c.Claim.Property)
	}
	for seed := first; seed < first+turnRuns; seed++ {
		sc := rashomon.FromSeed(uint64(seed), family[0].System, family[0].Claim, 0)
		_, err := rashomon.RunClaims(family[0].System, sc, claims, quick)
		require.NoError(b, err)
	}
}

// carried returns a campaign in its midst, in a store of its own, of which shares are run twice and
// judged twice.
func carried(b *testing.B, share, second float64) func(family []campaign.Cell, first int) {
	s, c := begunBench(b)
	b.Cleanup(func() { s.Close() })
	p := campaign.Plan{Workers: 1, Twice: share, Rejudge: second, Keep: c.Keep, Mark: c.Mark}
	var runs, twice, rejudged int
	b.Cleanup(func() {
		if share >= 0 || second >= 0 {
			b.Logf("of %d runs %d were run twice, and %d judged twice", runs, twice, rejudged)
		}
	})
	return func(family []campaign.Cell, first int) {
		p.Cells, p.Runs = family, first+turnRuns
		p.Done.Ranges = map[string][]campaign.Range{family[0].Family(): {{From: 0, Until: first}}}
		r := campaign.Run(context.Background(), p, nil)
		require.NoError(b, r.Err)
		runs, twice, rejudged = runs+r.Runs, twice+r.Cells[0].RanTwice, rejudged+r.Cells[0].Rejudged
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

// quantile returns the value below which a share of the others is.
func quantile(x []float64, share float64) float64 {
	sorted := slices.Sorted(slices.Values(x))
	return sorted[min(len(sorted)-1, int(share*float64(len(sorted))))]
}

func begunBench(b *testing.B) (*store.Store, *store.Campaign) {
	s, err := store.Open(b.TempDir())
	require.NoError(b, err)
	c, err := s.Begin([]byte("{}"), "this build")
	require.NoError(b, err)
	return s, c
}

// BenchmarkSize keeps what a shard of 20 of a campaign over all systems would, without making
// the runs: the ranges that do not meet, the counts of a real batch of each family, the pace, and in
// one run of 1,000 a failure of one of 30 signatures. It tells how large the
// database is after the first half, when the examples are full, and by how much a million
// runs make it larger.
func BenchmarkSize(b *testing.B) {
	const (
		shards     = 20
		rangeRuns  = 25
		batches    = 10_000
		signatures = 30
		failing    = 1000 // one run of so many
	)
	samples, failure := realBatches(b)
	for range b.N {
		s, c := begunBench(b)
		for i := range signatures * store.MaxExamples {
			require.NoError(b, c.Keep(&campaign.Batch{Family: "examples", Failures: []campaign.Failure{another(failure, i, signatures)}}))
		}
		var half int64
		began := cputime.Used()
		for i := range batches {
			if i == batches/2 {
				half = store.Size(b, s)
			}
			own := *samples[i%len(samples)]
			from := i / len(samples) * shards * rangeRuns
			own.Ranges, own.Runs = []campaign.Range{{From: from, Until: from + rangeRuns}}, rangeRuns
			if i%(failing/rangeRuns) == 0 {
				own.Failures = []campaign.Failure{another(failure, i, signatures)}
			}
			require.NoError(b, c.Keep(&own))
		}
		b.ReportMetric(float64((cputime.Used()-began).Microseconds())/batches, "cpu-µs/batch")
		perMillion := float64(store.Size(b, s)-half) / (batches / 2 * rangeRuns) * 1e6
		b.ReportMetric(float64(half)/1e6, "MB-at-half")
		b.ReportMetric(perMillion/1e6, "MB/million-runs")
		b.ReportMetric((float64(half)+100*perMillion)/1e6, "MB-for-1e8-runs")
		require.NoError(b, s.Close())
	}
}

// realBatches returns a batch of each family, and a failure.
func realBatches(b *testing.B) (samples []*campaign.Batch, failure campaign.Failure) {
	ctx, enough := context.WithCancel(context.Background())
	defer enough()
	p := campaign.Plan{Cells: slices.Concat(families()...), Shards: 1, Keep: func(batch *campaign.Batch) error {
		if samples = append(samples, batch); len(samples) == len(families()) {
			enough()
		}
		return nil
	}}
	require.NoError(b, campaign.Run(ctx, p, nil).Err)
	samples = samples[:len(families())]
	bug := plan(b, 0)
	bug.Operations, bug.StopAtFirst, bug.Keep = 0, true, func(batch *campaign.Batch) error {
		if len(batch.Failures) > 0 {
			failure = batch.Failures[0]
		}
		return nil
	}
	require.NoError(b, campaign.Run(context.Background(), bug, nil).Err)
	require.NotNil(b, failure.Scenario)
	return samples, failure
}

// another returns the same failure as one of other seeds and signatures.
func another(f campaign.Failure, i, signatures int) campaign.Failure {
	f.Seed, f.Kind = uint64(i), fmt.Sprint("kind ", i%signatures)
	return f
}
