package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What ends the program that runs it is not run for a page, and what this program cannot
// run has a page all the same.
func TestFilmOfWhatCannotBeRun(t *testing.T) {
	w := siteWriter{out: t.TempDir()}
	const text = "system: of another build"
	crash, err := w.film(&groupReport{ID: "0badcafe", Kind: "crash: it was killed"}, text)
	require.NoError(t, err)
	kept, err := os.ReadFile(filepath.Join(w.out, "run-0badcafe.yaml"))
	require.NoError(t, err)
	assert.Equal(t, text, string(kept))
	assert.Empty(t, crash.saved.Page)

	other, err := w.film(&groupReport{ID: "1badcafe", Kind: "stale-read"}, text)
	require.NoError(t, err)
	assert.Contains(t, other.note, "This program cannot run it: ")

	for _, f := range []filmed{crash, other} {
		s := f.section(&groupReport{Operations: 1})
		assert.Contains(t, s.Note, f.note)
		assert.Empty(t, s.Picture)
		assert.Equal(t, f.saved.Scenario != "", s.Table != nil)
	}
}
