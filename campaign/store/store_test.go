package store_test

import (
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rashomon-go/rashomon"
	"github.com/rashomon-go/rashomon/campaign"
	"github.com/rashomon-go/rashomon/campaign/store"
	"github.com/rashomon-go/rashomon/internal/pgtest"
	"github.com/rashomon-go/rashomon/systems"
)

func open(t *testing.T, dir string) *store.Store {
	t.Helper()
	s, err := store.Open(dir)
	require.NoError(t, err)
	return s
}

// begun returns a campaign in a directory, and closes its store in the end.
func begun(t *testing.T, dir string) (*store.Store, *store.Campaign) {
	t.Helper()
	s := open(t, dir)
	t.Cleanup(func() { s.Close() })
	return s, begunIn(t, s)
}

func begunIn(t require.TestingT, s *store.Store) *store.Campaign {
	c, err := s.Begin([]byte("{}"), "this build")
	require.NoError(t, err)
	return c
}

// each runs a test with an empty store of each kind.
func each(t *testing.T, test func(*testing.T, *store.Store)) {
	t.Run("sqlite", func(t *testing.T) {
		s := open(t, t.TempDir())
		test(t, s)
		require.NoError(t, s.Close())
	})
	t.Run("postgres", func(t *testing.T) {
		s := connected(t, pgtest.Start(t).Database(t))
		test(t, s)
		require.NoError(t, s.Close())
	})
}

// Whatever ranges are kept, in whatever order: the store knows each run that is done,
// and refuses to count it again.
func TestRangesAgainstASet(t *testing.T) { each(t, testRangesAgainstASet) }

func testRangesAgainstASet(t *testing.T, s *store.Store) {
	rapid.Check(t, func(rt *rapid.T) {
		c := begunIn(rt, s)
		done := map[int]bool{}
		for range rapid.IntRange(1, 30).Draw(rt, "batches") {
			from := rapid.IntRange(0, 60).Draw(rt, "from")
			r := campaign.Range{From: from, Until: from + rapid.IntRange(1, 8).Draw(rt, "runs")}
			twice := false
			for i := r.From; i < r.Until; i++ {
				twice = twice || done[i]
			}
			err := c.Keep(&campaign.Batch{Family: "chain", Ranges: []campaign.Range{r}, Runs: r.Until - r.From, Digest: 1 << 63})
			require.Equal(rt, twice, errors.Is(err, store.ErrDone), "%v", err)
			require.Equal(rt, twice, err != nil, "%v", err)
			for i := r.From; i < r.Until && !twice; i++ {
				done[i] = true
			}
		}
		_, past, err := s.Resume(c.ID, "this build")
		require.NoError(rt, err)
		info, err := s.Find(c.ID)
		require.NoError(rt, err)
		require.Equal(rt, len(done), info.Runs)
		pace, err := s.Pace(c.ID)
		require.NoError(rt, err)
		for _, p := range pace {
			info.Runs -= p.Runs
		}
		require.Zero(rt, info.Runs, "each run is in one minute")
		last := -1
		for _, r := range past.Ranges["chain"] {
			require.Greater(rt, r.From, last, "ranges that meet are one")
			for i := r.From; i < r.Until; i++ {
				require.True(rt, done[i])
				delete(done, i)
			}
			last = r.Until
		}
		require.Empty(rt, done)
	})
}

func TestTwoCampaignsInOneDirectory(t *testing.T) {
	dir := t.TempDir()
	begun(t, dir)
	_, err := store.Open(dir)
	assert.ErrorContains(t, err, "another campaign is at work here, expected one at a time")
	s, err := store.Read(dir)
	require.NoError(t, err, "anybody may look")
	all, err := s.Campaigns()
	require.NoError(t, err)
	assert.Len(t, all, 1)
	require.NoError(t, s.Close())
}

func TestAnotherBuildIsRefused(t *testing.T) { each(t, testAnotherBuildIsRefused) }

func testAnotherBuildIsRefused(t *testing.T, s *store.Store) {
	c := begunIn(t, s)
	_, _, err := s.Resume(c.ID, "another build")
	assert.ErrorContains(t, err, "begun by this build, and this is another build")
	_, _, err = s.Resume(7, "this build")
	assert.ErrorIs(t, err, store.ErrNone)
}

// Whatever stands where the database should be: it is refused with a reason, and stays
// as it is.
func TestBadDatabases(t *testing.T) {
	foreign := func(t *testing.T, file string) {
		execute(t, file, `CREATE TABLE recipes (name TEXT)`)
	}
	for name, tt := range map[string]struct {
		write func(*testing.T, string)
		want  string
	}{
		"text": {func(t *testing.T, file string) {
			write(t, file, []byte("this is a text, and it is longer than a header of SQLite would be: one hundred bytes, that is"))
		}, "is no database, or encrypted; expected one that check fuzz wrote"},
		"foreign": {foreign, "is a database of another program, expected one"},
		"newer": {func(t *testing.T, file string) {
			require.NoError(t, open(t, filepath.Dir(file)).Close())
			execute(t, file, `INSERT INTO goose_db_version (version_id, is_applied) VALUES (99, 1)`)
		}, "has schema 99, expected 2 at most: a newer program wrote it"},
		"damaged": {func(t *testing.T, file string) {
			s, c := begun(t, filepath.Dir(file))
			for i := range 200 {
				require.NoError(t, c.Keep(&campaign.Batch{Family: "chain", Ranges: []campaign.Range{{From: 2 * i, Until: 2*i + 1}}, Runs: 1}))
			}
			require.NoError(t, s.Close())
			whole, err := os.ReadFile(file)
			require.NoError(t, err)
			for i := 4096; i < len(whole); i += 7 {
				whole[i] ^= 0x55
			}
			write(t, file, whole)
		}, "is damaged"},
		"directory": {func(t *testing.T, file string) { require.NoError(t, os.Mkdir(file, 0o755)) }, "unable to open database file"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			file := filepath.Join(dir, store.File)
			tt.write(t, file)
			before, _ := os.ReadFile(file)
			for _, open := range []func(string) (*store.Store, error){store.Open, store.Read} {
				_, err := open(dir)
				require.ErrorContains(t, err, tt.want)
				require.ErrorContains(t, err, file)
			}
			after, _ := os.ReadFile(file)
			assert.Equal(t, before, after)
		})
	}
	_, err := store.Read(t.TempDir())
	assert.ErrorIs(t, err, store.ErrNone)
}

// A full disk ends a campaign, and what was kept stays.
func TestFullDisk(t *testing.T) {
	dir := t.TempDir()
	s, c := begun(t, dir)
	store.Fill(t, s)
	kept := 0
	var err error
	for ; err == nil; kept++ {
		require.Less(t, kept, 100_000)
		err = c.Keep(&campaign.Batch{Family: "chain", Ranges: []campaign.Range{{From: 2 * kept, Until: 2*kept + 1}}, Runs: 1})
	}
	kept--
	assert.ErrorContains(t, err, "the disk is full; what was done before is kept")
	require.NoError(t, s.Close())
	s = open(t, dir)
	defer s.Close()
	info, err := s.Find(0)
	require.NoError(t, err)
	assert.Equal(t, kept, info.Runs)
}

func TestMutes(t *testing.T) { each(t, testMutes) }

func testMutes(t *testing.T, s *store.Store) {
	assert.ErrorContains(t, s.Mute("0badcafe", "known"), `no failures of signature "0badcafe", expected one`)
	c := begunIn(t, s)
	f := failing(t, 7)
	require.NoError(t, c.Keep(&campaign.Batch{Family: "chain", Ranges: []campaign.Range{{From: 7, Until: 8}}, Runs: 1, Failures: []campaign.Failure{f}}))
	for _, reason := range []string{"known", "known well", ""} {
		require.NoError(t, s.Mute(f.ID(), reason))
		mutes, err := s.Mutes()
		require.NoError(t, err)
		if reason == "" {
			assert.Empty(t, mutes)
			continue
		}
		require.Len(t, mutes, 1)
		assert.Equal(t, reason, mutes[0].Reason)
	}
}

// failing returns a run that failed, of so many operations.
func failing(t *testing.T, operations int) campaign.Failure {
	s, err := systems.ByName("chain")
	require.NoError(t, err)
	sc := rashomon.FromSeed(3, s, s.Claims[0], operations)
	return campaign.Failure{
		Signature: campaign.Signature{System: "chain", Reads: "tail", Claim: s.Claims[0].Property, Kind: "stale"},
		Seed:      1<<63 + uint64(operations), // beyond what SQL calls a number
		Sentence:  fmt.Sprintf("it says \x00 and \xff in %d operations", operations),
		Scenario:  sc, Result: &rashomon.Result{Digest: 1 << 63},
	}
}

// Failures of one signature are counted, and the smallest one and a hundred of them kept.
func TestFailures(t *testing.T) { each(t, testFailures) }

func testFailures(t *testing.T, s *store.Store) {
	c := begunIn(t, s)
	for i, operations := range []int{30, 20, 25} {
		b := campaign.Batch{Family: "chain", Ranges: []campaign.Range{{From: i, Until: i + 1}}, Runs: 1, Failures: []campaign.Failure{failing(t, operations)}}
		require.NoError(t, c.Keep(&b))
	}
	b := campaign.Batch{Family: "chain", Ranges: []campaign.Range{{From: 3, Until: 120}}, Runs: 117}
	for i := range 117 {
		f := failing(t, 40)
		f.Seed = uint64(i)
		b.Failures = append(b.Failures, f)
	}
	require.NoError(t, c.Keep(&b))
	canary := failing(t, 10)
	canary.Bug = "planted"
	require.NoError(t, c.KeepCanary(&campaign.Batch{Failures: []campaign.Failure{canary}}))

	groups, err := s.Groups(c.ID)
	require.NoError(t, err)
	require.Len(t, groups, 1)
	assert.Equal(t, 120, groups[0].Count)
	assert.Equal(t, 20, groups[0].Operations)
	assert.Equal(t, "it says \uFFFD and \uFFFD in 20 operations", groups[0].Sentence)
	assert.Equal(t, uint64(1<<63+20), groups[0].Seed, "the lowest, as a number with a sign")
	examples, err := s.Examples(c.ID)
	require.NoError(t, err)
	assert.Len(t, examples, store.MaxExamples)
	caught, err := s.Canary(c.ID)
	require.NoError(t, err)
	require.Len(t, caught, 1)

	require.NoError(t, c.Forget())
	_, err = s.Find(0)
	assert.ErrorIs(t, err, store.ErrNone)
}

func execute(t *testing.T, file, statement string) {
	db, err := sql.Open("sqlite", file)
	require.NoError(t, err)
	defer db.Close()
	_, err = db.Exec(statement)
	require.NoError(t, err)
}

func write(t *testing.T, file string, content []byte) {
	require.NoError(t, os.WriteFile(file, content, 0o644))
}

// Who reads knows whether somebody writes, and does not keep anybody from it.
func TestBusy(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	reader, err := store.Read(dir)
	require.NoError(t, err)
	defer reader.Close()
	busy := func() bool {
		yes, err := reader.Busy()
		require.NoError(t, err)
		return yes
	}
	assert.True(t, busy())
	require.NoError(t, s.Close())
	assert.False(t, busy())

	stop, stopped := make(chan bool), make(chan bool)
	go func() {
		defer close(stopped)
		for {
			select {
			case <-stop:
				return
			case <-time.After(time.Millisecond):
				_, _ = reader.Busy() // what it says depends on the moment
			}
		}
	}()
	for range 20 {
		s, err := store.Open(dir)
		require.NoError(t, err)
		require.NoError(t, s.Close())
	}
	close(stop)
	<-stopped
	require.NoError(t, os.Remove(filepath.Join(dir, "campaign.lock")))
	assert.False(t, busy(), "the database was copied alone")
}

// A campaign is running while somebody has its directory, interrupted if that ended amid
// runs, and ended if another one has begun.
func TestStates(t *testing.T) {
	dir := t.TempDir()
	s, err := store.Open(dir)
	require.NoError(t, err)
	first, err := s.Begin([]byte("{}"), "this")
	require.NoError(t, err)
	state := func(s *store.Store, c *store.Campaign) store.State {
		states, err := s.States()
		require.NoError(t, err)
		return states[c.ID]
	}
	assert.Equal(t, store.Running, state(s, first))
	require.NoError(t, s.Close())
	reader, err := store.Read(dir)
	require.NoError(t, err)
	defer reader.Close()
	assert.Equal(t, store.Ended, state(reader, first))
	require.NoError(t, os.WriteFile(filepath.Join(dir, store.MarksFile), []byte("7 family\n"), 0o600))
	assert.Equal(t, store.Interrupted, state(reader, first))

	s, err = store.Open(dir)
	require.NoError(t, err)
	defer s.Close()
	second, err := s.Begin([]byte("{}"), "this")
	require.NoError(t, err)
	assert.Equal(t, store.Ended, state(reader, first))
	assert.Equal(t, store.Running, state(reader, second))
}

// A campaign that begins while states are read is not one that was interrupted.
func TestUndisturbed(t *testing.T) {
	gone := errors.New("gone")
	for name, tt := range map[string]struct {
		busy []bool // one answer after the other
		want []bool // what readings are told
		err  error  // of the reading
	}{
		"nobody leads":           {busy: []bool{false, false}, want: []bool{false}},
		"somebody leads":         {busy: []bool{true}, want: []bool{true}},
		"somebody begins to":     {busy: []bool{false, true, true}, want: []bool{false, true}},
		"somebody begins, ends":  {busy: []bool{false, true, false, false}, want: []bool{false, false}},
		"what cannot be read is": {busy: []bool{false}, want: []bool{false}, err: gone},
	} {
		t.Run(name, func(t *testing.T) {
			asked, told := 0, []bool(nil)
			got, err := store.Undisturbed(func() (bool, error) {
				asked++
				return tt.busy[asked-1], nil
			}, func(led bool) (int, error) {
				told = append(told, led)
				return len(told), tt.err
			})
			assert.ErrorIs(t, err, tt.err)
			assert.Equal(t, len(tt.want), got, "the last one counts")
			assert.Equal(t, tt.want, told)
			assert.Equal(t, len(tt.busy), asked)
		})
	}
}
