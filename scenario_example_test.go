package rashomon_test

import (
	"fmt"
	"strings"

	"github.com/rashomon-go/rashomon"
	"github.com/rashomon-go/rashomon/systems"
)

// A scenario written by hand, for a system with a planted bug.
func ExampleLoadScenario() {
	const file = `
format: 2
system: chain
bug: chain-ack-at-middle  # the middle acknowledges writes
reads: tail
claim: linearizable
nodes: 3
links: {latency: 5ms}
timeout: 100ms
attempts: 1
operations:
  - 1 c0 write k0=1 at n0 at 200ms
  - 2 c1 read k0 at n2 at 207ms timeout 20ms
`
	scenario, system, err := rashomon.LoadScenario(strings.NewReader(file), "by-hand.yaml", systems.Find)
	if err != nil {
		fmt.Println(err)
		return
	}
	result, err := rashomon.Run(system, scenario, rashomon.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(result.Verdict, "-", result.Anomaly)

	mistake := strings.Replace(file, "at 207ms", "at noon", 1)
	_, _, err = rashomon.LoadScenario(strings.NewReader(mistake), "by-hand.yaml", systems.Find)
	fmt.Println(err)
	// Output:
	// invalid - stale-read
	// by-hand.yaml:13:27: "noon", expected a duration such as 3ms
}
