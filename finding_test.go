package rashomon_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rashomon-go/rashomon"
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
