package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/rashomon-go/rashomon/campaign"
	"github.com/rashomon-go/rashomon/campaign/corpus"
	"github.com/rashomon-go/rashomon/campaign/queue"
	"github.com/rashomon-go/rashomon/campaign/store"
	"github.com/rashomon-go/rashomon/campaign/verdict"
)

// session is fuzz at work on a campaign, in a directory or a database.
type session struct {
	dir, corpus string
	store       *store.Store
	campaign    *store.Campaign
	mutes       []store.Mute
}

// start opens the directory or the database, and begins a campaign there, or goes on with
// one.
func (f *fuzzFlags) start(ctx context.Context, say func(string)) (s *session, err error) {
	if f.resume {
		if err := (place{f.dir, f.db}).hasCampaign(); err != nil {
			return nil, err
		}
	}
	if err := writable("--dir", f.dir); err != nil {
		return nil, err
	}
	s = &session{dir: f.dir, corpus: f.corpus}
	if s.corpus == "" {
		s.corpus = filepath.Join(f.dir, corpusDir)
	}
	if s.store, err = f.openStore(ctx, say); err != nil {
		return nil, err
	}
	err = s.lastIntoCorpus()
	switch {
	case err != nil:
	case f.resume:
		err = s.resume(f)
	default:
		err = s.begin(f)
	}
	if err == nil {
		s.mutes, err = s.store.Mutes()
	}
	if err != nil {
		return nil, errors.Join(err, s.store.Close())
	}
	return s, nil
}

// openStore opens what the campaign is kept in, for writing.
func (f *fuzzFlags) openStore(ctx context.Context, say func(string)) (*store.Store, error) {
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
func (s *session) run(ctx context.Context, f *fuzzFlags, progress func(campaign.Progress)) *campaign.Report {
	if f.db == "" {
		f.plan.Keep, f.plan.Mark = s.campaign.Keep, s.campaign.Mark
		return campaign.Run(ctx, f.plan, progress)
	}
	try, err := f.tryWith()
	if err != nil {
		return &campaign.Report{Err: err}
	}
	return queue.Run(ctx, s.campaign, f.plan, queue.Options{Workers: f.plan.Workers, Try: try}, progress)
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

// lastIntoCorpus fills the corpus with what the last campaign found: at its end, and before
// the next one begins, in case that it was killed. What breaks beyond the budget of faults is
// no defect.
func (s *session) lastIntoCorpus() error {
	last, err := s.store.Find(0)
	switch {
	case errors.Is(err, store.ErrNone):
		return nil
	case err != nil:
		return err
	}
	p, err := planOf(last)
	if err != nil || p.BeyondBudget {
		return err
	}
	found, err := s.store.Groups(last.ID)
	if err != nil {
		return err
	}
	if err := corpus.Fill(s.corpus, found); err != nil {
		return notWritten("--corpus", s.corpus, err)
	}
	return nil
}

func (s *session) begin(f *fuzzFlags) error {
	plan, err := f.stored()
	if err != nil {
		return err
	}
	s.campaign, err = s.store.Begin(plan, build())
	return err
}

func (s *session) resume(f *fuzzFlags) error {
	info, err := s.store.Find(0)
	if err != nil {
		return err
	}
	if s.campaign, f.plan.Done, err = s.store.Resume(info.ID, build()); err != nil {
		return err
	}
	return f.restore(info)
}

func (s *session) close() error {
	if err := s.store.Close(); err != nil {
		return brokenError{err}
	}
	return nil
}

// lookForCanary looks for a planted bug, unless the plan has one.
func (s *session) lookForCanary(ctx context.Context, cell campaign.Cell) error {
	if cell.System == nil {
		return nil
	}
	if err := verdict.LookForCanary(ctx, cell, s.campaign); err != nil {
		return brokenError{err}
	}
	return nil
}

// keepDiffering keeps what turned out not to be deterministic after all runs, lest it be
// forgotten: nothing else that the campaign says can be relied on.
func (s *session) keepDiffering(found []findings) error {
	var b campaign.Batch
	for i := range found {
		if d := found[i].differs; d != nil && d.failure != nil {
			b.Failures = append(b.Failures, *d.failure)
		}
	}
	if len(b.Failures) == 0 {
		return nil
	}
	return s.campaign.Keep(&b)
}

// conclude adds to a report what the store has of the campaign, and what that comes to. The
// canary must have arrived there, by the way that all failures take.
func (s *session) conclude(r *fuzzReport, canary campaign.Cell) (err error) {
	r.Campaign, r.Dir, r.where = s.campaign.ID, s.dir, s.store.String()
	if err := r.Add(s.store, s.campaign.ID, s.mutes); err != nil {
		return err
	}
	info, err := s.store.Find(s.campaign.ID)
	if err != nil {
		return err
	}
	flaw, err := verdict.CanaryFlaw(s.store, info, canary)
	if err != nil {
		return err
	}
	if flaw != "" {
		r.Flaws = append(r.Flaws, flaw)
	}
	r.Conclusion = r.Conclude()
	return nil
}
