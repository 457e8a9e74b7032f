package rashomon_test

import (
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
