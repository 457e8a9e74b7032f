package queue

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rashomon-go/rashomon/campaign"
	"github.com/rashomon-go/rashomon/systems"
)

// Whatever is done, and given: jobs are for what is neither, and for all of it.
func TestGaps(t *testing.T) {
	p := campaign.Plan{Cells: []campaign.Cell{{System: systems.All()[0], Claim: systems.All()[0].Claims[0]}}}
	family := p.Families()[0]
	rapid.Check(t, func(t *rapid.T) {
		p.Runs = rapid.IntRange(1, 60).Draw(t, "runs")
		had := map[int]bool{}
		some := func(what string) campaign.Range {
			from := rapid.IntRange(0, p.Runs).Draw(t, what)
			r := campaign.Range{From: from, Until: min(p.Runs, from+rapid.IntRange(1, 9).Draw(t, what+" runs"))}
			for i := r.From; i < r.Until; i++ {
				had[i] = true
			}
			return r
		}
		var done []campaign.Range
		for range rapid.IntRange(0, 5).Draw(t, "done") {
			done = append(done, some("done"))
		}
		p.Done.Ranges = map[string][]campaign.Range{family: union(done)}
		var jobs []given
		for range rapid.IntRange(0, 5).Draw(t, "jobs") {
			r := some("job")
			jobs = append(jobs, given{jobArgs: jobArgs{Family: family, From: r.From, Until: r.Until}})
		}
		size := rapid.IntRange(1, 7).Draw(t, "size")
		for _, j := range newGaps(&p, size).jobs(jobs, 1000) {
			require.Less(t, j.From, j.Until)
			require.LessOrEqual(t, j.Until-j.From, size)
			for i := j.From; i < j.Until; i++ {
				require.False(t, had[i])
				had[i] = true
			}
		}
		require.Len(t, had, p.Runs)
		require.LessOrEqual(t, len(newGaps(&p, size).jobs(nil, 2)), 2)
	})
}
