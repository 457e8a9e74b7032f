package store

import (
	"context"
	"database/sql"
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

// Open opens the campaigns of a directory for writing. Both are made if they are
// missing. Only one program at a time may do so.
func Open(dir string) (*Store, error) {
	made := missing(filepath.Join(dir, lockFile), dir)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	lock := flock.New(filepath.Join(dir, lockFile), flock.SetPermissions(0o644)) // for Busy
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
	s := newSQLite(dir)
	s.lock, s.made = lock, append(missing(s.path), made...)
	if err := s.open("rwc"); err != nil {
		return nil, errors.Join(err, lock.Unlock())
	}
	return s, nil
}

// Read opens the campaigns of a directory for reading, also while another program
// writes to it. Of a directory that cannot be written to, it may be what was there when
// it was opened. The error is ErrNone if there are none.
func Read(dir string) (*Store, error) {
	s := newSQLite(dir)
	file, err := os.Stat(s.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: %w here, expected a directory that check fuzz wrote to", dir, ErrNone)
	}
	err = s.open("rw") // to read a log, SQLite must be able to write beside it
	if sealed(err) && file != nil && file.Mode().IsRegular() {
		err = s.openSealed()
	}
	return s, err
}

func newSQLite(dir string) *Store {
	s := &Store{path: filepath.Join(dir, File)}
	s.plain = s.plainSQLite
	return s
}

func (s *Store) open(mode string) error {
	return s.openFile(s.path, url.Values{"mode": {mode}})
}

// openFile opens the database, or a copy of it.
func (s *Store) openFile(path string, query url.Values) error {
	path, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	path = "/" + strings.TrimPrefix(filepath.ToSlash(path), "/") // also before the letter of a drive
	source := url.URL{Scheme: "file", Path: path}
	query["_txlock"] = []string{"immediate"}
	query["_pragma"] = []string{"busy_timeout(10000)", "foreign_keys(1)", "synchronous(normal)"}
	source.RawQuery = query.Encode()
	if s.db, err = sql.Open("sqlite", source.String()); err != nil {
		return err
	}
	s.db.SetMaxOpenConns(1)
	if err = s.prepareSQLite(); err != nil {
		s.db.Close()
		return s.plain(err)
	}
	return nil
}

// prepareSQLite sees that the database is one of ours, whole, and of this version.
func (s *Store) prepareSQLite() error {
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
		return fmt.Errorf(damaged, errors.New(sound))
	}
	return s.migrate(context.Background(), goose.DialectSQLite3, "sqlite", s.lock != nil)
}

const damaged = "is damaged (%w), expected a database that is whole: move it away; what was found is also in files beside it"

// plainSQLite says in which file something is wrong, and what in words of our own where
// SQLite's are short.
func (s *Store) plainSQLite(err error) error {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return fmt.Errorf("%s %w", s.path, err)
	}
	switch e.Code() & 0xff {
	case sqlite3.SQLITE_NOTADB:
		return fmt.Errorf("%s is no database, or encrypted; expected one that check fuzz wrote", s.path)
	case sqlite3.SQLITE_CORRUPT:
		return fmt.Errorf("%s "+damaged, s.path, err)
	case sqlite3.SQLITE_FULL:
		return fmt.Errorf("%s: the disk is full; what was done before is kept, and check fuzz --resume goes on", s.path)
	case sqlite3.SQLITE_BUSY:
		return fmt.Errorf("%s: another program is at work in it, expected one at a time", s.path)
	case sqlite3.SQLITE_CANTOPEN:
		return fmt.Errorf("%s cannot be opened (%w), expected a file and a directory that may be read, and written to by who writes", s.path, err)
	case sqlite3.SQLITE_READONLY:
		return fmt.Errorf("%s cannot be written to (%w), expected a file and a directory that may be written to", s.path, err)
	case sqlite3.SQLITE_IOERR:
		return fmt.Errorf("%s cannot be read or written (%w), expected a disk that works", s.path, err)
	}
	return fmt.Errorf("%s: %w", s.path, err)
}
