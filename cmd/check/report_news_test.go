package main

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/rashomon-go/rashomon/campaign/verdict"
)

func TestNews(t *testing.T) {
	j := judged{Evidence: &verdict.Evidence{}}
	assert.Equal(t, "none", j.newsLine())
	j.Groups = []verdict.Group{{ID: "a", Muted: "known"}, {ID: "b"}, {ID: "c"}, {ID: "d", Muted: "known"}}
	assert.Equal(t, "4 kinds: 2 new, 2 muted", j.newsLine(), "without a campaign before")
	rate := func(r float64) *float64 { return &r }
	j.changes = []verdict.Change{{ID: "a", Before: rate(3), After: rate(4)}, {ID: "b", Before: rate(3), After: rate(4)}, {ID: "c", After: rate(4)}, {ID: "e", Before: rate(3)}}
	assert.Equal(t, "4 kinds: 1 new, 1 known, 2 muted", j.newsLine())
	var order []string
	for _, g := range j.newsFirst() {
		order = append(order, g.ID)
	}
	assert.Equal(t, []string{"c", "b", "a", "d"}, order)
}

// The campaign before is the last one of the same rows: one that looks for a planted bug
// between two nights makes nothing new.
func TestCampaignBefore(t *testing.T) {
	info := func(id int64, plan string) campaignInfo { return campaignInfo{ID: id, Plan: []byte(plan)} }
	night, others := `{"systems": ["chain", "craq"], "seed": 1}`, []campaignInfo{
		info(2, `{"bug": "chain-ack-at-middle"}`), info(3, `{"systems": ["chain"]}`), info(4, `{"systems": ["chain", "craq"], "beyond_budget": true}`),
		info(5, `{"systems": ["gone"]}`), info(6, `{"seed": "x"}`),
	}
	for _, tt := range []struct {
		earlier []campaignInfo
		want    int64
	}{
		{nil, 0},
		{others, 0},
		{append([]campaignInfo{info(1, night)}, others...), 1},
		{append([]campaignInfo{info(1, night)}, info(7, `{"systems": ["craq", "chain"], "seed": 9}`)), 7},
	} {
		j := judged{plan: storedPlan{Systems: []string{"chain", "craq"}, Seed: 2}}
		before, found := j.before(tt.earlier)
		assert.Equal(t, tt.want, before.ID)
		assert.Equal(t, tt.want != 0, found)
	}
}

func TestTrouble(t *testing.T) {
	assert.Empty(t, trouble(&verdict.Row{}))
	r := verdict.Row{Panics: 1, Contradicted: 2000}
	assert.Equal(t, "1 panicked, 2,000 judged otherwise by porcupine", trouble(&r))
}
