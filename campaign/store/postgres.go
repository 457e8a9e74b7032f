package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"

	"github.com/rashomon-go/rashomon/campaign"
)

// mark is a table that a database of ours has before all others. It has the version of
// the schema.
const mark = "rashomon_schema"

// maxConns is how many connections a program has, unless the URL says pool_max_conns: a
// server takes a hundred by default.
const maxConns = 4

// minConns is what it takes to migrate: one for the lock, and two to do it.
const minConns = 3

// isURL says whether a name is one of PostgreSQL, and not of a directory.
func isURL(name string) bool {
	return strings.HasPrefix(name, "postgres://") || strings.HasPrefix(name, "postgresql://")
}

// Connect opens the campaigns of a PostgreSQL database, or of its schema that search_path
// names first, to lead one: only one program at a time may do so (Lead). Tables are made if they
// are missing. Whatever is done later waits as long as the database is gone, until
// ctx is cancelled; say, unless it is nil, is told about that.
func Connect(ctx context.Context, url string, say func(string)) (*Store, error) {
	return connect(ctx, url, say, true)
}

// Join is as Connect for all others: it does not lead, and changes no tables. The error is ErrNone if there are none.
func Join(ctx context.Context, url string, say func(string)) (*Store, error) {
	return connect(ctx, url, say, false)
}

func connect(ctx context.Context, source string, say func(string), may bool) (*Store, error) {
	u, err := url.Parse(source)
	if err != nil || !isURL(source) { // not err, which may tell the password
		return nil, errors.New("that is no address of a database, expected one such as postgres://user@host/database")
	}
	config, err := pgxpool.ParseConfig(source)
	if err != nil {
		if bad := (*pgconn.ParseConfigError)(nil); errors.As(err, &bad) && bad.Unwrap() != nil {
			err = bad.Unwrap() // without the address, which may have a password at its end
		}
		return nil, fmt.Errorf("that is no address of a database (%s), expected one such as postgres://user@host/database", oneLine(err))
	}
	if !u.Query().Has("pool_max_conns") {
		config.MaxConns = maxConns
	}
	if config.MaxConns < minConns {
		return nil, fmt.Errorf("pool_max_conns %d, expected %d or more", config.MaxConns, minConns)
	}
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, err
	}
	s := &Store{db: stdlib.OpenDBFromPool(pool), path: name(u), locking: ` FOR UPDATE`}
	s.plain = s.plainPostgres
	s.far = &far{ctx: ctx, pool: pool, path: s.path, say: say}
	if err := s.preparePostgres(ctx, may); err != nil {
		return nil, errors.Join(s.plain(err), s.Close())
	}
	return s, nil
}

// name is an address for messages: without a password.
func name(u *url.URL) string {
	short := url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}
	if name := u.User.Username(); name != "" {
		short.User = url.User(name)
	}
	return short.String()
}

// preparePostgres sees that the database is one of ours, and of this version.
func (s *Store) preparePostgres(ctx context.Context, may bool) error {
	var schema sql.NullString
	var tables int
	var marked bool
	look := func() error {
		return s.db.QueryRowContext(ctx, `SELECT current_schema(), count(*), coalesce(bool_or(tablename = $1), false)
FROM pg_tables WHERE schemaname = current_schema()`, mark).Scan(&schema, &tables, &marked)
	}
	migrate := func() error {
		return s.migrate(ctx, goose.DialectPostgres, "postgres", may, goose.WithTableName(mark))
	}
	if err := look(); err != nil {
		return err
	}
	switch {
	case !schema.Valid:
		return errors.New("has no schema to look for tables in, expected one that search_path names")
	case !marked && tables > 0:
		return errors.New("is a database of another program, expected one that check fuzz wrote, or an empty one")
	case !marked && !may:
		return fmt.Errorf("has %w, expected one at least", ErrNone)
	case !may:
		return migrate()
	}
	if err := s.lead(ctx, waitToLead); err != nil {
		return err
	}
	return s.Alone(ctx, migrate)
}

// Alone does something while no other program does so.
func (s *Store) Alone(ctx context.Context, do func() error) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() // which gives the lock back
	if _, err := tx.ExecContext(ctx, `SELECT pg_advisory_xact_lock($1)`, ours); err != nil {
		return err
	}
	return do()
}

// Pool is the connections to PostgreSQL.
func (s *Store) Pool() *pgxpool.Pool { return s.far.pool }

// savepoint lets a library that wants a transaction of its own work within ours.
var savepoint = pgx.TxOptions{BeginQuery: "SAVEPOINT also", CommitQuery: "RELEASE SAVEPOINT also"}

// KeepAnd commits a batch as Keep does, and something else with it, in PostgreSQL. It
// adds no time to the campaign's: many may keep batches at a time.
func (c *Campaign) KeepAnd(b *campaign.Batch, also func(context.Context, pgx.Tx) error) error {
	return c.store.Try(func(ctx context.Context) error {
		conn, err := c.store.db.Conn(ctx)
		if err != nil {
			return err
		}
		defer conn.Close()
		tx, err := conn.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		defer tx.Rollback() // without effect after Commit
		if err := c.keep(tx, b, 0); err != nil {
			return err
		}
		err = conn.Raw(func(driver any) error {
			return pgx.BeginTxFunc(ctx, driver.(*stdlib.Conn).Conn(), savepoint, func(tx pgx.Tx) error { return also(ctx, tx) })
		})
		if err != nil {
			return err
		}
		return tx.Commit()
	})
}

// notPrepared are what a server says that got statements of several programs on one connection.
var notPrepared = []string{"42P05", "26000"}

// plainPostgres says of which database something is wrong, in one line.
func (s *Store) plainPostgres(err error) error {
	var refused *pgconn.PgError
	var unreachable *pgconn.ConnectError
	switch {
	case errors.As(err, &refused) && strings.HasPrefix(refused.Code, "28") && s.far.pool.Config().ConnConfig.Password == "":
		return fmt.Errorf("%s: %s, expected a password in PGPASSWORD or ~/.pgpass, for a user whom the server accepts", s.path, refused.Message)
	case errors.As(err, &refused) && strings.HasPrefix(refused.Code, "28"):
		return fmt.Errorf("%s: %s, expected a user and password that the server accepts", s.path, refused.Message)
	case errors.As(err, &refused) && refused.Code == "3D000":
		return fmt.Errorf("%s: %s, expected one that exists", s.path, refused.Message)
	case errors.As(err, &refused) && refused.Code == "42501":
		return fmt.Errorf("%s: %s, expected a user who may make and use tables", s.path, refused.Message)
	case errors.As(err, &refused) && refused.Code == "53100":
		return fmt.Errorf("%s: the server's disk is full; what was done before is kept, and check fuzz --resume goes on", s.path)
	case errors.As(err, &refused) && slices.Contains(notPrepared, refused.Code):
		return fmt.Errorf("%s: %s, expected the server itself, or a pooler that keeps a connection for a whole session", s.path, refused.Message)
	case errors.As(err, &unreachable):
		return fmt.Errorf("%s cannot be reached (%s), expected a PostgreSQL server", s.path, oneLine(err))
	case gone(err):
		return fmt.Errorf("%s is gone (%s), expected a PostgreSQL server", s.path, oneLine(err))
	case refused != nil:
		return fmt.Errorf("%s: %w", s.path, err)
	}
	return fmt.Errorf("%s %w", s.path, err)
}

// oneLine is the first line of an error that tells of several attempts to connect.
func oneLine(err error) string {
	if unreachable := (*pgconn.ConnectError)(nil); errors.As(err, &unreachable) {
		err = unreachable.Unwrap()
	}
	line, _, _ := strings.Cut(strings.TrimSpace(err.Error()), "\n")
	return line
}
