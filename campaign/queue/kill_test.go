package queue_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rashomon-go/rashomon"
	"github.com/rashomon-go/rashomon/campaign"
	"github.com/rashomon-go/rashomon/campaign/queue"
	"github.com/rashomon-go/rashomon/campaign/store"
	"github.com/rashomon-go/rashomon/internal/lethal"
	"github.com/rashomon-go/rashomon/internal/pgtest"
	"github.com/rashomon-go/rashomon/systems"
)

var killing = flag.Duration("killing", 5*time.Second, "how long workers are killed")

// The children of the tests get the address of the database, and of how many runs they are
// the head, if they are: 0 stands for no end.
const (
	addressVariable = "RASHOMON_TEST_DATABASE"
	leadsVariable   = "RASHOMON_TEST_LEADS"
)

func TestMain(m *testing.M) {
	url, leads := os.Getenv(addressVariable), os.Getenv(leadsVariable)
	var err error
	switch {
	case len(os.Args) == 2 && os.Args[1] == quick.Try[1]:
		p := plan(panics{}, 0)
		err = p.Child(os.Stdin, os.Stdout)
	case url == "":
		os.Exit(m.Run())
	case leads != "":
		runs, _ := strconv.Atoi(leads)
		err = lead(url, runs, nobody).Err
	default:
		err = help(url)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// quick makes everything happen soon.
var quick = queue.Options{
	Workers: 1, Size: 20, Age: time.Second, Rescue: 4 * time.Second, Poll: 20 * time.Millisecond,
	Try: []string{os.Args[0], "try"},
}

// plan has a bug in it, so that failures are kept, too. There are few of them: to shrink
// one takes as long as hundreds of runs.
func plan(t require.TestingT, runs int) campaign.Plan {
	b, err := systems.BugByName("chain-old-tail-answers")
	require.NoError(t, err)
	p := campaign.Plan{Runs: runs, Operations: 20}
	s := b.Variant()
	deaths := os.Getenv(lethal.Variable)
	if deaths != "" { // without the bug: to shrink a failure may take longer than is waited for
		s, err = systems.ByName(b.System)
		require.NoError(t, err)
		s, err = lethal.System(s, p.Operations, deaths)
		require.NoError(t, err)
		p.Patience = 4 * time.Second
	}
	for _, c := range s.Claims {
		if c.Property != rashomon.Live { // which takes longer, and is no other matter here
			p.Cells = append(p.Cells, campaign.Cell{System: s, Claim: c})
		}
	}
	if strings.HasSuffix(deaths, "=loop") { // each family has one, which takes long
		p.Cells = p.Cells[:1]
	}
	return p
}

type panics struct{}

func (panics) Errorf(format string, args ...any) { panic(fmt.Sprintf(format, args...)) }
func (panics) FailNow()                          { panic("failed") }

// lead makes so many runs of the only campaign in a database, or goes on for ever.
func lead(url string, runs int, progress func(campaign.Progress)) *campaign.Report {
	ctx := context.Background()
	s, err := store.Connect(ctx, url, nil)
	if err != nil {
		return &campaign.Report{Err: err}
	}
	defer s.Close()
	if err := queue.Prepare(ctx, s); err != nil {
		return &campaign.Report{Err: err}
	}
	var c *store.Campaign
	if _, err = s.Find(0); err == nil {
		c, _, err = s.Resume(1, "this build")
	} else if errors.Is(err, store.ErrNone) {
		c, err = s.Begin([]byte("{}"), "this build")
	}
	if err != nil {
		return &campaign.Report{Err: err}
	}
	return queue.Run(ctx, c, plan(panics{}, runs), quick, progress)
}

// help works on the only campaign in a database, as soon as it is open, and until it ends.
func help(url string) error {
	ctx := context.Background()
	s, err := store.Join(ctx, url, nil)
	if err != nil {
		return err
	}
	defer s.Close()
	for {
		open, err := s.Joinable()
		if err != nil {
			return err
		}
		if len(open) == 0 {
			time.Sleep(quick.Poll)
			continue
		}
		c, _, err := s.Resume(open[0].ID, "this build")
		if err == nil {
			err = queue.Work(ctx, c, plan(panics{}, 0), quick, func(int, time.Duration) {})
		}
		if err != nil {
			return err
		}
	}
}

// prepared returns a new database, and its store for looking at what others do there.
func prepared(t *testing.T) (url string, s *store.Store) {
	t.Helper()
	ctx := context.Background()
	url = pgtest.Start(t).Database(t)
	s, err := store.Connect(ctx, url, nil)
	require.NoError(t, err)
	require.NoError(t, queue.Prepare(ctx, s))
	require.NoError(t, s.Close())
	s, err = store.Join(ctx, url, nil)
	require.NoError(t, err)
	t.Cleanup(func() { s.Close() })
	return url, s
}

// child starts a process that leads so many runs, or helps if that is empty.
func child(t *testing.T, url, leads string) *exec.Cmd {
	t.Helper()
	c := exec.Command(os.Args[0])
	c.Env = append(os.Environ(), addressVariable+"="+url, leadsVariable+"="+leads)
	c.Stderr = os.Stderr
	require.NoError(t, c.Start())
	return c
}

func killed(t *testing.T, c *exec.Cmd) {
	t.Helper()
	require.NoError(t, c.Process.Kill())
	var exit *exec.ExitError
	require.ErrorAs(t, c.Wait(), &exit)
	require.Equal(t, -1, exit.ExitCode(), "it goes on until it is killed")
}

// Of four processes, whoever dies at whatever moment: in the end every run is there, once,
// and the campaign is what it is in one process that nobody kills.
func TestKilledAtAnyMoment(t *testing.T) {
	url, s := prepared(t)
	all, leads := make([]*exec.Cmd, 4), []string{"0", "", "", ""}
	for i := range all {
		all[i] = child(t, url, leads[i])
	}
	for end := time.Now().Add(*killing); time.Now().Before(end); {
		time.Sleep(time.Duration(500+rand.IntN(1500)) * time.Millisecond)
		i := rand.IntN(len(all))
		killed(t, all[i])
		all[i] = child(t, url, leads[i])
	}
	for _, c := range all {
		killed(t, c)
	}
	runs := 2*quick.Size + begunIn(t, s)
	once := sync.OnceFunc(func() { // the jobs that went further are gone
		for i := range all[1:] {
			all[1+i] = child(t, url, "")
		}
	})
	report := lead(url, runs, func(campaign.Progress) { once() })
	for _, c := range all[1:] {
		killed(t, c)
	}
	require.NoError(t, report.Err)
	same(t, runs, report, s)
}

// begunIn returns how many runs of a family have been made, or begun, by programs that have
// been killed.
func begunIn(t *testing.T, s *store.Store) (runs int) {
	silent(t, s)
	err := s.Pool().QueryRow(context.Background(), `SELECT coalesce(max((args->>'until')::int), 0) FROM river_job WHERE state = 'running'`).Scan(&runs)
	require.NoError(t, err)
	for _, ranges := range pastOf(t, s).Ranges {
		for _, r := range ranges {
			runs = max(runs, r.Until)
		}
	}
	require.NotZero(t, runs)
	return runs
}

// silent waits until the server is through with the last words of programs that were killed.
func silent(t *testing.T, s *store.Store) {
	t.Helper()
	require.Eventually(t, func() bool {
		var connections int32
		err := s.Pool().QueryRow(context.Background(),
			`SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'client backend'`).Scan(&connections)
		require.NoError(t, err)
		return connections <= s.Pool().Stat().TotalConns()
	}, time.Minute, quick.Poll)
}

func pastOf(t *testing.T, s *store.Store) campaign.Past {
	c, past, err := s.Resume(1, "this build")
	require.NoError(t, err)
	require.EqualValues(t, 1, c.ID)
	return past
}

// same compares a campaign to the same one in this process alone.
func same(t *testing.T, runs int, report *campaign.Report, s *store.Store) {
	t.Helper()
	p := plan(t, runs)
	whole := campaign.Run(context.Background(), p, nil)
	require.NoError(t, whole.Err)
	past := pastOf(t, s)
	info, err := s.Find(0)
	require.NoError(t, err)
	assert.Equal(t, whole.Runs, info.Runs)
	assert.Equal(t, whole.Runs, report.Runs)
	assert.Equal(t, whole.Digest, info.Digest)
	assert.Equal(t, whole.Digest, report.Digest)
	for _, family := range p.Families() {
		assert.Equal(t, []campaign.Range{{From: 0, Until: runs}}, past.Ranges[family])
	}
	broken := map[string]int{}
	for i := range whole.Cells {
		c := &whole.Cells[i]
		assert.Equal(t, c.Tally, past.Cells[c.Cell.String()], c.Cell.String())
		assert.Equal(t, c.Tally, report.Cells[i].Tally)
		broken[string(c.Claim.Property)+c.Claim.Reads] += c.Violations + c.Panics
		if c.First != nil {
			assert.Equal(t, c.First.Seed, report.Cells[i].First.Seed)
		}
	}
	groups, err := s.Groups(1)
	require.NoError(t, err)
	for _, g := range groups {
		broken[string(g.Claim)+g.Reads] -= g.Count
	}
	for row, left := range broken {
		assert.Zero(t, left, "failures of %s that are in no group", row)
	}
	var waiting int
	require.NoError(t, s.Pool().QueryRow(context.Background(), `SELECT count(*) FROM river_job WHERE state NOT IN ('completed', 'running')`).Scan(&waiting))
	assert.Zero(t, waiting, "jobs that are left")
}
