//go:build unix

package pgtest

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A server that cannot be made leaves nothing behind, and says why.
func TestServerThatCannotBeMade(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.Chmod(filepath.Dir(dir), 0o755)) // for whom the server runs as
	bin, tmp := filepath.Join(dir, "bin"), filepath.Join(dir, "tmp")
	require.NoError(t, os.Mkdir(bin, 0o755))
	require.NoError(t, os.Mkdir(tmp, 0o755))
	t.Setenv("TMPDIR", tmp)
	require.NoError(t, os.WriteFile(filepath.Join(bin, "initdb"), []byte("#!/bin/sh\necho no space\nexit 1\n"), 0o755))
	require.NoError(t, os.Chmod(tmp, 0o777))
	_, err := start(bin)
	require.ErrorContains(t, err, "initdb: no space")
	assert.Eventually(t, func() bool {
		files, err := os.ReadDir(tmp)
		return err == nil && len(files) == 0
	}, time.Minute, 10*time.Millisecond)
}
