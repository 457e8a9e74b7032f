package rashomon_test

import (
	"flag"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rashomon-go/rashomon"
	"github.com/rashomon-go/rashomon/checker"
	"github.com/rashomon-go/rashomon/systems"
)

// choices is the adapter that lets rapid draw a scenario, so that rapid shrinks what
// the scenario is made of and not a seed.
type choices struct{ *rapid.T }

func (c choices) IntN(n int) int { return rapid.IntRange(0, n-1).Draw(c.T, "choice") }

// In a test, rapid.Check takes the place of Example, and rashomon.CheckScenario that
// of Println:
//
//	rapid.Check(t, func(rt *rapid.T) {
//		scenario := rashomon.Generate(choices{rt}, system, claim, rapid.IntRange(1, 100).Draw(rt, "operations"))
//		rashomon.CheckScenario(rt, system, scenario)
//	})
func ExampleGenerate() {
	scenarios := rapid.Custom(func(t *rapid.T) *rashomon.Scenario {
		operations := rapid.IntRange(1, 100).Draw(t, "operations")
		return rashomon.Generate(choices{t}, lazySystem, lazySystem.Claims[0], operations)
	})
	scenario := scenarios.Example(1)
	fmt.Println(scenario.System, scenario.Validate(lazySystem))
	// Output: lazy-register <nil>
}

// rapid's counterexample is smaller than one that a seed gives: it shrinks the
// operations, the clients and the faults, with nothing but the adapter above.
func TestRapidShrinksStructure(t *testing.T) {
	t.Chdir(t.TempDir())                            // where rapid puts its files
	require.NoError(t, flag.Set("rapid.seed", "1")) // with some it ends early, at more operations than a seed gives
	t.Cleanup(func() { _ = flag.Set("rapid.seed", "0") })
	bug, err := systems.BugByName("chain-ack-at-middle")
	require.NoError(t, err)
	s := bug.Variant()
	quick := rashomon.Options{Check: checker.Options{VerdictOnly: true}}
	var shrunk *rashomon.Scenario
	rapid.Check(quietTB{}, func(rt *rapid.T) {
		sc := rashomon.Generate(choices{rt}, s, s.Claims[0], rapid.IntRange(1, 100).Draw(rt, "operations"))
		if run(t, s, sc, quick).Verdict == checker.Invalid {
			shrunk = sc
			rt.Fatalf("found")
		}
	})
	require.NotNil(t, shrunk)
	seed := uint64(0)
	for run(t, s, rashomon.FromSeed(seed, s, s.Claims[0], 0), quick).Verdict != checker.Invalid {
		seed++
	}
	seeded := rashomon.FromSeed(seed, s, s.Claims[0], 0)
	t.Logf("rapid: %d operations by %d clients, %d faults; seed %d: %d operations, %d faults",
		len(shrunk.Operations), len(shrunk.Names(s))-shrunk.Nodes-2, len(shrunk.Faults), seed, len(seeded.Operations), len(seeded.Faults))
	assert.Less(t, len(shrunk.Operations), len(seeded.Operations))
}

// quietTB expects a failure.
type quietTB struct{}

func (quietTB) Helper()               {}
func (quietTB) Name() string          { return "quiet" }
func (quietTB) Logf(string, ...any)   {}
func (quietTB) Log(...any)            {}
func (quietTB) Skipf(string, ...any)  {}
func (quietTB) Skip(...any)           {}
func (quietTB) SkipNow()              {}
func (quietTB) Errorf(string, ...any) {}
func (quietTB) Error(...any)          {}
func (quietTB) Fatalf(string, ...any) {}
func (quietTB) Fatal(...any)          {}
func (quietTB) FailNow()              {}
func (quietTB) Fail()                 {}
func (quietTB) Failed() bool          { return false }
