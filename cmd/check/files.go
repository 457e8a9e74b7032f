package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/rashomon-go/rashomon"
	"github.com/rashomon-go/rashomon/systems"
)

// open opens a file to read; - is standard input.
func open(in io.Reader, name string) (io.ReadCloser, error) {
	if name == "-" {
		return io.NopCloser(in), nil
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("%w, expected a file that can be read", plainError(err))
	}
	if info, err := f.Stat(); err == nil && info.IsDir() {
		f.Close()
		return nil, fmt.Errorf("%s: is a directory, expected a file", name)
	}
	return f, nil
}

// plainError says "name: what is wrong" without the name of a system call.
func plainError(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return fmt.Errorf("%s: %w", path.Path, path.Err)
	}
	return err
}

func readScenario(in io.Reader, name string) (*rashomon.Scenario, *rashomon.System, error) {
	f, err := open(in, name)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	return rashomon.LoadScenario(f, name, systems.Find)
}

func noArguments(_ *cobra.Command, args []string) error {
	if len(args) > 0 {
		return fmt.Errorf("unexpected %q, expected flags alone", args[0])
	}
	return nil
}

func exactlyOneFile(_ *cobra.Command, args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("%d files, expected one scenario file, or - for standard input", len(args))
	}
	return nil
}

// maxOperations is how many operations a run may be asked to have.
const maxOperations = 1_000_000

func validOperations(n int) error {
	if n < 1 || n > maxOperations {
		return fmt.Errorf("--operations %d, expected 1..%d", n, maxOperations)
	}
	return nil
}

// writable says early whether files can be written to the directory of a flag, and
// makes it.
func writable(flag, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("%s: %w, expected a directory to write to", flag, plainError(err))
	}
	return takesFiles(flag, dir)
}

// writableFile says early whether the file of a flag can be written. It is replaced as
// a whole, so it must not be a device; its directory must be there.
func writableFile(flag, file string) error {
	switch info, err := os.Stat(file); {
	case err == nil && info.IsDir():
		return fmt.Errorf("%s: %s: is a directory, expected a file to write", flag, file)
	case err == nil && !info.Mode().IsRegular():
		return fmt.Errorf("%s: %s: is a device or a pipe, expected a file to write", flag, file)
	}
	return takesFiles(flag, filepath.Dir(file))
}

func takesFiles(flag, dir string) error {
	f, err := os.CreateTemp(dir, ".check.*")
	if err != nil {
		return fmt.Errorf("%s: %s: %w, expected a directory to write to", flag, dir, errors.Unwrap(err))
	}
	f.Close()
	return os.Remove(f.Name())
}
