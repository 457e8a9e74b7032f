package queue

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivertype"

	"github.com/rashomon-go/rashomon/campaign"
	"github.com/rashomon-go/rashomon/campaign/store"
)

// worker makes the runs of jobs.
type worker struct {
	river.WorkerDefaults[jobArgs]
	campaign *store.Campaign
	plan     campaign.Plan
	maker    *campaign.Maker
	try      []string     // as in Options
	runs     atomic.Int64 // that were made here, and kept
	stuck    atomic.Bool  // or was: a run has taken too long

	once   sync.Once
	failed chan struct{} // closed when nothing can be kept, or made
	err    error         // why
}

func newWorker(c *store.Campaign, p campaign.Plan, o Options) (*worker, error) {
	m, err := campaign.NewMaker(p)
	return &worker{campaign: c, plan: p, maker: m, try: o.Try, failed: make(chan struct{})}, err
}

// isolates says whether the runs of a job are tried in another process first: somebody who
// began it has not come to an end.
func (w *worker) isolates(job *river.Job[jobArgs]) bool {
	return (job.Args.Again || job.Attempt > 1) && len(w.try) > 0
}

// Timeout is called by River. To try runs takes as long as it takes for those that do not
// end; other jobs have the usual time.
func (w *worker) Timeout(job *river.Job[jobArgs]) time.Duration {
	if w.isolates(job) {
		return -1
	}
	return 0
}

// Work is called by River.
func (w *worker) Work(ctx context.Context, job *river.Job[jobArgs]) error {
	if w.isolates(job) {
		if err := w.isolate(ctx, job.Args); err != nil {
			return w.unlessOver(ctx, err)
		}
	}
	for {
		open, err := w.open(job.Args)
		if err != nil {
			return w.fail(err)
		}
		if len(open) == 0 {
			return nil
		}
		b, err := w.maker.Make(ctx, job.Args.Family, open)
		if err != nil {
			return w.fail(err)
		}
		whole := slices.Equal(b.Ranges, open)
		switch err := w.keep(ctx, b, job, whole); {
		case errors.Is(err, store.ErrDone):
			// Somebody else has kept some of these runs: look what is left.
		case err != nil:
			return w.fail(err)
		case !whole:
			return w.putBack()
		default:
			return nil
		}
	}
}

// isolate finds out whether runs of a job have ended the process that was at it, and keeps
// those that do: they are done then.
func (w *worker) isolate(ctx context.Context, j jobArgs) error {
	open, err := w.open(j)
	if err != nil {
		return err
	}
	p := w.plan
	if p.Done.Signatures, err = w.campaign.Signatures(); err != nil {
		return err
	}
	for _, r := range open {
		for from := r.From; from < r.Until; from += tryRuns {
			crashes, err := p.Try(ctx, w.try, j.Family, campaign.Range{From: from, Until: min(r.Until, from+tryRuns)})
			if err != nil {
				return err
			}
			if err := w.crashed(p, crashes); err != nil {
				return err
			}
		}
	}
	return nil
}

// tryRuns is after how many runs what was found is kept: each that does not end takes more
// than a minute.
const tryRuns = 50

func (w *worker) crashed(p campaign.Plan, crashes []campaign.Crash) error {
	for _, crash := range crashes {
		b, err := p.Crashed(crash)
		if err == nil {
			err = w.campaign.KeepAnd(b, func(context.Context, pgx.Tx) error { return nil })
		}
		if err != nil && !errors.Is(err, store.ErrDone) { // or somebody else has found it
			return err
		}
	}
	return nil
}

// unlessOver puts a job back if the work here is over, and else fails.
func (w *worker) unlessOver(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return w.putBack()
	}
	return w.fail(err)
}

// putBack leaves a job to somebody else. If the campaign has ended there is nobody, and its head
// may have cleared the queue already: then the job ends here.
func (w *worker) putBack() error {
	if open, err := w.campaign.IsOpen(); err == nil && !open {
		return nil
	}
	return river.JobSnooze(0)
}

// open returns the runs of a job that nobody has kept, and learns what is known of
// failures.
func (w *worker) open(j jobArgs) ([]campaign.Range, error) {
	known, err := w.campaign.Signatures()
	if err != nil {
		return nil, err
	}
	w.maker.Know(known)
	done, err := w.campaign.Done(j.Family)
	return j.all().Without(done), err
}

// keep commits a batch, and the end of its job with it if the batch is all of it.
func (w *worker) keep(ctx context.Context, b *campaign.Batch, job *river.Job[jobArgs], whole bool) error {
	if b.Runs == 0 {
		return nil
	}
	err := w.campaign.KeepAnd(b, func(try context.Context, tx pgx.Tx) error {
		if !whole {
			return nil
		}
		// River wants its own context, which may be cancelled, but what was made is kept.
		ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
		defer cancel()
		defer context.AfterFunc(try, cancel)()
		_, err := river.JobCompleteTx[*riverpgxv5.Driver](ctx, tx, job)
		if errors.Is(err, rivertype.ErrNotFound) {
			return nil // the campaign has ended, and its jobs are gone
		}
		return err
	})
	if err == nil {
		w.runs.Add(int64(b.Runs))
	}
	return err
}

// fail ends the work here. Others may be able to go on.
func (w *worker) fail(err error) error {
	w.once.Do(func() {
		w.err = err
		close(w.failed)
	})
	return err
}

// Work makes runs of an open campaign until it is shut, or ctx is cancelled. It calls
// progress now and then with the number of runs that were kept here.
func Work(ctx context.Context, c *store.Campaign, p campaign.Plan, o Options, progress func(runs int, elapsed time.Duration)) error {
	o = o.withDefaults()
	w, err := newWorker(c, p, o)
	if err != nil {
		return err
	}
	client, err := newClient(c, w, o)
	if err == nil {
		err = start(client, c)
	}
	if err != nil {
		return err
	}
	defer stop(client, w)
	began := time.Now()
	for look := time.NewTicker(o.Poll); ; {
		select {
		case <-ctx.Done():
			return nil
		case <-w.failed:
			return w.err
		case <-look.C:
		}
		progress(int(w.runs.Load()), time.Since(began))
		if open, err := c.IsOpen(); err != nil || !open {
			return err
		}
	}
}

// start lets a client take jobs, as soon as the database is there.
func start(client *river.Client[pgx.Tx], c *store.Campaign) error {
	return c.Store().Try(func(context.Context) error {
		return client.Start(context.Background()) // until it is stopped
	})
}
