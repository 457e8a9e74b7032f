package campaign

import (
	"fmt"

	"github.com/rashomon-go/rashomon"
)

// past returns a report of what was done before. The findings in it are made again:
// a seed is all that is needed.
func (c *campaign) past() (r Report, err error) {
	r = c.plan.counted()
	for f, cells := range c.families {
		for place, cell := range cells {
			one := &r.Cells[cell]
			one.FirstCrash = c.plan.crashedBefore(one)
			for _, again := range []struct {
				seed *uint64
				to   **Finding
			}{{one.Earliest.Violation, &one.First}, {one.Earliest.Panic, &one.FirstPanic}, {one.Earliest.Differing, &one.FirstDiffering}} {
				if again.seed == nil {
					continue
				}
				found, err := c.run(f, *again.seed)
				if err != nil {
					return r, fmt.Errorf("%w; it had been run before", err)
				}
				*again.to = &found[place]
			}
			if d := one.FirstDiffering; d != nil && d.Again == nil {
				d.Again, err = rashomon.Run(one.System, d.Scenario, rashomon.Options{})
				if err != nil {
					return r, err
				}
			}
		}
	}
	return r, nil
}

// crashedBefore returns the earliest crash of a cell, which alone cannot be made again, or
// nil.
func (p *Plan) crashedBefore(c *CellReport) *Finding {
	if c.Earliest.Crash == nil {
		return nil
	}
	sc := rashomon.FromSeed(c.Earliest.Crash.Seed, c.System, c.Claim, p.Operations)
	f := c.crashed(*sc, *c.Earliest.Crash)
	return &f
}

// counted returns a report of what was done before, without findings.
func (p *Plan) counted() (r Report) {
	r.Digest = p.Done.Digest
	r.Cells = make([]CellReport, len(p.Cells))
	for i, cell := range p.Cells {
		r.Cells[i] = CellReport{Cell: cell, Tally: p.Done.Cells[cell.String()]}
	}
	for _, cells := range p.families() {
		r.Runs += r.Cells[cells[0]].Runs
	}
	r.Before = r.Runs
	return r
}
