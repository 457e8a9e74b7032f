package campaign_test

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rashomon-go/rashomon/campaign"
	"github.com/rashomon-go/rashomon/checker"
	"github.com/rashomon-go/rashomon/internal/lethal"
	"github.com/rashomon-go/rashomon/systems"
)

func TestMain(m *testing.M) {
	if deaths := os.Getenv(lethal.Variable); deaths != "" {
		p, err := lethalPlan(deaths)
		if err == nil {
			err = p.Child(os.Stdin, os.Stdout)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// lethalPlan returns a plan of which some runs end their process, of the seeds 100 to 129.
func lethalPlan(deaths string) (campaign.Plan, error) {
	s, err := systems.ByName("chain")
	if err != nil {
		return campaign.Plan{}, err
	}
	p := campaign.Plan{Seed: 100, Runs: 30, Operations: 10, Workers: 1, Patience: 2 * time.Second}
	if s, err = lethal.System(s, p.Operations, deaths); err == nil {
		p.Cells = []campaign.Cell{{System: s, Claim: s.Claims[0]}}
	}
	return p, err
}

// healthy is that a child makes the plan without deaths: nobody makes this seed.
const healthy = "0=exit"

// Whatever way a run ends its process, it is found in a range of others, with what is
// known of its death.
func TestTryFindsWhatEndsTheProcess(t *testing.T) {
	for _, tt := range []struct{ death, how, where, said, kind string }{
		{"exit", "exit status 3", "", "no config", "crash: exit status 3"},
		{"zero", "exit status 0", "", "", "crash: exit status 0"},
		{"stack", "fatal error: stack overflow", "lethal.deeper (lethal.go:", "", "crash: fatal error: stack overflow"},
		{"maps", "fatal error: concurrent map writes", "lethal.writeAtOnce", "", "crash: fatal error: concurrent map writes"},
		{"loop", "did not end within 2s", "lethal.forever (lethal.go:", "", "crash: did not end within Ns"},
		{"panic", "panic: in another goroutine of 17", "lethal.", "", "crash: panic: in another goroutine of N"},
		{"killed", "signal: killed", "", "", "crash: signal: killed"},
	} {
		t.Run(tt.death, func(t *testing.T) {
			if tt.death == "killed" && runtime.GOOS == "windows" {
				t.Skip("no signals there")
			}
			p, crashes, err := tried(t, campaign.Range{From: 4, Until: 12}, "107="+tt.death)
			require.NoError(t, err)
			require.Len(t, crashes, 1)
			c := crashes[0]
			assert.Equal(t, uint64(107), c.Seed)
			assert.Equal(t, tt.how, c.How)
			assert.Contains(t, c.Where, tt.where)
			assert.Equal(t, tt.where == "", c.Where == "", c.Where)
			assert.Equal(t, tt.said, c.Said)
			b, err := p.Crashed(c)
			require.NoError(t, err)
			assert.Equal(t, []campaign.Range{{From: 7, Until: 8}}, b.Ranges)
			require.Len(t, b.Failures, 1)
			assert.Equal(t, tt.kind, b.Failures[0].Kind)
			assert.Contains(t, b.Failures[0].Sentence, tt.how)
			assert.Zero(t, b.Digest, "nobody knows what would have happened")
		})
	}
}

// tried lets children make a range of runs, some of which end their process.
func tried(t *testing.T, r campaign.Range, deaths ...string) (campaign.Plan, []campaign.Crash, error) {
	t.Helper()
	all := strings.Join(append(deaths, healthy), " ")
	p, err := lethalPlan(all)
	require.NoError(t, err)
	t.Setenv(lethal.Variable, all)
	crashes, err := p.Try(context.Background(), []string{os.Args[0]}, p.Cells[0].Family(), r)
	return p, crashes, err
}

// All deaths in a range are found, in their order, and nothing else.
func TestTryFindsAllDeathsOfARange(t *testing.T) {
	_, crashes, err := tried(t, campaign.Range{From: 3, Until: 20}, "103=exit", "105=exit", "112=zero", "119=exit", "120=exit")
	require.NoError(t, err)
	var seeds []uint64
	for _, c := range crashes {
		seeds = append(seeds, c.Seed)
	}
	assert.Equal(t, []uint64{103, 105, 112, 119}, seeds)
	_, crashes, err = tried(t, campaign.Range{From: 0, Until: 10}, "111=exit")
	require.NoError(t, err)
	assert.Empty(t, crashes)
}

// Children that do not work are an error, and no crash.
func TestTryWithoutChildren(t *testing.T) {
	p, err := lethalPlan(healthy)
	require.NoError(t, err)
	_, err = p.Try(context.Background(), []string{os.Args[0] + "-missing"}, p.Cells[0].Family(), campaign.Range{Until: 1})
	assert.ErrorContains(t, err, "cannot be started")
	t.Setenv(lethal.Variable, healthy)
	_, err = p.Try(context.Background(), []string{os.Args[0]}, "another", campaign.Range{Until: 1})
	assert.ErrorContains(t, err, "ended before the first one (exit status 1)")
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err = p.Try(ctx, []string{os.Args[0]}, p.Cells[0].Family(), campaign.Range{Until: 1})
	assert.ErrorIs(t, err, context.Canceled)
}

// A crash is in the report of who goes on, is never made again, and fails its row.
func TestCrashCountsAsDone(t *testing.T) {
	p, err := lethalPlan("107=exit")
	require.NoError(t, err)
	b, err := p.Crashed(campaign.Crash{Family: p.Cells[0].Family(), Seed: 107, How: "exit status 3"})
	require.NoError(t, err)
	p.Done = campaign.Past{
		Ranges: map[string][]campaign.Range{b.Family: b.Ranges},
		Cells:  map[string]campaign.Tally{p.Cells[0].String(): b.Cells[0].Tally},
	}
	_, open := p.Open(b.Family, 107)
	assert.False(t, open)
	r := campaign.Run(context.Background(), p, nil)
	require.NoError(t, r.Err)
	assert.Equal(t, 30, r.Runs)
	c := &r.Cells[0]
	assert.Equal(t, 1, c.Crashes)
	assert.Zero(t, c.Panics+c.Violations)
	assert.Equal(t, checker.Invalid, c.Verdict())
	assert.False(t, c.Kept())
	require.NotNil(t, c.FirstCrash)
	assert.Equal(t, uint64(107), c.FirstCrash.Seed)
	assert.Equal(t, "the run ended its process: exit status 3", c.FirstCrash.Result.Sentence)

	others, err := lethalPlan(healthy)
	require.NoError(t, err)
	others.Done.Ranges = p.Done.Ranges
	without := campaign.Run(context.Background(), others, nil)
	assert.Equal(t, without.Digest, r.Digest, "of the other runs")
	assert.Equal(t, 29, without.Runs)

	_, err = p.Crashed(campaign.Crash{Family: "another", Seed: 107})
	assert.ErrorContains(t, err, "expected a crash of this campaign")
	_, err = p.Crashed(campaign.Crash{Family: b.Family, Seed: 99})
	assert.Error(t, err)
}

// A run that does not end does not keep the campaign from ending, with an error that names
// it. The worker's mark stays.
func TestEndlessRunEndsTheCampaign(t *testing.T) {
	p, err := lethalPlan("107=wait")
	require.NoError(t, err)
	var marks sync.Map
	p.Mark = func(worker int, family string, seed uint64) error {
		marks.Store(worker, fmt.Sprint(seed, " ", family))
		return nil
	}
	r := campaign.Run(context.Background(), p, nil)
	assert.ErrorContains(t, r.Err, "chain, reads at tail, seed 107: the run did not end within 2s")
	mark, _ := marks.Load(0)
	assert.Equal(t, "107 chain, reads at tail", mark)

	p.Runs, p.Patience = 7, 0
	r = campaign.Run(context.Background(), p, nil)
	require.NoError(t, r.Err)
	mark, _ = marks.Load(0)
	assert.Equal(t, "0 ", mark)
}

// The shortest patience is one, too.
func TestPatienceOfANanosecond(t *testing.T) {
	r := campaign.Run(context.Background(), campaign.Plan{Patience: 1, Runs: 1}, nil)
	assert.NoError(t, r.Err)
}
