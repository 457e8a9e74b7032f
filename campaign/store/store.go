// Package store keeps campaigns in a SQLite database. Each batch of runs is
// committed with all that came of it in one transaction, so that a program that is
// killed at any moment has lost nothing that was done, and counts nothing twice.
package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/gofrs/flock"
	"github.com/pressly/goose/v3"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// File is what the database is called in its directory.
const File = "campaign.db"

// lockFile is held by the one program that writes to the directory. The system lets
// go of it when that program dies, however it dies.
const lockFile = "campaign.lock"

// ours marks our databases: SQLite's application_id.
const ours = 0x5261736f

//go:embed migrations/*.sql
var migrations embed.FS

// Store is the campaigns of one directory. It may be used by one goroutine at a
// time.
type Store struct {
	db    *sql.DB
	lock  *flock.Flock // nil if it is for reading
	path  string
	marks marks
}

// ErrNone says that a directory has no campaigns.
var ErrNone = errors.New("no campaign")

// Open opens the campaigns of a directory for writing. Both are made if they are
// missing. Only one program at a time may do so.
func Open(dir string) (*Store, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	lock := flock.New(filepath.Join(dir, lockFile))
	held, err := lock.TryLock()
	if err == nil && !held { // perhaps somebody only looks whether it is (Busy)
		time.Sleep(50 * time.Millisecond)
		held, err = lock.TryLock()
	}
	switch {
	case err != nil:
		return nil, err
	case !held:
		return nil, fmt.Errorf("%s: another campaign is at work here, expected one at a time: wait for it, or take another directory", dir)
	}
	s := &Store{path: filepath.Join(dir, File), lock: lock}
	if err := s.open("rwc"); err != nil {
		return nil, errors.Join(err, lock.Unlock())
	}
	return s, nil
}

// Read opens the campaigns of a directory for reading, also while another program
// writes to it. The error is ErrNone if there are none.
func Read(dir string) (*Store, error) {
	s := &Store{path: filepath.Join(dir, File)}
	if _, err := os.Stat(s.path); errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: %w here, expected a directory that check fuzz wrote to", dir, ErrNone)
	}
	return s, s.open("rw") // to read a log, SQLite must be able to write beside it
}

// Close ends the use of the store.
func (s *Store) Close() error {
	err := errors.Join(s.db.Close(), s.closeMarks())
	if s.lock != nil {
		err = errors.Join(err, s.lock.Unlock())
	}
	return err
}

func (s *Store) open(mode string) (err error) {
	path, err := filepath.Abs(s.path)
	if err != nil {
		return err
	}
	path = "/" + strings.TrimPrefix(filepath.ToSlash(path), "/") // also before the letter of a drive
	source := url.URL{Scheme: "file", Path: path}
	source.RawQuery = url.Values{
		"mode":    {mode},
		"_txlock": {"immediate"},
		"_pragma": {"busy_timeout(10000)", "foreign_keys(1)", "synchronous(normal)"},
	}.Encode()
	if s.db, err = sql.Open("sqlite", source.String()); err != nil {
		return err
	}
	s.db.SetMaxOpenConns(1)
	if err = s.prepare(); err != nil {
		s.db.Close()
		return s.plain(err)
	}
	return nil
}

// prepare sees that the database is one of ours, whole, and of this version.
func (s *Store) prepare() error {
	var id, tables int
	if err := s.db.QueryRow(`PRAGMA application_id`).Scan(&id); err != nil {
		return err
	}
	if err := s.db.QueryRow(`SELECT count(*) FROM sqlite_schema`).Scan(&tables); err != nil {
		return err
	}
	switch {
	case id != ours && tables > 0:
		return errors.New("is a database of another program, expected one that check fuzz wrote")
	case id != ours && s.lock == nil:
		return fmt.Errorf("has %w, expected one at least", ErrNone)
	case id != ours: // it is ours before anything is in it, lest somebody be killed in between
		if _, err := s.db.Exec(fmt.Sprintf(`PRAGMA journal_mode = wal; PRAGMA application_id = %d`, ours)); err != nil {
			return err
		}
	}
	var sound string
	if err := s.db.QueryRow(`PRAGMA quick_check(1)`).Scan(&sound); err != nil {
		return err
	}
	if sound != "ok" {
		return fmt.Errorf("is damaged (%s), expected a database that is whole: move it away; what was found is also in files beside it", sound)
	}
	return s.migrate()
}

func (s *Store) migrate() error {
	sub, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	p, err := goose.NewProvider(goose.DialectSQLite3, s.db, sub)
	if err != nil {
		return err
	}
	ctx := context.Background()
	version, latest, err := p.GetVersions(ctx)
	switch {
	case err != nil:
		return err
	case version > latest:
		return fmt.Errorf("has schema %d, expected %d at most: a newer program wrote it", version, latest)
	case version == latest:
		return nil
	case s.lock == nil:
		return fmt.Errorf("has schema %d, expected %d: check fuzz --resume brings it up to date", version, latest)
	}
	_, err = p.Up(ctx)
	return err
}

// plain says in which file something is wrong, and what in words of our own where
// SQLite's are short.
func (s *Store) plain(err error) error {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return fmt.Errorf("%s %w", s.path, err)
	}
	switch e.Code() & 0xff {
	case sqlite3.SQLITE_NOTADB:
		return fmt.Errorf("%s is no database, or encrypted; expected one that check fuzz wrote", s.path)
	case sqlite3.SQLITE_CORRUPT:
		return fmt.Errorf("%s is damaged (%w), expected a database that is whole: move it away; what was found is also in files beside it", s.path, err)
	case sqlite3.SQLITE_FULL:
		return fmt.Errorf("%s: the disk is full; what was done before is kept, and check fuzz --resume goes on", s.path)
	case sqlite3.SQLITE_BUSY:
		return fmt.Errorf("%s: another program is at work in it, expected one at a time", s.path)
	}
	return fmt.Errorf("%s: %w", s.path, err)
}

// write does something to the database as a whole, or not at all.
func (s *Store) write(do func(*sql.Tx) error) error {
	tx, err := s.db.Begin()
	if err != nil {
		return s.plain(err)
	}
	defer tx.Rollback() // without effect after Commit
	if err := do(tx); err != nil {
		return s.plain(err)
	}
	if err := tx.Commit(); err != nil {
		return s.plain(err)
	}
	return nil
}

// now is in seconds.
func now() int64 { return time.Now().Unix() }
