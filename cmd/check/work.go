package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/rashomon-go/rashomon/campaign/queue"
	"github.com/rashomon-go/rashomon/campaign/store"
	"github.com/rashomon-go/rashomon/internal/english"
)

type workFlags struct {
	db      string
	workers int
	wait    time.Duration
	waits   bool // no longer than wait
}

func (a *app) workCommand() *cobra.Command {
	var f workFlags
	cmd := &cobra.Command{
		Use:   "work --db URL",
		Short: "Help with a campaign that fuzz --db has begun on another machine",
		Long: `work makes runs of a campaign that check fuzz --db has begun, and keeps what it finds in
the same database. It ends when the campaign does. While no campaign is open it waits
for one, as long as --wait says. If the check fuzz that leads the campaign has died, work
makes what it has given out, and leaves if nobody goes on with it for as long as --wait
says.

As many as like may work on one campaign. One that is killed, at any moment, loses some
seconds of its own work, which others do again, and nothing counts twice. Ctrl-C ends it
with everything kept. While the database is gone it waits.

The build must be that of the campaign: in another one seeds may mean other runs.`,
		Example: `  check work --db postgres://me@host/campaigns
  check work --db postgres://me@host/campaigns --wait 10m`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			f.waits = cmd.Flags().Changed("wait")
			switch {
			case f.db == "":
				return errors.New("no --db, expected the address of the database that check fuzz --db has")
			case f.workers < 0 || f.workers > 10_000 || f.workers == 0 && cmd.Flags().Changed("workers"):
				return fmt.Errorf("--workers %d, expected 1..10000", f.workers)
			case f.wait < 0:
				return fmt.Errorf("--wait %v, expected a duration such as 90s or 5m", f.wait)
			}
			ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
			defer stop()
			context.AfterFunc(ctx, stop) // whoever asks twice does not want to wait
			collectLess()
			return a.work(ctx, f)
		},
	}
	cmd.Flags().StringVar(&f.db, "db", "", "the PostgreSQL database at this `URL`, such as postgres://me@host/campaigns")
	cmd.Flags().IntVar(&f.workers, "workers", 0, "make `N` runs at a time (default one for each processor)")
	cmd.Flags().DurationVar(&f.wait, "wait", 0, "wait so long for a campaign to be open: `D`, such as 10m (default as long as it takes)")
	return cmd
}

// work works on one campaign.
func (a *app) work(ctx context.Context, f workFlags) error {
	s, info, err := a.joinable(ctx, f)
	if err != nil || s == nil {
		return err
	}
	return errors.Join(a.workOn(ctx, s, info, f), s.Close())
}

func (a *app) workOn(ctx context.Context, s *store.Store, info store.Info, f workFlags) error {
	c, past, err := s.Resume(info.ID, build())
	if err != nil {
		return err
	}
	if err := queue.Ready(ctx, s); err != nil {
		return fmt.Errorf("%s %w", s, err)
	}
	var plan fuzzFlags
	if err := plan.restore(info); err != nil {
		return err
	}
	plan.plan.Done = past
	try, err := plan.tryWith()
	if err != nil {
		return brokenError{err}
	}
	a.say(fmt.Sprintf("at work on campaign %d in %s", c.ID, s))
	p := newProgress(a.err)
	a.progress = p
	made := 0
	l := leader{store: s, say: a.say}
	ctx, leave := context.WithCancel(ctx)
	defer leave()
	err = queue.Work(ctx, c, plan.plan, queue.Options{Workers: f.workers, Try: try}, func(runs int, elapsed time.Duration) {
		made = runs
		p.made(runs, elapsed)
		if gone := l.gone(elapsed); f.waits && gone > f.wait {
			leave()
		}
	})
	p.end()
	if err != nil {
		return brokenError{err}
	}
	end := "has ended"
	if ctx.Err() != nil {
		end = "goes on without this machine"
	}
	_, err = fmt.Fprintf(a.out, "campaign %d %s; %s made here\n", c.ID, end, english.Plural(made, "run"))
	return err
}

// leader is who leads a campaign, seen by those who help.
type leader struct {
	store  *store.Store
	say    func(string)
	looked time.Duration // at it, last
	left   time.Duration // when it was seen to be gone; 0 while it is there
}

// lookForLeader is the time between two looks.
const lookForLeader = 5 * time.Second

// gone says for how long nobody has led the campaign. A database that cannot be asked is
// waited for anyway.
func (l *leader) gone(now time.Duration) time.Duration {
	if now-l.looked >= lookForLeader {
		l.looked = now
		switch led, err := l.store.Busy(); {
		case err != nil:
		case led:
			l.left = 0
		case l.left == 0:
			l.left = now
			l.say("nobody leads the campaign any longer: making what was given out, until check fuzz --resume --db goes on with it")
		}
	}
	if l.left == 0 {
		return 0
	}
	return now - l.left
}

// joinable waits for a campaign that is open, and returns no store if there is none in time,
// or ctx is cancelled.
func (a *app) joinable(ctx context.Context, f workFlags) (s *store.Store, info store.Info, err error) {
	for began, told := time.Now(), false; ; {
		if s == nil {
			s, err = store.Join(ctx, f.db, a.say)
		}
		if s != nil {
			if info, err = openIn(s); err == nil {
				return s, info, nil
			}
		}
		over := f.waits && time.Since(began) >= f.wait
		switch {
		case errors.Is(err, store.ErrNone) && !over:
		case s != nil:
			err = errors.Join(err, s.Close())
			fallthrough
		default:
			return nil, info, a.nothing(ctx, err)
		}
		if !told {
			a.say("no campaign is open: waiting for one")
			told = true
		}
		select {
		case <-ctx.Done():
			f.waits, f.wait = true, 0
		case <-time.After(time.Second):
		}
	}
}

// nothing ends a command for which there was nothing to do.
func (a *app) nothing(ctx context.Context, err error) error {
	if !errors.Is(err, store.ErrNone) && ctx.Err() == nil {
		return err
	}
	_, err = io.WriteString(a.out, "no campaign is open\n")
	return err
}

// openIn returns the last campaign that is open, one of this build if there is any.
func openIn(s *store.Store) (info store.Info, err error) {
	all, err := s.Joinable()
	if err == nil && len(all) == 0 {
		err = store.ErrNone
	}
	for _, one := range all {
		if info.Build != build() || one.Build == build() {
			info = one
		}
	}
	return info, err
}

// say tells whoever watches what is going on.
func (a *app) say(what string) {
	a.progress.clear()
	fmt.Fprintf(a.err, "check: %s\n", what)
}
