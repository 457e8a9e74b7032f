package store_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rashomon-go/rashomon/campaign"
	"github.com/rashomon-go/rashomon/campaign/store"
)

// part is a process that makes part of a campaign over all systems.
type part struct{ workers, shard, shards int }

// partVariable tells a child which part, and in which directory.
const partVariable = "RASHOMON_TEST_PART"

// speedupRuns is how many runs of each family all parts make together.
const speedupRuns = 100

// BenchmarkSpeedup makes the same runs with one worker (GOMAXPROCS=1), with two in one
// process, and with two processes that are shards, in turns, and tells how many times as fast the latter are than the
// former, by the clock: that takes two processors that do nothing else. It tells, too, how much more processor time
// they take: on a quiet machine the speedup can be no more than two over that.
func BenchmarkSpeedup(b *testing.B) {
	ways := [][]part{{{1, 0, 1}}, {{2, 0, 1}}, {{1, 0, 2}, {1, 1, 2}}}
	var clock, cpu [3][]float64
	for range b.N {
		for i, way := range ways {
			took, used := together(b, way)
			clock[i], cpu[i] = append(clock[i], took.Seconds()), append(cpu[i], used.Seconds())
		}
	}
	b.ReportMetric(quantile(cpu[0], 0.5)*1e3/float64(speedupRuns*len(families())), "cpu-ms/run")
	for i, name := range []string{1: "two-workers", 2: "two-processes"} {
		if i == 0 {
			continue
		}
		var faster, dearer []float64
		for turn := range clock[i] {
			faster = append(faster, clock[0][turn]/clock[i][turn])
			dearer = append(dearer, cpu[i][turn]/cpu[0][turn])
		}
		b.ReportMetric(quantile(faster, 0.5), name+"-times-as-fast")
		b.ReportMetric(quantile(dearer, 0.5), name+"-times-the-cpu")
	}
}

// together runs the parts at the same time, and returns how long the campaign took in the slowest
// of them, and how much processor time all of them together.
func together(b *testing.B, parts []part) (took, used time.Duration) {
	var all sync.WaitGroup
	var mu sync.Mutex
	for _, p := range parts {
		child := exec.Command(os.Args[0])
		child.Env = append(os.Environ(), fmt.Sprintf("GOMAXPROCS=%d", p.workers),
			fmt.Sprintf("%s=%d %d %d %s", partVariable, p.workers, p.shard, p.shards, b.TempDir()))
		child.Stderr = os.Stderr
		all.Go(func() {
			out, err := child.Output()
			mu.Lock()
			defer mu.Unlock()
			if !assertNo(b, err) {
				return
			}
			own, err := time.ParseDuration(strings.TrimSpace(string(out)))
			assertNo(b, err)
			took = max(took, own)
			used += child.ProcessState.UserTime() + child.ProcessState.SystemTime()
		})
	}
	all.Wait()
	require.False(b, b.Failed())
	return took, used
}

func assertNo(b *testing.B, err error) bool {
	if err != nil {
		b.Error(err)
	}
	return err == nil
}

// workPart makes a part, and prints how long that took.
func workPart(text string) error {
	var p part
	var dir string
	if _, err := fmt.Sscanf(text, "%d %d %d %s", &p.workers, &p.shard, &p.shards, &dir); err != nil {
		return err
	}
	debug.SetGCPercent(400) // as check fuzz does
	s, err := store.Open(dir)
	if err != nil {
		return err
	}
	c, err := s.Begin([]byte("{}"), "this build")
	if err != nil {
		return err
	}
	r := campaign.Run(context.Background(), campaign.Plan{
		Cells: slices.Concat(families()...), Runs: speedupRuns, Workers: p.workers, Shard: p.shard, Shards: p.shards, Keep: c.Keep, Mark: c.Mark,
	}, nil)
	if r.Err != nil {
		return r.Err
	}
	fmt.Println(r.Took)
	return s.Close()
}
