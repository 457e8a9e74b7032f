package rashomon_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rashomon-go/rashomon"
	"github.com/rashomon-go/rashomon/checker"
	"github.com/rashomon-go/rashomon/systems"
)

// More scenarios: go test -run Convergence -rapid.checks 10000

func TestConvergenceMultiLeaderLWW(t *testing.T) {
	convergence(t, "multi-leader-lww", rashomon.Convergent)
}

func TestConvergenceMultiLeaderMerge(t *testing.T) {
	convergence(t, "multi-leader-merge", rashomon.SetConverges)
}

// convergence checks that leaders agree after anti-entropy. A run in which they
// did not differ before says nothing, and most runs must say something.
func convergence(t *testing.T, name string, property rashomon.Property) {
	t.Parallel()
	s, err := systems.ByName(name)
	require.NoError(t, err)
	claim, err := s.Claim("any", property)
	require.NoError(t, err)
	runs, differed := 0, 0
	rapid.Check(t, func(rt *rapid.T) {
		sc := rashomon.Generate(choices{rt}, s, claim, rapid.IntRange(20, 60).Draw(rt, "operations"))
		rashomon.CheckScenario(rt, s, sc)
		r, err := rashomon.Run(s, sc, rashomon.Options{})
		require.NoError(rt, err)
		runs++
		differed += r.Exercise.Differed
		if r.Verdict == checker.Valid {
			require.Positive(rt, r.Exercise.Differed)
		}
	})
	assert.True(t, rashomon.Conclusive(runs, runs-differed), "replicas differed in %d of %d runs", differed, runs)
}
