package campaign_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rashomon-go/rashomon/campaign"
	"github.com/rashomon-go/rashomon/systems"
)

func specimen(t *testing.T, name string) campaign.Specimen {
	t.Helper()
	b, err := systems.BugByName(name)
	require.NoError(t, err)
	right, err := systems.ByName(b.System)
	require.NoError(t, err)
	claim, err := right.Claim(b.Reads, b.Claim)
	require.NoError(t, err)
	return campaign.Specimen{Broken: b.Variant(), Right: right, Claim: claim}
}

// The counts do not depend on the workers; a catch needs a control run that is
// valid.
func TestZoo(t *testing.T) {
	specimens := []campaign.Specimen{specimen(t, "chain-ack-at-middle"), specimen(t, "pb-backup-read-stale")}
	one := campaign.Zoo(context.Background(), specimens, 20, 1, nil)
	two := campaign.Zoo(context.Background(), specimens, 20, 2, nil)
	for i := range one {
		require.NoError(t, one[i].Err)
		assert.Equal(t, one[i].Caught, two[i].Caught)
		assert.Equal(t, one[i].Gaps, two[i].Gaps)
		assert.Positive(t, one[i].Caught)
		assert.Equal(t, one[i].Caught, len(one[i].Gaps))
	}

	// A system that is as broken as the bug catches nobody.
	blind := specimens[0]
	blind.Right = blind.Broken
	blind.Right.Bug = ""
	s := campaign.Zoo(context.Background(), []campaign.Specimen{blind}, 20, 1, nil)[0]
	assert.Zero(t, s.Caught)
	assert.Positive(t, s.Blamed)
}

// The interval is that of tables: 0 of 300 has the rule of three, 10 of 100 is in
// every textbook.
func TestRate(t *testing.T) {
	s := campaign.Sighting{Runs: 300}
	rate, low, high := s.Rate()
	assert.Zero(t, rate)
	assert.Zero(t, low)
	assert.InDelta(t, 0.0122, high, 1e-4)
	s = campaign.Sighting{Runs: 100, Caught: 10}
	rate, low, high = s.Rate()
	assert.InDelta(t, 0.1, rate, 1e-9)
	assert.InDelta(t, 0.0490, low, 1e-4)
	assert.InDelta(t, 0.1762, high, 1e-4)
	s = campaign.Sighting{Runs: 5, Caught: 5}
	_, low, high = s.Rate()
	assert.InDelta(t, 0.4782, low, 1e-4)
	assert.InDelta(t, 1, high, 1e-9)
	assert.Equal(t, 0, s.MedianRuns())
	s.Gaps = []int{9, 1, 4}
	assert.Equal(t, 4, s.MedianRuns())
}
