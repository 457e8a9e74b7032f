package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/rashomon-go/rashomon"
	"github.com/rashomon-go/rashomon/internal/english"
	"github.com/rashomon-go/rashomon/model"
)

// outcomesReport counts operations of one kind, for programs.
type outcomesReport struct {
	Kind       string `json:"kind"`
	OK         int    `json:"ok"`
	Failed     int    `json:"failed"`
	Unknown    int    `json:"unknown"`
	UnderFault int    `json:"under_fault"` // of all these
}

func newOutcomes(e *rashomon.Exercise) (all []outcomesReport) {
	for kind, o := range e.ByKind {
		if o.OK+o.Failed+o.Unknown > 0 {
			all = append(all, outcomesReport{model.Kind(kind).String(), o.OK, o.Failed, o.Unknown, o.Faulty})
		}
	}
	return all
}

// featureReport is how often a feature of a system was reached, for programs.
type featureReport struct {
	Name  string `json:"name"`
	Times int    `json:"times"`
	Runs  int    `json:"runs"`
}

func newFeatures(e *rashomon.Exercise) (all []featureReport) {
	for _, f := range e.Features {
		all = append(all, featureReport(f))
	}
	return all
}

// systemFeatures is what the runs of a system have reached of its protocol.
type systemFeatures struct {
	system  string
	runs    int
	reached []string // with the share of runs that did
	missed  []string
}

// features returns what was reached, system by system.
func (r *fuzzReport) features() (all []systemFeatures) {
	sums := map[string][]featureReport{}
	for i := range r.Cells {
		c := &r.Cells[i]
		at := slices.IndexFunc(all, func(s systemFeatures) bool { return s.system == c.name() })
		if at < 0 {
			at = len(all)
			all = append(all, systemFeatures{system: c.name()})
		}
		all[at].runs += c.Runs
		sums[c.name()] = added(sums[c.name()], c.Features)
	}
	for i := range all {
		s := &all[i]
		for _, f := range sums[s.system] {
			if f.Runs == 0 {
				s.missed = append(s.missed, f.Name)
			} else {
				s.reached = append(s.reached, fmt.Sprintf("%s %s", f.Name, percent(f.Runs, s.runs)))
			}
		}
	}
	return all
}

// reached prints in how many of its runs a system has reached what, and what no run has
// reached.
func (r fuzzReport) reached(w io.Writer) {
	for _, s := range r.features() {
		printList(w, fmt.Sprintf("%s, of %s", s.system, english.Plural(s.runs, "run")), s.reached)
		printList(w, s.system+", never reached", s.missed)
	}
}

// added adds counts feature by feature. Both lists begin with what the system has.
func added(sum, more []featureReport) []featureReport {
	for _, f := range more {
		at := 0
		for at < len(sum) && sum[at].Name != f.Name {
			at++
		}
		if at == len(sum) {
			sum = append(sum, featureReport{Name: f.Name})
		}
		sum[at].Times += f.Times
		sum[at].Runs += f.Runs
	}
	return sum
}

func printList(w io.Writer, what string, items []string) {
	if len(items) > 0 {
		fmt.Fprintf(w, "%s: %s\n", what, strings.Join(items, ", "))
	}
}
