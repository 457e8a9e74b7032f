package corpus_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rashomon-go/rashomon/campaign"
	"github.com/rashomon-go/rashomon/campaign/corpus"
	"github.com/rashomon-go/rashomon/campaign/store"
)

// failing is a scenario that fails, since it has a planted bug.
func failing(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../systems/testdata/zoo/store-evict.yaml")
	require.NoError(t, err)
	return string(text)
}

func group(kind, scenario string) store.Group {
	return store.Group{Signature: campaign.Signature{System: "chain", Kind: kind}, Scenario: scenario}
}

// What is filled in is run, and fails unless somebody knows of it. What is there already
// stays; planted bugs and crashes never come in.
func TestFillAndRun(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "nightly", "corpus")
	known := group("stale-read", failing(t))
	planted := known
	planted.Bug = "a bug"
	require.NoError(t, corpus.Fill(dir, []store.Group{planted, group("crash: exit status 3", "?")}))
	assert.NoDirExists(t, dir)
	all, err := corpus.Run(dir, nil)
	require.NoError(t, err)
	assert.Empty(t, all)

	require.NoError(t, corpus.Fill(dir, []store.Group{known}))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "README"), nil, 0o644))
	known.Scenario = "another one"
	require.NoError(t, corpus.Fill(dir, []store.Group{known}))
	all, err = corpus.Run(dir, []store.Mute{{Signature: "0badcafe"}})
	require.NoError(t, err)
	require.Len(t, all, 1)
	assert.Equal(t, filepath.ToSlash(filepath.Join(dir, known.ID()+".yaml")), all[0].File)
	assert.Equal(t, "invalid", all[0].Verdict)
	assert.NotEmpty(t, all[0].Sentence)
	assert.True(t, all[0].Fails())

	all, err = corpus.Run(dir, []store.Mute{{Signature: known.ID()}})
	require.NoError(t, err)
	assert.True(t, all[0].Muted)
	assert.False(t, all[0].Fails())
}

func TestCopy(t *testing.T) {
	from, to := filepath.Join(t.TempDir(), "shard [1]"), filepath.Join(t.TempDir(), "corpus") // no pattern
	require.NoError(t, os.Mkdir(from, 0o755))
	require.NoError(t, corpus.Copy(from, to))
	assert.NoDirExists(t, to)
	require.NoError(t, corpus.Copy(from+"-missing", to))
	for _, name := range []string{"a.yaml", "b.yaml", "c.txt"} {
		require.NoError(t, os.WriteFile(filepath.Join(from, name), []byte(name), 0o644))
	}
	require.NoError(t, os.MkdirAll(to, 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(to, "a.yaml"), []byte("mine"), 0o644))
	require.NoError(t, corpus.Copy(from, to))
	for name, want := range map[string]string{"a.yaml": "mine", "b.yaml": "b.yaml"} {
		content, err := os.ReadFile(filepath.Join(to, name))
		require.NoError(t, err)
		assert.Equal(t, want, string(content))
	}
	assert.NoFileExists(t, filepath.Join(to, "c.txt"))
}

// Errors say which file, or directory, is wrong.
func TestCorpusThatCannotBeRead(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o644))
	_, err := corpus.Run(file, nil)
	var unreadable *fs.PathError
	require.ErrorAs(t, err, &unreadable)
	assert.Equal(t, file, unreadable.Path)
	require.ErrorAs(t, corpus.Copy(file, t.TempDir()), &unreadable)
	assert.Equal(t, file, unreadable.Path)

	bad := filepath.Join(t.TempDir(), "0badcafe.yaml")
	require.NoError(t, os.WriteFile(bad, []byte("seed: x"), 0o644))
	_, err = corpus.Run(filepath.Dir(bad), nil)
	assert.ErrorContains(t, err, bad)
}
