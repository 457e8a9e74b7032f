package main

import (
	"context"
	"fmt"
	"io"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/rashomon-go/rashomon"
	"github.com/rashomon-go/rashomon/campaign"
	"github.com/rashomon-go/rashomon/sim"
)

type fuzzFlags struct {
	choice
	plan campaign.Plan
	out  string
	json bool
}

// defaultFor is how long a fuzz takes when nothing else is said.
const defaultFor = 20 * time.Second

func (a *app) fuzzCommand() *cobra.Command {
	var f fuzzFlags
	cmd := &cobra.Command{
		Use:   "fuzz",
		Short: "Run random scenarios of all systems, and judge them against what is claimed",
		Long: `fuzz runs scenario after scenario, on all cores, for each row of each system's
table of claims. It succeeds when no claim was broken, and what is not claimed was
refuted by a counterexample: a checker that finds nothing there would be blind.

Every violation is shrunk and written to the output directory: a scenario file that
check replay runs again, and a page that shows it.

With --bug, a planted bug is put into its system; fuzz stops at the first
violation, and the exit status is 1 if the bug was caught.`,
		Example: `  check fuzz
  check fuzz --system chain --system primary-backup-sync --for 5m
  check fuzz --bug chain-ack-at-middle
  check fuzz --runs 1000 --seed 42`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return a.fuzz(&f) },
	}
	flags := cmd.Flags()
	flags.StringArrayVar(&f.systems, "system", nil, "only this system (may be repeated)")
	flags.DurationVar(&f.plan.For, "for", 0, "how long to go on (default 20s, unless --runs is given)")
	flags.IntVar(&f.plan.Runs, "runs", 0, "how many runs for each row; the digest over all of them is then the same every time")
	flags.Uint64Var(&f.plan.Seed, "seed", 0, "the first seed")
	flags.IntVar(&f.plan.Operations, "operations", rashomon.DefaultOperations, "how many operations each run has")
	flags.IntVar(&f.plan.Workers, "workers", 0, "how many runs at a time (default one for each processor)")
	flags.StringVar(&f.out, "out", "rashomon-out", "the directory to write violations to")
	flags.BoolVar(&f.json, "json", false, "print JSON")
	f.choice.flags(cmd)
	return cmd
}

func (f *fuzzFlags) validate() error {
	switch {
	case f.plan.For < 0:
		return fmt.Errorf("--for %v, expected a duration such as 5m", f.plan.For)
	case f.plan.Runs < 0:
		return fmt.Errorf("--runs %d, expected a number from 1 upwards", f.plan.Runs)
	case f.plan.Operations < 1 || f.plan.Operations > 1_000_000:
		return fmt.Errorf("--operations %d, expected 1..1000000", f.plan.Operations)
	case f.plan.Workers < 0 || f.plan.Workers > 10_000:
		return fmt.Errorf("--workers %d, expected 1..10000", f.plan.Workers)
	}
	if f.plan.For == 0 && f.plan.Runs == 0 {
		f.plan.For = defaultFor
	}
	f.plan.StopAtFirst = f.bug != ""
	return nil
}

func (a *app) fuzz(f *fuzzFlags) (err error) {
	if err := f.validate(); err != nil {
		return err
	}
	if f.plan.Cells, err = f.cells(); err != nil {
		return err
	}
	if err := writable(f.out); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	p := newProgress(a.err)
	report := campaign.Run(ctx, f.plan, p.show)
	p.end()
	if report.Err != nil {
		return brokenError{report.Err}
	}
	found, err := save(f.out, report)
	if err != nil {
		return err
	}
	a.status = fuzzStatus(report, f.bug != "")
	if f.json {
		return printJSON(a.out, newFuzzReport(report, found, f.plan.Runs > 0))
	}
	return newFuzzReport(report, found, f.plan.Runs > 0).print(a.out)
}

// fuzzStatus is 0 if every cell turned out as its table says. A planted bug that
// was caught is a violation; one that was not is none.
func fuzzStatus(r *campaign.Report, bug bool) (s status) {
	for i := range r.Cells {
		switch c := &r.Cells[i]; {
		case c.Kept() || bug && c.Violations == 0:
		case c.Violations > 0:
			s = graver(s, statusInvalid)
		default:
			s = graver(s, statusUnknown)
		}
	}
	return s
}

// shrinkRuns bounds how long a violation is shrunk.
const shrinkRuns = 600

// save shrinks the first violation of each cell and writes it down.
func save(dir string, r *campaign.Report) ([]foundReport, error) {
	found := make([]foundReport, len(r.Cells))
	for i := range r.Cells {
		c := &r.Cells[i]
		if c.First == nil {
			continue
		}
		name := c.System.Name + "-reads-" + c.Claim.Reads
		if c.Bug != "" {
			name = c.Bug
		}
		small, _, err := rashomon.Shrink(c.System, c.First.Scenario, rashomon.Options{}, shrinkRuns)
		if err != nil {
			return nil, brokenError{err}
		}
		small.Program = version()
		saved, result, err := rashomon.Save(dir, name, c.System, small, replayCommand)
		if err != nil {
			return nil, fmt.Errorf("--out: %w", plainError(err))
		}
		found[i] = foundReport{c.First.Seed, result.Sentence, nil, len(small.Operations), len(small.Faults), saved.Scenario, saved.Page}
		for _, op := range result.Witness {
			found[i].Witness = append(found[i].Witness, result.DescribeOp(op))
		}
	}
	return found, nil
}

// fuzzReport is what a campaign found, for programs.
type fuzzReport struct {
	Cells   []cellReport `json:"cells"`
	Runs    int          `json:"runs"`
	Seconds float64      `json:"seconds"`
	Digest  string       `json:"digest,omitempty"` // only if the number of runs was given
}

type cellReport struct {
	System       string         `json:"system"`
	Bug          string         `json:"bug,omitempty"`
	Reads        string         `json:"reads"`
	Claim        string         `json:"claim"`
	Refuted      bool           `json:"refuted"` // not claimed
	Verdict      string         `json:"verdict"`
	Kept         bool           `json:"kept"` // it turned out as the table of claims says
	Runs         int            `json:"runs"`
	Violations   int            `json:"violations"`
	Inconclusive int            `json:"inconclusive"`
	Reasons      map[string]int `json:"reasons,omitempty"`
	Operations   int            `json:"operations"`
	OK           int            `json:"ok"`
	Overlapping  int            `json:"overlapping"`
	Faults       int            `json:"faults"`
	Messages     uint64         `json:"messages"`
	Dropped      uint64         `json:"dropped"`
	Duplicated   uint64         `json:"duplicated"`
	Reordered    uint64         `json:"reordered"`
	Found        *foundReport   `json:"found,omitempty"`
}

type foundReport struct {
	Seed       uint64   `json:"seed"`
	Sentence   string   `json:"sentence"`
	Witness    []string `json:"witness"`
	Operations int      `json:"operations"`
	Faults     int      `json:"faults"`
	Scenario   string   `json:"scenario"`
	Page       string   `json:"page"`
}

func newFuzzReport(r *campaign.Report, found []foundReport, reproducible bool) fuzzReport {
	report := fuzzReport{Runs: r.Runs, Seconds: r.Took.Seconds()}
	if reproducible {
		report.Digest = rashomon.DigestString(r.Digest)
	}
	for i := range r.Cells {
		c := &r.Cells[i]
		e := &c.Exercise
		cell := cellReport{
			System: c.System.Name, Bug: c.Bug, Reads: c.Claim.Reads, Claim: string(c.Claim.Property), Refuted: c.Claim.Refuted,
			Verdict: c.Verdict().String(), Kept: c.Kept(),
			Runs: c.Runs, Violations: c.Violations, Inconclusive: c.Inconclusive, Reasons: c.Reasons,
			Operations: e.Operations(), OK: e.OK, Overlapping: e.Overlapping, Faults: e.Faults,
			Messages: e.Traffic.Sent, Dropped: dropped(&e.Traffic), Duplicated: e.Traffic.Duplicated, Reordered: e.Traffic.HeldBack,
		}
		if c.First != nil {
			cell.Found = &found[i]
		}
		report.Cells = append(report.Cells, cell)
	}
	return report
}

// dropped counts messages that the network or a fault kept from a destination.
func dropped(t *sim.Traffic) uint64 {
	return t.Dropped[sim.Lost] + t.Dropped[sim.CutAtSend] + t.Dropped[sim.CutInFlight] + t.Dropped[sim.NodeDown]
}

func (r fuzzReport) print(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "SYSTEM\tREADS AT\tCLAIM\tRUNS\tOPERATIONS\tVERDICT\tEXERCISED")
	for i := range r.Cells {
		c := &r.Cells[i]
		fmt.Fprintf(t, "%s\t%s\t%s\t%d\t%s\t%s\t%s\n", c.name(), c.Reads, claimText(c.Claim, c.Refuted), c.Runs,
			fmt.Sprintf("%d, %d %% ok", c.Operations, percent(c.OK, c.Operations)), c.verdict(), c.exercised())
	}
	if err := t.Flush(); err != nil {
		return err
	}
	var b strings.Builder
	for i := range r.Cells {
		if c := &r.Cells[i]; c.Found != nil {
			c.Found.print(&b, c)
		}
	}
	fmt.Fprintf(&b, "\n%d runs in %.1f s\n", r.Runs, r.Seconds)
	if r.Digest != "" {
		fmt.Fprintf(&b, "digest: %s\n", r.Digest)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (c *cellReport) name() string {
	if c.Bug != "" {
		return c.System + " + " + c.Bug
	}
	return c.System
}

func (c *cellReport) verdict() string {
	switch {
	case c.Violations > 0 && c.Refuted:
		return fmt.Sprintf("refuted in %d", c.Violations)
	case c.Violations > 0:
		return fmt.Sprintf("INVALID in %d", c.Violations)
	case c.Refuted:
		return "NOT REFUTED"
	case c.Verdict == "unknown":
		return "unknown"
	case c.Inconclusive > 0:
		return fmt.Sprintf("valid (%d inconclusive)", c.Inconclusive)
	}
	return c.Verdict
}

func (c *cellReport) exercised() string {
	return fmt.Sprintf("%d %% overlapping, %d faults, %d messages: %d dropped, %d duplicated, %d reordered",
		percent(c.Overlapping, c.Operations), c.Faults, c.Messages, c.Dropped, c.Duplicated, c.Reordered)
}

func percent(n, of int) int {
	if of == 0 {
		return 0
	}
	return 100 * n / of
}

func (f *foundReport) print(b *strings.Builder, c *cellReport) {
	fmt.Fprintf(b, "\n%s is not %s with reads at %s (seed %d, shrunk to %d operations and %d faults):\n%s\n",
		c.name(), c.Claim, c.Reads, f.Seed, f.Operations, f.Faults, f.Sentence)
	for _, op := range f.Witness {
		fmt.Fprintf(b, "  %s\n", op)
	}
	fmt.Fprintf(b, "  page: %s, replay: "+replayCommand+"\n", filepath.ToSlash(f.Page), filepath.ToSlash(f.Scenario))
}
