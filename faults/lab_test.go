package faults

import (
	"fmt"
	"time"

	"github.com/rashomon-go/rashomon/sim"
)

// The lab is some nodes, which a process probes in the middle of every
// millisecond: each that is up shows its clocks and greets all others. Windows
// begin and end with milliseconds, so what a probe sees is in force all over it.
type lab struct {
	w       *sim.World
	ids     []sim.NodeID
	arrived map[hop][]time.Duration // how long the greetings of a probe took
	shown   map[hop]dials
}

// hop is a link, or a node twice, at the time of a probe.
type hop struct {
	at       time.Duration
	from, to int
}

type (
	probe  struct{ at time.Duration }
	greet  struct{ at time.Duration }
	answer dials
)

type subject struct {
	l  *lab
	me int
}

func (s *subject) Receive(env *sim.Env, from sim.Addr, m sim.Message) {
	switch m := m.(type) {
	case probe:
		env.Append(m)
		env.Reply(from, answer{env.Now(), env.Wall()})
		for i, id := range s.l.ids {
			if i != s.me {
				env.Send(id, greet(m))
			}
		}
	case greet:
		h := hop{m.at, int(from.Node), s.me}
		s.l.arrived[h] = append(s.l.arrived[h], s.l.w.Now()-m.at)
	}
}

func newLab(n int) *lab {
	l := &lab{arrived: map[hop][]time.Duration{}, shown: map[hop]dials{}}
	l.w = sim.New(sim.Config{Link: sim.Link{Latency: sim.Constant(latency)}})
	for i := range n {
		boot := func(sim.NodeID, *sim.Disk) sim.Node { return &subject{l, i} }
		l.ids = append(l.ids, l.w.AddNode(fmt.Sprintf("n%d", i), boot))
	}
	return l
}

// run probes every node in every millisecond until end.
func (l *lab) run(end time.Duration) {
	for i, id := range l.ids {
		l.w.Go(fmt.Sprintf("prober of n%d", i), func(p *sim.Proc) {
			for at := ms / 2; at < end; at += ms {
				p.Sleep(at - p.Now())
				if m, err := p.Call(id, probe{at}, ms/2-1); err == nil {
					l.shown[hop{at, i, i}] = dials(m.(answer))
				}
			}
		})
	}
	l.w.Run(end + ms)
	l.w.Stop()
}
