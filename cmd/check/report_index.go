package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rashomon-go/rashomon/campaign/store"
	"github.com/rashomon-go/rashomon/campaign/verdict"
	"github.com/rashomon-go/rashomon/internal/english"
	"github.com/rashomon-go/rashomon/report"
	"github.com/rashomon-go/rashomon/report/site"
)

// index is the first page of the site.
func (j *judged) index(zoo *zooReport) *site.Page {
	p := &site.Page{Title: fmt.Sprintf("campaign %d", j.info.ID), Facts: j.facts()}
	j.verdict(p)
	p.Sections = []site.Section{j.failures(), j.goneSection(), j.corpusSection(), j.claims(), j.paceSection(),
		j.exercise(), j.featuresSection(), j.unknowns(), j.since(), j.campaigns(), zooSection(zoo)}
	p.Sections = slices.DeleteFunc(p.Sections, func(s site.Section) bool { return s.Title == "" })
	return p
}

// toldBySite is how many reasons stand at the top of a page.
const toldBySite = 40

// verdict says what came of the campaign, by its exit status. While it is under way, that
// something has not happened yet says nothing.
func (j *judged) verdict(p *site.Page) {
	p.Verdict, p.Headline, p.Because = j.Verdict, j.Sentence, j.Told(toldBySite)
	switch j.Grade {
	case verdict.Valid:
		p.Grade = site.Good
	case verdict.Unknown:
		p.Grade = site.Unclear
	default:
		p.Grade = site.Bad
	}
	if j.info.State != store.Running {
		return
	}
	if j.follows {
		p.Reload = int(followEvery.Seconds())
	}
	if p.Grade != site.Bad {
		p.Grade = ""
	}
}

func (j *judged) facts() []report.Fact {
	took := time.Duration(j.info.Seconds * float64(time.Second))
	facts := []report.Fact{
		{Name: "Runs", Value: english.Grouped(j.info.Runs)},
		{Name: "Failures", Value: j.newsLine()},
		{Name: "Began", Value: j.info.Began.Format(time.DateTime) + " UTC"},
		{Name: "Took", Value: took.Round(100 * time.Millisecond).String()},
		{Name: "Build", Value: j.info.Build},
		{Name: "Plan", Value: j.plan.String()},
		{Name: "Digest", Value: j.info.Digest},
	}
	if j.canary != "" {
		facts = append(facts, report.Fact{Name: "Canary", Value: "caught: " + j.canary})
	}
	return append(facts, report.Fact{Name: "Written", Value: time.Now().UTC().Format(time.DateTime) + " UTC"})
}

func (j *judged) failures() site.Section {
	s := site.Section{Title: "Failures", Brief: true, Note: "No run has failed that nobody expects."}
	if len(j.Groups) == 0 {
		return s
	}
	s.Note = "One line for each kind of failure, those first that nobody has seen before. Known are those of the last campaign before it with the same rows; what is muted does not decide the verdict."
	s.Table = table("Signature", "", "Failure", "Row", "#Count", "#Per million runs", "First seen", "Smallest example")
	groups := j.newsFirst()
	for i := range groups {
		g := &groups[i]
		row := cells(g.ID, j.news(g), clipped(g.Sentence), g.Text, english.Grouped(g.Count), fmt.Sprintf("%.0f", g.PerMillion), g.FirstSeen.Format(time.DateTime), g.Size())
		row[0].Link, row[0].Grade = groupFile(g.ID), site.Bad
		if row[1].Text == isNew {
			row[1].Grade = site.Bad
		}
		if g.Muted != "" {
			row[0].Grade = ""
			row[2].Text += " (" + mutedBecause(g) + ")"
		}
		s.Table.Rows = append(s.Table.Rows, row)
	}
	return s
}

// mutedBecause says why the failure is muted.
func mutedBecause(g *verdict.Group) string { return "muted: " + g.Muted }

func (j *judged) goneSection() (s site.Section) {
	if len(j.Gone) == 0 {
		return s
	}
	s = site.Section{Title: "Muted, and did not occur", Brief: true, Table: table("Signature", "Muted because")}
	for _, g := range j.Gone {
		s.Table.Rows = append(s.Table.Rows, cells(g.Signature, g.Reason))
	}
	return s
}

func (j *judged) corpusSection() (s site.Section) {
	if len(j.Corpus) == 0 {
		return s
	}
	failing := 0
	s = site.Section{Title: "Corpus", Table: table("Scenario", "Verdict", "Sentence")}
	for _, c := range j.Corpus {
		verdict := site.Cell{Text: c.Verdict}
		switch {
		case c.Fails():
			failing++
			verdict.Grade = site.Bad
		case c.Muted:
			verdict.Text += ", muted"
		}
		s.Table.Rows = append(s.Table.Rows, []site.Cell{{Text: c.File}, verdict, {Text: clipped(c.Sentence)}})
	}
	s.Note = fmt.Sprintf("%s that once failed, %d of them still.", english.Plural(len(j.Corpus), "scenario"), failing)
	s.Brief = failing > 0
	return s
}

func (j *judged) claims() site.Section {
	names := []string{"System", "Reads at", "Claim", "Verdict", "#Runs", "#Invalid", "#Unknown"}
	troubled := slices.ContainsFunc(j.Rows, func(r verdict.Row) bool { return trouble(&r) != "" })
	if troubled {
		names = append(names, "Trouble")
	}
	t := table(names...)
	for i := range j.Rows {
		c := &j.Rows[i]
		row := cells(c.Name(), c.Reads, c.Promise(), c.Word(), english.Grouped(c.Runs), english.Grouped(c.Violations), english.Grouped(c.Inconclusive))
		row[3].Grade = gradeOf(c)
		if troubled {
			row = append(row, site.Cell{Text: trouble(c), Grade: site.Bad})
		}
		t.Rows = append(t.Rows, row)
	}
	return site.Section{Title: "Claims", Brief: true, Table: t,
		Note: "What is marked not is not claimed, and must be refuted. Rows about the same reads of a system share their runs. " + j.compared()}
}

// gradeOf is good for a row that is as its table says.
func gradeOf(c *verdict.Row) site.Grade {
	switch word := c.Word(); {
	case c.Kept:
		return site.Good
	case word == "unknown" || word == "NOT REFUTED":
		return site.Unclear
	case word == "valid": // a planted bug that was not caught
		return ""
	}
	return site.Bad
}

func (j *judged) paceSection() (s site.Section) {
	if len(j.pace) == 0 {
		return s
	}
	s.Title = "Throughput"
	for _, p := range j.pace {
		s.Pace = append(s.Pace, site.Minute{At: p.Minute, Runs: p.Runs})
	}
	return s
}

func (j *judged) exercise() site.Section {
	t := table("System", "Reads at", "Claim", "#Operations", "#OK", "#Overlapping", "#Faults", "#Messages", "#Dropped", "#Twice", "#Late")
	for i := range j.Rows {
		c := &j.Rows[i]
		t.Rows = append(t.Rows, cells(c.Name(), c.Reads, c.Promise(), english.Grouped(c.Operations), percent(c.OK, c.Operations),
			percent(c.Overlapping, c.Operations), english.Grouped(c.Faults), english.Grouped(int(c.Messages)), percent(c.Dropped, c.Messages),
			percent(c.Duplicated, c.Messages), percent(c.Reordered, c.Messages)))
	}
	return site.Section{Title: "Exercised", Table: t, Note: "Where nothing happens, nothing is proved. Operations that ended ok, or overlapped another one on " +
		"their key; windows of faults; messages dropped, duplicated (twice) and overtaken by later ones (late)."}
}

func (j *judged) featuresSection() site.Section {
	t := table("System", "#Runs", "Reached, in a share of the runs", "Never reached")
	for _, f := range featuresOf(j.Rows) {
		row := cells(f.system, english.Grouped(f.runs), strings.Join(f.reached, ", "), strings.Join(f.missed, ", "))
		row[3].Grade = site.Unclear
		t.Rows = append(t.Rows, row)
	}
	return site.Section{Title: "Features", Note: "What protocols say that they came to.", Table: t}
}

// mostReasonsOfRow is how many reasons are told apart: some name keys, and there are many.
const mostReasonsOfRow = 4

func (j *judged) unknowns() (s site.Section) {
	t := table("Row", "#Runs", "Because")
	for i := range j.Rows {
		c := &j.Rows[i]
		rest := c.Inconclusive
		for k, reason := range c.UnknownBecause() {
			if k == mostReasonsOfRow {
				t.Rows = append(t.Rows, cells(c.String(), english.Grouped(rest), "of other reasons"))
				break
			}
			t.Rows = append(t.Rows, cells(c.String(), english.Grouped(c.Reasons[reason]), reason))
			rest -= c.Reasons[reason]
		}
	}
	if len(t.Rows) == 0 {
		return s
	}
	return site.Section{Title: "Unknown", Note: "Runs that prove nothing.", Table: t}
}

// since compares with the last campaign before it of the same rows.
func (j *judged) since() (s site.Section) {
	if len(j.changes) == 0 {
		return s
	}
	s = site.Section{Title: "Since the campaign before", Note: "Failures of each million runs of their row, beside those of the last campaign before it with the same rows; - where the row was not run.",
		Table: table("Signature", "#Before", "#Now", "", "Failure")}
	for _, c := range j.changes {
		s.Table.Rows = append(s.Table.Rows, cells(c.ID, rate(c.Before), rate(c.After), c.What(), c.Text))
		s.Brief = s.Brief || c.What() != ""
	}
	return s
}

// mostCampaigns is how many campaigns are listed.
const mostCampaigns = 60

func (j *judged) campaigns() site.Section {
	t := table("#Campaign", "State", "Began", "#Took", "#Runs", "#Failures", "#Signatures", "Digest", "Build")
	listed := slices.Clone(j.others[max(0, len(j.others)-mostCampaigns):])
	slices.Reverse(listed)
	for _, c := range listed {
		took := time.Duration(c.Seconds * float64(time.Second)).Round(100 * time.Millisecond)
		t.Rows = append(t.Rows, cells(strconv.FormatInt(c.ID, 10), string(c.State), c.Began.Format(time.DateTime), took.String(), english.Grouped(c.Runs),
			english.Grouped(c.Failures), english.Grouped(c.Groups), c.Digest, c.Build))
	}
	return site.Section{Title: "Campaigns", Note: fmt.Sprintf("%s in the same place.", english.Plural(len(j.others), "campaign")), Table: t}
}

// table returns a table without rows. Names of columns with numbers begin with #.
func table(names ...string) *site.Table {
	t := &site.Table{}
	for _, name := range names {
		plain, number := strings.CutPrefix(name, "#")
		t.Columns = append(t.Columns, site.Column{Name: plain, Number: number})
	}
	return t
}

func cells(texts ...string) (row []site.Cell) {
	for _, text := range texts {
		row = append(row, site.Cell{Text: text})
	}
	return row
}

// clipped returns the beginning of a text that may be long.
func clipped(text string) string {
	const most = 240
	text = strings.Join(strings.Fields(text), " ")
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most]) + " …"
	}
	return text
}
