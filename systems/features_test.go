package systems_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/rashomon-go/rashomon"
	"github.com/rashomon-go/rashomon/replication"
	"github.com/rashomon-go/rashomon/systems"
)

// Every feature of every system is reached by the default generator, and nodes count
// nothing that their system does not know of.
func TestFeaturesAreReached(t *testing.T) {
	const most = 2000
	for _, s := range systems.All() {
		t.Run(s.Name, func(t *testing.T) {
			t.Parallel()
			missed, seed := s.Features, uint64(0)
			var all rashomon.Exercise
			for ; len(missed) > 0 && seed < most; seed++ {
				all.Add(run(t, s, rashomon.FromSeed(seed, s, s.Claims[int(seed)%len(s.Claims)], 0)).Exercise)
				missed = all.Features.Missed()
			}
			t.Logf("after %d runs: %v", seed, all.Features)
			assert.Empty(t, missed)
			for i := range all.Features {
				assert.Contains(t, s.Features, all.Features[i].Name)
			}
		})
	}
}

// What the protocols are hardest to get right in is frequent.
func TestFeaturesAreFrequent(t *testing.T) {
	const runs = 300
	frequent := []string{
		replication.ReachedFailover + rashomon.UnderLoad, replication.ReachedStaleClient,
		replication.ReachedDirtyRead, replication.ReachedConflict, replication.ReachedAntiEntropy,
	}
	for _, s := range systems.All() {
		t.Run(s.Name, func(t *testing.T) {
			t.Parallel()
			var all rashomon.Exercise
			for seed := range uint64(runs) {
				all.Add(run(t, s, rashomon.FromSeed(seed, s, s.Claims[0], 0)).Exercise)
			}
			t.Logf("of %d runs: %v", runs, all.Features)
			for _, name := range frequent {
				if slices.Contains(s.Features, name) {
					assert.GreaterOrEqual(t, 10*all.Features.Reached(name), runs, name)
				}
			}
		})
	}
}
