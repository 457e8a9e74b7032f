package sim

import (
	"fmt"
	"maps"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// journey is when a message left, and when it arrived or was lost.
type journey struct{ sent, ended time.Duration }

// journeys runs clients that call independent servers, without the client of the
// given number, and returns the journeys of the messages between each client and
// the servers, by name and identity.
func journeys(seed uint64, without int, link Link, serve func() Node) map[string]map[uint64]journey {
	all := map[string]map[uint64]journey{}
	var w *World
	w = New(Config{Seed: seed, Link: link, Client: link, Trace: func(e Event) {
		client := max(e.From, e.To)
		if e.Kind > Duplicated {
			return
		}
		of := all[w.Name(client)]
		if of == nil {
			of = map[uint64]journey{}
			all[w.Name(client)] = of
		}
		j := of[e.ID]
		if e.Kind == Sent || e.Kind == Duplicated {
			j.sent = e.At
		} else {
			j.ended = e.At
		}
		of[e.ID] = j
	}})
	const servers = 3
	for i := range servers {
		w.AddNode(fmt.Sprint("s", i), func(NodeID, *Disk) Node { return serve() })
	}
	for number := range 5 {
		if number == without {
			continue
		}
		w.Go(fmt.Sprint("c", number), func(p *Proc) {
			for op := range 20 {
				p.Begin(uint64(number)<<16 | uint64(op))
				_, _ = p.Call(NodeID((number+op)%servers), op, 20*ms)
				p.Sleep(ms)
			}
		})
	}
	w.Run(time.Second)
	w.Stop()
	return all
}

var wild = Link{Latency: Exponential(ms, 5*ms), Loss: 0.05, Duplicate: 0.05, Reorder: 0.05}

// Where links have no FIFO and servers treat every request by itself, taking a
// client out changes nothing for the others: 100 % of their messages keep their
// identity, the moment they are sent, their latency and their fate, although all
// later processes have other numbers.
func TestTakingAClientOutMovesNoOther(t *testing.T) {
	for seed := range uint64(20) {
		full := journeys(seed, -1, wild, func() Node { return echo{} })
		require.Len(t, full, 5)
		for out := range 5 {
			rest := maps.Clone(full)
			delete(rest, fmt.Sprint("c", out))
			require.Equal(t, rest, journeys(seed, out, wild, func() Node { return echo{} }))
		}
	}
}

// The same holds for what a process does before its first Begin, and for nodes.
func TestTakingANodeOutMovesNoOther(t *testing.T) {
	run := func(names ...string) map[string]string {
		w := New(Config{Link: wild, Client: Link{Latency: Exponential(0, ms)}})
		arrived := map[string]string{}
		for _, name := range names {
			sink := add(w, "sink of "+name, &inbox{w: w})
			w.AddNode(name, func(NodeID, *Disk) Node { return &player{serve: true, friend: sink} })
			w.Go("client of "+name, func(p *Proc) {
				_, _ = p.Call(sink, nil, time.Minute)
			})
		}
		w.Run(time.Second)
		for i, name := range names {
			arrived[name] = fmt.Sprint(w.Node(NodeID(3 * i)).(*inbox).when)
		}
		w.Stop()
		return arrived
	}
	full := run("a", "b", "c")
	delete(full, "b")
	require.Equal(t, full, run("a", "c"))
}

func TestBeginDoesNotMeetTheFirstStory(t *testing.T) {
	w := New(Config{})
	stories := map[uint64]bool{}
	for n := range uint64(100) {
		w.Go("same name", func(p *Proc) {
			stories[p.story] = true
			p.Begin(n)
			stories[p.story] = true
		})
	}
	w.Run(0)
	require.Len(t, stories, 200)
}

// The second argument of Rand and the step tell streams apart.
func TestEnvRand(t *testing.T) {
	w, a := worldOf(doer{})
	var first []uint64
	roll := func(env *Env) {
		one, again, two := env.Rand(1), env.Rand(1), env.Rand(2)
		x := one.Uint64()
		require.Equal(t, x, again.Uint64())
		first = append(first, x, two.Uint64())
	}
	tell(w, 0, a, roll)
	tell(w, ms, a, roll)
	w.Run(ms)
	seen := map[uint64]bool{}
	for _, x := range first {
		seen[x] = true
	}
	require.Len(t, seen, 4)
}

func TestAtInThePast(t *testing.T) {
	w := New(Config{})
	var order []string
	note := func(s string) func() {
		return func() { order = append(order, fmt.Sprint(s, " ", w.Now())) }
	}
	w.At(-ms, "before the start", note("first"))
	w.At(5*ms, "x", func() {
		w.At(2*ms, "past", note("past"))
		w.At(5*ms, "now", note("now"))
	})
	w.At(5*ms, "y", note("y"))
	w.Run(4 * ms)
	require.Equal(t, 4*ms, w.Now(), "Run moves the time")
	w.Run(ms)
	require.Equal(t, 4*ms, w.Now(), "but never back")
	w.Run(5 * ms)
	require.Equal(t, []string{"first 0s", "y 5ms", "past 5ms", "now 5ms"}, order)
}

// Events at the end are in, events after it are not, and the time does not jump
// to them.
func TestRunUntil(t *testing.T) {
	w := New(Config{})
	n := 0
	for _, at := range []time.Duration{5 * ms, 5 * ms, 5*ms + 1} {
		w.At(at, "count", func() { n++ })
	}
	w.Run(5 * ms)
	require.Equal(t, 2, n)
	require.Equal(t, 5*ms, w.Now())
	require.False(t, w.Step(5*ms))
	require.True(t, w.Step(6*ms))
	require.Equal(t, 5*ms+1, w.Now())
}

func TestActionsOfOneMomentDiffer(t *testing.T) {
	digest := func(name string) uint64 {
		w := New(Config{})
		w.At(ms, name, func() {})
		w.Run(ms)
		return w.Digest()
	}
	require.NotEqual(t, digest("cut"), digest("heal"))
	require.Equal(t, digest("cut"), digest("cut"))
}
