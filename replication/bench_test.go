package replication_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/rashomon-go/rashomon/internal/cputime"
	. "github.com/rashomon-go/rashomon/replication"
	"github.com/rashomon-go/rashomon/sim"
)

// source is an open loop: it sends a write every interval, whether or not the
// others have been answered, in the name of 50 clients in turn.
type source struct {
	to           sim.NodeID
	keys         []string
	writes, sent int
	answered     int
	every        time.Duration
}

type tick struct{}

func (s *source) Start(env *sim.Env) { env.After(s.every, tick{}) }

func (s *source) Receive(env *sim.Env, _ sim.Addr, m sim.Message) {
	if _, ok := m.(Written); ok {
		s.answered++
		return
	}
	s.sent++
	env.Send(s.to, Write{
		Request: RequestID{Client: sim.NodeID(1000 + s.sent%50), Number: uint64(s.sent)},
		Key:     s.keys[s.sent%len(s.keys)], Value: int64(s.sent),
	})
	if s.sent < s.writes {
		env.After(s.every, tick{})
	}
}

// rival is how many writes happy-simulator 0.2.5 (CPython 3.13) does in a second of
// processor time in the same scenarios: medians of five runs on a machine with two
// cores of an AMD EPYC.
var rival = map[string]float64{"chain-5": 3_780, "sync-3": 3_670}

// BenchmarkWrites: 10,000 writes of 50 keys at 500 a second, links of 600 µs,
// disks that take 1 ms; writes/cpu-s is the figure to compare.
func BenchmarkWrites(b *testing.B) {
	const writes = 10_000
	var keys []string
	for i := range 50 {
		keys = append(keys, fmt.Sprint("k", i))
	}
	groups := map[string]func(*sim.World){
		"chain-5": func(w *sim.World) {
			if _, err := BuildChain(w, ChainConfig{}, "n0", "n1", "n2", "n3", "n4"); err != nil {
				b.Fatal(err)
			}
		},
		"sync-3": func(w *sim.World) {
			cfg := &PrimaryBackupConfig{Mode: Sync, Members: []sim.NodeID{0, 1, 2, 3}}
			addGroup(w, cfg, []string{"n0", "n1", "n2", "n3"}, nil)
		},
	}
	for _, name := range []string{"chain-5", "sync-3"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			var spent time.Duration
			for b.Loop() {
				w := sim.New(sim.Config{Seed: 1, Link: sim.Link{Latency: sim.Constant(600 * time.Microsecond)}})
				groups[name](w)
				for i := range w.Len() {
					w.SetSyncTime(sim.NodeID(i), time.Millisecond)
				}
				s := &source{keys: keys, writes: writes, every: 2 * time.Millisecond}
				w.AddNode("source", func(sim.NodeID, *sim.Disk) sim.Node { return s })
				start := cputime.Used()
				for w.Step(time.Minute) {
				}
				spent += cputime.Used() - start
				if s.answered != writes {
					b.Fatalf("%d of %d writes were answered", s.answered, writes)
				}
			}
			rate := float64(b.N*writes) / spent.Seconds()
			b.ReportMetric(rate, "writes/cpu-s")
			b.ReportMetric(rate/rival[name], "×rival")
		})
	}
}
