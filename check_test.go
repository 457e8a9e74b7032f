package rashomon_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rashomon-go/rashomon"
	"github.com/rashomon-go/rashomon/sim"
	"github.com/rashomon-go/rashomon/systems"
)

// Check passes a correct system, says how many runs it took, and insists that
// what is not claimed is refuted.
func TestCheckPasses(t *testing.T) {
	s, err := systems.ByName("chain")
	require.NoError(t, err)
	rec := &recordingTB{name: t.Name()}
	rashomon.Check(rec, s)
	assert.Empty(t, rec.fatal)
	assert.Empty(t, rec.errors)
	assert.Contains(t, rec.log, "chain, reads at tail: linearizable: kept in 200 runs")
}

// A property that is not claimed and not refuted either is an error: somebody is
// blind.
func TestCheckWantsRefutation(t *testing.T) {
	s, err := systems.ByName("chain")
	require.NoError(t, err)
	s.Claims = []rashomon.Claim{{Reads: "tail", Property: rashomon.Linearizable, Refuted: true}}
	rec := &recordingTB{name: t.Name()}
	rashomon.Check(rec, s)
	assert.Contains(t, rec.errors, "no violation in 200 runs")
}

// A system that never answers does not pass for a correct one.
func TestCheckWantsConclusiveRuns(t *testing.T) {
	s := *lazySystem
	s.Boot = func(*rashomon.Cluster, int) sim.Boot {
		return func(sim.NodeID, *sim.Disk) sim.Node { return mute{} }
	}
	rec := &recordingTB{name: t.Name()}
	rashomon.Check(rec, &s)
	assert.Contains(t, rec.errors, "200 of 200 runs were inconclusive")
}

// Bad descriptions and files end the test with a reason.
func TestCheckOfNonsense(t *testing.T) {
	rec := &recordingTB{name: t.Name()}
	rashomon.Check(rec, &rashomon.System{Name: "empty"})
	assert.Contains(t, rec.fatal, "Boot and Client must both be set")

	t.Setenv("RASHOMON_REPLAY", filepath.Join(t.TempDir(), "missing.yaml"))
	rec = &recordingTB{name: t.Name()}
	rashomon.Check(rec, lazySystem)
	assert.Contains(t, rec.fatal, "missing.yaml")

	file := filepath.Join(t.TempDir(), "other.yaml")
	s, err := systems.ByName("chain")
	require.NoError(t, err)
	saveScenario(t, file, rashomon.FromSeed(1, s, s.Claims[0], 5))
	t.Setenv("RASHOMON_REPLAY", file)
	rec = &recordingTB{name: t.Name()}
	rashomon.Check(rec, lazySystem)
	assert.Empty(t, rec.fatal)
	assert.Contains(t, rec.log, "not replayed: the scenario in "+file+" is for system chain")
}

func saveScenario(t *testing.T, name string, sc *rashomon.Scenario) {
	t.Helper()
	f, err := os.Create(name)
	require.NoError(t, err)
	require.NoError(t, rashomon.WriteScenario(f, sc))
	require.NoError(t, f.Close())
}

// A finding that cannot be written is still reported as one.
func TestCheckWithUnwritableDirectory(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	t.Setenv("RASHOMON_OUT", filepath.Join(file, "below"))
	rec := &recordingTB{name: t.Name()}
	rashomon.Check(rec, lazySystem)
	assert.Contains(t, rec.fatal, "breaks a claim, but the finding could not be written")
}

// Every field that makes a system impossible is named.
func TestSystemValidate(t *testing.T) {
	for want, change := range map[string]func(*rashomon.System){
		"without a Name":    func(s *rashomon.System) { s.Name = "" },
		"Boot and Client":   func(s *rashomon.System) { s.Client = nil },
		"MinNodes is 4 and": func(s *rashomon.System) { s.MinNodes, s.MaxNodes = 4, 3 },
		"no Claims":         func(s *rashomon.System) { s.Claims = nil },
		`unknown property "sequent", expected one of [linearizable convergent`: func(s *rashomon.System) { s.Claims = []rashomon.Claim{{Property: "sequent"}} },
	} {
		s := *lazySystem
		change(&s)
		assert.ErrorContains(t, s.Validate(), want)
	}
	assert.NoError(t, lazySystem.Validate())
}
