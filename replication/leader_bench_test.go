package replication_test

import (
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/rashomon-go/rashomon/internal/cputime"
	"github.com/rashomon-go/rashomon/replication"
	"github.com/rashomon-go/rashomon/sim"
)

// BenchmarkLeaderWrites measures writes, with their replication to two peers, at
// three leaders in a datacenter, with and without a round of anti-entropy per
// leader and second, which is every 500 writes. Writes per CPU second, garbage
// collection included, are the figure to compare: the machine may be busy.
func BenchmarkLeaderWrites(b *testing.B) {
	for _, keys := range []int{10, 1_000, 100_000} {
		for _, interval := range []time.Duration{0, time.Second} {
			b.Run(fmt.Sprintf("keys=%d/antiEntropy=%v", keys, interval), func(b *testing.B) { benchmarkWrites(b, keys, interval) })
		}
	}
}

func benchmarkWrites(b *testing.B, keys int, interval time.Duration) {
	names := make([]string, keys)
	for i := range names {
		names[i] = "key-" + strconv.Itoa(i)
	}
	b.ReportAllocs()
	w := sim.New(sim.Config{Seed: 1, Link: sim.Link{Latency: sim.Constant(600 * time.Microsecond)}})
	defer w.Stop()
	cfg := &replication.LeaderConfig{Leaders: []sim.NodeID{0, 1, 2}, AntiEntropy: interval}
	addLeaders(w, cfg)
	left := keys + b.N // the keys come into being before the clock starts
	for c := range 3 {
		to := sim.NodeID(c)
		w.Go("client"+strconv.Itoa(c), func(p *sim.Proc) {
			for left > 0 {
				left--
				key := names[left%keys]
				if left < b.N {
					key = names[int(sim.Key(uint64(left), 7)%uint64(keys))]
				}
				if _, err := p.Call(to, replication.Write{Key: key, Value: int64(left)}, time.Second); err != nil {
					b.Error(err)
				}
				p.Sleep(6 * time.Millisecond)
			}
		})
	}
	for left > b.N {
		w.Step(time.Hour * 1000)
	}
	b.ResetTimer()
	start := cputime.Used()
	for w.Live() > 0 {
		w.Step(time.Hour * 1000)
	}
	rate := float64(b.N) / (cputime.Used() - start).Seconds()
	b.ReportMetric(rate, "writes/cpu-s")
	if rival, measured := map[int]float64{10: 4_090, 1_000: 179}[keys]; measured && interval == 0 {
		b.ReportMetric(rate/rival, "×rival")
	}
}

// addLeaders adds the nodes of a configuration to an empty world.
func addLeaders(w *sim.World, cfg *replication.LeaderConfig) {
	if err := cfg.Validate(); err != nil {
		panic(err)
	}
	for i := range cfg.Leaders {
		w.AddNode("L"+strconv.Itoa(i), func(_ sim.NodeID, disk *sim.Disk) sim.Node {
			return replication.NewLeaderNode(cfg, i, disk)
		})
	}
}
