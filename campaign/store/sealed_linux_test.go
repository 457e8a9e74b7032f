package store_test

import (
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rashomon-go/rashomon/campaign"
	"github.com/rashomon-go/rashomon/campaign/store"
	"github.com/rashomon-go/rashomon/internal/unable"
)

// nobody is the number of a user who owns nothing.
const nobody = 65534

// asNobody does something on a thread to which modes of files apply, also if the test
// runs as root. The thread ends with it.
func asNobody(do func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		if os.Geteuid() == 0 {
			runtime.LockOSThread()
			syscall.RawSyscall(syscall.SYS_SETFSUID, nobody, 0, 0)
		}
		do()
	}()
	<-done
}

// seal lets nobody write to a directory, and everybody read it.
func seal(t *testing.T, dir string) {
	t.Helper()
	require.NoError(t, os.Chmod(filepath.Dir(dir), 0o755))
	require.NoError(t, os.Chmod(dir, 0o555))
	t.Cleanup(func() { os.Chmod(dir, 0o755) })
	var err error
	asNobody(func() { err = os.WriteFile(filepath.Join(dir, "new"), nil, 0o644) })
	if err == nil {
		unable.Skip(t, "modes of files do not matter here")
	}
	scratch := t.TempDir()
	require.NoError(t, os.Chmod(scratch, 0o777))
	t.Setenv("TMPDIR", scratch)
}

// runsIn reads how many runs the last campaign of a directory has, as nobody.
func runsIn(dir string) (runs int, busy bool, err error) {
	asNobody(func() {
		var s *store.Store
		if s, err = store.Read(dir); err != nil {
			return
		}
		var info store.Info
		if info, err = s.Find(0); err == nil {
			runs = info.Runs
			busy, err = s.Busy()
		}
		if failed := s.Close(); err == nil {
			err = failed
		}
	})
	return runs, busy, err
}

// What ended well is read where nobody may write, and what was killed with its log, which
// holds all that was done; and nothing is left anywhere.
func TestReadSealed(t *testing.T) {
	alive := t.TempDir()
	s, c := begun(t, alive)
	require.NoError(t, c.Keep(&campaign.Batch{Family: "chain", Ranges: []campaign.Range{{From: 0, Until: 3}}, Runs: 3}))
	killed := t.TempDir()
	for _, name := range []string{store.File, store.File + "-wal"} {
		content, err := os.ReadFile(filepath.Join(alive, name))
		require.NoError(t, err)
		require.NotEmpty(t, content)
		require.NoError(t, os.WriteFile(filepath.Join(killed, name), content, 0o644))
	}
	for name, dir := range map[string]string{"at work": alive, "killed": killed} {
		seal(t, dir)
		runs, busy, err := runsIn(dir)
		require.NoError(t, err, name)
		assert.Equal(t, name == "at work", busy, name)
		assert.Equal(t, 3, runs, name)
	}
	require.NoError(t, os.Chmod(alive, 0o755))
	require.NoError(t, s.Close())
	seal(t, alive)
	require.NoFileExists(t, filepath.Join(alive, store.File+"-wal"))
	runs, busy, err := runsIn(alive)
	require.NoError(t, err, "ended")
	assert.False(t, busy)
	assert.Equal(t, 3, runs, "ended")

	// Locks of earlier versions are the owner's alone.
	require.NoError(t, os.Chmod(filepath.Join(alive, "campaign.lock"), 0o600))
	_, busy, err = runsIn(alive)
	require.NoError(t, err)
	assert.False(t, busy)

	left, err := os.ReadDir(os.Getenv("TMPDIR"))
	require.NoError(t, err)
	assert.Empty(t, left)

	asNobody(func() { _, err = store.Open(alive) })
	assert.ErrorContains(t, err, "permission denied")
	require.NoError(t, os.Chmod(filepath.Join(alive, store.File), 0))
	_, _, err = runsIn(alive)
	assert.ErrorContains(t, err, "cannot be opened")
	assert.ErrorContains(t, err, "expected")
}
