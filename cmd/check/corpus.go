package main

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
	"github.com/rashomon-go/rashomon/checker"
	"github.com/rashomon-go/rashomon/internal/wholefile"
)

// corpusReport is what came of a scenario that once failed.
type corpusReport struct {
	File     string `json:"file"`
	Verdict  string `json:"verdict"`
	Sentence string `json:"sentence,omitempty"`
	Muted    bool   `json:"muted,omitempty"`
}

// runCorpus runs all scenarios of the corpus, in the order of their names. Their files
// are called by the signature of the failure, such as 0badcafe.yaml.
func (k *keeper) runCorpus() (all []corpusReport, err error) {
	files, err := os.ReadDir(k.corpus)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("--corpus: %w, expected a directory of scenarios", plainError(err))
	}
	for _, f := range files {
		if filepath.Ext(f.Name()) != ".yaml" {
			continue
		}
		name := filepath.Join(k.corpus, f.Name())
		sc, system, err := readScenario(nil, name)
		if err != nil {
			return nil, err
		}
		r, err := rashomon.Run(system, sc, rashomon.Options{})
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		one := corpusReport{File: filepath.ToSlash(name), Verdict: r.Verdict.String(), Sentence: r.Sentence}
		one.Muted = k.muted(strings.TrimSuffix(f.Name(), ".yaml"))
		all = append(all, one)
	}
	return all, nil
}

func (k *keeper) muted(signature string) bool {
	for _, m := range k.mutes {
		if m.Signature == signature {
			return true
		}
	}
	return false
}

// writeCorpus adds an example of each failure that is not there yet. Planted bugs are
// meant to fail.
func (k *keeper) writeCorpus(r *fuzzReport) (errs []error) {
	for _, g := range r.Groups {
		if g.Bug != "" {
			continue
		}
		name := filepath.Join(k.corpus, g.ID+".yaml")
		if _, err := os.Stat(name); err == nil {
			continue
		}
		err := os.MkdirAll(k.corpus, 0o755)
		if err == nil {
			err = wholefile.Write(name, func(w io.Writer) error {
				_, err := io.WriteString(w, g.scenario)
				return err
			})
		}
		if err != nil {
			errs = append(errs, notWritten("--corpus", name, err))
		}
	}
	return errs
}

// stillFails says whether a scenario of the corpus fails, and nobody knows of that.
func (c corpusReport) stillFails() bool { return c.Verdict == checker.Invalid.String() && !c.Muted }

func (r fuzzReport) corpus(b *strings.Builder) {
	failing := slices.DeleteFunc(slices.Clone(r.Corpus), func(c corpusReport) bool { return !c.stillFails() })
	if len(r.Corpus) == 0 {
		return
	}
	fmt.Fprintf(b, "\ncorpus: %s that once failed, %d of them still\n", plural(len(r.Corpus), "scenario"), len(failing))
	for _, c := range failing {
		fmt.Fprintf(b, "  %s\n  replay: %s\n", c.Sentence, replayCommand(c.File))
	}
}
