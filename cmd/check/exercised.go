package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/rashomon-go/rashomon"
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

// reached prints, system by system, in how many of its runs each feature was
// reached, and what no run has reached.
func (r fuzzReport) reached(w io.Writer) {
	var names []string
	runs, features := map[string]int{}, map[string][]featureReport{}
	for i := range r.Cells {
		c := &r.Cells[i]
		if _, known := runs[c.name()]; !known {
			names = append(names, c.name())
		}
		runs[c.name()] += c.Runs
		features[c.name()] = added(features[c.name()], c.Features)
	}
	for _, name := range names {
		var shares, missed []string
		for _, f := range features[name] {
			if f.Runs == 0 {
				missed = append(missed, f.Name)
			} else {
				shares = append(shares, fmt.Sprintf("%s %s", f.Name, percent(f.Runs, runs[name])))
			}
		}
		printList(w, fmt.Sprintf("%s, of %s", name, plural(runs[name], "run")), shares)
		printList(w, name+", never reached", missed)
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
