package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/rashomon-go/rashomon/campaign"
	"github.com/rashomon-go/rashomon/campaign/queue"
	"github.com/rashomon-go/rashomon/campaign/store"
	"github.com/rashomon-go/rashomon/systems"
)

// keeper keeps a campaign in its directory, or in a database.
type keeper struct {
	dir, corpus string
	store       *store.Store
	campaign    *store.Campaign
	mutes       []store.Mute
}

// kept is a plan as the store has it: what --resume needs to go on.
type kept struct {
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

// keep opens the directory or the database, and begins a campaign there, or goes on with
// one.
func (f *fuzzFlags) keep(ctx context.Context, say func(string)) (k *keeper, err error) {
	if f.resume {
		if err := (place{f.dir, f.db}).hasCampaign(); err != nil {
			return nil, err
		}
	}
	if err := writable("--dir", f.dir); err != nil {
		return nil, err
	}
	k = &keeper{dir: f.dir, corpus: f.corpus}
	if k.corpus == "" {
		k.corpus = filepath.Join(f.dir, "corpus")
	}
	if k.store, err = f.open(ctx, say); err != nil {
		return nil, err
	}
	err = k.lastIntoCorpus()
	switch {
	case err != nil:
	case f.resume:
		err = k.resume(f)
	default:
		err = k.begin(f)
	}
	if err == nil {
		k.mutes, err = k.store.Mutes()
	}
	if err != nil {
		return nil, errors.Join(err, k.store.Close())
	}
	return k, nil
}

func (f *fuzzFlags) open(ctx context.Context, say func(string)) (*store.Store, error) {
	if f.db == "" {
		return store.Open(f.dir)
	}
	s, err := store.Connect(ctx, f.db, say)
	if err != nil {
		return nil, err
	}
	if err := queue.Prepare(ctx, s); err != nil {
		return nil, errors.Join(fmt.Errorf("%s %w", s, err), s.Close())
	}
	return s, nil
}

// run carries out the plan, together with others if it is in a database.
func (k *keeper) run(ctx context.Context, f *fuzzFlags, progress func(campaign.Progress)) *campaign.Report {
	if f.db == "" {
		f.plan.Keep, f.plan.Mark = k.campaign.Keep, k.campaign.Mark
		return campaign.Run(ctx, f.plan, progress)
	}
	try, err := f.tryWith()
	if err != nil {
		return &campaign.Report{Err: err}
	}
	return queue.Run(ctx, k.campaign, f.plan, queue.Options{Workers: f.plan.Workers, Try: try}, progress)
}

// hasCampaign fails if there is nothing to go on with, and leaves nothing there. What else
// is wrong there shows when it is opened for writing.
func (p place) hasCampaign() error {
	err := p.read(func(s *store.Store) error {
		_, err := s.Find(0)
		return err
	})
	if errors.Is(err, store.ErrNone) {
		return err
	}
	return nil
}

// kept returns what the store has of the plan.
func (f *fuzzFlags) kept() ([]byte, error) {
	return json.Marshal(kept{
		f.systems, f.bug, f.reads, f.claim, f.beyond, f.plan.Seed, f.plan.Operations, f.plan.Twice, f.shard,
	})
}

func (p *kept) choice() choice {
	return choice{p.Systems, p.Bug, p.Reads, p.Claim, p.BeyondBudget}
}

// restore makes the plan of a campaign of what the store has of it.
func (f *fuzzFlags) restore(plan []byte) error {
	var p kept
	if err := json.Unmarshal(plan, &p); err != nil {
		return fmt.Errorf("a plan that cannot be read: %w", err)
	}
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

func (k *keeper) begin(f *fuzzFlags) error {
	plan, err := f.kept()
	if err != nil {
		return err
	}
	k.campaign, err = k.store.Begin(plan, build())
	return err
}

func (k *keeper) resume(f *fuzzFlags) error {
	info, err := k.store.Find(0)
	if err != nil {
		return err
	}
	if k.campaign, f.plan.Done, err = k.store.Resume(info.ID, build()); err != nil {
		return err
	}
	if err := f.restore(info.Plan); err != nil {
		return fmt.Errorf("campaign %d: %w", info.ID, err)
	}
	return nil
}

func (k *keeper) close() error {
	if err := k.store.Close(); err != nil {
		return brokenError{err}
	}
	return nil
}

// build names the program: by its version, or by what is in its file if it has none.
func build() string {
	v := version()
	if v != unversioned {
		return v
	}
	name, err := os.Executable()
	if err != nil {
		return v
	}
	f, err := os.Open(name)
	if err != nil {
		return v
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return v
	}
	return v + " " + hex.EncodeToString(h.Sum(nil)[:6])
}

// canaryBug is a planted bug that one run in three catches, or more.
const canaryBug = "chain-ack-at-middle"

// canaryRuns is how many runs may look for it.
const canaryRuns = 100

func canary() (campaign.Cell, error) {
	b, err := systems.BugByName(canaryBug)
	if err != nil {
		return campaign.Cell{}, err
	}
	s := b.Variant()
	claim, err := s.Claim(b.Reads, b.Claim)
	return campaign.Cell{System: s, Claim: claim}, err
}

// lookForCanary runs the canary as a campaign of its own, which does not count.
func (k *keeper) lookForCanary(ctx context.Context, cell campaign.Cell) error {
	if cell.System == nil {
		return nil
	}
	r := campaign.Run(ctx, campaign.Plan{
		Cells: []campaign.Cell{cell}, Runs: canaryRuns, StopAtFirst: true, Twice: -1, Rejudge: -1, Keep: k.campaign.KeepCanary,
	}, nil)
	if r.Err != nil {
		return brokenError{r.Err}
	}
	return nil
}

// foundCanary says whether the canary has arrived in the store, by the way that all
// failures take.
func (k *keeper) foundCanary(ctx context.Context, cell campaign.Cell) error {
	if cell.System == nil {
		return nil
	}
	found, err := k.store.Canary(k.campaign.ID)
	if err != nil {
		return brokenError{err}
	}
	if len(found) == 0 && ctx.Err() == nil {
		return brokenError{deadCanary(cell)}
	}
	return nil
}
