package sim

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

type ping struct{ N int }
type pong struct{ N int }
type tick struct{}

// table tennis: pings come back as pongs; a tick serves.
type ponger struct{}

func (ponger) Receive(env *Env, from Addr, m Message) {
	if m, ok := m.(ping); ok {
		env.Reply(from, pong(m))
	}
}

type pinger struct {
	friend NodeID
	served int
}

func (p *pinger) Start(env *Env) { env.After(10*ms, tick{}) }

func (p *pinger) Receive(env *Env, _ Addr, m Message) {
	if m == (tick{}) {
		p.served++
		env.Send(p.friend, ping{p.served})
		env.After(10*ms, tick{})
	}
}

func TestTraceText(t *testing.T) {
	var events []Event
	w := New(Config{
		Link:   Link{Latency: Constant(1500 * time.Microsecond)},
		Client: Link{Latency: Constant(500 * time.Microsecond)},
		Trace:  func(e Event) { events = append(events, e) },
	})
	b := add(w, "b", ponger{})
	a := w.AddNode("a", func(NodeID, *Disk) Node { return &pinger{friend: b} })
	w.Go("c", func(p *Proc) {
		p.Sleep(2 * ms)
		_, _ = p.Call(b, ping{100}, 750*time.Microsecond)
	})
	var cut OverlayID
	w.At(15*ms, "cut", func() { cut = w.Impose(Overlay{Cut: true}, Pair{b, a}) })
	w.At(25*ms, "heal and double", func() { w.Lift(cut); w.Impose(Overlay{Duplicate: 1}, Pair{b, a}) })
	w.At(35*ms, "crash", func() { w.Crash(a, KeepAll) })
	w.At(36*ms, "restart", func() { w.Restart(a) })
	w.Run(45 * ms)

	var text strings.Builder
	for _, e := range events {
		fmt.Fprintln(&text, strings.TrimSpace(e.Describe(w.Name)))
	}
	require.Equal(t, strings.TrimLeft(`
2ms send    c → b ping{N:100}
2.5ms recv    c → b ping{N:100}
2.5ms send    b → c pong{N:100}
3ms drop    b → c pong{N:100} (late)
10ms timer   a tick
10ms send    a → b ping{N:1}
11.5ms recv    a → b ping{N:1}
11.5ms send    b → a pong{N:1}
13ms recv    b → a pong{N:1}
15ms act     cut
20ms timer   a tick
20ms send    a → b ping{N:2}
21.5ms recv    a → b ping{N:2}
21.5ms send    b → a pong{N:2}
21.5ms drop    b → a pong{N:2} (cut)
25ms act     heal and double
30ms timer   a tick
30ms send    a → b ping{N:3}
31.5ms recv    a → b ping{N:3}
31.5ms send    b → a pong{N:3}
31.5ms copy    b → a pong{N:3}
33ms recv    b → a pong{N:3}
33ms recv    b → a pong{N:3}
35ms act     crash
35ms crash   a
36ms act     restart
36ms restart a
`, "\n"), text.String())
	joins(t, events)
}

// joins checks what Event promises of Seq, ID and Cause.
func joins(t *testing.T, events []Event) {
	left := map[uint64]Event{}
	for i, e := range events {
		require.EqualValues(t, i+1, e.Seq)
		switch e.Kind {
		case Sent, Duplicated:
			require.Zero(t, left[e.ID].Seq, "an identity is used once")
			left[e.ID] = e
		case Delivered, Dropped:
			sent := left[e.ID]
			require.NotZero(t, sent.Seq, "what arrives was sent")
			require.Equal(t, sent.From, e.From)
			require.Equal(t, sent.Message, e.Message)
			if sent.Kind == Sent {
				require.Equal(t, sent.Cause, e.Cause)
			}
		}
	}
}

func TestDescribeMessage(t *testing.T) {
	for want, m := range map[string]Message{
		"nil": nil, "tick": tick{}, "ping{N:7}": ping{7}, "text": "text", "7": 7, "&{N:7}": &ping{7}, "[1 2]": []int{1, 2},
	} {
		require.Equal(t, want, DescribeMessage(m))
	}
}

// A number that means nothing prints as such.
func TestNamesOutOfRange(t *testing.T) {
	require.Equal(t, "act", Acted.String())
	require.Equal(t, "event(200)", EventKind(200).String())
	require.Equal(t, "late", PortClosed.String())
	require.Equal(t, "drop(200)", DropCause(200).String())
}

func TestFindDivergence(t *testing.T) {
	one, two, three := Event{Seq: 1, Message: []int{1}}, Event{Seq: 2, Message: ping{1}}, Event{Seq: 3}
	other := Event{Seq: 2, Message: ping{2}}
	require.Nil(t, FindDivergence(nil, nil))
	require.Nil(t, FindDivergence([]Event{one, two}, []Event{{Seq: 1, Message: []int{1}}, two}))
	require.Equal(t, &Divergence{1, &two, &other}, FindDivergence([]Event{one, two, three}, []Event{one, other, three}))
	require.Equal(t, &Divergence{1, &two, nil}, FindDivergence([]Event{one, two}, []Event{one}))
	require.Equal(t, &Divergence{0, nil, &one}, FindDivergence(nil, []Event{one}))
}
