package main

import (
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/rashomon-go/rashomon"
	"github.com/rashomon-go/rashomon/campaign"
	"github.com/rashomon-go/rashomon/campaign/corpus"
	"github.com/rashomon-go/rashomon/campaign/verdict"
	"github.com/rashomon-go/rashomon/internal/english"
)

// fuzzReport is what a campaign found, for programs.
type fuzzReport struct {
	Cells       []cellReport `json:"cells"` // one for each of Rows
	Runs        int          `json:"runs"`
	Before      int          `json:"before"` // of these, were done before --resume
	Seconds     float64      `json:"seconds"`
	Interrupted bool         `json:"interrupted"`
	Digest      string       `json:"digest"` // over all runs, whatever their order
	Campaign    int64        `json:"campaign"`
	Dir         string       `json:"dir"`
	*verdict.Evidence
	Conclusion verdict.Conclusion `json:"conclusion"`
	Errors     []string           `json:"errors,omitempty"`

	where string // the campaign is kept
}

// cellReport is a row, with the runs of it that are worth looking at.
type cellReport struct {
	*verdict.Row
	Found    *foundReport  `json:"found,omitempty"`
	Panicked *foundReport  `json:"panicked,omitempty"`
	Crashed  *foundReport  `json:"crashed,omitempty"`
	Differs  *differReport `json:"differs,omitempty"` // two runs of one scenario
}

type foundReport struct {
	Seed       uint64   `json:"seed"`
	Sentence   string   `json:"sentence"`
	Witness    []string `json:"witness"`
	Operations int      `json:"operations"`
	Faults     int      `json:"faults"`
	Digest     string   `json:"digest"`             // of the shrunk scenario's run
	Scenario   string   `json:"scenario,omitempty"` // file
	Page       string   `json:"page,omitempty"`     // file
}

func newFuzzReport(r *campaign.Report, found []findings) fuzzReport {
	report := fuzzReport{
		Runs: r.Runs, Before: r.Before, Seconds: r.Took.Seconds(), Digest: rashomon.DigestString(r.Digest), Evidence: verdict.Of(r),
	}
	for i := range report.Rows {
		row, f := &report.Rows[i], &found[i]
		report.Cells = append(report.Cells, cellReport{Row: row, Found: f.found, Panicked: f.panicked, Crashed: f.crashed, Differs: f.differs})
	}
	return report
}

func (r fuzzReport) print(w io.Writer) error {
	var b strings.Builder
	r.verdicts(&b)
	b.WriteString("\n")
	r.exercised(&b)
	b.WriteString("\n")
	r.reached(&b)
	for i := range r.Rows {
		printUnknowns(&b, &r.Rows[i])
	}
	for i := range r.Cells {
		r.Cells[i].found(&b)
	}
	printGroups(&b, r.Groups, r.Gone)
	r.regressions(&b)
	before, interrupted := "", ""
	if r.Before > 0 {
		before = fmt.Sprintf(", %d of them before,", r.Before)
	}
	if r.Interrupted {
		interrupted = ", interrupted"
	}
	fmt.Fprintf(&b, "\ncampaign %d in %s\n%s%s in %.1f s%s\ndigest: %s\n",
		r.Campaign, r.where, english.Plural(r.Runs, "run"), before, r.Seconds, interrupted, r.Digest)
	printConclusion(&b, &r.Conclusion)
	_, err := io.WriteString(w, b.String())
	return err
}

// printConclusion prints what a campaign comes to.
func printConclusion(w io.Writer, c *verdict.Conclusion) {
	fmt.Fprintf(w, "%s: %s\n", c.Verdict, c.Sentence)
	for _, why := range c.Told(toldByFuzz) {
		fmt.Fprintf(w, "  %s\n", why)
	}
}

// toldByFuzz is how many reasons are printed.
const toldByFuzz = 10

// verdicts prints what came of each row of the tables of claims.
func (r fuzzReport) verdicts(w io.Writer) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "SYSTEM\tREADS AT\tCLAIM\tVERDICT\tRUNS\tINVALID\tUNKNOWN")
	for i := range r.Rows {
		c := &r.Rows[i]
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%d\t%d\t%d\n",
			c.Name(), c.Reads, c.Promise(), c.Word(), c.Runs, c.Violations, c.Inconclusive)
	}
	t.Flush() // to memory: see print
}

// exercised prints what happened in the runs: where nothing happens, nothing is
// proved.
func (r fuzzReport) exercised(w io.Writer) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "EXERCISED\tREADS AT\tCLAIM\tOPERATIONS\tOK\tOVERLAPPING\tFAULTS\tMESSAGES\tDROPPED\tTWICE\tLATE")
	for i := range r.Rows {
		c := &r.Rows[i]
		fmt.Fprintf(t, "%s\t%s\t%s\t%d\t%s\t%s\t%d\t%d\t%s\t%s\t%s\n", c.Name(), c.Reads, c.Promise(),
			c.Operations, percent(c.OK, c.Operations), percent(c.Overlapping, c.Operations), c.Faults,
			c.Messages, percent(c.Dropped, c.Messages), percent(c.Duplicated, c.Messages), percent(c.Reordered, c.Messages))
	}
	t.Flush() // to memory: see print
}

// printUnknowns prints why runs were inconclusive, the most frequent reason first.
func printUnknowns(b *strings.Builder, c *verdict.Row) {
	if c.Inconclusive == 0 {
		return
	}
	fmt.Fprintf(b, "\n%s: %s of %d unknown:\n", c, english.Plural(c.Inconclusive, "run"), c.Runs)
	for _, reason := range c.UnknownBecause() {
		fmt.Fprintf(b, "  %d because %s\n", c.Reasons[reason], reason)
	}
}

// percent prints n of a whole in per cent.
func percent[N int | uint64](n, of N) string {
	if of == 0 {
		return "-"
	}
	return fmt.Sprintf("%d %%", 100*n/of)
}

// found prints what was found in the row.
func (c *cellReport) found(b *strings.Builder) {
	if d := c.Differs; d != nil {
		fmt.Fprintf(b, "\n%s: not deterministic (seed %d):\n%s\n", c.Row, d.Seed, d)
		printFiles(b, "", d.Scenario)
	}
	if f := c.Found; f != nil {
		f.print(b, fmt.Sprintf("%s is not %s with reads at %s", c.Name(), c.Claim, c.Reads))
	}
	if f := c.Panicked; f != nil {
		f.print(b, fmt.Sprintf("%s: panicked in %d of %s", c.Row, c.Panics, english.Plural(c.Runs, "run")))
	}
	if f := c.Crashed; f != nil {
		fmt.Fprintf(b, "\n%s: crashed in %d of %s (seed %d):\n%s\n", c.Row, c.Crashes, english.Plural(c.Runs, "run"), f.Seed, f.Sentence)
		printFiles(b, "", f.Scenario)
	}
}

func printGroups(w io.Writer, groups []verdict.Group, gone []verdict.Gone) {
	if len(groups) > 0 {
		t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
		fmt.Fprintln(t, "\nSIGNATURE\tCOUNT\tPER MILLION\tSEED\tSMALLEST\tFAILURE")
		for _, g := range groups {
			muted := ""
			if g.Muted != "" {
				muted = "; muted: " + g.Muted
			}
			fmt.Fprintf(t, "%s\t%d\t%.0f\t%d\t%s\t%s%s\n", g.ID, g.Count, g.PerMillion, g.Seed, g.Size(), g.Text, muted)
		}
		t.Flush() // to memory: see print
	}
	for _, m := range gone {
		fmt.Fprintf(w, "\n%s is muted, and did not occur: %s\n", m.Signature, m.Reason)
	}
}

// regressions prints what came of the corpus.
func (r fuzzReport) regressions(b *strings.Builder) {
	failing := slices.DeleteFunc(slices.Clone(r.Corpus), func(c corpus.Outcome) bool { return !c.Fails() })
	if len(r.Corpus) == 0 {
		return
	}
	fmt.Fprintf(b, "\ncorpus: %s that once failed, %d of them still\n", english.Plural(len(r.Corpus), "scenario"), len(failing))
	for _, c := range failing {
		fmt.Fprintf(b, "  %s\n  replay: %s\n", c.Sentence, replayCommand(c.File))
	}
}

func (f *foundReport) print(b *strings.Builder, what string) {
	fmt.Fprintf(b, "\n%s (seed %d, shrunk to %s and %s):\n%s\n",
		what, f.Seed, english.Plural(f.Operations, "operation"), english.Plural(f.Faults, "fault"), f.Sentence)
	for _, op := range f.Witness {
		fmt.Fprintf(b, "  %s\n", op)
	}
	printFiles(b, f.Page, f.Scenario)
}

// printFiles prints how to look at a finding, as far as it was written.
func printFiles(b *strings.Builder, page, scenario string) {
	if page != "" {
		fmt.Fprintf(b, "  page:   %s\n", filepath.ToSlash(page))
	}
	if scenario != "" {
		fmt.Fprintf(b, "  replay: %s\n", replayCommand(filepath.ToSlash(scenario)))
	}
}
