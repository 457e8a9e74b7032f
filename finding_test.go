package rashomon_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rashomon-go/rashomon"
	"github.com/rashomon-go/rashomon/checker"
	"github.com/rashomon-go/rashomon/systems"
)

// A run that is not linearizable has porcupine's page, too, and ours links it. A
// run of another claim has none, and takes away that of a run before.
func TestSaveWritesPorcupinesPage(t *testing.T) {
	b, err := systems.BugByName("chain-ack-at-middle")
	require.NoError(t, err)
	s := b.Variant()
	sc := rashomon.FromSeed(7, s, s.Claims[0], 0)
	require.Equal(t, rashomon.Linearizable, sc.Claim)
	to := rashomon.Files{Dir: t.TempDir(), Name: "stale #1", Replay: func(string) string { return "" }}

	saved, result, err := rashomon.Save(to, s, sc)
	require.NoError(t, err)
	require.NotEmpty(t, result.Witness)
	require.Equal(t, filepath.Join(to.Dir, "stale #1-porcupine.html"), saved.Porcupine)
	assert.Contains(t, read(t, saved.Page), `<a href="./stale%20%231-porcupine.html">`)
	second := read(t, saved.Porcupine)
	for _, i := range result.Witness {
		text, err := json.Marshal(result.History.ModelOp(i).String())
		require.NoError(t, err)
		assert.Contains(t, second, `"Description":`+string(text))
	}

	sc.Claim = rashomon.Convergent
	saved, _, err = rashomon.Save(to, s, sc)
	require.NoError(t, err)
	assert.Empty(t, saved.Porcupine)
	assert.NotContains(t, read(t, saved.Page), "porcupine")
	assert.NoFileExists(t, filepath.Join(to.Dir, "stale #1-porcupine.html"), "of the run before")
}

func read(t *testing.T, file string) string {
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	return string(text)
}

// The page of replicas that differ shows what they hold, and who wrote that.
func TestPageOfDivergence(t *testing.T) {
	s, sc := caught(t, "ml-ae-timer-dies")
	dir := t.TempDir()
	saved, r, err := rashomon.Save(rashomon.Files{Dir: dir, Name: "x", Replay: func(file string) string { return file }}, s, sc)
	require.NoError(t, err)
	assert.Regexp(t, `^the replicas differ at the end, although everything had healed: n0 holds (k\d = .*|no k\d), and n\d holds `, r.Sentence)
	page, err := os.ReadFile(saved.Page)
	require.NoError(t, err)
	assert.Contains(t, string(page), "What the replicas hold at the end")
	assert.Contains(t, string(page), "<strong>they differ</strong>")
}

// caught returns a run that shows a planted bug.
func caught(t *testing.T, bug string) (*rashomon.System, *rashomon.Scenario) {
	b, err := systems.BugByName(bug)
	require.NoError(t, err)
	s := b.Variant()
	row, err := s.Claim(b.Reads, b.Claim)
	require.NoError(t, err)
	for seed := range uint64(5000) {
		sc := rashomon.FromSeed(seed, s, row, 0)
		r, err := rashomon.Run(s, sc, rashomon.Options{})
		require.NoError(t, err)
		if r.Verdict == checker.Invalid {
			return s, sc
		}
	}
	t.Fatal("not caught")
	return nil, nil
}
