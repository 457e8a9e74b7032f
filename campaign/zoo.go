package campaign

import (
	"context"
	"slices"
	"sync"
	"time"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/rashomon-go/rashomon"
	"github.com/rashomon-go/rashomon/checker"
)

// Specimen is a planted bug, and the system without it.
type Specimen struct {
	Broken, Right *rashomon.System
	Claim         rashomon.Claim // the row that must catch it
	// Panics says that the system notices the bug itself, and panics: that is the
	// catch then. A panic is none otherwise.
	Panics bool
}

// Sighting is how often a bug was caught. A catch counts only if the same scenario
// on the right system is valid: then it is the bug that was caught.
type Sighting struct {
	Specimen
	Runs   int
	Caught int
	Blamed int                // violations that did not count: the control run was not valid, or it was a panic
	Gaps   []int              // runs from one catch to the next, the first from the start
	First  *rashomon.Scenario // of the first catch, or nil
	CPU    time.Duration      // of the runs with the bug
	Err    error
}

// Rate returns the share of runs that caught the bug, with the 95 % interval of
// Clopper and Pearson (1934).
func (s *Sighting) Rate() (rate, low, high float64) {
	if s.Runs == 0 {
		return 0, 0, 1
	}
	k, n := float64(s.Caught), float64(s.Runs)
	high = 1
	if s.Caught > 0 {
		low = distuv.Beta{Alpha: k, Beta: n - k + 1}.Quantile(0.025)
	}
	if s.Caught < s.Runs {
		high = distuv.Beta{Alpha: k + 1, Beta: n - k}.Quantile(0.975)
	}
	return k / n, low, high
}

// MedianRuns returns the median number of runs that it took to catch the bug, or 0
// if it was not caught.
func (s *Sighting) MedianRuns() int {
	if len(s.Gaps) == 0 {
		return 0
	}
	gaps := slices.Sorted(slices.Values(s.Gaps))
	return gaps[len(gaps)/2]
}

// Zoo runs each specimen with the seeds 0 to runs-1 of the default generator, so many
// at a time as there are workers, and reports in the order of the specimens. The
// counts depend on the arguments alone, the times do not. When ctx is cancelled
// it returns what has been done until then, with fewer runs.
func Zoo(ctx context.Context, specimens []Specimen, runs, workers int, done func(Sighting)) []Sighting {
	sightings := make([]Sighting, len(specimens))
	var mu sync.Mutex
	next := 0
	var pool sync.WaitGroup
	for range max(workers, 1) {
		pool.Go(func() {
			for {
				mu.Lock()
				i := next
				next++
				mu.Unlock()
				if i >= len(specimens) || ctx.Err() != nil {
					return
				}
				s := watch(ctx, specimens[i], runs)
				mu.Lock()
				sightings[i] = s
				if done != nil {
					done(s)
				}
				mu.Unlock()
			}
		})
	}
	pool.Wait()
	return sightings
}

// watch runs one specimen.
func watch(ctx context.Context, specimen Specimen, runs int) Sighting {
	s := Sighting{Specimen: specimen}
	last := -1
	for seed := 0; seed < runs && ctx.Err() == nil; seed++ {
		sc := rashomon.FromSeed(uint64(seed), s.Broken, s.Claim, 0)
		caught, blamed, cpu, err := s.look(sc)
		if err != nil {
			s.Err = err
			return s
		}
		s.Runs++
		s.CPU += cpu
		if blamed {
			s.Blamed++
		}
		if caught {
			s.Caught++
			s.Gaps = append(s.Gaps, seed-last)
			last = seed
			if s.First == nil {
				s.First = sc
			}
		}
	}
	return s
}

// look runs a scenario with the bug, and without it if something was found.
func (s *Sighting) look(sc *rashomon.Scenario) (caught, blamed bool, took time.Duration, err error) {
	quick := rashomon.Options{Check: checker.Options{VerdictOnly: true}}
	began := time.Now()
	r, err := rashomon.Run(s.Broken, sc, quick)
	took = time.Since(began) // one goroutine without waiting: processor time, but for other programs
	if err != nil || r.Verdict != checker.Invalid {
		return false, false, took, err
	}
	if s.Panics != (r.Panic != "") {
		return false, true, took, nil
	}
	right := *sc
	right.Bug = ""
	control, err := rashomon.Run(s.Right, &right, quick)
	if err != nil {
		return false, false, took, err
	}
	return control.Verdict == checker.Valid, control.Verdict != checker.Valid, took, nil
}
