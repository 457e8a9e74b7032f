package main

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The hand-made logs kill what the real ones let live: a reader or a model that
// ignores failed compare-and-sets, or reads of nil. Their names have the verdicts.
func TestHandMadeLogs(t *testing.T) {
	judged := map[string]int{}
	for _, pattern := range []string{"*.log", "*.edn"} {
		files, err := filepath.Glob("../../history/formats/testdata/" + pattern)
		require.NoError(t, err)
		for _, file := range files {
			verdict := strings.Split(filepath.Base(file), ".")[1]
			var out, errs bytes.Buffer
			run([]string{"history", file}, nil, &out, &errs)
			assert.True(t, strings.HasPrefix(out.String(), file+": "+verdict+" ("), "%s%s", out.String(), errs.String())
			judged[verdict]++
		}
	}
	assert.Equal(t, map[string]int{"valid": 8, "invalid": 4}, judged)
}
