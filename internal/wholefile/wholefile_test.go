package wholefile_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rashomon-go/rashomon/internal/wholefile"
)

func text(s string) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := io.WriteString(w, s)
		return err
	}
}

// What fails leaves what was there, and nothing else.
func TestWrite(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "file")
	require.NoError(t, wholefile.Write(path, text("first")))
	broken := errors.New("broken")
	err := wholefile.Write(path, func(w io.Writer) error { return errors.Join(text("second")(w), broken) })
	require.ErrorIs(t, err, broken)
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, "first", string(content))
	files, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Len(t, files, 1)
}

// Its own file goes, whatever it was, and all others stay.
func TestOptional(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "file.html")
	require.NoError(t, wholefile.Optional(path, nil), "there is none")
	for _, content := range []string{"", "page", "another page"} {
		require.NoError(t, wholefile.Optional(path, text(content)))
		written, err := os.ReadFile(path)
		require.NoError(t, err)
		assert.Contains(t, string(written), content+"\n<!-- ")
	}
	require.NoError(t, wholefile.Optional(path, nil))
	assert.NoFileExists(t, path)

	for _, theirs := range []string{"", "short", "a page of somebody else that is longer than the mark is, which has a line of words"} {
		require.NoError(t, os.WriteFile(path, []byte(theirs), 0o644))
		require.NoError(t, wholefile.Optional(path, nil))
		assert.FileExists(t, path)
	}
	require.NoError(t, wholefile.Optional(dir, nil), "a directory is nobody's page")
	assert.DirExists(t, dir)
}
