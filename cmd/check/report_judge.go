package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/rashomon-go/rashomon/campaign"
	"github.com/rashomon-go/rashomon/campaign/store"
)

// judged is a campaign out of the store, judged as fuzz judges the one that it has
// made.
type judged struct {
	fuzzReport
	info    campaignInfo
	where   string // it is, as a flag
	plan    kept
	last    bool // of the directory, or the database
	running bool
	follows bool   // the site will be written again
	died    bool   // its program ended amid runs
	canary  string // what was caught of it
	mutes   []store.Mute
	pace    []store.Pace
	seeds   map[string][]uint64 // of the failures that were kept, by signature
	text    map[string]string   // the smallest scenario of each signature
	others  []campaignInfo      // in the same place, the oldest first
	changes []changedGroup      // since the campaign before
}

// judgeKept reads a campaign; 0 stands for the last one. What the corpus does now is not in
// the store.
func judgeKept(s *store.Store, id int64) (j judged, err error) {
	info, err := s.Find(id)
	if err != nil {
		return j, err
	}
	if err := j.read(s, info); err != nil {
		return j, err
	}
	groups, err := s.Groups(info.ID)
	if err != nil {
		return j, err
	}
	if j.mutes, err = s.Mutes(); err != nil {
		return j, err
	}
	j.addGroups(groups, j.mutes)
	j.text = map[string]string{}
	for _, g := range groups {
		j.text[g.ID()] = g.Scenario
	}
	return j, nil
}

// read reads what the store has, but for groups.
func (j *judged) read(s *store.Store, info store.Info) (err error) {
	if err = json.Unmarshal(info.Plan, &j.plan); err != nil {
		return fmt.Errorf("campaign %d has a plan that cannot be read: %w", info.ID, err)
	}
	if err = j.count(s, info); err != nil {
		return err
	}
	found, err := s.Canary(info.ID)
	if err != nil {
		return err
	}
	for _, g := range found {
		j.canary = g.Signature.String()
	}
	if j.pace, err = s.Pace(info.ID); err != nil {
		return err
	}
	if j.seeds, err = s.Seeds(info.ID); err != nil {
		return err
	}
	return j.neighbours(s, info.ID)
}

// count makes the report of the rows that the plan has.
func (j *judged) count(s *store.Store, info store.Info) error {
	chosen := j.plan.choice()
	rows, err := chosen.cells()
	if err != nil {
		return fmt.Errorf("campaign %d has another plan than this program can make: %w", info.ID, err)
	}
	tallies, err := s.Cells(info.ID)
	if err != nil {
		return err
	}
	report := campaign.Report{Runs: info.Runs, Digest: info.Digest, Took: time.Duration(info.Seconds * float64(time.Second))}
	for _, row := range rows {
		report.Cells = append(report.Cells, campaign.CellReport{Cell: row, Tally: tallies[row.String()]})
		delete(tallies, row.String())
	}
	for _, name := range sortedKeys(tallies) {
		return fmt.Errorf("campaign %d was made by %s, and this program has no row %q: expected the same build", info.ID, info.Build, name)
	}
	j.fuzzReport = newFuzzReport(&report, make([]findings, len(rows)))
	j.Campaign = info.ID
	return nil
}

// neighbours reads what else there is in the directory.
func (j *judged) neighbours(s *store.Store, id int64) error {
	found, err := s.Campaigns()
	if err != nil {
		return err
	}
	for i, one := range found {
		info, err := newCampaignInfo(s, one)
		if err != nil {
			return err
		}
		j.others = append(j.others, info)
		if one.ID != id {
			continue
		}
		j.info, j.last = info, i == len(found)-1
		if i == 0 {
			continue
		}
		before, err := newShown(s, found[i-1].ID)
		if err != nil {
			return err
		}
		after, err := newShown(s, id)
		if err != nil {
			return err
		}
		j.changes = changes(before.Found, after.Found)
	}
	return nil
}

// because says why the campaign is no success.
func (j *judged) because() []reason {
	all := append(j.reasons(), j.deadCanary()...)
	if j.died {
		all = append(all, reason{statusBroken, "the program ended amid runs: check fuzz --resume finds out whether one of them ended it, and goes on"})
	}
	return all
}

// deadCanary says that the canary was not caught. A campaign without runs has not come
// so far, and one with a planted bug of its own has none.
func (j *judged) deadCanary() []reason {
	if j.canary != "" || j.plan.Bug != "" || j.Runs == 0 {
		return nil
	}
	cell, err := canary()
	if err != nil {
		return []reason{{statusBroken, err.Error()}}
	}
	return []reason{{statusBroken, deadCanary(cell).Error()}}
}

// String is the plan as the flags of fuzz.
func (p kept) String() string {
	var b strings.Builder
	flag := func(name, value string) {
		if value != "" {
			fmt.Fprintf(&b, " --%s %s", name, quoted(value))
		}
	}
	for _, name := range p.Systems {
		flag("system", name)
	}
	flag("bug", p.Bug)
	flag("reads", p.Reads)
	flag("claim", p.Claim)
	if p.BeyondBudget {
		b.WriteString(" --beyond-budget")
	}
	fmt.Fprintf(&b, " --seed %d --operations %d", p.Seed, p.Operations)
	flag("shard", p.Shard)
	return strings.TrimSpace(b.String())
}
