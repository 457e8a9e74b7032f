package main

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/rashomon-go/rashomon/campaign"
	"github.com/rashomon-go/rashomon/checker"
	"github.com/rashomon-go/rashomon/internal/english"
)

// reason is one of the things that a campaign's exit status comes from: the gravest
// wins. Without any it is 0.
type reason struct {
	status status
	text   string
}

func gravest(reasons []reason) (s status) {
	for _, why := range reasons {
		s = graver(s, why.status)
	}
	return s
}

// reasons says why a campaign is no success: whatever did not turn out as the tables of
// claims say, but for failures that are muted; what makes all of it unreliable; and
// scenarios of the corpus that fail. What is not claimed must be refuted all the same. A
// planted bug that was caught is a violation, whatever is claimed; one that conclusive
// runs did not catch is none.
func (r *fuzzReport) reasons() (all []reason) {
	for i := range r.Cells {
		c := &r.Cells[i]
		if why, found := c.reason(r.mutedIn(c)); found {
			all = append(all, why)
		}
		differs := func(g groupReport) bool { return g.Kind == campaign.NotDeterministic && c.has(g) }
		if c.Differs != nil || c.Differing > 0 || slices.ContainsFunc(r.Groups, differs) {
			all = append(all, reason{statusBroken, c.row() + ": runs are not deterministic, so that nothing found can be relied on"})
		}
		if c.Contradicted > 0 {
			all = append(all, reason{statusBroken, fmt.Sprintf("%s: porcupine came to another verdict in %s", c.row(), english.Plural(c.Contradicted, "run"))})
		}
	}
	for _, c := range r.Corpus {
		if c.stillFails() {
			all = append(all, reason{statusInvalid, fmt.Sprintf("%s of the corpus fails: %s", c.File, c.Sentence)})
		}
	}
	if r.deaf != nil {
		all = append(all, reason{statusBroken, r.deaf.Error()})
	}
	return all
}

// reason says in what way a row did not turn out as its table says, if it did not.
// Muted is how many of its failures somebody knows.
func (c *cellReport) reason(muted int) (why reason, found bool) {
	runs, unexpected := english.Plural(c.Runs, "run"), c.Panics+c.Crashes
	if !c.Refuted || c.Bug != "" {
		unexpected += c.Violations
	}
	switch {
	case c.Bug != "" && unexpected > 0:
		return reason{statusInvalid, fmt.Sprintf("the planted bug %s was caught in %d of %s", c.Bug, unexpected, runs)}, true
	case unexpected > muted && c.Refuted:
		return reason{statusInvalid, fmt.Sprintf("%s: panicked or crashed in %d of %s", c.row(), unexpected, runs)}, true
	case unexpected > muted:
		return reason{statusInvalid, fmt.Sprintf("%s: broken in %d of %s", c.row(), unexpected, runs)}, true
	case c.Bug == "" && c.Refuted:
		return reason{statusUnknown, fmt.Sprintf("%s: not refuted in %s", c.row(), runs)}, c.Violations == 0
	}
	return reason{statusUnknown, fmt.Sprintf("%s: too little happened, %d of %s prove nothing", c.row(), c.Inconclusive, runs)}, c.Verdict == checker.Unknown.String()
}

// conclusion is what a campaign comes to.
type conclusion struct {
	Verdict  string   `json:"verdict"`
	Sentence string   `json:"sentence"`
	Because  []string `json:"because,omitempty"` // the gravest first, if there is more than one reason

	status status
}

// conclude says what came of a campaign that is no success for these reasons, or for
// none.
func (r *fuzzReport) conclude(reasons []reason) conclusion {
	c := conclusion{status: gravest(reasons)}
	switch c.status {
	case statusInvalid:
		c.Verdict, c.Sentence = "invalid", "not all claims hold"
	case statusUnknown:
		c.Verdict, c.Sentence = "unknown", "too little happened to say that all rows are as the tables of claims say"
	case statusBroken:
		c.Verdict, c.Sentence = "not reliable", "nothing that this campaign says can be relied on"
	default:
		c.Verdict, c.Sentence = "valid", r.success()
	}
	if len(reasons) == 1 {
		c.Sentence = reasons[0].text
		return c
	}
	slices.SortStableFunc(reasons, func(a, b reason) int { return -cmp.Compare(a.status.rank(), b.status.rank()) })
	for _, why := range reasons {
		c.Because = append(c.Because, why.text)
	}
	return c
}

// success says what a success is: that of looking for a planted bug is none of the bug.
func (r *fuzzReport) success() string {
	muted := 0
	for i := range r.Cells {
		c := &r.Cells[i]
		if c.Bug != "" {
			return "the planted bug was not caught"
		}
		muted += r.mutedIn(c)
	}
	known, rows := "", "the row"
	if muted > 0 {
		known = fmt.Sprintf("but for %s that somebody has muted, ", english.Plural(muted, "failure"))
	}
	if len(r.Cells) > 1 {
		rows = fmt.Sprintf("all %d rows", len(r.Cells))
	}
	return known + rows + " turned out as the tables of claims say"
}

// told returns the reasons that people are told, of whom nobody reads more than most.
func (c *conclusion) told(most int) []string {
	if len(c.Because) <= most {
		return c.Because
	}
	return append(slices.Clone(c.Because[:most]), fmt.Sprintf("and %d more", len(c.Because)-most))
}

// has says whether failures are of this row.
func (c *cellReport) has(g groupReport) bool {
	return c.System == g.System && c.Bug == g.Bug && c.Reads == g.Reads && c.Claim == g.Claim
}

// mutedIn returns how many failures of a row are muted.
func (r *fuzzReport) mutedIn(c *cellReport) (n int) {
	for _, g := range r.Groups {
		if g.Muted != "" && c.has(g) {
			n += g.Count
		}
	}
	return n
}

// deadCanary is what is wrong if the canary was not caught.
func deadCanary(cell campaign.Cell) error {
	return fmt.Errorf("the canary was not caught: %s, in %d runs; nothing that this campaign says can be relied on",
		cmp.Or(cell.System.Bug, cell.System.Name), canaryRuns)
}
