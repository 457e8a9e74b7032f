package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/rashomon-go/rashomon/campaign/store"
)

// storedPlan is a plan as the store has it: what --resume needs to go on.
type storedPlan struct {
	Systems      []string `json:"systems,omitempty"`
	Bug          string   `json:"bug,omitempty"`
	Reads        string   `json:"reads,omitempty"`
	Claim        string   `json:"claim,omitempty"`
	BeyondBudget bool     `json:"beyond_budget,omitempty"`
	Seed         uint64   `json:"seed"`
	Operations   int      `json:"operations"`
	Twice        float64  `json:"twice"`
	Shard        string   `json:"shard,omitempty"`
}

// stored returns what the store has of the plan.
func (f *fuzzFlags) stored() ([]byte, error) {
	return json.Marshal(storedPlan{
		f.systems, f.bug, f.reads, f.claim, f.beyond, f.plan.Seed, f.plan.Operations, f.plan.Twice, f.shard,
	})
}

// planOf reads the plan of a campaign.
func planOf(info store.Info) (p storedPlan, err error) {
	if err := json.Unmarshal(info.Plan, &p); err != nil {
		return p, fmt.Errorf("campaign %d has a plan that cannot be read: %w", info.ID, err)
	}
	return p, nil
}

// restore makes the plan of a campaign of what the store has of it.
func (f *fuzzFlags) restore(info store.Info) error {
	p, err := planOf(info)
	if err != nil {
		return err
	}
	if err := f.set(p); err != nil {
		return fmt.Errorf("campaign %d: %w", info.ID, err)
	}
	return nil
}

// set makes the plan of a stored one.
func (f *fuzzFlags) set(p storedPlan) error {
	f.choice = p.choice()
	f.plan.Seed, f.plan.Operations, f.plan.Twice = p.Seed, p.Operations, p.Twice
	f.plan.StopAtFirst = p.Bug != ""
	f.shard = p.Shard
	err := f.parseShard()
	if err == nil {
		f.plan.Cells, err = f.cells()
	}
	return err
}

func (p *storedPlan) choice() choice {
	return choice{p.Systems, p.Bug, p.Reads, p.Claim, p.BeyondBudget}
}

// sameRows says whether two plans choose the same rows, and faults of the same budget. One
// that this program cannot make has none.
func (p *storedPlan) sameRows(other *storedPlan) bool {
	var names [2][]string
	for i, plan := range []*storedPlan{p, other} {
		chosen := plan.choice()
		rows, err := chosen.cells()
		if err != nil {
			return false
		}
		for _, row := range rows {
			names[i] = append(names[i], row.String())
		}
		slices.Sort(names[i])
	}
	return slices.Equal(names[0], names[1]) && p.BeyondBudget == other.BeyondBudget
}

// String is the plan as the flags of fuzz.
func (p storedPlan) String() string {
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
