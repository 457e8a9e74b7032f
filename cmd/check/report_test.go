package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rashomon-go/rashomon/campaign/verdict"
)

// The page of a muted failure says so; known means another thing on the site, that it was
// found before.
func TestPageOfMuted(t *testing.T) {
	var j judged
	p := j.group(&verdict.Group{ID: "0badcafe", Muted: "to be mended"}, filmed{})
	assert.Equal(t, "muted", p.Verdict)
	assert.Empty(t, p.Grade)
	assert.Equal(t, []string{"muted: to be mended"}, p.Because)
	assert.Equal(t, "invalid", j.group(&verdict.Group{ID: "0badcafe"}, filmed{}).Verdict)
}

// What ends the program that runs it is not run for a page, and what this program cannot
// run has a page all the same.
func TestFilmOfWhatCannotBeRun(t *testing.T) {
	w := siteWriter{out: t.TempDir()}
	const text = "system: of another build"
	crash, err := w.film(&verdict.Group{ID: "0badcafe", Kind: "crash: it was killed", Scenario: text})
	require.NoError(t, err)
	kept, err := os.ReadFile(filepath.Join(w.out, "run-0badcafe.yaml"))
	require.NoError(t, err)
	assert.Equal(t, text, string(kept))
	assert.Empty(t, crash.saved.Page)

	other, err := w.film(&verdict.Group{ID: "1badcafe", Kind: "stale-read", Scenario: text})
	require.NoError(t, err)
	assert.Contains(t, other.note, "This program cannot run it: ")

	for _, f := range []filmed{crash, other} {
		s := f.section(&verdict.Group{Operations: 1})
		assert.Contains(t, s.Note, f.note)
		assert.Empty(t, s.Picture)
		assert.Equal(t, f.saved.Scenario != "", s.Table != nil)
	}
}
