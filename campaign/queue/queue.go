// Package queue shares a campaign out among many machines: ranges of its seeds are jobs of
// River, in the PostgreSQL database that keeps the campaign.
//
// A job is done when its runs are in the store. The jobs are only how machines agree about
// who does what: if two do the same, the store takes it once, and what nobody does is given
// out again.
package queue

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"
	"github.com/riverqueue/river/rivertype"

	"github.com/rashomon-go/rashomon/campaign/store"
)

// Prepare makes River's tables, or brings them up to date.
func Prepare(ctx context.Context, s *store.Store) error {
	return s.Alone(ctx, func() error {
		m, err := migrator(s)
		if err != nil {
			return err
		}
		if err := known(ctx, s, m); err != nil {
			return err
		}
		_, err = m.Migrate(ctx, rivermigrate.DirectionUp, nil)
		return err
	})
}

// Ready says whether the tables are those that this program knows.
func Ready(ctx context.Context, s *store.Store) error {
	m, err := migrator(s)
	if err != nil {
		return err
	}
	if err := known(ctx, s, m); err != nil {
		return err
	}
	result, err := m.Validate(ctx, nil)
	if err == nil && !result.OK {
		err = errors.New("has older tables of its queue, expected those of this program: check fuzz --db brings them up to date")
	}
	return err
}

func migrator(s *store.Store) (*rivermigrate.Migrator[pgx.Tx], error) {
	return rivermigrate.New(riverpgxv5.New(s.Pool()), &rivermigrate.Config{Logger: silent})
}

// known refuses tables of a newer River.
func known(ctx context.Context, s *store.Store, m *rivermigrate.Migrator[pgx.Tx]) error {
	var there bool
	err := s.Pool().QueryRow(ctx, `SELECT to_regclass('river_migration') IS NOT NULL`).Scan(&there)
	if err != nil || !there {
		return err
	}
	var version int
	if err := s.Pool().QueryRow(ctx, `SELECT coalesce(max(version), 0) FROM river_migration`).Scan(&version); err != nil {
		return err
	}
	all := m.AllVersions()
	if latest := all[len(all)-1].Version; version > latest {
		return fmt.Errorf("has version %d of the queue's tables, expected %d at most: a newer program wrote it", version, latest)
	}
	return nil
}

// silent hears what River says: it tries again by itself, and the store says when the
// database is gone.
var silent = slog.New(slog.DiscardHandler)

// Options say how a machine works. Zero values stand for what is best, except in tests.
type Options struct {
	// Workers is how many runs are made at a time; 0 means one for each processor.
	Workers int
	// Try is a command, with its arguments, that makes runs in a process of its own
	// (campaign.Plan.Try): those of jobs that somebody has begun and not ended are tried so
	// before they are made here. None means that they are not.
	Try []string
	// Size is how many runs a job has; 0 means as many as take some seconds.
	Size int
	// Age is how long a job may be under way while there is no other: then somebody else
	// gets its runs, too, since its worker may have died. 0 means 15 s.
	Age time.Duration
	// Rescue is how long a job may be under way at all. 0 means 2 minutes.
	Rescue time.Duration
	// Poll is the time between two looks at the queue when it was empty, and at how far
	// the campaign is. 0 means half a second.
	Poll time.Duration
}

const (
	defaultAge    = 15 * time.Second
	defaultRescue = 2 * time.Minute
	defaultPoll   = 500 * time.Millisecond
)

func (o Options) withDefaults() Options {
	return Options{
		Workers: cmp.Or(o.Workers, runtime.GOMAXPROCS(0)), Size: o.Size, Try: o.Try,
		Age: cmp.Or(o.Age, defaultAge), Rescue: cmp.Or(o.Rescue, defaultRescue), Poll: cmp.Or(o.Poll, defaultPoll),
	}
}

// name is the queue of a campaign. Each has its own, so that nobody gets a job of another
// campaign, or of another build.
func name(c *store.Campaign) string { return fmt.Sprintf("campaign-%d", c.ID) }

// attempts is how often a job may die with its worker, or be put back, without end: the
// store knows when it is done.
const attempts = 10_000

// newClient returns River's client of a campaign. It never listens, which would take one
// connection more: the queue is rarely empty.
func newClient(c *store.Campaign, w *worker, o Options) (*river.Client[pgx.Tx], error) {
	workers := river.NewWorkers()
	if err := river.AddWorkerSafely(workers, w); err != nil {
		return nil, err
	}
	return river.NewClient(riverpgxv5.New(c.Store().Pool()), &river.Config{
		Queues:  map[string]river.QueueConfig{name(c): {MaxWorkers: o.Workers}},
		Workers: workers, Logger: silent, MaxAttempts: attempts,
		PollOnly: true, FetchPollInterval: o.Poll, FetchCooldown: min(o.Poll, 10*time.Millisecond),
		// A job that takes longer keeps what it has, and is put back.
		JobTimeout: o.Rescue / 2, JobStuckThreshold: o.Rescue / 10, RescueStuckJobsAfter: o.Rescue,
		JobStuckHandler: func(context.Context, river.JobStuckHandlerParams) river.JobStuckHandlerResult {
			w.stuck.Store(true)
			return river.JobStuckHandlerResult{AddWorkerSlot: true} // a run does not end; others do
		},
		CompletedJobRetentionPeriod: time.Minute, CancelledJobRetentionPeriod: time.Minute, DiscardedJobRetentionPeriod: time.Minute,
		RetryPolicy: atOnce{},
	})
}

// atOnce gives a job of a dead worker to another one without waiting.
type atOnce struct{}

// NextRetry is called by River.
func (atOnce) NextRetry(*rivertype.JobRow) time.Time { return time.Now() }

// stop ends the work of a client. Runs under way are made to their end, and those that
// were made are kept.
func stop(client *river.Client[pgx.Tx], w *worker) {
	wait := stopTime
	if w.stuck.Load() {
		wait = stuckTime
	}
	ctx, cancel := context.WithTimeout(context.Background(), wait)
	defer cancel()
	_ = client.StopAndCancel(ctx) // what does not stop is left behind
}

// How long a run, or the shrinking of a failure, is waited for in the end; after some run has
// taken too long, it may never end.
const (
	stopTime  = 30 * time.Second
	stuckTime = 5 * time.Second
)
