package campaign

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rashomon-go/rashomon"
	"github.com/rashomon-go/rashomon/checker"
	"github.com/rashomon-go/rashomon/systems"
)

// If the first judge is wrong, porcupine says so.
func TestContradiction(t *testing.T) {
	s, err := systems.ByName("chain")
	require.NoError(t, err)
	r, err := rashomon.Run(s, rashomon.FromSeed(1, s, s.Claims[0], 40), rashomon.Options{})
	require.NoError(t, err)
	require.Equal(t, checker.Valid, r.Verdict)
	for verdict, want := range map[checker.Verdict]string{
		checker.Valid: "", checker.Unknown: "", checker.Invalid: "the history was judged invalid, and porcupine says valid",
	} {
		r.Verdict = verdict
		got, err := contradiction(r)
		require.NoError(t, err)
		assert.Equal(t, want, got)
	}
}
