package main

import (
	"encoding/json"
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
	"github.com/rashomon-go/rashomon/internal/english"
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

// fillCorpus adds an example of each failure of a campaign that is not there yet. What
// planted bugs do, and what breaks beyond the budget of faults, is no defect. What
// crashes cannot be there: the scenarios are run in this process.
func (k *keeper) fillCorpus(of store.Info) error {
	var p kept
	if err := json.Unmarshal(of.Plan, &p); err != nil || p.BeyondBudget {
		return err
	}
	groups, err := k.store.Groups(of.ID)
	if err != nil {
		return err
	}
	for _, g := range groups {
		name := filepath.Join(k.corpus, g.ID()+".yaml")
		if _, err := os.Stat(name); err == nil || g.Bug != "" || g.Crash() {
			continue
		}
		if err := os.MkdirAll(k.corpus, 0o755); err != nil {
			return notWritten("--corpus", k.corpus, err)
		}
		err := wholefile.Write(name, func(w io.Writer) error {
			_, err := io.WriteString(w, g.Scenario)
			return err
		})
		if err != nil {
			return notWritten("--corpus", name, err)
		}
	}
	return nil
}

// lastIntoCorpus fills the corpus with what the last campaign found: at its end, and before
// the next one begins, in case that it was killed.
func (k *keeper) lastIntoCorpus() error {
	last, err := k.store.Find(0)
	switch {
	case errors.Is(err, store.ErrNone):
		return nil
	case err != nil:
		return err
	}
	return k.fillCorpus(last)
}

// stillFails says whether a scenario of the corpus fails, and nobody knows of that.
func (c corpusReport) stillFails() bool { return c.Verdict == checker.Invalid.String() && !c.Muted }

func (r fuzzReport) corpus(b *strings.Builder) {
	failing := slices.DeleteFunc(slices.Clone(r.Corpus), func(c corpusReport) bool { return !c.stillFails() })
	if len(r.Corpus) == 0 {
		return
	}
	fmt.Fprintf(b, "\ncorpus: %s that once failed, %d of them still\n", english.Plural(len(r.Corpus), "scenario"), len(failing))
	for _, c := range failing {
		fmt.Fprintf(b, "  %s\n  replay: %s\n", c.Sentence, replayCommand(c.File))
	}
}
