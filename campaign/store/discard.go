package store

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// Discard is Close for who has opened a directory for nothing: what Open has made there,
// and the directory, are taken away, unless something else is in it by now. What was there
// before stays.
func (s *Store) Discard() error {
	err := s.db.Close()           // takes SQLite's own files away
	for _, name := range s.made { // before another program can have the lock
		os.Remove(name) // or there is something in it
	}
	return errors.Join(err, s.Close())
}

// missing returns those of the names that are not there, and the directories above the
// last one that are not.
func missing(names ...string) (list []string) {
	absent := func(name string) bool {
		_, err := os.Lstat(name)
		return errors.Is(err, fs.ErrNotExist)
	}
	for _, name := range names {
		if absent(name) {
			list = append(list, name)
		}
	}
	for dir := filepath.Dir(names[len(names)-1]); absent(dir); dir = filepath.Dir(dir) {
		list = append(list, dir)
	}
	return list
}
