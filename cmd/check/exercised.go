package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/rashomon-go/rashomon/campaign/verdict"
	"github.com/rashomon-go/rashomon/internal/english"
)

// systemFeatures is what the runs of a system have reached of its protocol.
type systemFeatures struct {
	system  string
	runs    int
	reached []string // with the share of runs that did
	missed  []string
}

// featuresOf returns what was reached, system by system.
func featuresOf(rows []verdict.Row) (all []systemFeatures) {
	sums := map[string][]verdict.Feature{}
	for i := range rows {
		c := &rows[i]
		at := slices.IndexFunc(all, func(s systemFeatures) bool { return s.system == c.Name() })
		if at < 0 {
			at = len(all)
			all = append(all, systemFeatures{system: c.Name()})
		}
		all[at].runs += c.Runs
		sums[c.Name()] = added(sums[c.Name()], c.Features)
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
	for _, s := range featuresOf(r.Rows) {
		printList(w, fmt.Sprintf("%s, of %s", s.system, english.Plural(s.runs, "run")), s.reached)
		printList(w, s.system+", never reached", s.missed)
	}
}

// added adds counts feature by feature. Both lists begin with what the system has.
func added(sum, more []verdict.Feature) []verdict.Feature {
	for _, f := range more {
		at := 0
		for at < len(sum) && sum[at].Name != f.Name {
			at++
		}
		if at == len(sum) {
			sum = append(sum, verdict.Feature{Name: f.Name})
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
