package store_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rashomon-go/rashomon/campaign"
	"github.com/rashomon-go/rashomon/campaign/store"
	"github.com/rashomon-go/rashomon/internal/lethal"
)

// Of the runs of a lethal plan, that of one seed ends its process.
const (
	lethalRuns = 60
	lethalSeed = 23
)

// death is what lethal.System wants; that of another seed never comes.
func death(seed int, how string) string { return fmt.Sprintf("%d=%s", seed, how) }

// A campaign dies of one of its runs. The next one finds it, keeps it as a crash, and makes
// all others, each once.
func TestRunThatEndsTheProcess(t *testing.T) {
	for how, want := range map[string]string{"exit": "exit status 3", "stack": "fatal error: stack overflow", "loop": "did not end within 2s"} {
		t.Run(how, func(t *testing.T) {
			if how == "loop" && testing.Short() {
				t.Skip("with the race detector other runs take as long as that")
			}
			dir := t.TempDir()
			t.Setenv(lethal.Variable, death(lethalSeed, how))
			t.Setenv(childVariable, dir)
			died := exec.Command(os.Args[0]).Run()
			require.Error(t, died)
			assert.FileExists(t, filepath.Join(dir, store.MarksFile))
			require.Less(t, runsOf(t, dir), lethalRuns)
			resumed := exec.Command(os.Args[0])
			resumed.Stderr = os.Stderr
			require.NoError(t, resumed.Run())
			assert.NoFileExists(t, filepath.Join(dir, store.MarksFile))
			t.Setenv(lethal.Variable, death(lethalRuns, how))
			checkCrashed(t, dir, plan(t, lethalRuns), want)
		})
	}
}

// checkCrashed demands that a campaign has one crash in each row, and all other runs.
func checkCrashed(t *testing.T, dir string, p campaign.Plan, how string) {
	s, err := store.Read(dir)
	require.NoError(t, err)
	defer s.Close()
	info, err := s.Find(0)
	require.NoError(t, err)
	assert.Equal(t, lethalRuns, info.Runs)
	p.Done.Ranges = map[string][]campaign.Range{p.Cells[0].Family(): {{From: lethalSeed, Until: lethalSeed + 1}}}
	others := campaign.Run(context.Background(), p, nil)
	require.NoError(t, others.Err)
	assert.Equal(t, others.Digest, info.Digest)
	cells, err := s.Cells(info.ID)
	require.NoError(t, err)
	for i := range others.Cells {
		c := &others.Cells[i]
		tally := cells[c.Cell.String()]
		assert.Equal(t, 1, tally.Crashes)
		assert.Equal(t, c.Runs+1, tally.Runs)
		assert.Zero(t, tally.Violations)
	}
	groups, err := s.Groups(info.ID)
	require.NoError(t, err)
	crashes := 0
	for _, g := range groups {
		if strings.HasPrefix(g.Kind, "crash: ") {
			crashes++
			assert.Equal(t, 1, g.Count)
			assert.EqualValues(t, lethalSeed, g.Seed)
			assert.Contains(t, g.Sentence, how)
		}
	}
	assert.Equal(t, len(p.Cells), crashes, "one in each row of the family")
}

// A computer that lost its power leaves anything in the file. That is no reason to refuse
// a campaign, nor to accuse a run.
func TestDamagedMarks(t *testing.T) {
	dir := t.TempDir()
	_, c := begun(t, dir)
	p := plan(t, 10)
	file := filepath.Join(dir, store.MarksFile)
	family := p.Cells[0].Family()
	for _, content := range []string{"", "\x00\x00", "x " + family, "99 " + family + "\n", "1 another\n", "-1 " + family, "99999999999999999999999 " + family + "\n"} {
		write(t, file, []byte(content))
		require.NoError(t, c.Isolate(context.Background(), &p, []string{"no such program"}))
	}
	write(t, file, []byte("7 "+family+"   \n"))
	require.Error(t, c.Isolate(context.Background(), &p, []string{"no such program"}))
	assert.FileExists(t, file, "nobody has tried")
	require.NoError(t, c.Isolate(context.Background(), &p, tryCommand))
	assert.NoFileExists(t, file)
}
