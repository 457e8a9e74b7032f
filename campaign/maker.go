package campaign

import (
	"context"
	"time"
)

// Maker makes runs of a plan that others share out: machines that work on one campaign.
// Many goroutines may use one.
type Maker struct{ c *campaign }

// NewMaker returns one for a plan, of which the limits, Done and Keep don't matter.
func NewMaker(p Plan) (*Maker, error) {
	if err := p.validate(); err != nil {
		return nil, err
	}
	return &Maker{&campaign{plan: p, families: p.families(), classifier: newClassifier(nil)}}, nil
}

// Know tells of signatures that were found elsewhere, so that the same failures get them
// here.
func (m *Maker) Know(signatures []Signature) {
	for _, s := range signatures {
		m.c.classifier.add(s)
	}
}

// Make makes the runs of ranges of a family, which are in their order, until ctx is
// cancelled, or after the first violation if the plan ends there. The batch says which runs
// it has.
func (m *Maker) Make(ctx context.Context, family string, ranges []Range) (*Batch, error) {
	f, err := m.c.familyNamed(family)
	if err != nil {
		return nil, err
	}
	return m.c.make(ctx, f, ranges, func(uint64) error { return nil })
}

// Families names the families of the plan, in their order.
func (p *Plan) Families() (names []string) {
	for _, f := range p.families() {
		names = append(names, p.Cells[f[0]].Family())
	}
	return names
}

// Broken says whether what was done before has a violation, a panic or a crash in a cell.
func (p *Plan) Broken() bool { return anyInvalid(p.counted().Cells) }

// Progress returns how far the campaign has come, which has done what Done says, so many
// runs of it before it went on, and has been at work for so long.
func (p *Plan) Progress(before int, elapsed time.Duration) Progress {
	r := p.counted()
	r.Before = before
	return p.progress(&r, elapsed)
}

// Recall returns the report of what was done before.
func (p Plan) Recall() *Report {
	p.Keep = nil
	c, err := newCampaign(p, nil)
	if err != nil {
		return &Report{Err: err}
	}
	return &c.report
}
