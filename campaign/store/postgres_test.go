package store_test

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rashomon-go/rashomon/campaign"
	"github.com/rashomon-go/rashomon/campaign/store"
	"github.com/rashomon-go/rashomon/internal/pgtest"
	"github.com/rashomon-go/rashomon/systems"
)

func connected(t *testing.T, url string) *store.Store {
	t.Helper()
	s, err := store.Connect(context.Background(), url, nil)
	require.NoError(t, err)
	return s
}

func executeAt(t *testing.T, url, statement string) {
	t.Helper()
	db, err := sql.Open("pgx", url)
	require.NoError(t, err)
	defer db.Close()
	_, err = db.Exec(statement)
	require.NoError(t, err)
}

// Whatever is behind an address: if it cannot be used, one line says why, without the
// password.
func TestBadAddresses(t *testing.T) {
	t.Setenv("PGPASSWORD", "")
	t.Setenv("PGPASSFILE", filepath.Join(t.TempDir(), "none"))
	server := pgtest.Start(t)
	foreign, newer, empty := server.Database(t), server.Database(t), server.Database(t)
	executeAt(t, foreign, `CREATE TABLE recipes (name TEXT)`)
	require.NoError(t, connected(t, newer).Close())
	executeAt(t, newer, `INSERT INTO rashomon_schema (version_id, is_applied) VALUES (99, true)`)
	for url, want := range map[string]string{
		foreign: "is a database of another program, expected one that check fuzz wrote, or an empty one",
		newer:   "has schema 99, expected 1 at most: a newer program wrote it",
		server.Address(pgtest.User, "wrong-word", "postgres"):             `password authentication failed for user "postgres", expected a user and password`,
		server.Address("nobody", "wrong-word", "postgres"):                `password authentication failed for user "nobody", expected a user and password`,
		server.Address(pgtest.User, "", "postgres"):                       `password authentication failed for user "postgres", expected a password in PGPASSWORD or ~/.pgpass`,
		server.Address(pgtest.User, pgtest.Password, "missing"):           `database "missing" does not exist, expected one that exists`,
		"postgres://me:wrong-word@127.0.0.1:1/db":                         "postgres://me@127.0.0.1:1/db cannot be reached (",
		"postgres://me:wrong-word@nowhere.invalid/db":                     "postgres://me@nowhere.invalid/db cannot be reached (",
		"postgres://me:wrong-word@127.0.0.1:port/db":                      "no address of a database, expected one such as postgres://user@host/database",
		"postgres://me:wrong-word@127.0.0.1/db?sslmode=perhaps":           "no address of a database (",
		"postgres://me@127.0.0.1/db?password=wrong-word&sslmode=perhaps":  "no address of a database (",
		"postgres://me@127.0.0.1/db?password=wrong-word&port=a":           "no address of a database (",
		"postgres://me@127.0.0.1/db?password=wrong-word&pool_max_conns=a": "no address of a database (",
		"postgres://me@127.0.0.1:1/db?password=wrong-word":                "postgres://me@127.0.0.1:1/db cannot be reached (",
		empty + "?pool_max_conns=1":                                       "pool_max_conns 1, expected 3 or more",
		empty + "?search_path=nowhere":                                    "has no schema to look for tables in, expected one that search_path names",
	} {
		for _, open := range []func(context.Context, string, func(string)) (*store.Store, error){store.Connect, store.Join} {
			began := time.Now()
			_, err := open(context.Background(), url, nil)
			require.ErrorContains(t, err, want)
			assert.Contains(t, err.Error(), "xpected")
			assert.NotContains(t, err.Error(), "wrong-word")
			assert.NotContains(t, err.Error(), "\n")
			assert.Less(t, time.Since(began), 20*time.Second)
		}
	}
	_, err := store.Join(context.Background(), empty, nil)
	assert.ErrorIs(t, err, store.ErrNone)
}

// A pooler that gives a connection to one program after the other mixes up what they prepared.
func TestPooledConnections(t *testing.T) {
	s := connected(t, pgtest.Start(t).Database(t))
	defer s.Close()
	prepare := func() error {
		_, err := s.Pool().Exec(context.Background(), `PREPARE twice AS SELECT 1; PREPARE twice AS SELECT 1`)
		return err
	}
	assert.ErrorContains(t, store.Plain(s, prepare()), `prepared statement "twice" already exists, expected the server itself, or a pooler that keeps a connection for a whole session`)
}

// Of those that begin at once one leads, and makes the tables. In another schema is another
// place.
func TestConnectedAtOnce(t *testing.T) {
	url := pgtest.Start(t).Database(t)
	var all sync.WaitGroup
	var led atomic.Int64
	for range 4 {
		all.Go(func() {
			s, err := store.Connect(context.Background(), url, nil)
			if err != nil {
				assert.ErrorIs(t, err, store.ErrLed)
				assert.Regexp(t, `^postgres://postgres@127\.0\.0\.1:\d+/test\d+ has another campaign at work, expected one at a time: `, err)
				return
			}
			led.Add(1)
			t.Cleanup(func() { s.Close() })
		})
	}
	all.Wait()
	assert.EqualValues(t, 1, led.Load())
	executeAt(t, url, `CREATE SCHEMA beside`)
	require.NoError(t, connected(t, url+"?search_path=beside").Close())
}

// Who leads is busy until it ends, and leads again when a server comes back that has forgotten
// it, unless somebody else was faster.
func TestLead(t *testing.T) {
	server := pgtest.Start(t)
	url := server.Database(t)
	first := connected(t, url)
	defer first.Close()
	c := begunIn(t, first)
	other, err := store.Join(context.Background(), url, nil)
	require.NoError(t, err)
	defer other.Close()
	state := func() string {
		busy, err := other.Busy()
		require.NoError(t, err)
		open, err := other.Joinable()
		require.NoError(t, err)
		return fmt.Sprintf("busy %t, unended %t", busy, len(open) > 0)
	}
	assert.Equal(t, "busy true, unended false", state())
	require.NoError(t, c.Open())
	assert.Equal(t, "busy true, unended true", state())
	for _, stop := range []func(testing.TB){server.Stop, server.Crash} {
		stop(t)
		server.Again(t)
		assert.Equal(t, "busy false, unended true", state())
		require.NoError(t, first.Lead())
		require.NoError(t, first.Lead())
		assert.Equal(t, "busy true, unended true", state())
	}
	server.Crash(t)
	server.Again(t)
	second := connected(t, url)
	assert.ErrorIs(t, first.Lead(), store.ErrLed)
	next := begunIn(t, second)
	require.NoError(t, next.Open())
	joinable, err := other.Joinable()
	require.NoError(t, err)
	require.Len(t, joinable, 1, "nobody leads the first one")
	assert.Equal(t, next.ID, joinable[0].ID)
	require.NoError(t, next.Shut())
	assert.Equal(t, "busy true, unended false", state())
	require.NoError(t, second.Close())
	assert.Equal(t, "busy false, unended false", state())
}

// Whatever many programs keep at once: all of it is counted, once.
func TestManyWriters(t *testing.T) {
	url := pgtest.Start(t).Database(t)
	first := connected(t, url)
	defer first.Close()
	whole := begunIn(t, first)
	const writers, batches = 6, 25
	var all sync.WaitGroup
	var also, refused atomic.Int64
	failure := failing(t, 9)
	chain, err := systems.ByName("chain")
	require.NoError(t, err)
	for w := range writers {
		all.Go(func() {
			s, err := store.Join(context.Background(), url, nil)
			if !assert.NoError(t, err) {
				return
			}
			defer s.Close()
			c, _, err := s.Resume(whole.ID, "this build")
			if !assert.NoError(t, err) {
				return
			}
			for i := range batches {
				r := campaign.Range{From: i*writers + w, Until: i*writers + w + 1}
				if i == 0 {
					r.From = 0 // all of them want it
				}
				cell := campaign.CellReport{Tally: campaign.Tally{Runs: 1, Reasons: map[string]int{"why": 1}}}
				cell.System = chain
				b := campaign.Batch{Family: "chain", Ranges: []campaign.Range{r}, Runs: r.Until - r.From, Digest: 1 << 62,
					Cells: []campaign.CellReport{cell}, Failures: []campaign.Failure{failure}}
				switch err := c.KeepAnd(&b, func(context.Context, pgx.Tx) error { also.Add(1); return nil }); {
				case i > 0:
					assert.NoError(t, err)
				case err != nil:
					assert.ErrorIs(t, err, store.ErrDone)
					refused.Add(1)
				}
			}
		})
	}
	all.Wait()
	require.Less(t, refused.Load(), int64(writers), "one of them gets what all want")
	kept := writers*batches - int(refused.Load())
	assert.EqualValues(t, kept, also.Load())
	info, err := first.Find(0)
	require.NoError(t, err)
	past, err := whole.Past()
	require.NoError(t, err)
	runs := 0
	for _, r := range past.Ranges["chain"] {
		runs += r.Until - r.From
	}
	assert.Equal(t, runs, info.Runs)
	assert.Equal(t, uint64(kept)<<62, info.Digest)
	for _, tally := range past.Cells {
		assert.Equal(t, kept, tally.Runs)
		assert.Equal(t, kept, tally.Reasons["why"])
	}
	groups, err := first.Groups(whole.ID)
	require.NoError(t, err)
	assert.Equal(t, kept, groups[0].Count)
}

// What is kept with a batch is kept with it alone.
func TestKeptTogether(t *testing.T) {
	url := pgtest.Start(t).Database(t)
	s := connected(t, url)
	defer s.Close()
	executeAt(t, url, `CREATE TABLE beside (n BIGINT)`)
	c := begunIn(t, s)
	insert := func(ctx context.Context, tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO beside VALUES (1)`)
		return err
	}
	b := campaign.Batch{Family: "chain", Ranges: []campaign.Range{{From: 0, Until: 5}}, Runs: 5}
	err := c.KeepAnd(&b, func(ctx context.Context, tx pgx.Tx) error {
		return fmt.Errorf("%w, and that was it", insert(ctx, tx))
	})
	require.ErrorContains(t, err, "and that was it")
	info, err := s.Find(c.ID)
	require.NoError(t, err)
	assert.Zero(t, info.Runs)
	require.NoError(t, c.KeepAnd(&b, insert))
	assert.ErrorIs(t, c.KeepAnd(&b, insert), store.ErrDone)
	var beside int
	require.NoError(t, s.Pool().QueryRow(context.Background(), `SELECT count(*) FROM beside`).Scan(&beside))
	assert.Equal(t, 1, beside)
}

// A database that is gone is waited for, and nothing is lost or counts twice.
func TestGoneForAWhile(t *testing.T) {
	server := pgtest.Start(t)
	var said []string
	s, err := store.Connect(context.Background(), server.Database(t), func(what string) { said = append(said, what) })
	require.NoError(t, err)
	defer s.Close()
	c := begunIn(t, s)
	stop := []func(testing.TB){server.Stop, server.Crash}
	kept := 0
	for round := range 4 {
		var keeping sync.WaitGroup
		end := make(chan struct{})
		keeping.Go(func() {
			for last := 3; last > 0; kept++ {
				select {
				case <-end:
					last--
				default:
				}
				b := campaign.Batch{Family: "chain", Ranges: []campaign.Range{{From: kept, Until: kept + 1}}, Runs: 1}
				if err := c.Keep(&b); err != nil && !assert.ErrorIs(t, err, store.ErrDone, "the answer to a commit was lost") {
					return
				}
			}
		})
		time.Sleep(50 * time.Millisecond)
		stop[round%2](t)
		time.Sleep(500 * time.Millisecond)
		server.Again(t)
		close(end)
		keeping.Wait()
	}
	info, err := s.Find(c.ID)
	require.NoError(t, err)
	assert.Equal(t, kept, info.Runs)
	assert.LessOrEqual(t, len(said), 8)
	require.GreaterOrEqual(t, len(said), 8)
	assert.Regexp(t, `^postgres://postgres@127\.0\.0\.1:\d+/test\d+ is gone \(.*\): waiting for it$`, said[0])
	assert.Regexp(t, `^postgres://postgres@127\.0\.0\.1:\d+/test\d+ is back after \d`, said[1])
	assert.NotContains(t, strings.Join(said, ""), "\n")
}

// Nobody has to wait for a database that does not come back.
func TestNotWaitedFor(t *testing.T) {
	server := pgtest.Start(t)
	ctx, cancel := context.WithCancel(context.Background())
	s, err := store.Connect(ctx, server.Database(t), nil)
	require.NoError(t, err)
	defer s.Close()
	server.Stop(t)
	defer server.Again(t)
	time.AfterFunc(300*time.Millisecond, cancel)
	_, err = s.Find(0)
	require.ErrorContains(t, err, "expected a PostgreSQL server")
	assert.NotContains(t, err.Error(), "\n")
}
