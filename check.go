package rashomon

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/rashomon-go/rashomon/checker"
)

// TB is the part of *testing.T, *testing.B and *rapid.T that Check needs.
type TB interface {
	Helper()
	Name() string
	Logf(format string, args ...any)
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
}

// DefaultRuns is how many scenarios Check runs for each claim.
const DefaultRuns = 200

// Check tests a system against its claims with generated scenarios, DefaultRuns
// for each claim. Of a scenario that breaks a claim it reports a shrunk one: the
// sentence that says what is wrong, the digest, and where the scenario and the
// page that shows it were written. They go to the directory that the environment
// variable RASHOMON_OUT names, or to one for temporary files. A claim marked as
// refuted must be broken by some scenario. A claim for which most runs were
// inconclusive is an error, too.
//
// If the environment variable RASHOMON_REPLAY names a scenario file, Check runs
// that scenario instead.
func Check(t TB, s *System) {
	t.Helper()
	if err := s.Validate(); err != nil {
		t.Fatalf("%v", err)
		return
	}
	if os.Getenv(replayVariable) != "" {
		CheckScenario(t, s, nil)
		return
	}
	for _, c := range s.Claims {
		checkClaim(t, s, c)
	}
}

// replayVariable names a scenario file to be run instead of generated scenarios.
const replayVariable = "RASHOMON_REPLAY"

// replayed returns the scenario to be run instead of generated ones, or nil if
// there is none.
func replayed() (*Scenario, error) {
	file := os.Getenv(replayVariable)
	if file == "" {
		return nil, nil
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return ParseScenario(f, file)
}

func checkClaim(t TB, s *System, c Claim) {
	t.Helper()
	inconclusive, reason := 0, ""
	for seed := range uint64(DefaultRuns) {
		sc := FromSeed(seed, s, c, 0)
		r, err := Run(s, sc, Options{})
		switch {
		case err != nil:
			t.Fatalf("%v", err)
			return
		case r.Verdict == checker.Invalid && c.Refuted && r.Panic == "":
			return
		case r.Verdict == checker.Invalid:
			fail(t, s, sc, DefaultShrinkRuns)
			return
		case r.Verdict == checker.Unknown:
			inconclusive++
			reason = r.Reason
		}
	}
	switch {
	case c.Refuted:
		t.Errorf("%s, %v: no violation in %d runs; either the system claims too little or the checker is blind", s.Name, c, DefaultRuns)
	case 2*inconclusive > DefaultRuns:
		t.Errorf("%s, %v: %d of %d runs were inconclusive, the last one because %s", s.Name, c, inconclusive, DefaultRuns, reason)
	default:
		t.Logf("%s, %v: kept in %d runs, %d of them inconclusive", s.Name, c, DefaultRuns, inconclusive)
	}
}

// quickShrinkRuns bounds the shrinking where something else shrinks, too, and
// calls again and again.
const quickShrinkRuns = 400

// CheckScenario runs one scenario and fails as Check does if it breaks its claim.
// It is for scenarios that something else makes, such as rapid, and for those kept
// in files. An inconclusive run is logged. RASHOMON_REPLAY has the same effect as
// on Check, for a file of the same system.
func CheckScenario(t TB, s *System, sc *Scenario) {
	t.Helper()
	file, err := replayed()
	if err != nil {
		t.Fatalf("%v", err)
		return
	}
	if file != nil {
		if file.System != s.Name {
			t.Logf("%s: not replayed: the scenario in %s is for system %s", s.Name, os.Getenv(replayVariable), file.System)
			return
		}
		sc = file
	}
	r, err := Run(s, sc, Options{})
	switch {
	case err != nil:
		t.Fatalf("%v", err)
	case r.Verdict == checker.Invalid:
		fail(t, s, sc, quickShrinkRuns)
	case r.Verdict == checker.Unknown:
		t.Logf("%s: inconclusive: %s", s.Name, r.Reason)
	}
}

// fail shrinks a scenario that fails, writes it down and reports it.
func fail(t TB, s *System, sc *Scenario, runs int) {
	t.Helper()
	sc, _, err := Shrink(s, sc, Options{}, runs)
	if err != nil {
		t.Fatalf("%v", err)
		return
	}
	again := replayVariable + "=%s go test -run '^" + t.Name() + "$'"
	saved, r, err := Save(outDir(), fileName(t.Name()), s, sc, again)
	if err != nil {
		t.Fatalf("%s breaks a claim, but the finding could not be written: %v", s.Name, err)
		return
	}
	t.Fatalf("%s\nscenario: %s\npage:     %s\nreplay:   "+again, r.describe(s, sc), saved.Scenario, saved.Page, saved.Scenario)
}

// describe says in some lines what a run found.
func (r *Result) describe(s *System, sc *Scenario) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s is not %s with reads at %s: %s\n", s.Name, sc.Claim, sc.Reads, r.Sentence)
	for _, i := range r.Witness {
		fmt.Fprintf(&b, "  %s\n", r.DescribeOp(i))
	}
	fmt.Fprintf(&b, "in a scenario of %d operations and %d faults\ndigest:   %s", len(sc.Operations), len(sc.Faults), DigestString(r.Digest))
	return b.String()
}

func outDir() string {
	if dir := os.Getenv("RASHOMON_OUT"); dir != "" {
		return dir
	}
	return filepath.Join(os.TempDir(), "rashomon")
}

// fileName makes the name of a test fit for a file.
func fileName(test string) string {
	return strings.Map(func(c rune) rune {
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_' {
			return c
		}
		return '_'
	}, test)
}
