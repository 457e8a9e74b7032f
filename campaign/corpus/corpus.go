// Package corpus has the corpus of a campaign: a directory of scenarios that once failed,
// one of each signature. Campaigns run them first, so that what was mended stays so.
//
// The files are called by the signature of the failure, such as 0badcafe.yaml.
package corpus

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/rashomon-go/rashomon"
	"github.com/rashomon-go/rashomon/campaign/store"
	"github.com/rashomon-go/rashomon/checker"
	"github.com/rashomon-go/rashomon/internal/wholefile"
	"github.com/rashomon-go/rashomon/systems"
)

// extension is that of the files.
const extension = ".yaml"

// Outcome is what came of a scenario, for programs and people.
type Outcome struct {
	File     string `json:"file"` // with its directory, and slashes
	Verdict  string `json:"verdict"`
	Sentence string `json:"sentence,omitempty"`
	Muted    bool   `json:"muted,omitempty"` // somebody knows the failure
}

// Fails says whether the scenario fails, and nobody knows of that.
func (o Outcome) Fails() bool { return o.Verdict == checker.Invalid.String() && !o.Muted }

// Run runs all scenarios of a directory, in the order of their names. A directory that is not
// there has none. The error is an fs.PathError if the directory or a file cannot be read, and
// else says which scenario is wrong, and where.
func Run(dir string, mutes []store.Mute) (all []Outcome, err error) {
	files, err := scenarios(dir)
	if err != nil {
		return nil, err
	}
	for _, name := range files {
		o, err := run(filepath.Join(dir, name))
		if err != nil {
			return nil, err
		}
		signature := strings.TrimSuffix(name, extension)
		o.Muted = slices.ContainsFunc(mutes, func(m store.Mute) bool { return m.Signature == signature })
		all = append(all, o)
	}
	return all, nil
}

// scenarios returns the names of the scenarios in a directory, in their order. A directory that
// is not there has none.
func scenarios(dir string) (names []string, err error) {
	files, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	for _, f := range files {
		if strings.HasSuffix(f.Name(), extension) {
			names = append(names, f.Name())
		}
	}
	return names, nil
}

func run(name string) (o Outcome, err error) {
	f, err := os.Open(name)
	if err != nil {
		return o, err
	}
	defer f.Close()
	sc, system, err := rashomon.LoadScenario(f, name, systems.Find)
	if err != nil {
		return o, err
	}
	r, err := rashomon.Run(system, sc, rashomon.Options{})
	if err != nil {
		return o, fmt.Errorf("%s: %w", name, err)
	}
	return Outcome{File: filepath.ToSlash(name), Verdict: r.Verdict.String(), Sentence: r.Sentence}, nil
}

// Fill writes the smallest example of each failure that is not in the directory yet, and
// makes the directory if there is one. What planted bugs do is no defect, and what crashes
// cannot be there: the scenarios are run in the process of their campaign.
func Fill(dir string, found []store.Group) error {
	for _, g := range found {
		if g.Bug != "" || g.Crash() {
			continue
		}
		if err := add(dir, g.ID()+extension, []byte(g.Scenario)); err != nil {
			return err
		}
	}
	return nil
}

// Copy adds the scenarios of one directory to another, but for those that are there. A
// directory that is not there has none.
func Copy(from, to string) error {
	files, err := scenarios(from)
	if err != nil {
		return err
	}
	for _, name := range files {
		content, err := os.ReadFile(filepath.Join(from, name))
		if err != nil {
			return err
		}
		if err := add(to, name, content); err != nil {
			return err
		}
	}
	return nil
}

// add writes a file that is not there yet.
func add(dir, name string, content []byte) error {
	path := filepath.Join(dir, name)
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	return wholefile.Write(path, func(w io.Writer) error {
		_, err := w.Write(content)
		return err
	})
}
