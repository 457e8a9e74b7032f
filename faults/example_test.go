package faults_test

import (
	"fmt"
	"time"

	"github.com/rashomon-go/rashomon/faults"
	"github.com/rashomon-go/rashomon/sim"
)

// One number decides everything: the same draws give the same faults.
func ExampleGenerate() {
	nodes := []string{"n0", "n1", "n2"}
	draws := sim.NewDraws(5)
	s := faults.Generate(&draws, faults.Options{
		Nodes: nodes,
		Roles: []string{"primary"},
		From:  100 * time.Millisecond,
		Until: 2 * time.Second,
		Crash: faults.CrashOptions{Nodes: nodes},
	})
	fmt.Println(s)
	// Output:
	// 830ms..940ms cut primary -> *
	// 1.085s..1.335s slow-disk n1 by 50ms
	// 1.265s..1.555s slow n0 by 2ms
}

// A node that is cut off hears nobody until the fault ends.
func ExampleSchedule_Apply() {
	world := sim.New(sim.Config{Trace: func(e sim.Event) {
		if e.Kind == sim.Acted {
			fmt.Println(e.At, e.Message)
		}
	}})
	f, err := faults.Parse("100ms..300ms partition n0 | *")
	if err != nil {
		fmt.Println(err)
		return
	}
	var nodes []sim.NodeID
	for _, name := range []string{"n0", "n1", "n2"} {
		nodes = append(nodes, world.AddNode(name, boot))
	}
	faults.Schedule{f}.Apply(world, nodes, nil)
	world.Run(time.Second)
	// Output:
	// 100ms begin 100ms..300ms partition n0 | *
	// 300ms end 100ms..300ms partition n0 | *
}

func boot(sim.NodeID, *sim.Disk) sim.Node { return silent{} }

type silent struct{}

func (silent) Receive(*sim.Env, sim.Addr, sim.Message) {}
