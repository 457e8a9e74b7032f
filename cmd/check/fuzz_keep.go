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
	"strings"

	"github.com/rashomon-go/rashomon/campaign"
	"github.com/rashomon-go/rashomon/campaign/corpus"
	"github.com/rashomon-go/rashomon/campaign/queue"
	"github.com/rashomon-go/rashomon/campaign/store"
	"github.com/rashomon-go/rashomon/campaign/verdict"
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
		k.corpus = filepath.Join(f.dir, corpusDir)
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

// lastIntoCorpus fills the corpus with what the last campaign found: at its end, and before
// the next one begins, in case that it was killed. What breaks beyond the budget of faults is
// no defect.
func (k *keeper) lastIntoCorpus() error {
	last, err := k.store.Find(0)
	switch {
	case errors.Is(err, store.ErrNone):
		return nil
	case err != nil:
		return err
	}
	var p kept
	if err := json.Unmarshal(last.Plan, &p); err != nil || p.BeyondBudget {
		return err
	}
	found, err := k.store.Groups(last.ID)
	if err != nil {
		return err
	}
	if err := corpus.Fill(k.corpus, found); err != nil {
		return notWritten("--corpus", k.corpus, err)
	}
	return nil
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

// lookForCanary looks for a planted bug, unless the plan has one.
func (k *keeper) lookForCanary(ctx context.Context, cell campaign.Cell) error {
	if cell.System == nil {
		return nil
	}
	if err := verdict.LookForCanary(ctx, cell, k.campaign); err != nil {
		return brokenError{err}
	}
	return nil
}

// conclude adds to a report what the store has of the campaign, and what that comes to. The
// canary must have arrived there, by the way that all failures take.
func (k *keeper) conclude(ctx context.Context, r *fuzzReport, canary campaign.Cell) (err error) {
	r.Campaign, r.Dir, r.where = k.campaign.ID, k.dir, k.store.String()
	if r.Groups, r.Gone, err = verdict.Groups(k.store, k.campaign.ID, k.mutes); err != nil {
		return err
	}
	if canary.System != nil && ctx.Err() == nil {
		caught, err := verdict.CaughtCanary(k.store, k.campaign.ID)
		if err != nil {
			return err
		}
		if caught == "" {
			r.Flaws = append(r.Flaws, verdict.DeadCanary(canary))
		}
	}
	r.Conclusion = r.Conclude()
	return nil
}
