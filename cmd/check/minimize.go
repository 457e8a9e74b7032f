package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/rashomon-go/rashomon"
	"github.com/rashomon-go/rashomon/checker"
	"github.com/rashomon-go/rashomon/internal/english"
	"github.com/rashomon-go/rashomon/internal/wholefile"
)

func (a *app) minimizeCommand() *cobra.Command {
	var m minimize
	cmd := &cobra.Command{
		Use:   "minimize FILE",
		Short: "Shrink a failing scenario for as long as it fails in the same way",
		Long: `minimize takes out of a failing scenario what it fails without: faults, operations,
clients, keys and nodes; it makes faults milder and shorter, links plainer, and times
shorter and rounder; and in the place of links that lose and delay messages by chance
it puts faults of the single messages that matter. A step counts only if the run still
fails in the same way: with the same anomaly, or the same panic. It ends when no further
step is left, or after --runs. The same file gives the same result.

The scenario goes to standard output, and what each step did to standard error. With
--out, the scenario goes to that file, and the steps to standard output.

The exit status is 1 if the scenario fails, and 0 if there is nothing to minimise. If
the file says that it showed something else when it was written, minimize says so and
goes on with what it shows now. If two runs of it differ, the exit status is 4.`,
		Example: `  check minimize scenario.yaml > small.yaml
  check minimize --out small.yaml scenario.yaml
  check run --bug pb-no-fencing --seed 7 --print | check minimize -`,
		Args: exactlyOneFile,
		RunE: func(_ *cobra.Command, args []string) error {
			if m.runs < 1 || m.runs > maxMinimizeRuns {
				return fmt.Errorf("--runs %d, expected 1..%d", m.runs, maxMinimizeRuns)
			}
			sc, system, err := readScenario(a.in, args[0])
			if err != nil {
				return err
			}
			if m.out != "" {
				if err := writableFile("--out", m.out); err != nil {
					return err
				}
			}
			return a.minimize(args[0], system, sc, m)
		},
	}
	f := cmd.Flags()
	f.StringVar(&m.out, "out", "", "write the scenario to this `FILE`")
	f.BoolVar(&m.json, "json", false, "print the steps, and the scenario unless there is --out, as JSON")
	f.IntVar(&m.runs, "runs", rashomon.DefaultShrinkRuns, "try at most `N` runs")
	return cmd
}

const maxMinimizeRuns = 10_000_000

// minimize is what the user wants of check minimize.
type minimize struct {
	out  string
	json bool
	runs int
}

func (a *app) minimize(file string, system *rashomon.System, sc *rashomon.Scenario, m minimize) error {
	before, err := rashomon.Run(system, sc, rashomon.Options{})
	if err != nil {
		return err
	}
	if err := repeat(system, sc, before.Digest); err != nil {
		return err
	}
	if before.Verdict != checker.Invalid {
		return a.nothingToMinimize(file, sc, before)
	}
	if sc.Shows != "" && sc.Shows != before.Class() {
		fmt.Fprintf(a.err, "check: %s: it says that it shows %q, and now it shows %q: that is what is minimised\n", file, sc.Shows, before.Class())
	}
	progress := newProgress(a.err)
	shrunk, err := rashomon.Shrink(system, sc, rashomon.ShrinkOptions{Runs: m.runs, Kept: progress.shrinks})
	progress.end()
	if err != nil {
		return err
	}
	shrunk.Scenario.Program = version()
	a.status = statusInvalid
	return a.showShrunk(sc, shrunk, m)
}

// nothingToMinimize says why.
func (a *app) nothingToMinimize(file string, sc *rashomon.Scenario, r *rashomon.Result) error {
	why := ""
	if r.Reason != "" {
		why = ", because " + r.Reason
	}
	if sc.Shows != "" {
		why += fmt.Sprintf("; the file says that it showed %q", sc.Shows)
	}
	_, err := fmt.Fprintf(a.err, "%s: nothing to minimise: the run is %v%s\n", file, r.Verdict, why)
	return err
}

// showShrunk writes the scenario and the report to where they belong.
func (a *app) showShrunk(sc *rashomon.Scenario, shrunk *rashomon.Shrunk, m minimize) error {
	scenario := func(w io.Writer) error { return rashomon.WriteScenario(w, shrunk.Scenario) }
	report := newShrinkReport(sc, shrunk)
	switch {
	case m.out != "":
		if err := wholefile.Write(m.out, scenario); err != nil {
			return brokenError{notWritten("--out", m.out, err)}
		}
		report.Scenario = m.out
		if m.json {
			return printJSON(a.out, report)
		}
		return report.print(a.out)
	case m.json:
		var text bytes.Buffer
		if err := scenario(&text); err != nil {
			return err
		}
		report.Text = text.String()
		return printJSON(a.out, report)
	}
	return errors.Join(report.print(a.err), scenario(a.out))
}

// shrinkReport is what minimizing did, for programs.
type shrinkReport struct {
	Shows    string       `json:"shows"`
	Sentence string       `json:"sentence"`
	Witness  []string     `json:"witness,omitempty"`
	Steps    []stepReport `json:"steps"`
	Before   sizeReport   `json:"before"`
	After    sizeReport   `json:"after"`
	Runs     int          `json:"runs"`
	Minimal  bool         `json:"minimal"`
	Digest   string       `json:"digest"`
	Scenario string       `json:"scenario,omitempty"` // file
	Text     string       `json:"text,omitempty"`     // of the scenario
}

type stepReport struct {
	Pass string `json:"pass"`
	What string `json:"what"`
}

type sizeReport struct {
	Operations int `json:"operations"`
	Faults     int `json:"faults"`
	Nodes      int `json:"nodes"`
}

func sizeOf(sc *rashomon.Scenario) sizeReport {
	return sizeReport{len(sc.Operations), len(sc.Faults), sc.Nodes}
}

func (s sizeReport) String() string {
	return fmt.Sprintf("%s, %s, %s", english.Plural(s.Operations, "operation"), english.Plural(s.Faults, "fault"), english.Plural(s.Nodes, "node"))
}

func newShrinkReport(sc *rashomon.Scenario, shrunk *rashomon.Shrunk) shrinkReport {
	r := shrunk.Result
	report := shrinkReport{
		Shows: r.Class(), Sentence: r.Sentence, Before: sizeOf(sc), After: sizeOf(shrunk.Scenario),
		Runs: shrunk.Runs, Minimal: shrunk.Minimal, Digest: rashomon.DigestString(r.Digest), Steps: []stepReport{},
	}
	for _, op := range r.Witness {
		report.Witness = append(report.Witness, r.DescribeOp(op))
	}
	for _, step := range shrunk.Steps {
		report.Steps = append(report.Steps, stepReport(step))
	}
	return report
}

func (r shrinkReport) print(w io.Writer) error {
	var b strings.Builder
	for _, step := range r.Steps {
		fmt.Fprintf(&b, "%-10s  %s\n", step.Pass, step.What)
	}
	fmt.Fprintf(&b, "%s: %s\n", r.Shows, r.Sentence)
	for _, op := range r.Witness {
		fmt.Fprintf(&b, "  %s\n", op)
	}
	fmt.Fprintf(&b, "before: %v\nafter:  %v\n", r.Before, r.After)
	if r.Minimal {
		fmt.Fprintf(&b, "minimal after %s: without any one of its operations, faults and nodes it does not fail so\n", english.Plural(r.Runs, "run"))
	} else {
		fmt.Fprintf(&b, "not minimal: %s were not enough\n", english.Plural(r.Runs, "run"))
	}
	if r.Scenario != "" {
		fmt.Fprintf(&b, "scenario: %s\n", r.Scenario)
	}
	fmt.Fprintf(&b, "digest: %s\n", r.Digest)
	_, err := io.WriteString(w, b.String())
	return err
}
