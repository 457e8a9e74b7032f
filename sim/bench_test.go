package sim

import (
	"fmt"
	"testing"
	"time"

	"github.com/rashomon-go/rashomon/internal/cputime"
)

// The machine that measures may be busy, so every benchmark reports the CPU
// time of the process beside the wall time: cpu-ns/event is the figure to
// compare.

// measure runs a world for b.N steps.
func measure(b *testing.B, w *World) {
	b.ReportAllocs()
	b.ResetTimer()
	start := cputime.Used()
	for range b.N {
		if !w.Step(1 << 62) {
			b.Fatal("the world has come to rest")
		}
	}
	b.ReportMetric(float64(cputime.Used()-start)/float64(b.N), "cpu-ns/event")
	b.StopTimer()
	w.Stop()
}

type ball struct{ Bounces int }

// player sends every ball back.
type player struct {
	serve  bool
	friend NodeID
}

func (p *player) Start(env *Env) {
	if p.serve {
		env.Send(p.friend, ball{})
	}
}

func (p *player) Receive(env *Env, from Addr, m Message) {
	env.Send(from.Node, ball{m.(ball).Bounces + 1})
}

var lan = Link{Latency: Exponential(500*time.Microsecond, 500*time.Microsecond)}

// table returns a world in which the given number of pairs play.
func table(c Config, pairs int) *World {
	w := New(c)
	for range pairs {
		first := NodeID(len(w.hosts))
		w.AddNode(fmt.Sprint("a", first), func(NodeID, *Disk) Node { return &player{} })
		w.AddNode(fmt.Sprint("b", first), func(NodeID, *Disk) Node { return &player{serve: true, friend: first} })
	}
	return w
}

// BenchmarkPingPong: one event is one delivery, one step and one send, with a
// keyed exponential latency and the digest.
func BenchmarkPingPong(b *testing.B) {
	for _, pairs := range []int{1, 64} {
		b.Run(fmt.Sprintf("pairs=%d", pairs), func(b *testing.B) {
			measure(b, table(Config{Seed: 1, Link: lan}, pairs))
		})
	}
}

// BenchmarkTraced keeps every event, as a run that is drawn does.
func BenchmarkTraced(b *testing.B) {
	events := make([]Event, 0, 1<<16)
	keep := func(e Event) {
		if len(events) == cap(events) {
			events = events[:0]
		}
		events = append(events, e)
	}
	measure(b, table(Config{Seed: 1, Link: lan, Trace: keep}, 1))
}

// BenchmarkOverlays compares links that never had an overlay, links from which
// all were lifted, and links under two of them.
func BenchmarkOverlays(b *testing.B) {
	slow := Overlay{Delay: Exponential(time.Millisecond, time.Millisecond), Loss: 1e-12}
	for _, state := range []string{"none", "lifted", "two"} {
		b.Run(state, func(b *testing.B) {
			w := table(Config{Seed: 1, Link: lan}, 1)
			for range 2 {
				if state == "none" {
					break
				}
				id := w.Impose(slow, Pair{0, 1}, Pair{1, 0})
				if state == "lifted" {
					w.Lift(id)
				}
			}
			measure(b, w)
		})
	}
}

// writer appends, syncs on a disk that takes its time, and sends on.
type writer struct{ player }

func (p *writer) Receive(env *Env, from Addr, m Message) {
	env.Append(m)
	env.Sync()
	p.player.Receive(env, from, m)
}

// BenchmarkSync: half of the events are deliveries, the other half ends of a
// sync.
func BenchmarkSync(b *testing.B) {
	w := New(Config{Seed: 1, Link: lan})
	for _, serve := range []bool{false, true} {
		id := w.AddNode(fmt.Sprint(serve), func(NodeID, *Disk) Node { return &writer{player{serve: serve}} })
		w.SetSyncTime(id, time.Millisecond)
	}
	b.Cleanup(func() { w.Disk(0).records = nil })
	measure(b, w)
}

// BenchmarkCall: one call is a request, its reply, and a timeout that comes to
// nothing; 10 ms of them wait in the queue at any time.
func BenchmarkCall(b *testing.B) {
	w := New(Config{Seed: 1, Client: lan})
	server := w.AddNode("server", func(NodeID, *Disk) Node { return echo{} })
	calls := 0
	w.Go("client", func(p *Proc) {
		for {
			if _, err := p.Call(server, ball{}, 10*time.Millisecond); err == nil {
				calls++
			}
		}
	})
	b.ReportAllocs()
	b.ResetTimer()
	start := cputime.Used()
	for calls < b.N {
		w.Step(1 << 62)
	}
	b.ReportMetric(float64(cputime.Used()-start)/float64(b.N), "cpu-ns/call")
	b.StopTimer()
	w.Stop()
}

// echo answers every request with itself.
type echo struct{}

func (echo) Receive(env *Env, from Addr, m Message) { env.Reply(from, m) }

// BenchmarkWorld builds a world of five nodes and five clients: what a run
// costs before its first event.
func BenchmarkWorld(b *testing.B) {
	b.ReportAllocs()
	start := cputime.Used()
	for b.Loop() {
		w := table(Config{Seed: 1, Link: lan}, 3)
		for i := range 5 {
			w.Go(fmt.Sprint("c", i), func(*Proc) {})
		}
		w.Run(0)
		w.Stop()
	}
	b.ReportMetric(float64(cputime.Used()-start)/float64(b.N), "cpu-ns/world")
}
