// Package store keeps campaigns in a SQLite database of their own, or in PostgreSQL,
// where many machines work on one. Each batch of runs is committed with all that came of
// it in one transaction, so that a program that is killed at any moment has lost nothing
// that was done, and counts nothing twice.
package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
	"github.com/pressly/goose/v3"
)

//go:embed migrations
var migrations embed.FS

// Store is the campaigns of one database. One in SQLite may be used by one goroutine at
// a time, one in PostgreSQL by many.
type Store struct {
	db    *sql.DB
	path  string // of the file, or an address without a password
	plain func(error) error
	made  []string     // what Open has made, the innermost first
	lock  *flock.Flock // of a directory that is open for writing
	marks marks        // of a directory
	copy  string       // directory of a copy that is read in place of the database, or ""
	far   *far         // nil for SQLite
	// locking ends a query for a row that others must not write to until the transaction
	// has ended. In SQLite they do not anyway.
	locking string
}

// ErrNone says that a database has no campaigns.
var ErrNone = errors.New("no campaign")

// String names the directory, or the database, as messages do: without a password.
func (s *Store) String() string {
	if s.far == nil {
		return filepath.ToSlash(filepath.Dir(s.path))
	}
	return s.path
}

// Close ends the use of the store.
func (s *Store) Close() error {
	err := errors.Join(s.db.Close(), s.closeMarks())
	if s.far != nil {
		s.far.letGo()
		s.far.pool.Close()
	}
	if s.copy != "" {
		err = errors.Join(err, os.RemoveAll(s.copy))
	}
	if s.lock != nil {
		err = errors.Join(err, s.lock.Unlock())
	}
	return err
}

// migrate sees that the schema is the one that this program knows, and brings an older one
// up to date if it may.
func (s *Store) migrate(ctx context.Context, dialect goose.Dialect, dir string, may bool, options ...goose.ProviderOption) error {
	sub, err := fs.Sub(migrations, "migrations/"+dir)
	if err != nil {
		return err
	}
	p, err := goose.NewProvider(dialect, s.db, sub, options...)
	if err != nil {
		return err
	}
	version, latest, err := p.GetVersions(ctx)
	switch {
	case err != nil:
		return err
	case version > latest:
		return fmt.Errorf("has schema %d, expected %d at most: a newer program wrote it", version, latest)
	case version == latest:
		return nil
	case !may && version == 0: // somebody is about to make its tables
		return fmt.Errorf("has %w yet, expected one at least", ErrNone)
	case !may:
		return fmt.Errorf("has schema %d, expected %d: check fuzz --resume brings it up to date", version, latest)
	}
	_, err = p.Up(ctx)
	return err
}

// write does something to the database as a whole, or not at all. PostgreSQL may have
// done it although it comes again, if the answer was lost: what must not be done twice
// refuses that.
func (s *Store) write(do func(*sql.Tx) error) error {
	return s.Try(func(ctx context.Context) error {
		tx, err := s.db.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		defer tx.Rollback() // without effect after Commit
		if err := do(tx); err != nil {
			return err
		}
		return tx.Commit()
	})
}

// Try does something, and again as long as the database is gone.
func (s *Store) Try(do func(context.Context) error) (err error) {
	if s.far != nil {
		err = s.far.try(do)
	} else {
		err = do(context.Background())
	}
	if err != nil {
		return s.plain(err)
	}
	return nil
}

// now is in seconds.
func now() int64 { return time.Now().Unix() }
