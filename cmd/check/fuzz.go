package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/rashomon-go/rashomon"
	"github.com/rashomon-go/rashomon/campaign"
	"github.com/rashomon-go/rashomon/campaign/verdict"
)

type fuzzFlags struct {
	choice
	plan   campaign.Plan
	dir    string // where the campaign is kept, or what it finds
	db     string // where the campaign is kept, if it is not in dir
	resume bool
	shard  string // as plan has it in numbers
	corpus string // "" means a directory in dir
	canary campaign.Cell
	svg    bool
	json   bool
}

// defaultFor is how long a fuzz takes when nothing else is said.
const defaultFor = 20 * time.Second

const aboutFuzz = `fuzz runs scenario after scenario, on all cores, for each row of each system's
table of claims. It succeeds when no claim was broken, and what is not claimed was
refuted by a counterexample: a checker that finds nothing there would be blind. Rows
about the same reads of a system share their runs: each is judged for all of them.

The first violation of each row, and the first panic, are shrunk and written to the
output directory: a scenario file that check replay runs again, and a page that shows
the run. A system that panics is never as claimed, and a panic refutes nothing. Nor does
a crash: a run that ends the process, with fuzz in it, or that does not end. After that,
--resume makes the runs that were under way in processes of their own, reports those that
crash, and goes on with the others.

Some runs are run twice. If the second is another than the first, the system is not
deterministic, and nothing that was found can be relied on: the exit status is 4, and
the report tells the first event in which the two differ.

With --bug, a planted bug is put into its system, and fuzz stops at the first
violation. The exit status is 1 if the bug was caught, whatever the row claims, 0 if
it was not, and 2 if too little happened to tell.

The last lines are a digest over all runs, whatever their order, and what the campaign
came to, with the reasons for the exit status. The same seed and the same number of runs
give the same digest, on however many workers.

What was done is kept in the directory, in campaign.db, range of seeds by range of
seeds: nothing is lost when fuzz is killed. Ctrl-C ends it with a report of the runs
until then. --resume goes on with the last campaign of the directory; --runs then
counts what was done before, too. check campaign shows what is kept.

With --db the campaign is kept in PostgreSQL, and all who run check work with the same
address and the same build work on it, too. What it finds is written to the directory
here. If the database is gone for a while, all wait for it.

Failures are grouped by signature: the row, the kind of anomaly, and what has to go
wrong for it to happen. Who knows a failure mutes it (check campaign mute). An example
of each is kept in the corpus, whose scenarios are run first, always.

Each campaign looks for a planted bug, too, the canary: if that is not caught, the
exit status is 4. Of some histories porcupine says, too, what it thinks of them; if it
thinks otherwise, the exit status is 4.

The report says of each row how many runs were invalid, or unknown because they proved
nothing: a row of which more than half were unknown is unknown. And it says how much
was exercised: operations that ended ok, and that overlapped another one on their key;
windows of faults; messages dropped, duplicated (twice) and overtaken by later ones
(late).`

func (a *app) fuzzCommand() *cobra.Command {
	var f fuzzFlags
	cmd := &cobra.Command{
		Use:   "fuzz",
		Short: "Run random scenarios of all systems, and judge them against what is claimed",
		Long:  aboutFuzz,
		Example: `  check fuzz
  check fuzz --system chain --system primary-backup-sync --for 5m
  check fuzz --bug chain-ack-at-middle
  check fuzz --runs 1000 --seed 42
  check fuzz --for 8h --dir nightly
  check fuzz --for 1h --dir nightly --resume
  check fuzz --for 1h --db postgres://me@host/campaigns`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := f.validate(cmd); err != nil {
				return err
			}
			return a.fuzz(&f)
		},
	}
	f.flags(cmd)
	return cmd
}

func (f *fuzzFlags) flags(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringArrayVar(&f.systems, "system", nil, "only the system of this `NAME` (may be repeated; check list names them)")
	flags.DurationVar(&f.plan.For, "for", 0, "how long to go on, such as 90s or 5m: `D` (default 20s, unless --runs is given)")
	flags.IntVar(&f.plan.Runs, "runs", 0, "make `N` runs for each row")
	flags.Uint64Var(&f.plan.Seed, "seed", 0, "the first seed `N`; the next run has the next one")
	flags.IntVar(&f.plan.Operations, "operations", rashomon.DefaultOperations, "how many operations each run has: `N`")
	flags.IntVar(&f.plan.Workers, "workers", 0, "make `N` runs at a time (default one for each processor)")
	flags.Float64Var(&f.plan.Twice, "twice", campaign.DefaultTwice, "run this `SHARE` of the runs twice, 0..1, and compare")
	flags.StringVar(&f.dir, "dir", "rashomon-out", "keep the campaign, and what it finds, in this `DIR`")
	flags.StringVar(&f.db, "db", "", "keep the campaign in the PostgreSQL database at this `URL`, and share it with check work")
	flags.BoolVar(&f.resume, "resume", false, "go on with the last campaign of the directory, or of the database")
	flags.StringVar(&f.corpus, "corpus", "", "run the scenarios of this `DIR` first, and keep new ones there (default corpus in --dir)")
	flags.StringVar(&f.shard, "shard", "", "make only part `I/N` of the runs, such as 3/20 (check campaign merge brings them together)")
	flags.BoolVar(&f.svg, "svg", false, "write the drawings of the pages as SVG images too")
	flags.BoolVar(&f.json, "json", false, "print JSON")
	f.choice.flags(cmd)
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
	if err := f.validateResume(cmd); err != nil {
		return err
	}
	if err := f.parseShard(); err != nil {
		return err
	}
	if err := together(cmd, "db", "shard"); err != nil {
		return err
	}
	return validOperations(f.plan.Operations)
}

// maxShards is how many parts a campaign may have.
const maxShards = 10_000

func (f *fuzzFlags) parseShard() error {
	if f.shard == "" {
		return nil
	}
	i, n, _ := strings.Cut(f.shard, "/")
	shard, err := strconv.Atoi(i)
	shards, err2 := strconv.Atoi(n)
	if errors.Join(err, err2) != nil || shard < 1 || shard > shards || shards > maxShards {
		return fmt.Errorf("--shard %q, expected I/N with I from 1 to N, such as 3/20, and N at most %d", f.shard, maxShards)
	}
	f.plan.Shard, f.plan.Shards = shard-1, shards
	return nil
}

// validateResume refuses flags that say what the campaign is, which is known.
func (f *fuzzFlags) validateResume(cmd *cobra.Command) error {
	for _, name := range []string{"system", "bug", "reads", "claim", "beyond-budget", "seed", "operations", "twice", "shard"} {
		if f.resume && cmd.Flags().Changed(name) {
			return fmt.Errorf("--resume goes on with a campaign as it is, expected no --%s", name)
		}
	}
	return nil
}

func (a *app) fuzz(f *fuzzFlags) (err error) {
	if !f.resume { // else the campaign says which
		if f.plan.Cells, err = f.cells(); err != nil {
			return err
		}
	}
	if f.canary, err = verdict.Canary(); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // whoever asks twice does not want the report
	collectLess()
	return a.campaign(ctx, f)
}

// collectLess lets the garbage collector run less often. A run leaves next to nothing
// behind: that saves a sixth of the processor time and costs some megabytes.
func collectLess() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(400)
	}
}

// campaign carries out the plan. What was found is printed even if it could not
// be written to files.
func (a *app) campaign(ctx context.Context, f *fuzzFlags) (err error) {
	s, err := f.start(ctx, a.say)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	if err := s.isolate(ctx, f); err != nil {
		return err
	}
	if f.bug != "" { // it looks for a planted bug anyway
		f.canary = campaign.Cell{}
	}
	outcomes, err := runCorpus(s.corpus, s.mutes)
	if err != nil {
		return err
	}
	if err := s.lookForCanary(ctx, f.canary); err != nil {
		return err
	}
	p := newProgress(a.err)
	a.progress = p
	report := s.run(ctx, f, p.show)
	p.end()
	if report.Err != nil {
		return brokenError{report.Err}
	}
	save := saver{flag: "--dir", dir: f.dir, svg: f.svg}
	found := save.all(report)
	if err := s.keepDiffering(found); err != nil {
		return brokenError{err}
	}
	r := newFuzzReport(report, found)
	r.Interrupted, r.Corpus = ctx.Err() != nil, outcomes
	if err := s.conclude(&r, f.canary); err != nil {
		return brokenError{err}
	}
	a.status = statusOfGrade(r.Conclusion.Grade)
	if err := s.lastIntoCorpus(); err != nil {
		save.errs = append(save.errs, err)
	}
	for _, err := range save.errs {
		r.Errors = append(r.Errors, err.Error())
	}
	print := r.print
	if f.json {
		print = func(w io.Writer) error { return printJSON(w, r) }
	}
	if err := print(a.out); err != nil {
		return err
	}
	return errors.Join(r.flawed(), save.failure())
}

// flawed is the error of a campaign that cannot be relied on as a whole.
func (r *fuzzReport) flawed() error {
	if len(r.Flaws) == 0 {
		return nil
	}
	return brokenError{errors.New(strings.Join(r.Flaws, "; "))}
}
