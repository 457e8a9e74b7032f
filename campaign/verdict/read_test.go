package verdict_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rashomon-go/rashomon"
	"github.com/rashomon-go/rashomon/campaign"
	"github.com/rashomon-go/rashomon/campaign/store"
	"github.com/rashomon-go/rashomon/campaign/verdict"
	"github.com/rashomon-go/rashomon/systems"
)

// brokenChain is a chain without its bug's name, so that what it does is nobody's plan.
func brokenChain(t *testing.T) []campaign.Cell {
	t.Helper()
	cell, err := verdict.Canary()
	require.NoError(t, err)
	own := *cell.System
	own.Bug = ""
	return []campaign.Cell{{System: &own, Claim: cell.Claim}}
}

// made keeps a campaign of 20 runs in a new store.
func made(t *testing.T, rows []campaign.Cell) (*store.Store, *store.Campaign, *campaign.Report) {
	t.Helper()
	s, err := store.Open(t.TempDir())
	require.NoError(t, err)
	t.Cleanup(func() { s.Close() })
	c, err := s.Begin([]byte("{}"), "this build")
	require.NoError(t, err)
	r := campaign.Run(context.Background(), campaign.Plan{Cells: rows, Runs: 20, Operations: 40, Keep: c.Keep}, nil)
	require.NoError(t, r.Err)
	return s, c, r
}

func read(t *testing.T, s *store.Store, rows []campaign.Cell) *verdict.Evidence {
	t.Helper()
	info, err := s.Find(0)
	require.NoError(t, err)
	e, err := verdict.Read(s, info, rows)
	require.NoError(t, err)
	return e
}

// What is read says what the report of the campaign says: the site and fuzz agree.
func TestReadIsOf(t *testing.T) {
	rows := brokenChain(t)
	s, c, r := made(t, rows)
	canary, err := verdict.Canary()
	require.NoError(t, err)
	dead := read(t, s, rows)
	require.Len(t, dead.Flaws, 1)
	assert.Contains(t, dead.Flaws[0], "the canary was not caught: "+canary.System.Bug+", in 100 runs")
	assert.Equal(t, verdict.Unreliable, dead.Conclude().Grade)

	require.NoError(t, verdict.LookForCanary(context.Background(), canary, c))
	e, own := read(t, s, rows), verdict.Of(r)
	assert.Empty(t, e.Flaws)
	assert.Equal(t, own.Rows, e.Rows)
	assert.Equal(t, own.Conclude(), e.Conclude())
	assert.Equal(t, verdict.Invalid, e.Conclude().Grade)

	failures := 0
	for _, g := range e.Groups {
		failures += g.Count
		assert.InDelta(t, 1e6*float64(g.Count)/20, g.PerMillion, 1e-6)
		assert.NotEmpty(t, g.Scenario)
	}
	assert.Equal(t, r.Cells[0].Violations, failures)
}

// Mutes decide what is new: with all of them the campaign is a success, and one that did not
// occur is said to be gone.
func TestReadMutes(t *testing.T) {
	rows := brokenChain(t)
	s, c, _ := made(t, rows)
	canary, err := verdict.Canary()
	require.NoError(t, err)
	require.NoError(t, verdict.LookForCanary(context.Background(), canary, c))
	for _, g := range read(t, s, rows).Groups {
		require.NoError(t, s.Mute(g.ID, "known"))
	}
	e := read(t, s, rows)
	assert.Equal(t, verdict.Valid, e.Conclude().Grade)
	assert.Empty(t, e.Gone)
	assert.Equal(t, "known", e.Groups[0].Muted)

	next, err := s.Begin([]byte("{}"), "this build")
	require.NoError(t, err)
	e = read(t, s, rows)
	assert.Empty(t, e.Groups)
	assert.Empty(t, e.Gone, "what was not run cannot be gone")
	assert.Empty(t, e.Flaws, "without runs nobody has looked for the canary")
	right, err := systems.ByName(rows[0].System.Name)
	require.NoError(t, err)
	healthy := []campaign.Cell{{System: right, Claim: rows[0].Claim}} // a row of the same name
	require.NoError(t, campaign.Run(context.Background(), campaign.Plan{Cells: healthy, Runs: 5, Operations: 40, Keep: next.Keep}, nil).Err)
	e = read(t, s, rows)
	assert.Empty(t, e.Groups)
	require.NotEmpty(t, e.Gone)
	assert.Equal(t, "known", e.Gone[0].Reason)
}

// A campaign of another build may have rows that this one does not know.
func TestReadOfRowsThatAreNot(t *testing.T) {
	rows := brokenChain(t)
	s, _, _ := made(t, rows)
	info, err := s.Find(0)
	require.NoError(t, err)
	_, err = verdict.Read(s, info, nil)
	assert.ErrorContains(t, err, `made by this build, and this program has no row "chain, reads at tail`)
}

// The canary is one: a campaign that looks for it catches it, and a healthy chain is caught
// by nobody.
func TestCanary(t *testing.T) {
	s, c, _ := made(t, brokenChain(t))
	chain, err := systems.ByName("chain")
	require.NoError(t, err)
	claim, err := chain.Claim("tail", rashomon.Linearizable)
	require.NoError(t, err)
	require.NoError(t, verdict.LookForCanary(context.Background(), campaign.Cell{System: chain, Claim: claim}, c))
	caught, err := verdict.CaughtCanary(s, c.ID)
	require.NoError(t, err)
	assert.Empty(t, caught)

	alive, err := verdict.Canary()
	require.NoError(t, err)
	require.NoError(t, verdict.LookForCanary(context.Background(), alive, c))
	caught, err = verdict.CaughtCanary(s, c.ID)
	require.NoError(t, err)
	assert.Contains(t, caught, alive.System.Bug)
}
