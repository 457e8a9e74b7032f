package rashomon

import (
	"fmt"
	"hash/fnv"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/rashomon-go/rashomon/checker"
	"github.com/rashomon-go/rashomon/internal/english"
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
// inconclusive is an error, too, and so is a system that is not deterministic.
//
// If the environment variable RASHOMON_REPLAY names a scenario file, Check runs
// that scenario instead, once and as it is.
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
			fail(t, s, sc, r, DefaultShrinkRuns)
			return
		case r.Verdict == checker.Unknown:
			inconclusive++
			reason = r.Reason
		}
		if seed%checkTwice == 0 && !runsAgain(t, s, sc, r) {
			return
		}
	}
	switch {
	case c.Refuted:
		t.Errorf("%s, %v: no violation in %d runs; either the system claims too little or the checker is blind", s.Name, c, DefaultRuns)
	case !Conclusive(DefaultRuns, inconclusive):
		t.Errorf("%s, %v: %d of %d runs were inconclusive, the last one because %s", s.Name, c, inconclusive, DefaultRuns, reason)
	default:
		t.Logf("%s, %v: kept in %d runs, %d of them inconclusive", s.Name, c, DefaultRuns, inconclusive)
	}
}

// checkTwice is how many runs there are to one that is run twice, to see that the
// system is deterministic.
const checkTwice = 50

// runsAgain says whether a scenario gives the same digest again, and fails if not.
func runsAgain(t TB, s *System, sc *Scenario, first *Result) bool {
	t.Helper()
	again, err := Run(s, sc, Options{Check: checker.Options{VerdictOnly: true}})
	if err != nil {
		t.Fatalf("%v", err)
		return false
	}
	if again.Digest != first.Digest {
		notDeterministic(t, s, sc)
		return false
	}
	return true
}

// notDeterministic fails with the first event in which two runs of a scenario
// differ.
func notDeterministic(t TB, s *System, sc *Scenario) {
	t.Helper()
	const text = "system %s is not deterministic: a scenario gave two different runs. Simulated code must take time, chance and order from sim alone; mind map iteration"
	_, _, d, err := Twice(s, sc, []Property{sc.Claim}, Options{Check: checker.Options{VerdictOnly: true}})
	if err != nil || d == nil {
		t.Fatalf(text, s.Name)
		return
	}
	t.Fatalf(text+"\n%v", s.Name, d)
}

// quickShrinkRuns bounds the shrinking where something else shrinks, too, and
// calls again and again.
const quickShrinkRuns = 400

// CheckScenario runs one scenario and fails as Check does if it breaks its claim.
// It is for scenarios that something else makes, such as rapid, and for those kept
// in files. An inconclusive run is logged. RASHOMON_REPLAY has the same effect as
// on Check.
func CheckScenario(t TB, s *System, sc *Scenario) {
	t.Helper()
	file, err := replayed()
	if err != nil {
		t.Fatalf("%s: %v", replayVariable, err)
		return
	}
	if file != nil {
		replay(t, s, file)
		return
	}
	r, err := Run(s, sc, Options{})
	switch {
	case err != nil:
		t.Fatalf("%v", err)
	case r.Verdict == checker.Invalid:
		fail(t, s, sc, r, quickShrinkRuns)
	case r.Verdict == checker.Unknown:
		t.Logf("%s: inconclusive: %s", s.Name, r.Reason)
	}
}

// replay runs a scenario from a file, compares the digest, and reports what it
// shows as it is.
func replay(t TB, s *System, sc *Scenario) {
	t.Helper()
	r, err := Run(s, sc, Options{})
	if err != nil {
		t.Fatalf("%s=%s: %v", replayVariable, os.Getenv(replayVariable), err)
		return
	}
	switch {
	case sc.Digest == 0:
		t.Logf("replayed, digest %s", DigestString(r.Digest))
	case sc.Digest == r.Digest:
		t.Logf("replayed bit for bit, digest %s", DigestString(r.Digest))
	default:
		t.Logf("the digest is %s, and was %s when the file was written: the code or the file has changed since", DigestString(r.Digest), DigestString(sc.Digest))
	}
	if r.Verdict == checker.Invalid {
		t.Fatalf("%s", r.describe(s, sc))
		return
	}
	t.Logf("%s: %v %s", s.Name, r.Verdict, r.Reason)
}

// fail shrinks a scenario that failed, writes it down and reports it.
func fail(t TB, s *System, sc *Scenario, first *Result, runs int) {
	t.Helper()
	if !runsAgain(t, s, sc, first) {
		return
	}
	shrunk, err := Shrink(s, sc, ShrinkOptions{Runs: runs})
	switch {
	case err != nil:
		t.Fatalf("%v", err)
		return
	case shrunk.Result.Verdict != checker.Invalid:
		notDeterministic(t, s, sc)
		return
	}
	small := shrunk.Scenario
	again := func(file string) string {
		return replayVariable + "=" + shellWord(file) + " go test -run " + shellWord(testPattern(t.Name()))
	}
	saved, r, err := Save(Files{Dir: outDir(), Name: fileName(s.Name + "-" + t.Name()), Replay: again}, s, small)
	switch {
	case err == nil && r.Verdict != checker.Invalid:
		notDeterministic(t, s, small)
	case err != nil:
		t.Fatalf("%s\nthe scenario and the page could not be written: %v", r.describe(s, small), err)
	default:
		t.Fatalf("%s\nscenario: %s\npage:     %s\nreplay:   %s", r.describe(s, small), saved.Scenario, saved.Page, again(saved.Scenario))
	}
}

// describe says in some lines what a run found.
func (r *Result) describe(s *System, sc *Scenario) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s is not %s with reads at %s: %s\n", s.Name, sc.Claim, sc.Reads, r.Sentence)
	for _, i := range r.Witness {
		fmt.Fprintf(&b, "  %s\n", r.DescribeOp(i))
	}
	fmt.Fprintf(&b, "in a scenario of %s and %s\ndigest:   %s", english.Plural(len(sc.Operations), "operation"), english.Plural(len(sc.Faults), "fault"), DigestString(r.Digest))
	return b.String()
}

// outDir is where findings go: where RASHOMON_OUT says, or to a directory for
// temporary files that belongs to this user and to the package under test.
func outDir() string {
	if dir := os.Getenv("RASHOMON_OUT"); dir != "" {
		return dir
	}
	dir, err := os.Getwd() // that of the package, in a test
	if err != nil {
		dir = "."
	}
	h := fnv.New32a()
	h.Write([]byte(dir))
	return filepath.Join(os.TempDir(), fmt.Sprintf("rashomon-%d", os.Getuid()), fmt.Sprintf("%s-%08x", fileName(filepath.Base(dir)), h.Sum32()))
}

// fileName makes a name fit for a file.
func fileName(name string) string {
	return strings.Map(func(c rune) rune {
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_' {
			return c
		}
		return '_'
	}, name)
}

// testPattern returns what go test -run takes for exactly this test.
func testPattern(name string) string {
	parts := strings.Split(name, "/")
	for i, part := range parts {
		parts[i] = "^" + regexp.QuoteMeta(part) + "$"
	}
	return strings.Join(parts, "/")
}

// shellWord quotes a word for a POSIX shell if it has to be.
func shellWord(word string) string {
	if word != "" && strings.Trim(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=./:,@%") == "" {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
