package queue_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rashomon-go/rashomon/campaign"
	"github.com/rashomon-go/rashomon/campaign/queue"
	"github.com/rashomon-go/rashomon/campaign/store"
	"github.com/rashomon-go/rashomon/internal/pgtest"
)

// begun returns a new campaign in a new database.
func begun(t *testing.T, say func(string)) (*store.Store, *store.Campaign) {
	t.Helper()
	ctx := context.Background()
	s, err := store.Connect(ctx, pgtest.Start(t).Database(t), say)
	require.NoError(t, err)
	t.Cleanup(func() { s.Close() })
	require.NoError(t, queue.Prepare(ctx, s))
	require.NoError(t, queue.Ready(ctx, s))
	c, err := s.Begin([]byte("{}"), "this build")
	require.NoError(t, err)
	return s, c
}

// nobody looks at the progress.
func nobody(campaign.Progress) {}

// A campaign goes on when its database comes back.
func TestDatabaseRestarts(t *testing.T) {
	var mu sync.Mutex
	var said []string
	s, c := begun(t, func(what string) {
		mu.Lock()
		defer mu.Unlock()
		said = append(said, what)
	})
	server := pgtest.Start(t)
	const runs = 300
	ended := make(chan *campaign.Report)
	progress := make(chan int, 1)
	go func() {
		ended <- queue.Run(context.Background(), c, plan(t, runs), quick, func(p campaign.Progress) {
			select {
			case progress <- p.Runs:
			default:
			}
		})
	}()
	for _, stop := range []func(testing.TB){server.Stop, server.Crash} {
		for before := <-progress; <-progress < before+quick.Size; {
		}
		stop(t)
		time.Sleep(time.Second)
		server.Again(t)
	}
	report := <-ended
	require.NoError(t, report.Err)
	same(t, runs, report, s)
	assert.GreaterOrEqual(t, len(said), 2)
	assert.Zero(t, len(said)%2, "gone, and back: %q", said)
}

// Where a campaign ends at the first violation, no more jobs are done.
func TestStopAtFirst(t *testing.T) {
	s, c := begun(t, nil)
	p := plan(t, 1_000_000)
	p.StopAtFirst = true
	report := queue.Run(context.Background(), c, p, quick, nobody)
	require.NoError(t, report.Err)
	assert.Less(t, report.Runs, 10_000)
	violations := 0
	for i := range report.Cells {
		violations += report.Cells[i].Violations
	}
	assert.NotZero(t, violations)
	open, err := s.Joinable()
	require.NoError(t, err)
	assert.Empty(t, open)
}

// Whoever is told to end has kept what was made, and another one goes on.
func TestInterrupted(t *testing.T) {
	s, c := begun(t, nil)
	const runs = 200
	ctx, cancel := context.WithCancel(context.Background())
	first := queue.Run(ctx, c, plan(t, runs), quick, func(p campaign.Progress) {
		if p.Runs > 0 {
			cancel()
		}
	})
	require.NoError(t, first.Err)
	assert.NotZero(t, first.Runs)
	info, err := s.Find(0)
	require.NoError(t, err)
	assert.Equal(t, first.Runs, info.Runs, "what is reported is what is kept")
	second := queue.Run(context.Background(), c, plan(t, runs), quick, nobody)
	require.NoError(t, second.Err)
	assert.Equal(t, first.Runs, second.Before)
	same(t, runs, second, s)
}

// Workers do what a head has given out that died, and another head goes on with the campaign.
func TestHeadDies(t *testing.T) {
	url, s := prepared(t)
	head := child(t, url, "0")
	worker := child(t, url, "")
	runs := func() int {
		info, err := s.Find(0)
		if errors.Is(err, store.ErrNone) {
			return 0
		}
		require.NoError(t, err)
		return info.Runs
	}
	require.Eventually(t, func() bool { return runs() > 0 }, time.Minute, quick.Poll)
	killed(t, head)
	require.Eventually(t, func() bool {
		busy, err := s.Busy()
		require.NoError(t, err)
		return !busy
	}, 10*time.Second, quick.Poll)
	info, err := s.Find(0)
	require.NoError(t, err)
	assert.Positive(t, info.Seconds, "the time that it took until its head died")
	states, err := s.States()
	require.NoError(t, err)
	assert.Equal(t, store.Interrupted, states[info.ID])
	before := runs()
	require.Eventually(t, func() bool { return runs() > before }, time.Minute, quick.Poll, "the worker goes on")
	killed(t, worker) // lest it take a job before they are taken away
	const more = 100
	until := begunIn(t, s) + more
	report := lead(url, until, nobody)
	require.NoError(t, report.Err)
	assert.GreaterOrEqual(t, report.Before, before)
	same(t, until, report, s)
}

// A campaign that has a time ends when it is over.
func TestForATime(t *testing.T) {
	s, c := begun(t, nil)
	p := plan(t, 0)
	p.For = time.Second
	var last campaign.Progress
	report := queue.Run(context.Background(), c, p, quick, func(p campaign.Progress) { last = p })
	require.NoError(t, report.Err)
	assert.Greater(t, last.Done, 0.5)
	assert.GreaterOrEqual(t, report.Took, p.For)
	info, err := s.Find(0)
	require.NoError(t, err)
	assert.Equal(t, report.Digest, info.Digest)
	assert.NotZero(t, info.Runs)
	assert.Greater(t, info.Seconds, 0.9)
}

// Tables of a newer queue are refused.
func TestNewerQueue(t *testing.T) {
	s, _ := begun(t, nil)
	ctx := context.Background()
	_, err := s.Pool().Exec(ctx, `INSERT INTO river_migration (line, version) VALUES ('main', 99)`)
	require.NoError(t, err)
	assert.ErrorContains(t, queue.Prepare(ctx, s), "has version 99 of the queue's tables, expected ")
	assert.ErrorContains(t, queue.Ready(ctx, s), "has version 99 of the queue's tables, expected ")
}
