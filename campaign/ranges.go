package campaign

import (
	"cmp"
	"slices"

	"github.com/rashomon-go/rashomon"
)

// Range is runs of a family by number: From and all others before Until. Run i has the
// seed Plan.Seed + i.
type Range struct{ From, Until int }

// Without returns what is left of r when others are taken away, which are in their
// order and do not overlap.
func (r Range) Without(others []Range) (left []Range) {
	first, _ := slices.BinarySearchFunc(others, r.From, func(o Range, from int) int { return cmp.Compare(o.Until, from+1) })
	for _, o := range others[first:] {
		if o.From >= r.Until {
			break
		}
		if r.From < o.From {
			left = append(left, Range{r.From, o.From})
		}
		r.From = max(r.From, o.Until)
	}
	if r.From < r.Until {
		left = append(left, r)
	}
	return left
}

// rangeRuns is how many runs of rashomon.DefaultOperations a range has at most: some
// tenth of a second, so that little is lost when the program is killed, and so that
// to keep it costs next to nothing.
const rangeRuns = 100

// size returns how many runs ranges have. It depends on the plan alone, so that shards
// agree about it.
func (p *Plan) size() int {
	if p.StopAtFirst {
		return 1
	}
	size := rangeRuns
	if p.Operations > rashomon.DefaultOperations {
		size = rangeRuns * rashomon.DefaultOperations / p.Operations
	}
	switch {
	case p.Shards > 0:
		size /= 4 // whatever Runs is: shards may be resumed with another
	case p.Runs > 0:
		size = min(size, p.Runs/8) // something for every worker
	}
	return max(size, 1)
}

// rangeOf returns the k-th range of every family; From is Until behind the last one.
func (p *Plan) rangeOf(k int) Range {
	r := Range{k * p.size(), (k + 1) * p.size()}
	if p.Runs > 0 {
		r.From, r.Until = min(r.From, p.Runs), min(r.Until, p.Runs)
	}
	return r
}

// ours says whether the k-th ranges belong to the shard.
func (p *Plan) ours(k int) bool { return p.Shards == 0 || k%p.Shards == p.Shard }

// total returns how many runs so many families make, or 0 if there is no limit.
func (p *Plan) total(families int) float64 {
	return float64(p.Runs) * float64(families) / float64(max(p.Shards, 1))
}
