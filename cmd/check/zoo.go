package main

import (
	"context"
	"fmt"
	"io"
	"os/signal"
	"runtime"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/rashomon-go/rashomon/campaign"
	"github.com/rashomon-go/rashomon/internal/english"
	"github.com/rashomon-go/rashomon/systems"
)

func (a *app) zooCommand() *cobra.Command {
	var names []string
	var runs, workers int
	var asJSON, minimize bool
	cmd := &cobra.Command{
		Use:   "zoo",
		Short: "Run every planted bug, and tell how often it is caught",
		Long: `zoo plants each bug into its system, runs the seeds 0, 1, 2, … with the default
generator, and counts the runs whose claim is broken. A catch counts only if the
same scenario on the correct system is valid, and a panic only where the system is
meant to notice the bug itself. The interval is that of Clopper and
Pearson, 95 %. MEDIAN is how many runs it takes from one catch to the next.

--minimize shrinks the first scenario in which each bug was caught, as check minimize
does, one after the other, and adds how large it is then, what it shows, and what that
took.

Ctrl-C ends it with what has been counted; bugs that were not run are left out then.

The exit status is 0 if every bug was caught, and 2 if one was not, or was not run.`,
		Example: `  check zoo
  check zoo --minimize --runs 100
  check zoo --bug pb-no-fencing --runs 5000`,
		Args: noArguments,
		RunE: func(*cobra.Command, []string) error {
			if runs < 1 || runs > 10_000_000 {
				return fmt.Errorf("--runs %d, expected 1..10000000", runs)
			}
			if workers < 1 || workers > 10_000 {
				return fmt.Errorf("--workers %d, expected 1..10000", workers)
			}
			bugs, err := chosenBugs(names)
			if err != nil {
				return err
			}
			return a.zoo(bugs, runs, workers, minimize, asJSON)
		},
	}
	f := cmd.Flags()
	f.StringArrayVar(&names, "bug", nil, "only the bug of this `NAME` (may be repeated; check list names them)")
	f.IntVar(&runs, "runs", 300, "make `N` runs with each bug")
	f.IntVar(&workers, "workers", runtime.GOMAXPROCS(0), "take `N` bugs at a time")
	f.Lookup("workers").DefValue = "one for each processor" // and not how many this machine has
	f.BoolVar(&minimize, "minimize", false, "shrink the first scenario in which each bug is caught")
	f.BoolVar(&asJSON, "json", false, "print JSON")
	complete(cmd, "bug", bugWords)
	return cmd
}

func chosenBugs(names []string) ([]systems.Bug, error) {
	if len(names) == 0 {
		return systems.Bugs(), nil
	}
	var bugs []systems.Bug
	for _, name := range names {
		b, err := systems.BugByName(name)
		if err != nil {
			return nil, err
		}
		bugs = append(bugs, b)
	}
	return bugs, nil
}

func (a *app) zoo(bugs []systems.Bug, runs, workers int, minimize, asJSON bool) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // whoever asks twice does not want the table
	specimens := make([]campaign.Specimen, len(bugs))
	for i, b := range bugs {
		right, err := systems.ByName(b.System)
		if err != nil {
			return brokenError{err}
		}
		claim, err := right.Claim(b.Reads, b.Claim)
		if err != nil {
			return brokenError{err}
		}
		specimens[i] = campaign.Specimen{Broken: b.Variant(), Right: right, Claim: claim, Panics: b.Panics}
	}
	began, seen := time.Now(), 0
	sightings := campaign.Zoo(ctx, specimens, runs, workers, func(s campaign.Sighting) {
		if s.Runs == 0 {
			return
		}
		seen++
		fmt.Fprintf(a.err, "%3d of %d  %-40s caught %d of %d\n", seen, len(bugs), s.Broken.Bug, s.Caught, s.Runs)
	})
	report := zooReport{Bugs: []caughtBug{}, Seconds: time.Since(began).Seconds(), Interrupted: ctx.Err() != nil, planned: len(bugs)}
	for i := range sightings {
		if sightings[i].Err != nil {
			return brokenError{sightings[i].Err}
		}
		if sightings[i].Caught == 0 {
			a.status = graver(a.status, statusUnknown)
		}
		if sightings[i].Runs == 0 { // interrupted
			continue
		}
		caught := newCaught(bugs[i], &sightings[i])
		if minimize && ctx.Err() == nil {
			var err error
			if caught.Minimized, err = minimizeSighting(&sightings[i]); err != nil {
				return brokenError{err}
			}
		}
		report.Bugs = append(report.Bugs, caught)
	}
	for _, absent := range systems.AbsentBugs() {
		report.Absent = append(report.Absent, absentBug(absent))
	}
	if asJSON {
		return printJSON(a.out, report)
	}
	return report.print(a.out, len(bugs) == len(systems.Bugs()))
}

// zooReport is what the zoo shows, for programs.
type zooReport struct {
	Bugs    []caughtBug `json:"bugs"`
	Absent  []absentBug `json:"absent"`
	Seconds float64     `json:"seconds"`
	// Interrupted says that bugs are missing, or have fewer runs than were asked for.
	Interrupted bool `json:"interrupted"`

	planned int // bugs
}

type absentBug struct {
	Name   string `json:"name"`
	Reason string `json:"reason"`
}

type caughtBug struct {
	Name       string  `json:"name"`
	System     string  `json:"system"`
	Reads      string  `json:"reads"`
	Claim      string  `json:"claim"`
	Needs      string  `json:"needs"`
	Runs       int     `json:"runs"`
	Caught     int     `json:"caught"`
	Blamed     int     `json:"not_counted"` // violations whose control run was not valid, and panics
	Rate       float64 `json:"rate"`
	Low        float64 `json:"low"`
	High       float64 `json:"high"`
	MedianRuns int     `json:"median_runs"`
	// SecondsPerCatch is the processor time that it took on average, or 0.
	SecondsPerCatch float64 `json:"seconds_per_catch"`

	Minimized *minimizedReport `json:"minimized,omitempty"`
}

func newCaught(b systems.Bug, s *campaign.Sighting) caughtBug {
	c := caughtBug{
		Name: b.Name, System: b.System, Reads: b.Reads, Claim: string(b.Claim), Needs: b.Needs,
		Runs: s.Runs, Caught: s.Caught, Blamed: s.Blamed, MedianRuns: s.MedianRuns(),
	}
	c.Rate, c.Low, c.High = s.Rate()
	if s.Caught > 0 {
		c.SecondsPerCatch = s.CPU.Seconds() / float64(s.Caught)
	}
	return c
}

func (r zooReport) print(w io.Writer, all bool) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "BUG\tCAUGHT BY\tCAUGHT\t95 % INTERVAL\tMEDIAN\tCPU A CATCH")
	for _, c := range r.Bugs {
		median, cpu := "-", "-"
		if c.Caught > 0 {
			median = english.Plural(c.MedianRuns, "run")
			cpu = time.Duration(c.SecondsPerCatch * float64(time.Second)).Round(time.Millisecond / 10).String()
		}
		fmt.Fprintf(t, "%s\t%s, reads at %s\t%d of %d\t%.2f..%.2f %%\t%s\t%s\n",
			c.Name, c.Claim, c.Reads, c.Caught, c.Runs, 100*c.Low, 100*c.High, median, cpu)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	if err := r.printMinimized(w); err != nil {
		return err
	}
	if all {
		if err := r.printAbsent(w); err != nil {
			return err
		}
	}
	return r.printEnd(w, all)
}

// printAbsent names the bugs that nobody has planted, and why.
func (r zooReport) printAbsent(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "\nNot planted:")
	for _, a := range r.Absent {
		fmt.Fprintf(t, "  %s\t%s\n", a.Name, a.Reason)
	}
	return t.Flush()
}

// printEnd says how many bugs were run, of all or if some are missing.
func (r zooReport) printEnd(w io.Writer, all bool) (err error) {
	switch {
	case r.Interrupted:
		_, err = fmt.Fprintf(w, "\n%d of %s in %.1f s, interrupted\n", len(r.Bugs), english.Plural(r.planned, "bug"), r.Seconds)
	case all:
		_, err = fmt.Fprintf(w, "\n%s in %.1f s\n", english.Plural(len(r.Bugs), "bug"), r.Seconds)
	}
	return err
}
