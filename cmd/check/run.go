package main

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/rashomon-go/rashomon"
	"github.com/rashomon-go/rashomon/campaign/verdict"
	"github.com/rashomon-go/rashomon/checker"
	"github.com/rashomon-go/rashomon/history"
	"github.com/rashomon-go/rashomon/internal/english"
	"github.com/rashomon-go/rashomon/internal/wholefile"
	"github.com/rashomon-go/rashomon/sim"
)

// show is what the user wants to see of one run.
type show struct {
	trace, json, svg, stop bool
	out, history           string
}

func (s *show) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.BoolVar(&s.trace, "trace", false, "print every event of the run")
	f.BoolVar(&s.json, "json", false, "print JSON")
	f.StringVar(&s.out, "out", "", "write the scenario, and a page that shows the run, to this `DIR`")
	f.StringVar(&s.history, "history", "", "write what clients saw, and the faults, as JSON lines to this `FILE`")
	f.BoolVar(&s.svg, "svg", false, "with --out, write the drawing of the page as an SVG image too")
}

// prepare says early what would fail late.
func (s *show) prepare() error {
	if s.history != "" {
		if err := writableFile("--history", s.history); err != nil {
			return err
		}
	}
	switch {
	case s.out != "":
		return writable("--out", s.out)
	case s.svg:
		return errors.New("--svg without --out, expected a directory to write the image to")
	}
	return nil
}

// runFlags is what the user wants of check run.
type runFlags struct {
	choice
	show
	system, scenario string // the name of a system, or a file
	seed             uint64
	operations       int
	print, twice     bool
}

func (a *app) runCommand() *cobra.Command {
	var f runFlags
	cmd := &cobra.Command{
		Use:   "run --system S | --bug B | --scenario F",
		Short: "Run the scenario of one seed, or of a file",
		Long: `run makes a scenario from a seed, runs it, and says whether what the clients saw is
what the system claims. It tests one row of the system's table of claims: the first
one, or the first one that fits --reads and --claim. The same seed gives the same
run and the same digest; with --twice, that is put to the test.

--print prints the scenario instead, and --print --json prints it as JSON; --scenario
runs either of them, perhaps after a change (check replay runs it twice, and compares
the digests).`,
		Example: `  check run --system chain --seed 7
  check run --bug chain-ack-at-middle --seed 7 --trace
  check run --system chain --reads any --seed 7 --print > scenario.yaml
  check run --scenario scenario.yaml`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := f.validate(cmd); err != nil {
				return err
			}
			return a.runOne(&f)
		},
	}
	f.flags(cmd)
	return cmd
}

func (f *runFlags) flags(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.system, "system", "", "the system to run, by its `NAME` (check list names them)")
	flags.Uint64Var(&f.seed, "seed", 0, "the seed `N` that the scenario is made from")
	flags.IntVar(&f.operations, "operations", rashomon.DefaultOperations, "how many operations the clients do: `N`")
	flags.StringVar(&f.scenario, "scenario", "", "run the scenario in this `FILE`; - is standard input")
	flags.BoolVar(&f.twice, "twice", false, "run the scenario a second time, and compare every event, what messages say, and final states")
	flags.BoolVar(&f.stop, "stop", false, "end the run with the first answer that makes it not linearizable")
	flags.BoolVar(&f.print, "print", false, "print the scenario instead of running it")
	f.choice.flags(cmd)
	f.show.flags(cmd)
}

func (f *runFlags) validate(cmd *cobra.Command) error {
	pairs := [][2]string{{"trace", "json"}, {"trace", "print"}, {"out", "print"}, {"twice", "print"}, {"history", "print"}}
	if f.scenario != "" {
		for _, other := range []string{"system", "bug", "reads", "claim", "beyond-budget", "seed", "operations", "print"} {
			pairs = append(pairs, [2]string{"scenario", other})
		}
	}
	for _, p := range pairs {
		if err := together(cmd, p[0], p[1]); err != nil {
			return err
		}
	}
	if f.scenario == "" && f.system == "" && f.bug == "" {
		return errors.New("which system? Expected --system, --bug or --scenario; check list shows what there is")
	}
	return validOperations(f.operations)
}

// runOne runs the scenario of a seed or of a file, or prints it.
func (a *app) runOne(f *runFlags) error {
	sc, system, name, err := f.choose(a.in)
	switch {
	case err != nil:
		return err
	case f.print && f.json:
		return rashomon.WriteScenarioJSON(a.out, sc)
	case f.print:
		return rashomon.WriteScenario(a.out, sc)
	}
	if err := f.prepare(); err != nil {
		return err
	}
	r, err := a.play(system, sc, f.show, f.twice)
	if err != nil {
		return err
	}
	return a.show(system, sc, r, f.show, name)
}

// choose returns the scenario to run, its system, and what files about the run are
// called.
func (f *runFlags) choose(in io.Reader) (sc *rashomon.Scenario, system *rashomon.System, name string, err error) {
	if f.scenario != "" {
		if sc, system, err = readScenario(in, f.scenario); err != nil {
			return nil, nil, "", err
		}
		return sc, system, system.Name + "-scenario", nil
	}
	if f.system != "" {
		f.systems = []string{f.system}
	}
	cells, err := f.cells()
	if err != nil {
		return nil, nil, "", err
	}
	cell := cells[0]
	sc = rashomon.FromSeed(f.seed, cell.System, cell.Claim, f.operations)
	sc.Program = version()
	return sc, cell.System, fmt.Sprintf("%s-seed-%d", cell.System.Name, f.seed), nil
}

// play runs a scenario, and prints its events meanwhile if they are wanted. If it is run
// twice, both runs must be the same.
func (a *app) play(s *rashomon.System, sc *rashomon.Scenario, show show, twice bool) (*rashomon.Result, error) {
	opt := rashomon.Options{Stop: show.stop}
	if show.stop && sc.Claim != rashomon.Linearizable {
		return nil, fmt.Errorf("--stop for %s, expected a claim of linearizable", sc.Claim)
	}
	trace := tracer{w: bufio.NewWriter(a.out), name: naming(sc.Names(s))}
	if show.trace {
		opt.Trace = trace.event
	}
	if !twice {
		r, err := rashomon.Run(s, sc, opt)
		return r, errors.Join(err, trace.w.Flush())
	}
	r, _, difference, err := rashomon.Twice(s, sc, []rashomon.Property{sc.Claim}, opt)
	switch err = errors.Join(err, trace.w.Flush()); {
	case err != nil:
		return nil, err
	case difference != nil:
		return nil, brokenError{fmt.Errorf("two runs of one scenario differ: something is not deterministic: %v", difference)}
	}
	return r[0], nil
}

// show prints what a run gave, and writes it to files if they are wanted. What
// cannot be written is printed all the same.
func (a *app) show(s *rashomon.System, sc *rashomon.Scenario, r *rashomon.Result, show show, name string) error {
	w := saver{flag: "--out", dir: show.out, svg: show.svg}
	var saved rashomon.Saved
	if show.out != "" {
		saved, _ = w.write(s, sc, name)
	}
	if show.history != "" {
		h := *r.History
		if row, err := s.Claim(sc.Reads, sc.Claim); err == nil {
			h.Pinned = row.Pinned
		}
		write := func(w io.Writer) error { return history.Write(w, &h) }
		if err := wholefile.Write(show.history, write); err != nil {
			w.errs = append(w.errs, notWritten("--history", show.history, err))
		}
	}
	a.status = statusOf(r.Verdict)
	report := newRunReport(sc, r, saved)
	if show.stop {
		report.Staleness = "" // of a history that was cut off it says nothing
	}
	print := report.print
	if show.json {
		print = func(out io.Writer) error { return printJSON(out, report) }
	}
	if err := print(a.out); err != nil {
		return err
	}
	return w.failure()
}

// tracer prints events.
type tracer struct {
	w    *bufio.Writer
	name func(sim.NodeID) string
}

func (t *tracer) event(e sim.Event) { fmt.Fprintln(t.w, eventLine(e, t.name)) }

// eventLine prints an event with its number, which check replay --until takes.
func eventLine(e sim.Event, name func(sim.NodeID) string) string {
	return fmt.Sprintf("%6d %s", e.Seq, e.Describe(name))
}

// runReport is what a run gave, for programs.
type runReport struct {
	System     string            `json:"system"`
	Bug        string            `json:"bug,omitempty"`
	Reads      string            `json:"reads"`
	Claim      string            `json:"claim"`
	Seed       uint64            `json:"seed"`
	Digest     string            `json:"digest"`
	Verdict    string            `json:"verdict"`
	Reason     string            `json:"reason,omitempty"`
	Sentence   string            `json:"sentence,omitempty"`
	Witness    []string          `json:"witness,omitempty"`
	Staleness  string            `json:"staleness,omitempty"` // of what is not linearizable, and should be
	Operations int               `json:"operations"`
	OK         int               `json:"ok"`
	Failed     int               `json:"failed"`
	Unknown    int               `json:"unknown"`
	Messages   uint64            `json:"messages"`
	Faults     int               `json:"faults"`
	Simulated  string            `json:"simulated"`
	Befell     []faultReport     `json:"befell,omitempty"` // the faults
	Features   []verdict.Feature `json:"features,omitempty"`
	Expected   string            `json:"expected_digest,omitempty"` // that the scenario file tells
	Scenario   string            `json:"scenario,omitempty"`        // file
	Page       string            `json:"page,omitempty"`            // file
	Drawing    string            `json:"drawing,omitempty"`         // file
}

// faultReport is a fault, and how often it hit anything.
type faultReport struct {
	Fault string `json:"fault"`
	Hits  uint64 `json:"hits"`
}

func newRunReport(sc *rashomon.Scenario, r *rashomon.Result, saved rashomon.Saved) runReport {
	report := runReport{
		System: sc.System, Bug: sc.Bug, Reads: sc.Reads, Claim: string(sc.Claim), Seed: sc.Seed,
		Digest: rashomon.DigestString(r.Digest), Verdict: r.Verdict.String(), Reason: r.Reason, Sentence: r.Sentence,
		Operations: r.Exercise.Operations(), OK: r.Exercise.OK, Failed: r.Exercise.Failed, Unknown: r.Exercise.Unknown,
		Messages: r.Exercise.Traffic.Sent, Faults: r.Exercise.Faults,
		Simulated: r.End.Round(time.Millisecond).String(), Scenario: saved.Scenario, Page: saved.Page, Drawing: saved.Drawing,
	}
	if sc.Digest != 0 {
		report.Expected = rashomon.DigestString(sc.Digest)
	}
	for _, f := range r.Exercise.Features {
		report.Features = append(report.Features, verdict.Feature(f))
	}
	for _, f := range r.History.Faults {
		report.Befell = append(report.Befell, faultReport{f.Text, f.Hits})
	}
	for _, i := range r.Witness {
		report.Witness = append(report.Witness, r.DescribeOp(i))
	}
	if sc.Claim == rashomon.Linearizable && r.Verdict == checker.Invalid && r.Panic == "" {
		if lag, err := r.Staleness(); err == nil { // or it cannot be told
			report.Staleness = cmp.Or(lag.Sentence, lag.Reason)
		}
	}
	return report
}

func (r runReport) print(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s, %s with reads at %s: %s", r.System, r.Claim, r.Reads, r.Verdict)
	if r.Bug != "" {
		fmt.Fprintf(&b, " (with the planted bug %s)", r.Bug)
	}
	b.WriteString("\n")
	if r.Reason != "" {
		fmt.Fprintf(&b, "because %s\n", r.Reason)
	}
	if r.Sentence != "" {
		fmt.Fprintf(&b, "%s\n", r.Sentence)
	}
	for _, op := range r.Witness {
		fmt.Fprintf(&b, "  %s\n", op)
	}
	if r.Staleness != "" {
		fmt.Fprintf(&b, "staleness: %s\n", r.Staleness)
	}
	fmt.Fprintf(&b, "%s: %d ok, %d failed, %d unknown; %s and %s in %s of simulated time\n",
		english.Plural(r.Operations, "operation"), r.OK, r.Failed, r.Unknown,
		english.Plural(int(r.Messages), "message"), english.Plural(r.Faults, "fault"), r.Simulated)
	for _, f := range r.Befell {
		fmt.Fprintf(&b, "  %s: %s\n", f.Fault, english.Plural(int(f.Hits), "hit"))
	}
	var reached []string
	for _, f := range r.Features {
		if f.Times > 0 {
			reached = append(reached, fmt.Sprintf("%s %d", f.Name, f.Times))
		}
	}
	printList(&b, "reached", reached)
	if r.Scenario != "" {
		fmt.Fprintf(&b, "scenario: %s\n", r.Scenario)
	}
	if r.Page != "" {
		fmt.Fprintf(&b, "page:     %s\n", r.Page)
	}
	if r.Drawing != "" {
		fmt.Fprintf(&b, "drawing:  %s\n", r.Drawing)
	}
	fmt.Fprintf(&b, "digest: %s\n", r.Digest)
	_, err := io.WriteString(w, b.String())
	return err
}
