package main

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rashomon-go/rashomon"
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

// Ctrl-C amid the runs does not bring a dead canary to life; amid the canary it says nothing.
func TestDeadCanaryOfInterrupted(t *testing.T) {
	s, err := systems.ByName("chain")
	require.NoError(t, err)
	healthy := campaign.Cell{System: s, Claim: s.Claims[0]}
	for name, tt := range map[string]struct {
		amidCanary bool
		want       verdict.Grade
	}{"amid the runs": {false, verdict.Unreliable}, "amid the canary": {true, verdict.Unknown}} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(context.Background())
			last := healthy
			last.System = chainWith(t, func(do rashomon.Client) rashomon.Client {
				cancel()
				return do
			})
			var out strings.Builder
			a := &app{out: &out, err: &out}
			f := &fuzzFlags{plan: campaign.Plan{Cells: []campaign.Cell{last}, Runs: 20, Workers: 1}, dir: t.TempDir(), canary: healthy, json: true}
			if tt.amidCanary {
				f.plan.Cells[0], f.canary = healthy, last
			}
			err := a.campaign(ctx, f)
			assert.Equal(t, tt.want == verdict.Unreliable, err != nil)
			var r fuzzReport
			require.NoError(t, json.NewDecoder(strings.NewReader(out.String())).Decode(&r))
			assert.True(t, r.Interrupted)
			assert.Less(t, r.Runs, 20)
			assert.Equal(t, tt.want.String(), r.Conclusion.Verdict)
		})
	}
}
