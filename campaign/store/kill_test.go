package store_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rashomon-go/rashomon/campaign"
	"github.com/rashomon-go/rashomon/campaign/store"
	"github.com/rashomon-go/rashomon/internal/lethal"
	"github.com/rashomon-go/rashomon/systems"
)

var kills = flag.Int("kills", 10, "how many times the campaign is killed")

// childVariable names the directory in which a child works on the campaign.
const childVariable = "RASHOMON_TEST_CAMPAIGN"

func TestMain(m *testing.M) {
	dir := os.Getenv(childVariable)
	var err error
	switch p := plan(panics{}, 0); {
	case len(os.Args) == 2 && os.Args[1] == tryCommand[1]:
		err = p.Child(os.Stdin, os.Stdout)
	case os.Getenv(partVariable) != "":
		err = workPart(os.Getenv(partVariable))
	case dir != "":
		err = work(dir, 0)
	default:
		os.Exit(m.Run())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// tryCommand starts a process that makes runs which may have ended another one.
var tryCommand = []string{os.Args[0], "try"}

// plan has a bug in it, so that failures are kept, too.
func plan(t require.TestingT, runs int) campaign.Plan {
	b, err := systems.BugByName("chain-ack-at-middle")
	require.NoError(t, err)
	p := campaign.Plan{Runs: runs, Operations: 20, Workers: 2}
	s := b.Variant()
	if deaths := os.Getenv(lethal.Variable); deaths != "" {
		s, err = systems.ByName("chain")
		require.NoError(t, err)
		s, err = lethal.System(lethal.OneFamily(s), p.Operations, deaths)
		require.NoError(t, err)
		p.Runs = lethalRuns
		if strings.HasSuffix(deaths, "=loop") {
			p.Patience = 2 * time.Second
		}
	}
	for _, c := range s.Claims {
		p.Cells = append(p.Cells, campaign.Cell{System: s, Claim: c})
	}
	return p
}

// work makes so many runs of the campaign in a directory, or goes on for ever.
func work(dir string, runs int) (err error) {
	s, err := store.Open(dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	p := plan(panics{}, runs)
	c := &store.Campaign{}
	if all, err := s.Campaigns(); err != nil {
		return err
	} else if len(all) == 0 {
		c, err = s.Begin([]byte("{}"), "this build")
		if err != nil {
			return err
		}
	} else if c, p.Done, err = s.Resume(all[0].ID, "this build"); err != nil {
		return err
	}
	p.Keep, p.Mark = c.Keep, c.Mark
	if err := c.Isolate(context.Background(), &p, tryCommand); err != nil {
		return err
	}
	return campaign.Run(context.Background(), p, nil).Err
}

type panics struct{}

func (panics) Errorf(format string, args ...any) { panic(fmt.Sprintf(format, args...)) }
func (panics) FailNow()                          { panic("failed") }

// Killed at any moment, a campaign has lost nothing that was kept, and counts nothing
// twice: in the end it is what one is that nobody killed.
func TestKilledAtAnyMoment(t *testing.T) {
	dir := t.TempDir()
	done, suspected := 0, 0
	for i := range *kills {
		child := exec.Command(os.Args[0])
		child.Env = append(os.Environ(), childVariable+"="+dir)
		child.Stderr = os.Stderr
		require.NoError(t, child.Start())
		if i%3 > 0 { // every third one dies before it has done anything, or while it begins
			for start := time.Now(); runsOf(t, dir) == done && time.Since(start) < time.Minute; {
				time.Sleep(2 * time.Millisecond)
			}
		}
		time.Sleep(time.Duration(rand.IntN(150)) * time.Millisecond)
		require.NoError(t, child.Process.Kill())
		require.Error(t, child.Wait(), "it goes on until it is killed")
		if _, err := os.Stat(filepath.Join(dir, store.MarksFile)); err == nil {
			suspected++
		}
		now := runsOf(t, dir)
		assert.GreaterOrEqual(t, now, done, "kill %d", i)
		if i%3 > 0 {
			require.Greater(t, now, done, "kill %d", i)
		}
		done = now
	}
	s, err := store.Read(dir)
	require.NoError(t, err)
	info, err := s.Find(0)
	require.NoError(t, err)
	cells, err := s.Cells(info.ID)
	require.NoError(t, err)
	require.NoError(t, s.Close())
	runs := 20
	for _, tally := range cells {
		runs = max(runs, tally.Runs+20)
	}
	assert.Positive(t, suspected, "runs that were being made when somebody killed the process have not done so")
	require.NoError(t, work(dir, runs))
	assert.NoFileExists(t, filepath.Join(dir, store.MarksFile))

	whole := campaign.Run(context.Background(), plan(t, runs), nil)
	require.NoError(t, whole.Err)
	s, err = store.Read(dir)
	require.NoError(t, err)
	defer s.Close()
	info, err = s.Find(0)
	require.NoError(t, err)
	assert.Equal(t, whole.Runs, info.Runs)
	assert.Equal(t, whole.Digest, info.Digest)
	cells, err = s.Cells(info.ID)
	require.NoError(t, err)
	broken := map[string]int{}
	for i := range whole.Cells {
		c := &whole.Cells[i]
		assert.Equal(t, c.Tally, cells[c.Cell.String()], c.Cell.String())
		broken[string(c.Claim.Property)+c.Claim.Reads] += c.Violations + c.Panics
	}
	groups, err := s.Groups(info.ID)
	require.NoError(t, err)
	for _, g := range groups {
		broken[string(g.Claim)+g.Reads] -= g.Count
		assert.NotEmpty(t, g.Scenario)
	}
	for row, left := range broken {
		assert.Zero(t, left, "failures of %s that are in no group", row)
	}
}

func runsOf(t *testing.T, dir string) int {
	s, err := store.Read(dir)
	if err != nil {
		return 0 // it was killed before there was anything
	}
	defer s.Close()
	info, err := s.Find(0)
	if err != nil {
		return 0
	}
	return info.Runs
}
