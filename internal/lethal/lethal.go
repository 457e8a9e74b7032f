// Package lethal gives the tests of campaigns a client that ends the process, or never
// answers, in the runs of some seeds: what campaigns must survive.
package lethal

import (
	"fmt"
	"os"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/rashomon-go/rashomon"
	"github.com/rashomon-go/rashomon/sim"
)

// Variable tells children of a test, in their environment, which deaths System gets.
const Variable = "RASHOMON_TEST_LETHAL"

// ways are what a client may do in the place of an answer.
var ways = map[string]func(){
	"exit":   func() { fmt.Fprintln(os.Stderr, "no config"); os.Exit(3) },
	"zero":   func() { fmt.Print("that is all"); os.Exit(0) },
	"stack":  func() { debug.SetMaxStack(1 << 20); fmt.Print(deeper(0)) },
	"maps":   writeAtOnce,
	"loop":   forever,
	"panic":  func() { go panic("in another goroutine of 17"); forever() },
	"wait":   func() { <-make(chan int) },
	"killed": func() { p, _ := os.FindProcess(os.Getpid()); p.Kill(); forever() },
}

// System returns the system with a client that dies in the runs of some seeds, with so many
// operations, of the first row of its table. Deaths are words such as 107=exit: a seed, and
// one of exit, zero, stack, maps, loop, panic, wait and killed.
//
// The client knows those runs by one of their operations, since components know no seeds.
func System(s *rashomon.System, operations int, deaths string) (*rashomon.System, error) {
	at := map[rashomon.Operation]func(){}
	for _, death := range strings.Fields(deaths) {
		var seed uint64
		var way string
		if _, err := fmt.Sscanf(death, "%d=%s", &seed, &way); err != nil || ways[way] == nil {
			return nil, fmt.Errorf("lethal: %q, expected a seed, =, and a way to die", death)
		}
		at[untimed(rashomon.FromSeed(seed, s, s.Claims[0], operations).Operations[3])] = ways[way]
	}
	own := *s
	own.Client = func(c *rashomon.Cluster) rashomon.Client {
		do := s.Client(c)
		return func(p *sim.Proc, op rashomon.Operation) rashomon.Answer {
			if die := at[untimed(op)]; die != nil {
				die()
			}
			return do(p, op)
		}
	}
	return &own, nil
}

// OneFamily returns the system with the rows of its table that share runs with the first one.
func OneFamily(s *rashomon.System) *rashomon.System {
	own := *s
	own.Claims = slices.DeleteFunc(slices.Clone(s.Claims), func(c rashomon.Claim) bool { return !c.SharesRuns(s.Claims[0]) })
	return &own
}

// untimed is the operation as it was drawn: its timeout is filled in later.
func untimed(op rashomon.Operation) rashomon.Operation {
	op.Timeout = 0
	return op
}

// deeper overflows the stack.
func deeper(n int) int {
	if n < 0 {
		return 0
	}
	return deeper(n+1) + 1
}

func forever() {
	for spins := 0; ; spins++ {
	}
}

func writeAtOnce() {
	m := map[int]int{}
	write := func() {
		for i := range 1_000_000_000 {
			m[i%10] = i
		}
	}
	go write()
	write()
}
