// Package wholefile writes files that are there whole or not at all.
package wholefile

import (
	"io"
	"os"
	"path/filepath"
)

// Write writes a file under a temporary name beside path and renames it when
// everything is written. If anything fails, nothing is left behind, and a file
// that was there before is as it was.
func Write(path string, write func(io.Writer) error) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			f.Close() // a second Close does no harm
			os.Remove(f.Name())
		}
	}()
	if err = write(f); err != nil {
		return err
	}
	if err = f.Chmod(0o644); err != nil {
		return err
	}
	if err = f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
