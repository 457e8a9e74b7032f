package verdict

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/rashomon-go/rashomon"
	"github.com/rashomon-go/rashomon/campaign"
	"github.com/rashomon-go/rashomon/campaign/corpus"
)

// What a campaign comes to, row by row.
func TestConclude(t *testing.T) {
	some := uint64(1)
	for _, tt := range []struct {
		name    string
		refuted bool
		bug     string
		tally   campaign.Tally
		muted   int
		kind    string // of a failure
		corpus  []corpus.Outcome
		want    Grade
		because string
	}{
		{name: "kept", tally: campaign.Tally{Runs: 10, Inconclusive: 5}, want: Valid},
		{name: "nothing was run", want: Unknown, because: "chain, linearizable with reads at tail: too little happened, 0 of 0 runs prove nothing"},
		{name: "too little", tally: campaign.Tally{Runs: 10, Inconclusive: 6}, want: Unknown, because: "chain, linearizable with reads at tail: too little happened, 6 of 10 runs prove nothing"},
		{name: "broken", tally: campaign.Tally{Runs: 10, Violations: 2, Panics: 1}, want: Invalid, because: "chain, linearizable with reads at tail: broken in 3 of 10 runs"},
		{name: "all muted", tally: campaign.Tally{Runs: 10, Violations: 2, Panics: 1}, muted: 3, want: Valid},
		{name: "some muted", tally: campaign.Tally{Runs: 10, Violations: 2, Panics: 1}, muted: 2, want: Invalid, because: "chain, linearizable with reads at tail: broken in 3 of 10 runs"},
		{name: "refuted", refuted: true, tally: campaign.Tally{Runs: 10, Violations: 1}, want: Valid},
		{name: "not refuted", refuted: true, tally: campaign.Tally{Runs: 10}, want: Unknown, because: "chain, not linearizable with reads at tail: not refuted in 10 runs"},
		{name: "a panic refutes nothing", refuted: true, tally: campaign.Tally{Runs: 10, Violations: 1, Panics: 1}, want: Invalid, because: "chain, not linearizable with reads at tail: panicked or crashed in 1 of 10 runs"},
		{name: "caught", bug: "bug", tally: campaign.Tally{Runs: 10, Violations: 1}, muted: 1, want: Invalid, because: "the planted bug bug was caught in 1 of 10 runs"},
		{name: "caught where it is not claimed", bug: "bug", refuted: true, tally: campaign.Tally{Runs: 10, Panics: 1}, want: Invalid, because: "the planted bug bug was caught in 1 of 10 runs"},
		{name: "not caught", bug: "bug", refuted: true, tally: campaign.Tally{Runs: 10}, want: Valid},
		{name: "not caught in too little", bug: "bug", tally: campaign.Tally{Runs: 10, Inconclusive: 10}, want: Unknown, because: "bug, linearizable with reads at tail: too little happened, 10 of 10 runs prove nothing"},
		{name: "differing", tally: campaign.Tally{Runs: 10, RanTwice: 2, Differing: 1, Earliest: campaign.Earliest{Differing: &some}}, want: Unreliable,
			because: "chain, linearizable with reads at tail: runs are not deterministic, so that nothing found can be relied on"},
		{name: "not deterministic when it was shrunk", tally: campaign.Tally{Runs: 10, Violations: 1}, muted: 1, kind: campaign.NotDeterministic, want: Unreliable,
			because: "chain, linearizable with reads at tail: runs are not deterministic, so that nothing found can be relied on"},
		{name: "contradicted", tally: campaign.Tally{Runs: 10, Rejudged: 2, Contradicted: 1}, want: Unreliable, because: "chain, linearizable with reads at tail: porcupine came to another verdict in 1 run"},
		{name: "corpus", tally: campaign.Tally{Runs: 10}, corpus: []corpus.Outcome{{File: "a.yaml", Verdict: "invalid", Sentence: "it is"}, {File: "b.yaml", Verdict: "invalid", Muted: true}, {File: "c.yaml", Verdict: "valid"}},
			want: Invalid, because: "a.yaml of the corpus fails: it is"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cell := campaign.Cell{System: &rashomon.System{Name: "chain", Bug: tt.bug}, Claim: rashomon.Claim{Reads: "tail", Property: rashomon.Linearizable, Refuted: tt.refuted}}
			e := Of(&campaign.Report{Cells: []campaign.CellReport{{Cell: cell, Tally: tt.tally}}})
			e.Corpus = tt.corpus
			if tt.muted > 0 {
				e.Groups = []Group{{System: "chain", Bug: tt.bug, Reads: "tail", Claim: "linearizable", Kind: tt.kind, Count: tt.muted, Muted: "known"}}
			}
			e.markDiffered()
			if r := e.Rows[0]; r.Differed {
				assert.False(t, r.Kept)
				assert.Equal(t, "NOT DETERMINISTIC", r.Word())
			}
			c := e.Conclude()
			assert.Equal(t, tt.want, c.Grade)
			assert.Equal(t, tt.want.String(), c.Verdict)
			assert.Empty(t, c.Because, "there is one reason at the most")
			if tt.because != "" {
				assert.Equal(t, tt.because, c.Sentence)
			}
		})
	}
}

// What is muted does not decide. What is not claimed must be refuted,
// and a panic refutes nothing.
func TestMutedFailures(t *testing.T) {
	const unclaimed = true
	for _, c := range []struct {
		refuted                          bool
		violations, panics, inconclusive int // of 100 runs
		muted                            int
		want                             Grade
	}{
		{want: Valid},
		{inconclusive: 90, want: Unknown},
		{violations: 2, want: Invalid},
		{violations: 2, muted: 1, want: Invalid},
		{violations: 2, muted: 2, want: Valid},
		{panics: 1, want: Invalid},
		{panics: 1, muted: 1, want: Valid},
		{violations: 1, panics: 1, muted: 1, want: Invalid},
		{refuted: unclaimed, want: Unknown},
		{refuted: unclaimed, violations: 2, want: Valid},
		{refuted: unclaimed, violations: 2, panics: 1, want: Invalid},
		{refuted: unclaimed, violations: 2, panics: 1, muted: 1, want: Valid},
		{refuted: unclaimed, violations: 2, panics: 2, muted: 1, want: Invalid},
		{refuted: unclaimed, panics: 1, want: Invalid},
		{refuted: unclaimed, panics: 1, muted: 1, want: Unknown},
	} {
		e := Of(&campaign.Report{Cells: []campaign.CellReport{{
			Cell:  campaign.Cell{System: &rashomon.System{}, Claim: rashomon.Claim{Refuted: c.refuted}},
			Tally: campaign.Tally{Runs: 100, Violations: c.violations, Panics: c.panics, Inconclusive: c.inconclusive},
		}}})
		e.Groups = []Group{{Count: c.muted, Muted: "known"}}
		assert.Equal(t, c.want, e.Conclude().Grade, "%+v", c)
	}
}

// The gravest reason decides, and people are told it first; they are told no more than they
// read.
func TestConclusionOfSeveralReasons(t *testing.T) {
	row := func(name string, tally campaign.Tally) campaign.CellReport {
		return campaign.CellReport{
			Cell:  campaign.Cell{System: &rashomon.System{Name: name}, Claim: rashomon.Claim{Reads: "any", Property: rashomon.Linearizable}},
			Tally: tally,
		}
	}
	e := Of(&campaign.Report{Cells: []campaign.CellReport{
		row("a", campaign.Tally{}), row("b", campaign.Tally{Runs: 1, Violations: 1}), row("c", campaign.Tally{}),
	}})
	c := e.Conclude()
	assert.Equal(t, Invalid, c.Grade)
	assert.Equal(t, "not all claims hold", c.Sentence)
	assert.Equal(t, []string{
		"b, linearizable with reads at any: broken in 1 of 1 run",
		"a, linearizable with reads at any: too little happened, 0 of 0 runs prove nothing",
		"c, linearizable with reads at any: too little happened, 0 of 0 runs prove nothing",
	}, c.Because)
	assert.Equal(t, []string{c.Because[0], "and 2 more"}, c.Told(1))
	assert.Equal(t, c.Because, c.Told(3))

	e.Flaws = []string{"nobody looked"}
	c = e.Conclude()
	assert.Equal(t, Unreliable, c.Grade)
	assert.Equal(t, "not reliable", c.Verdict)
	assert.Equal(t, "nobody looked", c.Because[0])
}

// A success says what it is a success of.
func TestSuccess(t *testing.T) {
	right := campaign.Cell{System: &rashomon.System{Name: "chain"}, Claim: rashomon.Claim{Reads: "tail", Property: rashomon.Linearizable}}
	one := campaign.CellReport{Cell: right, Tally: campaign.Tally{Runs: 10, Violations: 1}}
	e := Of(&campaign.Report{Cells: []campaign.CellReport{one}})
	e.Groups = []Group{{System: "chain", Reads: "tail", Claim: "linearizable", Count: 1, Muted: "known"}}
	assert.Equal(t, "but for 1 failure that somebody has muted, the row turned out as the tables of claims say", e.Conclude().Sentence)
	one.Violations = 0
	e = Of(&campaign.Report{Cells: []campaign.CellReport{one, one}})
	assert.Equal(t, "all 2 rows turned out as the tables of claims say", e.Conclude().Sentence)
	one.System = &rashomon.System{Name: "chain", Bug: "bug"}
	e = Of(&campaign.Report{Cells: []campaign.CellReport{one}})
	assert.Equal(t, "the planted bug was not caught", e.Conclude().Sentence)
}

func TestChanges(t *testing.T) {
	ran := map[string]campaign.Tally{"chain, reads at tail: live": {Runs: 10}}
	group := func(id string, perMillion float64) Group {
		return Group{ID: id, Text: id, System: "chain", Reads: "tail", Claim: "live", PerMillion: perMillion}
	}
	other := Group{ID: "o", Text: "o", System: "craq", Reads: "tail", Claim: "live", PerMillion: 5}
	before := findings{[]Group{group("b", 1), group("g", 2), other}, ran}
	after := findings{[]Group{group("n", 3), group("b", 4)}, ran}
	rate := func(r float64) *float64 { return &r }
	all := changes(before, after)
	assert.Equal(t, []Change{{"b", "b", rate(1), rate(4)}, {"g", "g", rate(2), rate(0)}, {"n", "n", rate(0), rate(3)}, {"o", "o", rate(5), nil}}, all)
	assert.Equal(t, []string{"", "gone", "new", "not run"}, []string{all[0].What(), all[1].What(), all[2].What(), all[3].What()})
	back := changes(after, before)
	assert.Equal(t, Change{"o", "o", nil, rate(5)}, back[3])
	assert.Equal(t, "new", back[3].What())
	assert.NotNil(t, changes(findings{}, findings{}))
}
