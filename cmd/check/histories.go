package main

import (
	"cmp"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/rashomon-go/rashomon/checker"
	"github.com/rashomon-go/rashomon/internal/english"
)

// historyFiles returns the files that the arguments name: a directory stands for
// the histories in it, and below.
func historyFiles(args []string) ([]string, error) {
	var files []string
	for _, arg := range args {
		info, err := os.Stat(arg)
		if arg == "-" || err != nil || !info.IsDir() {
			files = append(files, arg) // who opens it will say what is wrong
			continue
		}
		inside, err := historiesIn(arg)
		if err != nil {
			return nil, fmt.Errorf("%w, expected a directory that can be read", plainError(err))
		}
		if len(inside) == 0 {
			return nil, fmt.Errorf("%s: no histories, expected files that end in %s, perhaps with .gz behind", arg, strings.Join(endings, ", "))
		}
		files = append(files, inside...)
	}
	return files, nil
}

// endings are those of the files in a directory that are taken for histories.
var endings = []string{".jsonl", ".edn", ".log", ".txt"}

// historiesIn returns the histories in and below a directory, in the order of
// their names. Where there is a history.edn, as in a store of Jepsen, the other
// files tell the same once more, or something else.
func historiesIn(dir string) (list []string, err error) {
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		switch hidden := path != dir && strings.HasPrefix(d.Name(), "."); {
		case err != nil:
			return err
		case d.IsDir() && hidden:
			return fs.SkipDir
		case d.IsDir() || hidden || !slices.Contains(endings, filepath.Ext(strings.TrimSuffix(path, ".gz"))):
			return nil
		}
		if name := jepsens(filepath.Dir(path)); name == "" || name == d.Name() {
			list = append(list, path)
		}
		return nil
	})
	return list, err
}

// jepsens returns the name of Jepsen's history in a directory, if there is one.
func jepsens(dir string) string {
	for _, name := range []string{"history.edn", "history.edn.gz"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
			return name
		}
	}
	return ""
}

// tally counts what was said of several files.
type tally struct {
	files, refused int
	verdicts       map[checker.Verdict]int
	operations     int
	began          time.Time
}

func (t *tally) add(r *historyReport) {
	t.files++
	if t.verdicts == nil {
		t.verdicts = map[checker.Verdict]int{}
	}
	t.verdicts[r.verdict]++
	t.operations += r.Operations
}

// print writes a summary of more than one file.
func (t *tally) print(w io.Writer) error {
	if t.files+t.refused < 2 {
		return nil
	}
	parts := []string{}
	for _, v := range []checker.Verdict{checker.Valid, checker.Invalid, checker.Unknown} {
		if n := t.verdicts[v]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %v", n, v))
		}
	}
	if t.refused > 0 {
		parts = append(parts, fmt.Sprintf("%d not judged", t.refused))
	}
	_, err := fmt.Fprintf(w, "%s: %s; %s, %s\n", english.Plural(t.files+t.refused, "file"), strings.Join(parts, ", "),
		english.Plural(t.operations, "operation"), time.Since(t.began).Round(100*time.Microsecond))
	return err
}

// reading is a file being read. It says now and then how far it has come.
type reading struct {
	io.ReadCloser
	say   io.Writer
	name  string
	size  int64 // 0 if it is not known
	read  int64
	began time.Time
	said  time.Time
}

// readingOf watches how f is read.
func readingOf(f io.ReadCloser, name string, say io.Writer) *reading {
	r := &reading{ReadCloser: f, name: name, say: say, began: time.Now()}
	r.said = r.began
	if file, ok := f.(*os.File); ok {
		if info, err := file.Stat(); err == nil && info.Mode().IsRegular() {
			r.size = info.Size()
		}
	}
	return r
}

func (r *reading) Read(p []byte) (int, error) {
	n, err := r.ReadCloser.Read(p)
	r.read += int64(n)
	if now := time.Now(); now.Sub(r.said) >= between {
		r.said = now
		of := ""
		if r.size > 0 {
			of = fmt.Sprintf(", %d %%", 100*r.read/max(r.size, r.read))
		}
		fmt.Fprintf(r.say, "%v: %s, %d MB read%s\n", now.Sub(r.began).Round(time.Second), r.name, r.read>>20, of)
	}
	return n, err
}

// claimNames are the claims that a history can be judged by.
func claimNames() []string {
	names := []string{}
	for _, c := range checker.Claims() {
		names = append(names, c.Name)
	}
	return names
}

// claimNamed returns a claim, or an error that names those that there are.
func claimNamed(name string) (checker.Claim, error) {
	c, ok := checker.ClaimNamed(cmp.Or(name, "linearizable"))
	if !ok {
		return c, fmt.Errorf("no claim %q, expected %s", name, strings.Join(claimNames(), ", "))
	}
	return c, nil
}
