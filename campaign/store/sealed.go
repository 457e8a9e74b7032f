package store

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// SQLite reads a database with a log only where it can write, or where another program
// that does is at work. Elsewhere, such as on a disk that is mounted for reading, there is
// no such program: the database is read as a file that never changes. But then SQLite
// looks at no log, and a campaign that was killed has left one. Such a database is read
// with its log from a copy.

// sealed says whether a database could not be opened because it cannot be written to.
func sealed(err error) bool {
	e, ok := errors.AsType[*sqlite.Error](err)
	if !ok {
		return false
	}
	code := e.Code() & 0xff
	return code == sqlite3.SQLITE_CANTOPEN || code == sqlite3.SQLITE_READONLY
}

// logSuffix is what SQLite puts behind the name of a database for that of its log.
const logSuffix = "-wal"

func (s *Store) openSealed() (err error) {
	switch log, err := os.Stat(s.path + logSuffix); {
	case errors.Is(err, fs.ErrNotExist), err == nil && log.Size() == 0:
		return s.openFile(s.path, url.Values{"mode": {"ro"}, "immutable": {"1"}})
	case err != nil:
		return fmt.Errorf("%w, expected a file that can be read", err)
	}
	if s.copy, err = os.MkdirTemp("", "campaign"); err != nil {
		return fmt.Errorf("%s has a log, and cannot be copied to read it: %w", s.path, err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(s.copy))
		}
	}()
	copied := filepath.Join(s.copy, File)
	for _, suffix := range []string{"", logSuffix} {
		if err := copyFile(s.path+suffix, copied+suffix); err != nil {
			return fmt.Errorf("%s has a log, and cannot be copied to read it: %w", s.path, err)
		}
	}
	return s.openFile(copied, url.Values{"mode": {"rw"}})
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}
