package sim_test

import (
	"fmt"
	"time"

	"github.com/rashomon-go/rashomon/sim"
)

// Server counts its requests and answers each with their number.
type Server struct{ requests int }

type (
	Ping struct{}
	Pong struct{ Count int }
)

func (s *Server) Receive(env *sim.Env, from sim.Addr, m sim.Message) {
	switch m.(type) {
	case Ping:
		s.requests++
		env.Reply(from, Pong{s.requests})
	}
}

// A client calls a server, which crashes between two of its calls and has
// forgotten everything when it is back: it never wrote to its disk.
func Example() {
	w := sim.New(sim.Config{Seed: 1, Client: sim.Link{Latency: sim.Constant(time.Millisecond)}})
	server := w.AddNode("server", func(sim.NodeID, *sim.Disk) sim.Node { return &Server{} })
	w.Go("client", func(p *sim.Proc) {
		for range 4 {
			reply, err := p.Call(server, Ping{}, 5*time.Millisecond)
			fmt.Println(p.Now(), reply, err)
			p.Sleep(3 * time.Millisecond)
		}
	})
	w.At(9*time.Millisecond, "crash", func() { w.Crash(server, sim.LoseUnsynced) })
	w.At(12*time.Millisecond, "restart", func() { w.Restart(server) })
	w.Run(time.Second)
	// Output:
	// 2ms {1} <nil>
	// 7ms {2} <nil>
	// 15ms <nil> sim: no reply in time
	// 20ms {1} <nil>
}
