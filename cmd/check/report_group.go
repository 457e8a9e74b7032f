package main

import (
	"cmp"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rashomon-go/rashomon"
	"github.com/rashomon-go/rashomon/campaign"
	"github.com/rashomon-go/rashomon/campaign/verdict"
	"github.com/rashomon-go/rashomon/checker"
	"github.com/rashomon-go/rashomon/internal/english"
	"github.com/rashomon-go/rashomon/report"
	"github.com/rashomon-go/rashomon/report/site"
	"github.com/rashomon-go/rashomon/systems"
)

func groupFile(id string) string { return "group-" + id + ".html" }
func issueFile(id string) string { return "issue-" + id + ".md" }

// filmed is the smallest scenario of a signature, run again for the site.
type filmed struct {
	text  string // of the scenario
	saved rashomon.Saved
	note  string // what is to be said of that run, if it is not what one expects
}

// film runs the smallest scenario of a signature again and writes its page into the
// site. One that another build has kept may not run here, or not fail.
func (w *siteWriter) film(g *verdict.Group) (filmed, error) {
	f, name := filmed{text: g.Scenario}, "run-"+g.ID
	if (campaign.Signature{Kind: g.Kind}).Crash() {
		f.note = "It ends the program that runs it, so that this program did not."
		f.saved.Scenario = filepath.Join(w.out, name+".yaml")
		return f, w.file(name+".yaml", func(to io.Writer) error {
			_, err := io.WriteString(to, g.Scenario)
			return err
		})
	}
	sc, system, err := rashomon.LoadScenario(strings.NewReader(g.Scenario), "the scenario", systems.Find)
	if err != nil {
		f.note = "This program cannot run it: " + err.Error()
		return f, nil
	}
	sc.Program = version()
	var r *rashomon.Result
	f.saved, r, err = rashomon.Save(rashomon.Files{Dir: w.out, Name: name, SVG: true, Replay: replayHere}, system, sc)
	switch {
	case r == nil && err != nil:
		f.note = "This program cannot run it: " + err.Error()
		return f, nil
	case err != nil:
		return f, brokenError{notWritten("-o", filepath.Join(w.out, name), err)}
	case r.Verdict != checker.Invalid:
		f.note = fmt.Sprintf("Run again, it does not fail: its history is %s.", r.Verdict)
	}
	return f, nil
}

// replayHere is the command for whoever stands in the directory of the file.
func replayHere(file string) string {
	return calledAnywhere() + " replay " + quoted(filepath.Base(file))
}

// group is the page of one kind of failure.
func (j *judged) group(g *verdict.Group, f filmed) *site.Page {
	p := &site.Page{
		Title: "failure " + g.ID, Home: "index.html", Verdict: "invalid", Grade: site.Bad, Headline: g.Sentence,
		Facts: []report.Fact{
			{Name: "Row", Value: fmt.Sprintf("%s, %s with reads at %s", cmp.Or(g.Bug, g.System), g.Claim, g.Reads)},
			{Name: "Kind", Value: g.Kind},
			{Name: "Involved", Value: cmp.Or(g.Involved, "no faults")},
			{Name: "Failures", Value: english.Grouped(g.Count)},
			{Name: "Per million runs", Value: fmt.Sprintf("%.0f", g.PerMillion)},
			{Name: "First seen", Value: g.FirstSeen.Format(time.DateTime) + " UTC"},
			{Name: "Build", Value: j.info.Build},
		},
	}
	if g.Muted != "" {
		p.Verdict, p.Grade = isMuted, ""
		p.Because = []string{mutedBecause(g)}
	}
	p.Sections = append(p.Sections, f.section(g), j.again(g, f), j.seedsOf(g),
		site.Section{Title: "Scenario", Brief: true, Note: "The smallest one with this failure, as data.", Text: f.text})
	return p
}

func (f filmed) section(g *verdict.Group) site.Section {
	s := site.Section{Title: "What happened", Note: strings.TrimSpace(fmt.Sprintf("The smallest example has %s. %s", g.Size(), f.note))}
	if f.saved.Scenario == "" {
		return s
	}
	s.Table = table("File", "What it is")
	add := func(path, what string) {
		if path != "" {
			name := filepath.Base(path)
			s.Table.Rows = append(s.Table.Rows, []site.Cell{{Text: name, Link: name}, {Text: what}})
		}
	}
	add(f.saved.Page, "the page of the run: every operation, message, fault and state, to look at")
	add(f.saved.Scenario, "the scenario, for check replay")
	add(f.saved.Porcupine, "the history in porcupine's page")
	if f.saved.Page == "" {
		return s
	}
	s.Picture, s.Link = filepath.Base(f.saved.Drawing), filepath.Base(f.saved.Page)
	s.About = "The run around the failure: " + g.Sentence
	return s
}

// again are the commands with which one sees the failure again, all for one directory.
func (j *judged) again(g *verdict.Group, f filmed) site.Section {
	s := site.Section{Title: "Run it again", Brief: true, Note: "From the directory of this site: the smallest scenario, out of its file; an example as it was found, by its seed, which means the same in the same build alone; and how to mute what is known."}
	row := " --system " + quoted(g.System)
	if g.Bug != "" {
		row = " --bug " + quoted(g.Bug)
	}
	seeded := fmt.Sprintf("%s run%s --reads %s --claim %s --seed %d --operations %d", calledAnywhere(), row, quoted(g.Reads), quoted(g.Claim), g.Seed, j.plan.Operations)
	if j.plan.BeyondBudget {
		seeded += " --beyond-budget"
	}
	if f.saved.Scenario != "" {
		s.Commands = append(s.Commands, replayHere(f.saved.Scenario))
	}
	s.Commands = append(s.Commands, seeded,
		fmt.Sprintf("%s campaign mute %s --reason '…' %s", calledAnywhere(), g.ID, j.where))
	return s
}

// fromSite returns the path of a directory for who stands in that of the site.
func fromSite(site, dir string) string {
	if filepath.IsAbs(dir) {
		return filepath.ToSlash(dir)
	}
	here, err := filepath.Abs(dir)
	if err != nil {
		return filepath.ToSlash(dir)
	}
	there, err := filepath.Abs(site)
	if err != nil {
		return filepath.ToSlash(here)
	}
	path, err := filepath.Rel(there, here)
	if err != nil { // on another drive
		path = here
	}
	return filepath.ToSlash(path)
}

func (j *judged) seedsOf(g *verdict.Group) site.Section {
	seeds := slices.Sorted(slices.Values(j.seeds[g.ID]))
	var texts []string
	for _, seed := range seeds {
		texts = append(texts, strconv.FormatUint(seed, 10))
	}
	return site.Section{Title: "Seeds", Text: strings.Join(texts, " "),
		Note: fmt.Sprintf("Examples that were kept: %s of %s.", english.Grouped(len(seeds)), english.Plural(g.Count, "failure"))}
}
