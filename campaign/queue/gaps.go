package queue

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/rashomon-go/rashomon"
	"github.com/rashomon-go/rashomon/campaign"
)

// jobRuns is how many runs of rashomon.DefaultOperations a job has at most: some seconds.
// That is all that is lost with a worker, and next to it what it costs to keep a batch, while
// others wait for the same row, is little.
const jobRuns = 1000

// manyMachines is into how many jobs a campaign is parted, at least, unless they get too
// small.
const (
	manyMachines = 200
	leastRuns    = 20
	runsASecond  = 4 // of the time of a short campaign
)

// jobSize returns how many runs the jobs of a plan have.
func jobSize(p *campaign.Plan) int {
	size := jobRuns
	if p.Runs > 0 {
		size = min(size, max(leastRuns, p.Runs*len(p.Families())/manyMachines))
	}
	if p.For > 0 { // each family is to have some
		size = min(size, max(leastRuns, runsASecond*int(p.For/time.Second)))
	}
	if p.StopAtFirst {
		size = leastRuns
	}
	if p.Operations > rashomon.DefaultOperations {
		size = size * rashomon.DefaultOperations / p.Operations
	}
	return max(size, 1)
}

// gaps are the runs of a plan that are not done.
type gaps struct {
	size     int
	families []string // in their order
	open     map[string][]campaign.Range
}

func newGaps(p *campaign.Plan, size int) gaps {
	g := gaps{size, p.Families(), map[string][]campaign.Range{}}
	all := campaign.Range{Until: cmp.Or(p.Runs, math.MaxInt)}
	for _, family := range g.families {
		g.open[family] = all.Without(p.Done.Ranges[family])
	}
	return g
}

func (g gaps) none() bool {
	for _, open := range g.open {
		if len(open) > 0 {
			return false
		}
	}
	return true
}

// jobs returns the first jobs for runs that nobody has, the lowest numbers first.
func (g gaps) jobs(given []given, most int) (next []jobArgs) {
	taken := map[string][]campaign.Range{}
	for _, j := range given {
		taken[j.Family] = append(taken[j.Family], j.all())
	}
	for _, family := range g.families {
		n := 0
		for _, open := range g.open[family] {
			for _, r := range open.Without(union(taken[family])) {
				for ; r.From < r.Until && n < most; n++ {
					until := min(r.Until, r.From-r.From%g.size+g.size)
					next = append(next, jobArgs{Family: family, From: r.From, Until: until})
					r.From = until
				}
			}
		}
	}
	slices.SortStableFunc(next, func(a, b jobArgs) int { return cmp.Compare(a.From, b.From) })
	return next[:min(len(next), most)]
}

// union returns the ranges in their order, without those that overlap.
func union(ranges []campaign.Range) (all []campaign.Range) {
	slices.SortFunc(ranges, func(a, b campaign.Range) int { return cmp.Compare(a.From, b.From) })
	for _, r := range ranges {
		if last := len(all) - 1; last >= 0 && r.From <= all[last].Until {
			all[last].Until = max(all[last].Until, r.Until)
		} else {
			all = append(all, r)
		}
	}
	return all
}
