package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/rashomon-go/rashomon/campaign/verdict"
	"github.com/rashomon-go/rashomon/internal/english"
)

// The words for whether somebody has seen a failure before, the most urgent first.
const (
	isNew   = "new"
	isKnown = "known" // from the last campaign before it of the same rows
	isMuted = "muted"
)

// news says whether somebody has seen the failure before. In the first campaign
// of its rows all are new.
func (j *judged) news(g *verdict.Group) string {
	if g.Muted != "" {
		return isMuted
	}
	before := func(c verdict.Change) bool { return c.ID == g.ID && c.Known() }
	if slices.ContainsFunc(j.changes, before) {
		return isKnown
	}
	return isNew
}

// newsFirst returns the failures, those first that nobody has seen before.
func (j *judged) newsFirst() []verdict.Group {
	groups := slices.Clone(j.Groups)
	rank := map[string]int{isNew: 0, isKnown: 1, isMuted: 2}
	slices.SortStableFunc(groups, func(a, b verdict.Group) int { return cmp.Compare(rank[j.news(&a)], rank[j.news(&b)]) })
	return groups
}

// newsLine counts the failures by whether somebody has seen them before, such as "3 kinds:
// 1 new, 2 muted".
func (j *judged) newsLine() string {
	if len(j.Groups) == 0 {
		return "none"
	}
	count := map[string]int{}
	for i := range j.Groups {
		count[j.news(&j.Groups[i])]++
	}
	var words []string
	for _, word := range []string{isNew, isKnown, isMuted} {
		if n := count[word]; n > 0 {
			words = append(words, fmt.Sprintf("%d %s", n, word))
		}
	}
	return english.Plural(len(j.Groups), "kind") + ": " + strings.Join(words, ", ")
}

// trouble names what is wrong with a row beside what its verdict says.
func trouble(r *verdict.Row) string {
	var words []string
	for _, what := range []struct {
		n    int
		word string
	}{
		{r.Panics, "panicked"}, {r.Crashes, "crashed"}, {r.Differing, "differed when run twice"}, {r.Contradicted, "judged otherwise by porcupine"},
	} {
		if what.n > 0 {
			words = append(words, english.Grouped(what.n)+" "+what.word)
		}
	}
	return strings.Join(words, ", ")
}

// compared says how much of the campaign was done in two ways.
func (j *judged) compared() string {
	twice, rejudged := 0, 0
	for i := range j.Rows {
		twice += j.Rows[i].RanTwice
		rejudged += j.Rows[i].Rejudged
	}
	return fmt.Sprintf("Runs made twice and compared: %s; histories judged by porcupine, too: %s.", english.Grouped(twice), english.Grouped(rejudged))
}
