package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/rashomon-go/rashomon"
	"github.com/rashomon-go/rashomon/checker"
	"github.com/rashomon-go/rashomon/sim"
	"github.com/rashomon-go/rashomon/systems"
)

// show is what the user wants to see of one run.
type show struct {
	trace, json bool
	out         string
}

func (s *show) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.BoolVar(&s.trace, "trace", false, "print every event of the run")
	f.BoolVar(&s.json, "json", false, "print JSON")
	f.StringVar(&s.out, "out", "", "write the scenario and a page that shows the run to this directory")
	cmd.MarkFlagsMutuallyExclusive("trace", "json")
}

func (a *app) runCommand() *cobra.Command {
	var c choice
	var s show
	var seed uint64
	var operations int
	var system string
	var print bool
	cmd := &cobra.Command{
		Use:   "run --system S | --bug B",
		Short: "Run the scenario of one seed",
		Example: `  check run --system chain --seed 7
  check run --bug chain-ack-at-middle --seed 7 --trace
  check run --system chain --reads any --seed 7 --print > scenario.yaml`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if system != "" {
				c.systems = []string{system}
			} else if c.bug == "" {
				return errors.New("which system? Expected --system or --bug; check list shows what there is")
			}
			if operations < 1 || operations > 1_000_000 {
				return fmt.Errorf("--operations %d, expected 1..1000000", operations)
			}
			cells, err := c.cells()
			if err != nil {
				return err
			}
			cell := cells[0]
			sc := rashomon.FromSeed(seed, cell.System, cell.Claim, operations)
			sc.Bug, sc.Program = cell.Bug, version()
			if print {
				return rashomon.WriteScenario(a.out, sc)
			}
			return a.runOne(cell.System, sc, s, fmt.Sprintf("seed-%d", seed))
		},
	}
	f := cmd.Flags()
	f.StringVar(&system, "system", "", "the system to run (see check list)")
	f.Uint64Var(&seed, "seed", 0, "the seed that the scenario is made from")
	f.IntVar(&operations, "operations", rashomon.DefaultOperations, "how many operations the clients do")
	f.BoolVar(&print, "print", false, "print the scenario instead of running it")
	c.flags(cmd)
	s.flags(cmd)
	return cmd
}

// runOne runs a scenario and shows what it gave.
func (a *app) runOne(s *rashomon.System, sc *rashomon.Scenario, show show, name string) error {
	var opt rashomon.Options
	trace := tracer{w: bufio.NewWriter(a.out), names: names(sc)}
	if show.trace {
		opt.Trace = trace.event
	}
	r, err := rashomon.Run(s, sc, opt)
	if err != nil {
		return err
	}
	if err := trace.w.Flush(); err != nil {
		return err
	}
	a.status = statusOf(r.Verdict)
	var saved rashomon.Saved
	if show.out != "" {
		if saved, _, err = rashomon.Save(show.out, s.Name+"-"+name, s, sc, replayCommand); err != nil {
			return err
		}
	}
	if show.json {
		return printJSON(a.out, newRunReport(sc, r, saved))
	}
	return newRunReport(sc, r, saved).print(a.out)
}

// replayCommand is what pages and messages tell people to type.
const replayCommand = "go run ./cmd/check replay %s"

// tracer prints events.
type tracer struct {
	w     *bufio.Writer
	names []string
}

func (t *tracer) event(e sim.Event) {
	fmt.Fprintln(t.w, e.Describe(func(id sim.NodeID) string {
		if int(id) < len(t.names) {
			return t.names[id]
		}
		return "last"
	}))
}

// names returns how a scenario's nodes and clients are called, by number.
func names(sc *rashomon.Scenario) (names []string) {
	for i := range sc.Nodes {
		names = append(names, fmt.Sprintf("n%d", i))
	}
	clients := 0
	for i := range sc.Operations {
		clients = max(clients, sc.Operations[i].Client+1)
	}
	for i := range clients {
		names = append(names, fmt.Sprintf("c%d", i))
	}
	return names
}

// runReport is what a run gave, for programs.
type runReport struct {
	System     string   `json:"system"`
	Bug        string   `json:"bug,omitempty"`
	Reads      string   `json:"reads"`
	Claim      string   `json:"claim"`
	Seed       uint64   `json:"seed"`
	Digest     string   `json:"digest"`
	Verdict    string   `json:"verdict"`
	Reason     string   `json:"reason,omitempty"`
	Sentence   string   `json:"sentence,omitempty"`
	Witness    []string `json:"witness,omitempty"`
	Operations int      `json:"operations"`
	OK         int      `json:"ok"`
	Failed     int      `json:"failed"`
	Unknown    int      `json:"unknown"`
	Messages   uint64   `json:"messages"`
	Faults     int      `json:"faults"`
	Simulated  string   `json:"simulated"`
	Scenario   string   `json:"scenario,omitempty"` // file
	Page       string   `json:"page,omitempty"`     // file
}

func newRunReport(sc *rashomon.Scenario, r *rashomon.Result, saved rashomon.Saved) runReport {
	report := runReport{
		System: sc.System, Bug: sc.Bug, Reads: sc.Reads, Claim: string(sc.Claim), Seed: sc.Seed,
		Digest: rashomon.DigestString(r.Digest), Verdict: r.Verdict.String(), Reason: r.Reason, Sentence: r.Sentence,
		Operations: r.Exercise.Operations(), OK: r.Exercise.OK, Failed: r.Exercise.Failed, Unknown: r.Exercise.Unknown,
		Messages: r.Exercise.Traffic.Sent, Faults: r.Exercise.Faults,
		Simulated: r.End.Round(time.Millisecond).String(), Scenario: saved.Scenario, Page: saved.Page,
	}
	for _, i := range r.Witness {
		report.Witness = append(report.Witness, r.DescribeOp(i))
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
	fmt.Fprintf(&b, "%d operations: %d ok, %d failed, %d unknown; %d messages and %d faults in %s of simulated time\n",
		r.Operations, r.OK, r.Failed, r.Unknown, r.Messages, r.Faults, r.Simulated)
	if r.Scenario != "" {
		fmt.Fprintf(&b, "scenario: %s\npage:     %s\n", r.Scenario, r.Page)
	}
	fmt.Fprintf(&b, "digest: %s\n", r.Digest)
	_, err := io.WriteString(w, b.String())
	return err
}

func (a *app) replayCommand() *cobra.Command {
	var s show
	cmd := &cobra.Command{
		Use:   "replay FILE",
		Short: "Run a scenario file again, and see that it gives the same digest",
		Long: `replay runs a scenario file. If the file has the digest of the run that wrote it,
the digests are compared: a difference is exit status 4 if this program wrote the
file, and is explained if another version did.`,
		Args: exactlyOneFile,
		RunE: func(_ *cobra.Command, args []string) error {
			sc, err := readScenario(a.in, args[0])
			if err != nil {
				return err
			}
			system, err := systems.Find(sc.System, sc.Bug)
			if err != nil {
				return fmt.Errorf("%s: %w", args[0], err)
			}
			if err := sc.Validate(system); err != nil {
				return fmt.Errorf("%s: %w", args[0], err)
			}
			if err := a.runOne(system, sc, s, "replay"); err != nil {
				return err
			}
			return a.compare(system, sc, s)
		},
	}
	s.flags(cmd)
	return cmd
}

// compare says whether the replay gave the digest that the file tells.
func (a *app) compare(s *rashomon.System, sc *rashomon.Scenario, show show) error {
	if sc.Digest == 0 {
		return nil
	}
	again, err := rashomon.Run(s, sc, rashomon.Options{Check: checker.Options{VerdictOnly: true}})
	if err != nil {
		return err
	}
	switch {
	case again.Digest == sc.Digest:
		if !show.json {
			fmt.Fprintln(a.out, "replayed bit for bit")
		}
		return nil
	case sc.Program != "" && sc.Program != version():
		fmt.Fprintf(a.err, "check: the digest in the file is %s: it was written by version %s, and this is %s, whose code decides otherwise; the scenario is the same, the run is not\n",
			rashomon.DigestString(sc.Digest), sc.Program, version())
		return nil
	}
	return brokenError{fmt.Errorf("the digest in the file is %s, and replaying gave %s: either the file was edited (then delete its digest) or something is not deterministic",
		rashomon.DigestString(sc.Digest), rashomon.DigestString(again.Digest))}
}
