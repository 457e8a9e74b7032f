package queue_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rashomon-go/rashomon"
	"github.com/rashomon-go/rashomon/campaign"
	"github.com/rashomon-go/rashomon/campaign/queue"
	"github.com/rashomon-go/rashomon/campaign/store"
	"github.com/rashomon-go/rashomon/checker"
	"github.com/rashomon-go/rashomon/internal/cputime"
	"github.com/rashomon-go/rashomon/internal/pgtest"
	"github.com/rashomon-go/rashomon/systems"
)

// turnRuns is how many runs of each family are one turn: some seconds, next to which it is
// little to begin a campaign and to end it.
const turnRuns = 300

// BenchmarkCampaign makes the same runs with nothing around them, and as a campaign in PostgreSQL
// with its second runs and second judges, in turns. It tells how much processor time of this process the
// latter takes beyond the former, with the quartiles of all turns, and how much the server takes
// beside that. A batch is of a hundred runs; those of campaigns longer than some minutes are of a thousand.
func BenchmarkCampaign(b *testing.B) {
	defer debug.SetGCPercent(debug.SetGCPercent(400)) // as check fuzz does
	s := connected(b)
	server := postmaster(b, s)
	var p campaign.Plan
	for _, system := range systems.All() {
		for _, claim := range system.Claims {
			p.Cells = append(p.Cells, campaign.Cell{System: system, Claim: claim})
		}
	}
	families := p.Families()
	runs := float64(turnRuns * len(families))
	var bare, over, beside []float64
	b.ResetTimer()
	for turn := range b.N {
		first := 1 + turn*turnRuns
		p.Runs = first + turnRuns
		var used [2]float64 // µs per run
		for k := range used {
			way := (turn + k) % 2
			runtime.GC()
			before, served := cputime.Used(), serverUsed(server)
			if way == 0 {
				makeBare(b, &p, first)
			} else {
				makeQueued(b, s, p, first)
				beside = append(beside, float64((serverUsed(server)-served).Microseconds())/runs)
			}
			used[way] = float64((cputime.Used() - before).Microseconds()) / runs
		}
		bare, over = append(bare, used[0]), append(over, 100*(used[1]/used[0]-1))
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(quantile(bare, 0.5), "bare-µs/run")
	b.ReportMetric(100*quantile(beside, 0.5)/quantile(bare, 0.5), "server-median-%")
	for i, q := range []string{"db-q1-%", "db-median-%", "db-q3-%"} {
		b.ReportMetric(quantile(over, float64(i+1)/4), q)
	}
}

func quantile(x []float64, share float64) float64 {
	sorted := slices.Sorted(slices.Values(x))
	return sorted[min(len(sorted)-1, int(share*float64(len(sorted))))]
}

func connected(b *testing.B) *store.Store {
	ctx := context.Background()
	s, err := store.Connect(ctx, pgtest.Start(b).Database(b), nil)
	require.NoError(b, err)
	b.Cleanup(func() { s.Close() })
	require.NoError(b, queue.Prepare(ctx, s))
	return s
}

// makeBare makes the runs of a turn, family by family.
func makeBare(b *testing.B, p *campaign.Plan, first int) {
	quick := rashomon.Options{Check: checker.Options{VerdictOnly: true}}
	for _, name := range p.Families() {
		var family []campaign.Cell
		var claims []rashomon.Property
		for _, c := range p.Cells {
			if c.Family() == name {
				family, claims = append(family, c), append(claims, c.Claim.Property)
			}
		}
		for seed := first; seed < p.Runs; seed++ {
			sc := rashomon.FromSeed(uint64(seed), family[0].System, family[0].Claim, 0)
			_, err := rashomon.RunClaims(family[0].System, sc, claims, quick)
			require.NoError(b, err)
		}
	}
}

// makeQueued makes them as a campaign that has done all runs before them: the first run of each family,
// which is always run twice, is none of them.
func makeQueued(b *testing.B, s *store.Store, p campaign.Plan, first int) {
	c, err := s.Begin([]byte("{}"), "this build")
	require.NoError(b, err)
	for _, name := range p.Families() {
		require.NoError(b, c.Keep(&campaign.Batch{Family: name, Ranges: []campaign.Range{{From: 0, Until: first}}}))
	}
	r := queue.Run(context.Background(), c, p, queue.Options{Workers: 1, Size: 100}, nobody)
	require.NoError(b, r.Err)
	require.Equal(b, turnRuns*len(p.Families()), r.Runs)
}

// postmaster returns the process of the server of which all others are children.
func postmaster(b *testing.B, s *store.Store) int {
	var backend int
	require.NoError(b, s.Pool().QueryRow(context.Background(), `SELECT pg_backend_pid()`).Scan(&backend))
	return stat(backend).parent
}

// serverUsed returns the processor time of the server so far, or 0 where that cannot be known.
func serverUsed(postmaster int) time.Duration {
	used := stat(postmaster).used + stat(postmaster).ofEnded
	dirs, _ := filepath.Glob("/proc/[0-9]*") // a good pattern
	for _, dir := range dirs {
		pid, _ := strconv.Atoi(filepath.Base(dir))
		if one := stat(pid); one.parent == postmaster {
			used += one.used
		}
	}
	return used
}

// process is what Linux tells of one.
type process struct {
	parent        int
	used, ofEnded time.Duration // itself, and its children that have ended
}

func stat(pid int) (p process) {
	content, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return p
	}
	_, rest, _ := strings.Cut(string(content), ") ") // behind the name, from the third field on
	fields := strings.Fields(rest)
	ticks := func(i int) time.Duration {
		n, _ := strconv.Atoi(fields[i-3])
		return time.Duration(n) * 10 * time.Millisecond
	}
	p.parent, _ = strconv.Atoi(fields[4-3])
	p.used, p.ofEnded = ticks(14)+ticks(15), ticks(16)+ticks(17)
	return p
}
