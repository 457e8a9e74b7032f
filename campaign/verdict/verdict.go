// Package verdict says what a campaign comes to: whether all systems did what their tables
// of claims say, and if not, why.
//
// Evidence is what a campaign is judged by: its rows, the kinds of failures that it found
// and which of them somebody has muted, and what came of the corpus. Of makes it of a
// campaign that has just ended, Read of one that is in a store, so that the program that
// made a campaign and one that tells of it later come to the same Conclusion.
package verdict

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/rashomon-go/rashomon/campaign"
	"github.com/rashomon-go/rashomon/campaign/corpus"
	"github.com/rashomon-go/rashomon/campaign/store"
	"github.com/rashomon-go/rashomon/internal/english"
)

// Grade is what a campaign comes to, the better the lower. The gravest of several counts.
type Grade int

// The grades.
const (
	Valid      Grade = iota // all rows turned out as the tables of claims say
	Unknown                 // too little happened to say so
	Invalid                 // not all claims hold
	Unreliable              // nothing that the campaign says can be relied on
)

// String names the grade as a Conclusion does.
func (g Grade) String() string {
	return [...]string{"valid", "unknown", "invalid", "not reliable"}[g]
}

// Evidence is what a campaign is judged by.
type Evidence struct {
	Rows   []Row            `json:"-"`                // in the order of the plan
	Groups []Group          `json:"groups,omitempty"` // the most frequent first
	Gone   []Gone           `json:"gone,omitempty"`
	Corpus []corpus.Outcome `json:"corpus,omitempty"`
	Flaws  []string         `json:"-"` // for which nothing can be relied on, beside those of rows
}

// Of returns the evidence of a campaign as far as its report has it: the rows.
func Of(r *campaign.Report) *Evidence {
	e := &Evidence{}
	for i := range r.Cells {
		e.Rows = append(e.Rows, newRow(&r.Cells[i]))
	}
	e.markDiffered()
	return e
}

// Add adds to the rows what a store has of their campaign: the failures, which may say that a
// row is not deterministic.
func (e *Evidence) Add(s *store.Store, id int64, mutes []store.Mute) (err error) {
	e.Groups, e.Gone, err = Groups(s, id, mutes)
	e.markDiffered()
	return err
}

// markDiffered notes of which rows two runs of one scenario were not the same. They are not as
// their table says.
func (e *Evidence) markDiffered() {
	for i := range e.Rows {
		r := &e.Rows[i]
		differs := func(g Group) bool { return g.Kind == campaign.NotDeterministic && r.has(&g) }
		r.Differed = r.Differing > 0 || slices.ContainsFunc(e.Groups, differs)
		r.Kept = r.Kept && !r.Differed
	}
}

// Conclusion is what a campaign comes to, for programs and people.
type Conclusion struct {
	Grade    Grade    `json:"-"`
	Verdict  string   `json:"verdict"` // the grade in words
	Sentence string   `json:"sentence"`
	Because  []string `json:"because,omitempty"` // the gravest first, if there is more than one reason
}

// Conclude says what the campaign comes to.
func (e *Evidence) Conclude() Conclusion {
	reasons := e.reasons()
	slices.SortStableFunc(reasons, func(a, b reason) int { return cmp.Compare(b.grade, a.grade) })
	switch len(reasons) {
	case 0:
		return Conclusion{Grade: Valid, Verdict: Valid.String(), Sentence: e.success()}
	case 1:
		return Conclusion{Grade: reasons[0].grade, Verdict: reasons[0].grade.String(), Sentence: reasons[0].text}
	}
	c := Conclusion{Grade: reasons[0].grade, Verdict: reasons[0].grade.String(), Sentence: failure[reasons[0].grade]}
	for _, why := range reasons {
		c.Because = append(c.Because, why.text)
	}
	return c
}

// failure is the sentence where there is more than one reason.
var failure = map[Grade]string{
	Unknown:    "too little happened to say that all rows are as the tables of claims say",
	Invalid:    "not all claims hold",
	Unreliable: "nothing that this campaign says can be relied on",
}

// success says what a success is: that of looking for a planted bug is none of the bug.
func (e *Evidence) success() string {
	muted := 0
	for i := range e.Rows {
		r := &e.Rows[i]
		if r.Bug != "" {
			return "the planted bug was not caught"
		}
		muted += e.muted(r)
	}
	known, rows := "", "the row"
	if muted > 0 {
		known = fmt.Sprintf("but for %s that somebody has muted, ", english.Plural(muted, "failure"))
	}
	if len(e.Rows) > 1 {
		rows = fmt.Sprintf("all %d rows", len(e.Rows))
	}
	return known + rows + " turned out as the tables of claims say"
}

// Told returns the reasons that people are told, of whom nobody reads more than most.
func (c *Conclusion) Told(most int) []string {
	if len(c.Because) <= most {
		return c.Because
	}
	return append(slices.Clone(c.Because[:most]), fmt.Sprintf("and %d more", len(c.Because)-most))
}
