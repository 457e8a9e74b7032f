package store

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/gofrs/flock"
)

// Busy says whether some program leads a campaign here: has the directory open for writing,
// or leads in the database. What is read after it has said no is all that there will be, until
// another one comes.
func (s *Store) Busy() (bool, error) {
	if s.far != nil {
		return s.led()
	}
	if s.lock != nil {
		return true, nil // it is us
	}
	name := filepath.Join(filepath.Dir(s.path), lockFile)
	lock := flock.New(name, flock.SetFlag(os.O_RDONLY))
	switch shared, err := lock.TryRLock(); {
	case errors.Is(err, fs.ErrNotExist): // somebody has copied the database alone
		return false, nil
	case errors.Is(err, fs.ErrPermission): // whoever writes has this file, too, but it stays behind if he is killed
		_, err := os.Stat(s.path + "-shm")
		return err == nil, nil
	case err != nil:
		return false, err
	case !shared:
		return true, nil
	}
	return false, lock.Unlock()
}

// unended says whether the last campaign in a directory has begun to make runs and has not
// come to its end.
func (s *Store) unended() (bool, error) {
	_, err := os.Stat(s.marksFile())
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}
