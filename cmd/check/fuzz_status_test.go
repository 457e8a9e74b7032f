package main

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/rashomon-go/rashomon"
	"github.com/rashomon-go/rashomon/campaign"
)

// The exit status of a campaign, row by row.
func TestReasons(t *testing.T) {
	some := uint64(1)
	for _, tt := range []struct {
		name    string
		refuted bool
		bug     string
		tally   campaign.Tally
		muted   int
		kind    string // of a failure
		corpus  []corpusReport
		want    status
		because string
	}{
		{name: "kept", tally: campaign.Tally{Runs: 10, Inconclusive: 5}, want: statusValid},
		{name: "nothing was run", want: statusUnknown, because: "chain, linearizable with reads at tail: too little happened, 0 of 0 runs prove nothing"},
		{name: "too little", tally: campaign.Tally{Runs: 10, Inconclusive: 6}, want: statusUnknown, because: "chain, linearizable with reads at tail: too little happened, 6 of 10 runs prove nothing"},
		{name: "broken", tally: campaign.Tally{Runs: 10, Violations: 2, Panics: 1}, want: statusInvalid, because: "chain, linearizable with reads at tail: broken in 3 of 10 runs"},
		{name: "all muted", tally: campaign.Tally{Runs: 10, Violations: 2, Panics: 1}, muted: 3, want: statusValid},
		{name: "some muted", tally: campaign.Tally{Runs: 10, Violations: 2, Panics: 1}, muted: 2, want: statusInvalid, because: "chain, linearizable with reads at tail: broken in 3 of 10 runs"},
		{name: "refuted", refuted: true, tally: campaign.Tally{Runs: 10, Violations: 1}, want: statusValid},
		{name: "not refuted", refuted: true, tally: campaign.Tally{Runs: 10}, want: statusUnknown, because: "chain, not linearizable with reads at tail: not refuted in 10 runs"},
		{name: "a panic refutes nothing", refuted: true, tally: campaign.Tally{Runs: 10, Violations: 1, Panics: 1}, want: statusInvalid, because: "chain, not linearizable with reads at tail: panicked or crashed in 1 of 10 runs"},
		{name: "caught", bug: "bug", tally: campaign.Tally{Runs: 10, Violations: 1}, muted: 1, want: statusInvalid, because: "the planted bug bug was caught in 1 of 10 runs"},
		{name: "caught where it is not claimed", bug: "bug", refuted: true, tally: campaign.Tally{Runs: 10, Panics: 1}, want: statusInvalid, because: "the planted bug bug was caught in 1 of 10 runs"},
		{name: "not caught", bug: "bug", refuted: true, tally: campaign.Tally{Runs: 10}, want: statusValid},
		{name: "not caught in too little", bug: "bug", tally: campaign.Tally{Runs: 10, Inconclusive: 10}, want: statusUnknown, because: "bug, linearizable with reads at tail: too little happened, 10 of 10 runs prove nothing"},
		{name: "differing", tally: campaign.Tally{Runs: 10, RanTwice: 2, Differing: 1, Earliest: campaign.Earliest{Differing: &some}}, want: statusBroken,
			because: "chain, linearizable with reads at tail: runs are not deterministic, so that nothing found can be relied on"},
		{name: "not deterministic when it was shrunk", tally: campaign.Tally{Runs: 10, Violations: 1}, muted: 1, kind: campaign.NotDeterministic, want: statusBroken,
			because: "chain, linearizable with reads at tail: runs are not deterministic, so that nothing found can be relied on"},
		{name: "contradicted", tally: campaign.Tally{Runs: 10, Rejudged: 2, Contradicted: 1}, want: statusBroken, because: "chain, linearizable with reads at tail: porcupine came to another verdict in 1 run"},
		{name: "corpus", tally: campaign.Tally{Runs: 10}, corpus: []corpusReport{{File: "a.yaml", Verdict: "invalid", Sentence: "it is"}, {File: "b.yaml", Verdict: "invalid", Muted: true}, {File: "c.yaml", Verdict: "valid"}},
			want: statusInvalid, because: "a.yaml of the corpus fails: it is"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cell := campaign.Cell{System: &rashomon.System{Name: "chain", Bug: tt.bug}, Claim: rashomon.Claim{Reads: "tail", Property: rashomon.Linearizable, Refuted: tt.refuted}}
			r := newFuzzReport(&campaign.Report{Cells: []campaign.CellReport{{Cell: cell, Tally: tt.tally}}}, make([]findings, 1))
			r.Corpus = tt.corpus
			if tt.muted > 0 {
				r.Groups = []groupReport{{System: "chain", Bug: tt.bug, Reads: "tail", Claim: "linearizable", Kind: tt.kind, Count: tt.muted, Muted: "known"}}
			}
			reasons := r.reasons()
			assert.Equal(t, tt.want, gravest(reasons))
			if tt.because == "" {
				assert.Empty(t, reasons)
				return
			}
			assert.Equal(t, []reason{{tt.want, tt.because}}, reasons)
		})
	}
}
