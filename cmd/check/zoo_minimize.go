package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/rashomon-go/rashomon"
	"github.com/rashomon-go/rashomon/campaign"
	"github.com/rashomon-go/rashomon/internal/cputime"
)

// minimizedReport is what is left of the first scenario in which a bug was caught.
type minimizedReport struct {
	Shows string `json:"shows"`
	sizeReport
	Before  sizeReport `json:"before"`
	Runs    int        `json:"runs"`
	Minimal bool       `json:"minimal"`
	Control string     `json:"control"` // the verdict on the correct system
	Seconds float64    `json:"cpu_seconds"`
}

// minimizeSighting shrinks what was caught first. It must be alone in the process: it
// measures processor time. Of a bug that was not caught, there is nothing.
func minimizeSighting(s *campaign.Sighting) (*minimizedReport, error) {
	if s.First == nil {
		return nil, nil
	}
	began := cputime.Used()
	shrunk, err := rashomon.Shrink(s.Broken, s.First, rashomon.ShrinkOptions{})
	if err != nil {
		return nil, err
	}
	took := cputime.Used() - began
	right := *shrunk.Scenario
	right.Bug = ""
	control, err := rashomon.Run(s.Right, &right, rashomon.Options{})
	if err != nil {
		return nil, err
	}
	return &minimizedReport{
		Shows: shrunk.Result.Class(), sizeReport: sizeOf(shrunk.Scenario), Before: sizeOf(s.First),
		Runs: shrunk.Runs, Minimal: shrunk.Minimal, Control: control.Verdict.String(), Seconds: took.Seconds(),
	}, nil
}

// printMinimized prints the sizes, and their medians.
func (r zooReport) printMinimized(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "\nMINIMISED\tSHOWS\tOPERATIONS\tFAULTS\tNODES\tRUNS\tCPU\tCORRECT SYSTEM")
	var all []*minimizedReport
	for _, c := range r.Bugs {
		m := c.Minimized
		if m == nil {
			continue
		}
		all = append(all, m)
		name := c.Name
		if !m.Minimal {
			name += " (not minimal)"
		}
		fmt.Fprintf(t, "%s\t%s\t%d\t%d\t%d\t%d\t%v\t%s\n", name, cut(m.Shows, 30), m.Operations, m.Faults, m.Nodes, m.Runs, seconds(m.Seconds), m.Control)
	}
	if len(all) == 0 {
		return nil
	}
	fmt.Fprintf(t, "median\t\t%d\t%d\t%d\t%d\t%v\t\n",
		median(all, func(m *minimizedReport) int { return m.Operations }), median(all, func(m *minimizedReport) int { return m.Faults }),
		median(all, func(m *minimizedReport) int { return m.Nodes }), median(all, func(m *minimizedReport) int { return m.Runs }),
		seconds(median(all, func(m *minimizedReport) float64 { return m.Seconds })))
	return t.Flush()
}

// median returns the larger of two medians.
func median[N cmp.Ordered](all []*minimizedReport, of func(*minimizedReport) N) N {
	values := make([]N, len(all))
	for i, m := range all {
		values[i] = of(m)
	}
	slices.Sort(values)
	return values[len(values)/2]
}

func seconds(s float64) time.Duration {
	return time.Duration(s * float64(time.Second)).Round(time.Millisecond)
}

// cut shortens a text for a table.
func cut(text string, most int) string {
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most-1]) + "…"
	}
	return text
}
