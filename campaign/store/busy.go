package store

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/gofrs/flock"
)

// Busy says whether some program has the campaigns of the directory open for writing.
// What is read after it has said no is all that there will be, until another one comes.
func (s *Store) Busy() (bool, error) {
	if s.lock != nil {
		return true, nil // it is us
	}
	name := filepath.Join(filepath.Dir(s.path), lockFile)
	lock := flock.New(name, flock.SetFlag(os.O_RDONLY))
	switch shared, err := lock.TryRLock(); {
	case errors.Is(err, fs.ErrNotExist): // somebody has copied the database alone
		return false, nil
	case err != nil:
		return false, err
	case !shared:
		return true, nil
	}
	return false, lock.Unlock()
}
