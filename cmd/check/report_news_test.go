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
	j.changes = []verdict.Change{{ID: "a", Before: 3, After: 4}, {ID: "b", Before: 3, After: 4}, {ID: "c", After: 4}, {ID: "e", Before: 3}}
	assert.Equal(t, "4 kinds: 1 new, 1 known, 2 muted", j.newsLine())
	var order []string
	for _, g := range j.newsFirst() {
		order = append(order, g.ID)
	}
	assert.Equal(t, []string{"c", "b", "a", "d"}, order)
}

func TestTrouble(t *testing.T) {
	assert.Empty(t, trouble(&verdict.Row{}))
	r := verdict.Row{Panics: 1, Contradicted: 2000}
	assert.Equal(t, "1 panicked, 2,000 judged otherwise by porcupine", trouble(&r))
}
