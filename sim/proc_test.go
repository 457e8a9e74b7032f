package sim

import (
	"errors"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestCall(t *testing.T) {
	w := New(Config{Client: Link{Latency: Constant(2 * ms)}})
	a := add(w, "a", echo{})
	var got Message
	var at []time.Duration
	w.Go("c", func(p *Proc) {
		p.Sleep(5 * ms)
		got, _ = p.Call(a, "hello", time.Second)
		require.Equal(t, a, p.From())
		at = append(at, p.Now())
		p.Sleep(-ms)
		at = append(at, p.Now())
	})
	require.Equal(t, 1, w.Live())
	w.Run(time.Second)
	require.Equal(t, "hello", got)
	require.Equal(t, []time.Duration{9 * ms, 9 * ms}, at)
	require.Zero(t, w.Live())
}

// The reply comes from whichever node has it.
func TestReplyFromAnotherNode(t *testing.T) {
	w := New(Config{})
	back := add(w, "back", nodeFunc(func(env *Env, _ Addr, m Message) { env.Reply(m.(Addr), "from the back") }))
	front := add(w, "front", nodeFunc(func(env *Env, from Addr, _ Message) { env.Send(back, from) }))
	w.Go("c", func(p *Proc) {
		m, err := p.Call(front, nil, ms)
		require.NoError(t, err)
		require.Equal(t, "from the back", m)
		require.Equal(t, back, p.From())
	})
	w.Run(time.Second)
	require.Zero(t, w.Live())
}

func TestTimeoutAndLateReply(t *testing.T) {
	w := New(Config{Client: Link{Latency: Constant(2 * ms)}})
	a := add(w, "a", echo{})
	var first, second error
	var reply Message
	c := w.Go("c", func(p *Proc) {
		_, first = p.Call(a, "one", 3*ms)
		// The late reply to the first call must not answer the second.
		reply, second = p.Call(a, "two", time.Second)
	})
	w.Run(time.Second)
	require.ErrorIs(t, first, ErrTimeout)
	require.NoError(t, second)
	require.Equal(t, "two", reply)
	require.EqualValues(t, 1, w.Traffic(Pair{a, c}).Dropped[PortClosed])
}

func TestReplyAtTheMomentOfTheTimeoutIsLate(t *testing.T) {
	for timeout, want := range map[time.Duration]error{
		4 * ms: ErrTimeout, 4*ms + 1: nil, 0: ErrTimeout, -ms: ErrTimeout, never: nil,
	} {
		w := New(Config{Client: Link{Latency: Constant(2 * ms)}})
		a := add(w, "a", echo{})
		var err error
		w.Go("c", func(p *Proc) { _, err = p.Call(a, "x", timeout) })
		w.Run(time.Second)
		require.Equal(t, want, err, timeout)
	}
}

func TestDuplicateReplyIsLate(t *testing.T) {
	w := New(Config{Client: Link{Duplicate: 1}})
	a := add(w, "a", echo{})
	c := w.Go("c", func(p *Proc) { _, _ = p.Call(a, "x", ms) })
	w.Run(time.Second)
	// Two requests, each answered, each answer doubled: one is taken.
	back := w.Traffic(Pair{a, c})
	require.EqualValues(t, 1, back.Delivered)
	require.EqualValues(t, 3, back.Dropped[PortClosed])
}

// A message to a process that is not a reply finds nobody.
func TestProcessHasNoEntrance(t *testing.T) {
	w := New(Config{})
	a := add(w, "a", doer{})
	c := w.Go("c", func(p *Proc) { p.Sleep(ms) })
	tell(w, 0, a, func(env *Env) { env.Send(c, "x"); env.Reply(Addr{c, 9}, "y") })
	w.Run(time.Second)
	require.EqualValues(t, 2, w.Traffic(Pair{a, c}).Dropped[PortClosed])
}

// settled waits until goroutines that are ending have ended.
func settled(t *testing.T, want int) {
	for range 5000 {
		if runtime.NumGoroutine() <= want {
			return
		}
		time.Sleep(time.Millisecond)
	}
	t.Errorf("%d goroutines, of which %d should have ended", runtime.NumGoroutine(), runtime.NumGoroutine()-want)
}

func TestStopUnwinds(t *testing.T) {
	before := runtime.NumGoroutine()
	var unwound []string
	w := New(Config{})
	a := add(w, "a", doer{})
	story := func(call bool) func(*Proc) {
		return func(p *Proc) {
			defer func() { unwound = append(unwound, w.Name(p.Self())) }()
			for {
				if call {
					_, _ = p.Call(a, "x", time.Hour)
				}
				p.Sleep(time.Hour)
			}
		}
	}
	for range 20 {
		w.Go("sleeps", story(false))
		w.Go("calls", story(true))
	}
	w.Go("ends", func(*Proc) {})
	w.Run(ms)
	w.Go("never started", story(false))
	require.Equal(t, 41, w.Live())
	w.Stop()
	require.Len(t, unwound, 40)
	require.Zero(t, w.Live())
	settled(t, before)

	w.Stop()
	require.False(t, w.Step(never), "a stopped world has no events")
	w.Run(2 * time.Hour)
	require.Equal(t, 2*time.Hour, w.Now())
}

func TestStopOutlastsAStoryThatRecovers(t *testing.T) {
	w := New(Config{})
	w.Go("stubborn", func(p *Proc) {
		defer func() {
			_ = recover()
			defer func() { _ = recover() }()
			p.Sleep(ms)
		}()
		p.Sleep(ms)
	})
	w.Run(0)
	w.Stop()
	require.Zero(t, w.Live())
}

func TestActionMayStop(t *testing.T) {
	w := New(Config{})
	w.Go("c", func(p *Proc) {
		for {
			p.Sleep(ms)
		}
	})
	w.At(5*ms, "stop", w.Stop)
	w.At(6*ms, "too late", func() { t.Error("the world was stopped") })
	w.Run(10 * ms)
	require.Zero(t, w.Live())
}

func caught(f func()) (p *Panic) {
	defer func() { p, _ = recover().(*Panic) }()
	f()
	return nil
}

func TestPanics(t *testing.T) {
	cause := errors.New("broken invariant")
	for brief, arrange := range map[string]func(*World){
		"sim: node n1 at 3ms: broken invariant": func(w *World) {
			tell(w, 3*ms, add(w, "n1", doer{}), func(*Env) { panic(cause) })
		},
		"sim: process c1 at 4ms: broken invariant": func(w *World) {
			w.Go("c1", func(p *Proc) {
				p.Sleep(4 * ms)
				panic(cause)
			})
		},
		`sim: action "heal" at 5ms: broken invariant`: func(w *World) {
			w.At(5*ms, "heal", func() { panic(cause) })
		},
		"sim: node n2 at 6ms: broken invariant": func(w *World) {
			// A process restarts a node that cannot boot.
			n := w.AddNode("n2", func(NodeID, *Disk) Node {
				if w.Now() > 0 {
					panic(cause)
				}
				return doer{}
			})
			w.Go("script", func(p *Proc) {
				p.Sleep(6 * ms)
				w.Crash(n, KeepAll)
				w.Restart(n)
			})
		},
	} {
		w := New(Config{})
		w.Go("bystander", func(p *Proc) { p.Sleep(time.Hour) })
		arrange(w)
		p := caught(func() { w.Run(time.Second) })
		require.NotNil(t, p, brief)
		require.Equal(t, brief, p.Brief())
		require.ErrorIs(t, p, cause)
		require.True(t, strings.HasPrefix(p.Error(), brief))
		require.Contains(t, p.Stack, "proc_test.go", "the stack shows where")
		w.Stop()
	}
}

func TestPanicWhileAdded(t *testing.T) {
	w := New(Config{})
	p := caught(func() { w.AddNode("n", func(NodeID, *Disk) Node { return nil }) })
	require.Equal(t, "sim: node n at 0s: Boot returned nil", p.Brief())
}

func TestMisuse(t *testing.T) {
	const outside = "sim: the Env of node a is used outside of its steps"
	w := New(Config{})
	var kept *Env
	a := add(w, "a", nodeFunc(func(env *Env, _ Addr, m Message) {
		kept = env
		if do, ok := m.(func()); ok {
			do()
		}
	}))
	tell(w, ms, a, nil)
	w.Run(ms)
	require.PanicsWithValue(t, outside, func() { kept.Send(a, nil) })
	require.PanicsWithValue(t, outside, kept.Sync)
	c := w.Go("c", func(*Proc) { w.Stop() })
	require.Equal(t, "sim: process c at 1ms: sim: process c stops its own world", caught(func() { w.Run(ms) }).Brief())
	require.PanicsWithValue(t, "sim: process c is no node", func() { w.Restart(c) })
	tell(w, 2*ms, a, func() { w.Crash(a, KeepAll) })
	require.Equal(t, "sim: node a at 2ms: sim: node a meddles with itself within its step", caught(func() { w.Run(2 * ms) }).Brief())
}

// A test that fails inside a process ends: FailNow crosses the coroutine.
func TestGoexitCrosses(t *testing.T) {
	done := make(chan bool)
	go func() {
		defer func() { done <- recover() == nil }()
		w := New(Config{})
		w.Go("c", func(*Proc) { runtime.Goexit() })
		w.Run(time.Second)
		t.Error("Run returned")
	}()
	require.True(t, <-done)
}

// Asked tells how long requests may be under way, also those given up.
func TestAsked(t *testing.T) {
	w := New(Config{Client: Link{Latency: Constant(70 * time.Millisecond)}})
	n := w.AddNode("n", func(NodeID, *Disk) Node { return ponger{} })
	require.Zero(t, w.Asked())
	w.Go("c", func(p *Proc) {
		_, err := p.Call(n, ping{}, 10*time.Millisecond)
		require.ErrorIs(t, err, ErrTimeout)
	})
	w.Run(20 * time.Millisecond)
	require.Zero(t, w.Live())
	require.Equal(t, 70*time.Millisecond, w.Asked())
}
