package rashomon_test

import (
	"slices"
	"testing"

	"github.com/rashomon-go/rashomon"
	"github.com/rashomon-go/rashomon/checker"
	"github.com/rashomon-go/rashomon/internal/cputime"
	"github.com/rashomon-go/rashomon/systems"
)

// BenchmarkFromSeed tells what making a scenario from a seed costs, and which part
// of the cost of running and checking it that is, over seeds 0, 1, 2, …
func BenchmarkFromSeed(b *testing.B) {
	for _, s := range systems.All() {
		b.Run(s.Name, func(b *testing.B) {
			b.ReportAllocs()
			scenarios := make([]*rashomon.Scenario, 0, b.N)
			start := cputime.Used()
			for seed := range uint64(b.N) {
				scenarios = append(scenarios, rashomon.FromSeed(seed, s, s.Claims[0], 0))
			}
			made := cputime.Used() - start
			b.StopTimer()
			start = cputime.Used()
			for _, sc := range scenarios {
				if _, err := rashomon.Run(s, sc, rashomon.Options{Check: checker.Options{VerdictOnly: true}}); err != nil {
					b.Fatal(err)
				}
			}
			ran := cputime.Used() - start
			b.ReportMetric(float64(made)/float64(b.N)/1000, "cpu-µs/scenario")
			b.ReportMetric(100*float64(made)/float64(ran), "%-of-run")
		})
	}
}

// What is left of the zoo's scenarios, and the processor time that it takes to shrink
// one, in medians.
func BenchmarkShrinkZoo(b *testing.B) {
	for b.Loop() {
		var operations, faults, times []float64
		for _, bug := range systems.Bugs() {
			s, sc := zooScenario(b, bug)
			began := cputime.Used()
			small := shrink(b, s, sc, rashomon.ShrinkOptions{}).Scenario
			times = append(times, (cputime.Used() - began).Seconds())
			operations, faults = append(operations, float64(len(small.Operations))), append(faults, float64(len(small.Faults)))
		}
		for unit, values := range map[string][]float64{"operations": operations, "faults": faults, "cpu-s": times} {
			slices.Sort(values)
			b.ReportMetric(values[len(values)/2], unit)
		}
		b.ReportMetric(times[len(times)-1], "cpu-s-most")
	}
}
