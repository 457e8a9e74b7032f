package main

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rashomon-go/rashomon/campaign"
	"github.com/rashomon-go/rashomon/campaign/verdict"
	"github.com/rashomon-go/rashomon/systems"
)

// A campaign that does not catch its canary is worth nothing, whatever else it says.
func TestDeadCanary(t *testing.T) {
	s, err := systems.ByName("chain")
	require.NoError(t, err)
	healthy := campaign.Cell{System: s, Claim: s.Claims[0]}
	alive, err := verdict.Canary()
	require.NoError(t, err)
	for want, c := range map[string]campaign.Cell{"": alive, "the canary was not caught: chain, in 100 runs": healthy} {
		var out strings.Builder
		a := &app{out: &out, err: &out}
		f := &fuzzFlags{plan: campaign.Plan{Cells: []campaign.Cell{healthy}, Runs: 2}, dir: t.TempDir(), canary: c}
		err := a.campaign(context.Background(), f)
		if want == "" {
			require.NoError(t, err)
			continue
		}
		assert.ErrorContains(t, err, want)
		assert.Equal(t, statusBroken, a.graveError(err))
		assert.Contains(t, out.String(), "digest: ", "what was found is printed all the same")
	}
}
