package main

import (
	"fmt"
	"slices"

	"github.com/rashomon-go/rashomon/campaign/store"
	"github.com/rashomon-go/rashomon/campaign/verdict"
)

// judged is a campaign out of the store, judged as fuzz judges the one that it has
// made.
type judged struct {
	*verdict.Evidence
	verdict.Conclusion
	info    campaignInfo
	where   string // it is, as a flag for who stands in the directory of the site
	plan    storedPlan
	last    bool   // of the directory, or the database
	follows bool   // the site will be written again
	canary  string // what was caught of it
	mutes   []store.Mute
	pace    []store.Pace
	seeds   map[string][]uint64 // of the failures that were kept, by signature
	others  []campaignInfo      // in the same place, the oldest first
	changes []verdict.Change    // since the last one before it of the same rows
}

// readJudged reads a campaign; 0 stands for the last one. What it comes to, with what the
// corpus does now, is for the caller to conclude.
func readJudged(s *store.Store, id int64) (j judged, err error) {
	states, err := s.States() // before what is read, lest the end be missed
	if err != nil {
		return j, err
	}
	info, err := s.Find(id)
	if err != nil {
		return j, err
	}
	if j.plan, j.Evidence, err = readEvidence(s, info); err != nil {
		return j, err
	}
	if j.mutes, err = s.Mutes(); err != nil {
		return j, err
	}
	if j.canary, err = verdict.CaughtCanary(s, info.ID); err != nil {
		return j, err
	}
	if j.pace, err = s.Pace(info.ID); err != nil {
		return j, err
	}
	if j.seeds, err = s.Seeds(info.ID); err != nil {
		return j, err
	}
	return j, j.neighbours(s, info.ID, states)
}

// readEvidence reads what a campaign is judged by, and its plan.
func readEvidence(s *store.Store, info store.Info) (p storedPlan, e *verdict.Evidence, err error) {
	if p, err = planOf(info); err != nil {
		return p, nil, err
	}
	chosen := p.choice()
	rows, err := chosen.cells()
	if err != nil {
		return p, nil, fmt.Errorf("campaign %d has another plan than this program can make: %w", info.ID, err)
	}
	e, err = verdict.Read(s, info, rows)
	return p, e, err
}

// neighbours reads what else there is in the directory.
func (j *judged) neighbours(s *store.Store, id int64, states map[int64]store.State) (err error) {
	if j.others, err = newCampaignInfos(s, states); err != nil {
		return err
	}
	at := slices.IndexFunc(j.others, func(one campaignInfo) bool { return one.ID == id })
	if at < 0 { // somebody has taken it away
		_, err := s.Find(id)
		return err
	}
	j.info, j.last = j.others[at], at == len(j.others)-1
	before, found := j.before(j.others[:at])
	if !found {
		return nil
	}
	j.changes, err = verdict.Changes(s, before.ID, id)
	return err
}

// before returns the last of earlier campaigns of the same rows. One of
// other rows says nothing of what is new.
func (j *judged) before(earlier []campaignInfo) (campaignInfo, bool) {
	for _, one := range slices.Backward(earlier) {
		p, err := planOf(store.Info{ID: one.ID, Plan: one.Plan})
		if err == nil && j.plan.sameRows(&p) {
			return one, true
		}
	}
	return campaignInfo{}, false
}
