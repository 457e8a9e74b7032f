package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/rashomon-go/rashomon"
	"github.com/rashomon-go/rashomon/campaign"
	"github.com/rashomon-go/rashomon/checker"
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

The first violation of each row is shrunk and written to the output directory: a
scenario file that check replay runs again, and a page that shows it.

With --bug, a planted bug is put into its system; fuzz stops at the first
violation, and the exit status is 1 if the bug was caught.

The last line is a digest over all runs in the order of their seeds. The same seed
and the same number of runs give the same digest, on however many workers. Ctrl-C
ends the fuzz with a report of the runs until then.

The report says of each row how many runs were valid, invalid, or unknown because
they proved nothing; and how much was exercised: operations that ended ok, and that
overlapped another one on their key; windows of faults; messages dropped,
duplicated (twice) and overtaken by later ones (late).`,
		Example: `  check fuzz
  check fuzz --system chain --system primary-backup-sync --for 5m
  check fuzz --bug chain-ack-at-middle
  check fuzz --runs 1000 --seed 42`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := f.validate(cmd); err != nil {
				return err
			}
			return a.fuzz(&f)
		},
	}
	flags := cmd.Flags()
	flags.StringArrayVar(&f.systems, "system", nil, "only the system of this `NAME` (may be repeated; check list names them)")
	flags.DurationVar(&f.plan.For, "for", 0, "how long to go on, such as 90s or 5m: `D` (default 20s, unless --runs is given)")
	flags.IntVar(&f.plan.Runs, "runs", 0, "make `N` runs for each row")
	flags.Uint64Var(&f.plan.Seed, "seed", 0, "the first seed `N`; the next run has the next one")
	flags.IntVar(&f.plan.Operations, "operations", rashomon.DefaultOperations, "how many operations each run has: `N`")
	flags.IntVar(&f.plan.Workers, "workers", 0, "make `N` runs at a time (default one for each processor)")
	flags.StringVar(&f.out, "out", "rashomon-out", "write what is found to this `DIR`")
	flags.BoolVar(&f.json, "json", false, "print JSON")
	f.choice.flags(cmd)
	return cmd
}

func (f *fuzzFlags) validate(cmd *cobra.Command) error {
	given := cmd.Flags().Changed
	switch {
	case f.plan.For < 0 || f.plan.For == 0 && given("for"):
		return fmt.Errorf("--for %v, expected a duration such as 90s or 5m", f.plan.For)
	case f.plan.Runs < 0 || f.plan.Runs == 0 && given("runs"):
		return fmt.Errorf("--runs %d, expected a number from 1 upwards", f.plan.Runs)
	case f.plan.Operations < 1 || f.plan.Operations > 1_000_000:
		return fmt.Errorf("--operations %d, expected 1..1000000", f.plan.Operations)
	case f.plan.Workers < 0 || f.plan.Workers > 10_000 || f.plan.Workers == 0 && given("workers"):
		return fmt.Errorf("--workers %d, expected 1..10000", f.plan.Workers)
	}
	if f.plan.For == 0 && f.plan.Runs == 0 {
		f.plan.For = defaultFor
	}
	f.plan.StopAtFirst = f.bug != ""
	return nil
}

func (a *app) fuzz(f *fuzzFlags) (err error) {
	if f.plan.Cells, err = f.cells(); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // whoever asks twice does not want the report
	if err := writable(f.out); err != nil {
		return err
	}
	if os.Getenv("GOGC") == "" {
		// A run leaves next to nothing behind. To collect it less often saves a
		// sixth of the processor time and costs some megabytes.
		debug.SetGCPercent(400)
	}
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
	r := newFuzzReport(report, found)
	r.Interrupted = ctx.Err() != nil
	if f.json {
		return printJSON(a.out, r)
	}
	return r.print(a.out)
}

// fuzzStatus is 0 if every cell turned out as its table says. A planted bug that
// was caught is a violation; one that conclusive runs did not catch is none.
func fuzzStatus(r *campaign.Report, bug bool) (s status) {
	for i := range r.Cells {
		switch c := &r.Cells[i]; {
		case c.Kept() || bug && c.Verdict() == checker.Valid:
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
		name := fmt.Sprintf("%s-%s-%s", c.System.Name, c.Claim.Reads, c.Claim.Property)
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
		found[i] = foundReport{
			Seed: c.First.Seed, Sentence: result.Sentence, Operations: len(small.Operations), Faults: len(small.Faults),
			Digest: rashomon.DigestString(result.Digest), Scenario: saved.Scenario, Page: saved.Page,
		}
		for _, op := range result.Witness {
			found[i].Witness = append(found[i].Witness, result.DescribeOp(op))
		}
	}
	return found, nil
}

// fuzzReport is what a campaign found, for programs.
type fuzzReport struct {
	Cells       []cellReport `json:"cells"`
	Runs        int          `json:"runs"`
	Seconds     float64      `json:"seconds"`
	Interrupted bool         `json:"interrupted"`
	Digest      string       `json:"digest"` // over all runs, in the order of their seeds
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
	Digest     string   `json:"digest"` // of the shrunk scenario's run
	Scenario   string   `json:"scenario"`
	Page       string   `json:"page"`
}

func newFuzzReport(r *campaign.Report, found []foundReport) fuzzReport {
	report := fuzzReport{Runs: r.Runs, Seconds: r.Took.Seconds(), Digest: rashomon.DigestString(r.Digest)}
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
	var b strings.Builder
	r.verdicts(&b)
	b.WriteString("\n")
	r.exercised(&b)
	for i := range r.Cells {
		r.Cells[i].reasons(&b)
	}
	for i := range r.Cells {
		if c := &r.Cells[i]; c.Found != nil {
			c.Found.print(&b, c)
		}
	}
	interrupted := ""
	if r.Interrupted {
		interrupted = ", interrupted"
	}
	fmt.Fprintf(&b, "\n%s in %.1f s%s\ndigest: %s\n", plural(r.Runs, "run"), r.Seconds, interrupted, r.Digest)
	_, err := io.WriteString(w, b.String())
	return err
}

// verdicts prints what came of each row of the tables of claims.
func (r fuzzReport) verdicts(w io.Writer) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "SYSTEM\tREADS AT\tCLAIM\tVERDICT\tRUNS\tINVALID\tUNKNOWN")
	for i := range r.Cells {
		c := &r.Cells[i]
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%d\t%d\t%d\n",
			c.name(), c.Reads, claimText(c.Claim, c.Refuted), c.verdict(), c.Runs, c.Violations, c.Inconclusive)
	}
	t.Flush() // to memory: see print
}

// exercised prints what happened in the runs: where nothing happens, nothing is
// proved.
func (r fuzzReport) exercised(w io.Writer) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "EXERCISED\tREADS AT\tOPERATIONS\tOK\tOVERLAPPING\tFAULTS\tMESSAGES\tDROPPED\tTWICE\tLATE")
	for i := range r.Cells {
		c := &r.Cells[i]
		fmt.Fprintf(t, "%s\t%s\t%d\t%s\t%s\t%d\t%d\t%s\t%s\t%s\n", c.name(), c.Reads,
			c.Operations, percent(c.OK, c.Operations), percent(c.Overlapping, c.Operations), c.Faults,
			c.Messages, percent(c.Dropped, c.Messages), percent(c.Duplicated, c.Messages), percent(c.Reordered, c.Messages))
	}
	t.Flush() // to memory: see print
}

// reasons prints why runs were inconclusive, the most frequent reason first.
func (c *cellReport) reasons(b *strings.Builder) {
	if c.Inconclusive == 0 {
		return
	}
	reasons := slices.SortedFunc(maps.Keys(c.Reasons), func(a, b string) int {
		return cmp.Or(cmp.Compare(c.Reasons[b], c.Reasons[a]), strings.Compare(a, b))
	})
	fmt.Fprintf(b, "\n%s, reads at %s: %s of %d unknown:\n", c.name(), c.Reads, plural(c.Inconclusive, "run"), c.Runs)
	for _, reason := range reasons {
		fmt.Fprintf(b, "  %d because %s\n", c.Reasons[reason], reason)
	}
}

// name is the system, or the bug in it, whose name begins with the system's.
func (c *cellReport) name() string { return cmp.Or(c.Bug, c.System) }

// verdict shouts where the table of claims is wrong.
func (c *cellReport) verdict() string {
	switch {
	case c.Violations > 0 && c.Refuted:
		return "refuted"
	case c.Violations > 0:
		return "INVALID"
	case c.Refuted:
		return "NOT REFUTED"
	}
	return c.Verdict
}

// percent prints n of a whole in per cent.
func percent[N int | uint64](n, of N) string {
	if of == 0 {
		return "-"
	}
	return fmt.Sprintf("%d %%", 100*n/of)
}

func (f *foundReport) print(b *strings.Builder, c *cellReport) {
	fmt.Fprintf(b, "\n%s is not %s with reads at %s (seed %d, shrunk to %s and %s):\n%s\n",
		c.name(), c.Claim, c.Reads, f.Seed, plural(f.Operations, "operation"), plural(f.Faults, "fault"), f.Sentence)
	for _, op := range f.Witness {
		fmt.Fprintf(b, "  %s\n", op)
	}
	fmt.Fprintf(b, "  page:   %s\n  replay: "+replayCommand+"\n", filepath.ToSlash(f.Page), filepath.ToSlash(f.Scenario))
}
