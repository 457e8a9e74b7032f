package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// A lock that a connection holds says who leads the campaigns of a database: one program at
// a time, as in a directory. The server lets go of it when the connection ends, however
// that does.

// toLead names the lock: two schemas of a database are two places. Its first number is ours.
const toLead = `SELECT oid::int4 FROM pg_namespace WHERE nspname = current_schema()`

// quickly lets the server notice within seconds that the machine at the other end is gone. Without
// that it may take hours.
const quickly = `SET tcp_keepalives_idle = 2; SET tcp_keepalives_interval = 1; SET tcp_keepalives_count = 3; SET tcp_user_timeout = 5000`

// How long one waits for the lock: whoever comes, and whoever has had it, until the server
// has noticed that the old connection is gone.
const (
	waitToLead   = 2 * time.Second
	waitToRegain = 10 * time.Second
)

// ErrLed says that another program leads campaigns in a database.
var ErrLed = errors.New("another campaign at work, expected one at a time: wait for it, or take another database")

// Lead makes this program the one that leads campaigns in the database, or sees that it still
// is, which it is not after the server was gone. The error is ErrLed if somebody else has
// come in between. Only one goroutine may call it.
func (s *Store) Lead() error {
	return s.Try(func(ctx context.Context) error { return s.lead(ctx, waitToRegain) })
}

func (s *Store) lead(ctx context.Context, wait time.Duration) error {
	if s.far.lead != nil && s.far.lead.Ping(ctx) == nil {
		return nil
	}
	s.far.letGo()
	conn, err := pgx.ConnectConfig(ctx, s.far.pool.Config().ConnConfig)
	if err != nil {
		return err
	}
	if err := lock(ctx, conn, wait); err != nil {
		return errors.Join(err, conn.Close(ctx))
	}
	s.far.lead = conn
	return nil
}

func lock(ctx context.Context, conn *pgx.Conn, wait time.Duration) error {
	if _, err := conn.Exec(ctx, quickly); err != nil {
		return err
	}
	for began := time.Now(); ; time.Sleep(50 * time.Millisecond) {
		var held bool
		err := conn.QueryRow(ctx, `SELECT pg_try_advisory_lock($1, (`+toLead+`))`, int32(ours)).Scan(&held)
		switch {
		case err != nil || held:
			return err
		case time.Since(began) >= wait:
			return fmt.Errorf("has %w", ErrLed)
		}
	}
}

// letGo gives the lock back, and says so: a server lets go of what an ended connection held, but
// whoever asks next may come before that.
func (f *far) letGo() {
	if f.lead == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(f.ctx), waitToLead)
	defer cancel()
	_, _ = f.lead.Exec(ctx, `SELECT pg_advisory_unlock_all()`) // a broken connection has lost it
	_ = f.lead.Close(ctx)
	f.lead = nil
}

// led says whether somebody leads.
func (s *Store) led() (led bool, err error) {
	err = s.Try(func(ctx context.Context) error {
		return s.db.QueryRowContext(ctx, `SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND granted
AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
AND classid = $1 AND objid::int4 = (`+toLead+`) AND objsubid = 2)`, ours).Scan(&led)
	})
	return led, err
}
