package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/rashomon-go/rashomon"
	"github.com/rashomon-go/rashomon/campaign"
	"github.com/rashomon-go/rashomon/checker"
)

type fuzzFlags struct {
	choice
	plan campaign.Plan
	out  string
	svg  bool
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
refuted by a counterexample: a checker that finds nothing there would be blind. Rows
about the same reads of a system share their runs: each is judged for all of them.

The first violation of each row, and the first panic, are shrunk and written to the
output directory: a scenario file that check replay runs again, and a page that shows
the run. A system that panics is never as claimed, and a panic refutes nothing.

Some runs are run twice. If the second is another than the first, the system is not
deterministic, and nothing that was found can be relied on: the exit status is 4, and
the report tells the first event in which the two differ.

With --bug, a planted bug is put into its system, and fuzz stops at the first
violation. The exit status is 1 if the bug was caught, whatever the row claims, 0 if
it was not, and 2 if too little happened to tell.

The last line is a digest over all runs in the order of their seeds. The same seed
and the same number of runs give the same digest, on however many workers. Ctrl-C
ends the fuzz with a report of the runs until then.

The report says of each row how many runs were invalid, or unknown because they proved
nothing: a row of which more than half were unknown is unknown. And it says how much
was exercised: operations that ended ok, and that overlapped another one on their key;
windows of faults; messages dropped, duplicated (twice) and overtaken by later ones
(late).`,
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
	flags.Float64Var(&f.plan.Twice, "twice", campaign.DefaultTwice, "run this `SHARE` of the runs twice, 0..1, and compare")
	flags.StringVar(&f.out, "out", "rashomon-out", "write what is found to this `DIR`")
	flags.BoolVar(&f.svg, "svg", false, "write the drawings of the pages as SVG images too")
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
	case !(f.plan.Twice >= 0 && f.plan.Twice <= 1):
		return fmt.Errorf("--twice %v, expected a share of the runs, 0..1", f.plan.Twice)
	case f.plan.Workers < 0 || f.plan.Workers > 10_000 || f.plan.Workers == 0 && given("workers"):
		return fmt.Errorf("--workers %d, expected 1..10000", f.plan.Workers)
	}
	if f.plan.For == 0 && f.plan.Runs == 0 {
		f.plan.For = defaultFor
	}
	if f.plan.Twice == 0 {
		f.plan.Twice = -1
	}
	f.plan.StopAtFirst = f.bug != ""
	return validOperations(f.plan.Operations)
}

func (a *app) fuzz(f *fuzzFlags) (err error) {
	if f.plan.Cells, err = f.cells(); err != nil {
		return err
	}
	if err := writable(f.out); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // whoever asks twice does not want the report
	if os.Getenv("GOGC") == "" {
		// A run leaves next to nothing behind. To collect it less often saves a
		// sixth of the processor time and costs some megabytes.
		debug.SetGCPercent(400)
	}
	return a.campaign(ctx, f)
}

// campaign carries out the plan. What was found is printed even if it could not
// be written to files.
func (a *app) campaign(ctx context.Context, f *fuzzFlags) error {
	p := newProgress(a.err)
	report := campaign.Run(ctx, f.plan, p.show)
	p.end()
	if report.Err != nil {
		return brokenError{report.Err}
	}
	s := saver{dir: f.out, svg: f.svg}
	r := newFuzzReport(report, s.save(report))
	r.Interrupted = ctx.Err() != nil
	a.status = graver(fuzzStatus(report, f.bug != ""), r.status())
	for _, err := range s.errs {
		r.Errors = append(r.Errors, err.Error())
	}
	print := r.print
	if f.json {
		print = func(w io.Writer) error { return printJSON(w, r) }
	}
	if err := print(a.out); err != nil {
		return err
	}
	return s.failure()
}

// fuzzStatus is 0 if every cell turned out as its table says. A planted bug that
// was caught is a violation, whatever is claimed; one that conclusive runs did not
// catch is none.
func fuzzStatus(r *campaign.Report, bug bool) (s status) {
	for i := range r.Cells {
		switch c := &r.Cells[i]; {
		case bug:
			s = graver(s, statusOf(c.Verdict()))
		case c.Kept():
		case c.Verdict() == checker.Invalid:
			s = graver(s, statusInvalid)
		default:
			s = graver(s, statusUnknown)
		}
	}
	return s
}
