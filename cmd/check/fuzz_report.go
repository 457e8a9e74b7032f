package main

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/rashomon-go/rashomon"
	"github.com/rashomon-go/rashomon/campaign"
	"github.com/rashomon-go/rashomon/internal/english"
	"github.com/rashomon-go/rashomon/sim"
)

// fuzzReport is what a campaign found, for programs.
type fuzzReport struct {
	Cells       []cellReport   `json:"cells"`
	Runs        int            `json:"runs"`
	Before      int            `json:"before"` // of these, were done before --resume
	Seconds     float64        `json:"seconds"`
	Interrupted bool           `json:"interrupted"`
	Digest      string         `json:"digest"` // over all runs, whatever their order
	Campaign    int64          `json:"campaign"`
	Dir         string         `json:"dir"`
	Groups      []groupReport  `json:"groups,omitempty"`
	Gone        []goneReport   `json:"gone,omitempty"` // muted, and did not occur
	Corpus      []corpusReport `json:"corpus,omitempty"`
	Conclusion  conclusion     `json:"conclusion"`
	Errors      []string       `json:"errors,omitempty"`

	kept string // where the campaign is
	deaf error  // if the canary was not caught
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
	Panics       int            `json:"panics"`
	Crashes      int            `json:"crashes"`
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
	RanTwice     int            `json:"ran_twice"`
	Differing    int            `json:"differing"` // of these, the second run was another one

	ByKind   []outcomesReport `json:"by_kind,omitempty"`
	Features []featureReport  `json:"features,omitempty"`

	Found    *foundReport  `json:"found,omitempty"`
	Panicked *foundReport  `json:"panicked,omitempty"`
	Crashed  *foundReport  `json:"crashed,omitempty"`
	Differs  *differReport `json:"differs,omitempty"` // two runs of one scenario

	Rejudged     int `json:"rejudged"`
	Contradicted int `json:"contradicted"` // by porcupine
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
	report := fuzzReport{Runs: r.Runs, Before: r.Before, Seconds: r.Took.Seconds(), Digest: rashomon.DigestString(r.Digest)}
	for i := range r.Cells {
		c := &r.Cells[i]
		e := &c.Exercise
		cell := cellReport{
			System: c.System.Name, Bug: c.System.Bug, Reads: c.Claim.Reads, Claim: string(c.Claim.Property), Refuted: c.Claim.Refuted,
			Verdict: c.Verdict().String(), Kept: c.Kept(),
			Runs: c.Runs, Violations: c.Violations, Panics: c.Panics, Crashes: c.Crashes, Inconclusive: c.Inconclusive, Reasons: c.Reasons,
			Operations: e.Operations(), OK: e.OK, Overlapping: e.Overlapping, Faults: e.Faults,
			Messages: e.Traffic.Sent, Dropped: dropped(&e.Traffic), Duplicated: e.Traffic.Duplicated, Reordered: e.Traffic.HeldBack,
			ByKind: newOutcomes(e), Features: newFeatures(e),
			RanTwice: c.RanTwice, Differing: c.Differing, Rejudged: c.Rejudged, Contradicted: c.Contradicted, Found: found[i].found, Panicked: found[i].panicked, Crashed: found[i].crashed, Differs: found[i].differs,
		}
		report.Cells = append(report.Cells, cell)
	}
	return report
}

// dropped counts messages that the network or a fault kept from a destination.
func dropped(t *sim.Traffic) uint64 {
	return t.Dropped[sim.Lost] + t.Dropped[sim.CutAtSend] + t.Dropped[sim.CutInFlight] + t.Dropped[sim.NodeDown] +
		t.Dropped[sim.Corrupted] + t.Dropped[sim.Overflow]
}

func (r fuzzReport) print(w io.Writer) error {
	var b strings.Builder
	r.verdicts(&b)
	b.WriteString("\n")
	r.exercised(&b)
	b.WriteString("\n")
	r.reached(&b)
	for i := range r.Cells {
		r.Cells[i].reasons(&b)
	}
	for i := range r.Cells {
		r.Cells[i].found(&b)
	}
	r.failures(&b)
	r.corpus(&b)
	before, interrupted := "", ""
	if r.Before > 0 {
		before = fmt.Sprintf(", %d of them before,", r.Before)
	}
	if r.Interrupted {
		interrupted = ", interrupted"
	}
	fmt.Fprintf(&b, "\ncampaign %d in %s\n%s%s in %.1f s%s\ndigest: %s\n",
		r.Campaign, r.kept, english.Plural(r.Runs, "run"), before, r.Seconds, interrupted, r.Digest)
	fmt.Fprintf(&b, "%s: %s\n", r.Conclusion.Verdict, r.Conclusion.Sentence)
	for _, why := range r.Conclusion.told(toldByFuzz) {
		fmt.Fprintf(&b, "  %s\n", why)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// toldByFuzz is how many reasons fuzz prints.
const toldByFuzz = 10

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
	fmt.Fprintln(t, "EXERCISED\tREADS AT\tCLAIM\tOPERATIONS\tOK\tOVERLAPPING\tFAULTS\tMESSAGES\tDROPPED\tTWICE\tLATE")
	for i := range r.Cells {
		c := &r.Cells[i]
		fmt.Fprintf(t, "%s\t%s\t%s\t%d\t%s\t%s\t%d\t%d\t%s\t%s\t%s\n", c.name(), c.Reads, claimText(c.Claim, c.Refuted),
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
	fmt.Fprintf(b, "\n%s: %s of %d unknown:\n", c.row(), english.Plural(c.Inconclusive, "run"), c.Runs)
	for _, reason := range c.unknownBecause() {
		fmt.Fprintf(b, "  %d because %s\n", c.Reasons[reason], reason)
	}
}

// unknownBecause returns the reasons, the most frequent one first.
func (c *cellReport) unknownBecause() []string {
	return slices.SortedFunc(maps.Keys(c.Reasons), func(a, b string) int {
		return cmp.Or(cmp.Compare(c.Reasons[b], c.Reasons[a]), strings.Compare(a, b))
	})
}

// name is the system, or the bug in it, whose name begins with the system's.
func (c *cellReport) name() string { return cmp.Or(c.Bug, c.System) }

// row names the row of the table of claims.
func (c *cellReport) row() string {
	return fmt.Sprintf("%s, %s with reads at %s", c.name(), claimText(c.Claim, c.Refuted), c.Reads)
}

// verdict shouts where the table of claims is wrong.
func (c *cellReport) verdict() string {
	switch {
	case c.Differs != nil || c.Differing > 0:
		return "NOT DETERMINISTIC"
	case c.Contradicted > 0:
		return "ENGINES DISAGREE"
	case c.Crashes > 0:
		return "CRASHED"
	case c.Panics > 0:
		return "PANICKED"
	case c.Violations > 0 && c.Refuted:
		return "refuted"
	case c.Violations > 0:
		return "INVALID"
	case c.Refuted && c.Bug == "":
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

// found prints what was found in the row.
func (c *cellReport) found(b *strings.Builder) {
	if d := c.Differs; d != nil {
		fmt.Fprintf(b, "\n%s: not deterministic (seed %d):\n%s\n", c.row(), d.Seed, d)
		printFiles(b, "", d.Scenario)
	}
	if f := c.Found; f != nil {
		f.print(b, fmt.Sprintf("%s is not %s with reads at %s", c.name(), c.Claim, c.Reads))
	}
	if f := c.Panicked; f != nil {
		f.print(b, fmt.Sprintf("%s: panicked in %d of %s", c.row(), c.Panics, english.Plural(c.Runs, "run")))
	}
	if f := c.Crashed; f != nil {
		fmt.Fprintf(b, "\n%s: crashed in %d of %s (seed %d):\n%s\n", c.row(), c.Crashes, english.Plural(c.Runs, "run"), f.Seed, f.Sentence)
		printFiles(b, "", f.Scenario)
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
