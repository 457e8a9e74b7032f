package main

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/rogpeppe/go-internal/testscript"
	"github.com/stretchr/testify/require"

	"github.com/rashomon-go/rashomon/campaign/queue"
	"github.com/rashomon-go/rashomon/campaign/store"
	"github.com/rashomon-go/rashomon/internal/pgtest"
)

// The scripts in testdata/postgres need a server.
func TestPostgresScripts(t *testing.T) {
	server := pgtest.Start(t)
	foreign, newer, other := server.Database(t), server.Database(t), server.Database(t)
	forsaken(t, newer)
	forsaken(t, other)
	at(t, foreign, `CREATE TABLE recipes (name TEXT)`)
	at(t, newer, `INSERT INTO rashomon_schema (version_id, is_applied) VALUES (99, true)`)
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/postgres",
		UpdateScripts:       *update,
		RequireUniqueNames:  true,
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			for name, url := range map[string]string{
				"DB": server.Database(t), "EMPTY": server.Database(t), "FOREIGN": foreign, "NEWER": newer, "OTHER": other,
				"WRONG":   server.Address(pgtest.User, "wrong-word", "postgres"),
				"NOWHERE": "postgres://me:wrong-word@127.0.0.1:1/campaigns",
			} {
				env.Setenv(name, url)
			}
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": exits, "refused": refused, "json": isJSON, "digests": digests, "begun": begun, "steady": steady,
		},
	})
}

// forsaken makes a campaign of another build in a new database, whose leader has died.
func forsaken(t *testing.T, url string) {
	s, err := store.Connect(context.Background(), url, nil)
	require.NoError(t, err)
	defer s.Close()
	require.NoError(t, queue.Prepare(context.Background(), s))
	c, err := s.Begin([]byte("{}"), "another build")
	require.NoError(t, err)
	require.NoError(t, c.Open())
}

func at(t *testing.T, url, statement string) {
	conn, err := pgx.Connect(context.Background(), url)
	require.NoError(t, err)
	defer conn.Close(context.Background())
	_, err = conn.Exec(context.Background(), statement)
	require.NoError(t, err)
}

// begun waits until the last campaign in a database has made runs, which a command in the
// background does: begun URL.
func begun(ts *testscript.TestScript, _ bool, args []string) {
	s, err := store.Join(context.Background(), args[0], nil)
	ts.Check(err)
	defer s.Close()
	for range 600 {
		last, err := s.Find(0)
		ts.Check(err)
		open, err := s.Joinable()
		ts.Check(err)
		if len(open) > 0 && last.Runs > 0 {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	ts.Fatalf("nothing happens in %s", s)
}
