package campaign

import (
	"cmp"
	"fmt"
	"hash/fnv"
	"io"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/rashomon-go/rashomon"
	"github.com/rashomon-go/rashomon/checker"
	"github.com/rashomon-go/rashomon/faults"
	"github.com/rashomon-go/rashomon/sim"
)

// Signature is what failures of one bug have in common.
type Signature struct {
	System, Bug, Reads string
	Claim              rashomon.Property
	Kind               string // the anomaly, or the words of a panic without their numbers
	// Involved are the kinds of faults, and of what links do, without which the
	// failure does not happen, in alphabetical order. A failure belongs to the first
	// signature of its Kind that has all it needs.
	Involved string
}

// ID returns eight digits for people to type.
func (s Signature) ID() string {
	h := fnv.New64a()
	fmt.Fprintf(h, "%q", []string{s.System, s.Bug, s.Reads, string(s.Claim), s.Kind, s.Involved})
	return fmt.Sprintf("%08x", uint32(sim.Key(h.Sum64(), 0)))
}

// String tells the signature in one line.
func (s Signature) String() string {
	return fmt.Sprintf("%s, reads at %s: not %s: %s (%s)",
		cmp.Or(s.Bug, s.System), s.Reads, s.Claim, s.Kind, cmp.Or(s.Involved, "no faults"))
}

// Kinds of failures that are no anomaly of a history.
const (
	NotDeterministic = "not deterministic"
	Contradiction    = "two engines disagree"
)

// Failure is a run that nobody expects.
type Failure struct {
	Signature
	Seed     uint64
	Sentence string
	Scenario *rashomon.Scenario // as it was run
	Result   *rashomon.Result   // of it, without its history
	Small    *rashomon.Scenario // a shrunk one with the same signature, or nil
}

// What is spent on finding out which signature a failure has.
const (
	shrinkRuns    = 400
	maxSignatures = 20 // that are told apart in failures that look the same before they are shrunk
)

// other is involved in what maxSignatures leaves.
const other = "other"

// classifier tells which failures have the same signature.
type classifier struct {
	mu    sync.Mutex
	known map[Signature][]Signature // by what they are before they are shrunk
}

func newClassifier(known []Signature) *classifier {
	c := &classifier{known: map[Signature][]Signature{}}
	for _, s := range known {
		c.add(s)
	}
	return c
}

func (c *classifier) add(s Signature) Signature {
	rough := s
	rough.Involved = ""
	c.mu.Lock()
	defer c.mu.Unlock()
	switch all := c.known[rough]; {
	case slices.Contains(all, s):
		return s
	case len(all) >= maxSignatures:
		s.Involved = other
		return s
	}
	c.known[rough] = append(c.known[rough], s)
	return s
}

func (c *classifier) like(rough Signature) []Signature {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.known[rough])
}

// failure says what kind of failure a finding is. It runs the scenario with nothing but
// what is involved in known signatures, and shrinks it only if it is like none of them.
func (c *classifier) failure(s *rashomon.System, f *Finding) (Failure, error) {
	fail := Failure{
		Signature: Signature{System: s.Name, Bug: s.Bug, Reads: f.Scenario.Reads, Claim: f.Scenario.Claim},
		Seed:      f.Seed, Scenario: f.Scenario, Result: f.Result,
	}
	r, err := rashomon.Run(s, f.Scenario, rashomon.Options{})
	switch {
	case err != nil:
		return fail, err
	case f.Difference != nil:
		fail.Kind, fail.Sentence = NotDeterministic, f.Difference.String()
		return fail, nil
	case Differs(f.Result, r):
		fail.Kind, fail.Sentence = NotDeterministic, "another run of the scenario was not the same"
		return fail, nil
	case f.Contradiction != "":
		fail.Kind, fail.Sentence = Contradiction, f.Contradiction
		return fail, nil
	}
	fail.Kind, fail.Sentence = kind(r), r.Sentence
	known := c.like(fail.Signature)
	for _, one := range known {
		plain := only(f.Scenario, one.Involved)
		if r, err := rashomon.Run(s, plain, rashomon.Options{}); err == nil && r.Verdict == checker.Invalid && kind(r) == fail.Kind {
			fail.Signature = one
			return fail, nil
		}
	}
	if len(known) >= maxSignatures {
		fail.Involved = other
		return fail, nil
	}
	small, r, err := rashomon.Shrink(s, f.Scenario, rashomon.Options{}, shrinkRuns)
	if err != nil {
		return fail, err
	}
	fail.Small, fail.Sentence = small, r.Sentence
	fail.Involved = involved(small)
	fail.Signature = c.add(fail.Signature)
	return fail, nil
}

var number = regexp.MustCompile(`[0-9]+(\.[0-9]+)?(ns|µs|ms|s)?`)

// kind tells what kind of failure a run is, without its times and values.
func kind(r *rashomon.Result) string {
	if r.Panic == "" {
		return r.Anomaly.String()
	}
	brief, _, _ := strings.Cut(r.Panic, "\n")
	return "panic: " + number.ReplaceAllString(brief, "#")
}

// troubles are what links do to messages.
var troubles = []struct {
	name string
	does func(l *sim.Link) bool
	stop func(l *sim.Link)
}{
	{"bandwidth", func(l *sim.Link) bool { return l.Bandwidth > 0 }, func(l *sim.Link) { l.Bandwidth, l.Queue = 0, 0 }},
	{"corruption", func(l *sim.Link) bool { return l.Corrupt > 0 }, func(l *sim.Link) { l.Corrupt = 0 }},
	{"duplication", func(l *sim.Link) bool { return l.Duplicate > 0 }, func(l *sim.Link) { l.Duplicate = 0 }},
	{"loss", func(l *sim.Link) bool { return l.Loss > 0 }, func(l *sim.Link) { l.Loss = 0 }},
	{"reordering", func(l *sim.Link) bool { return l.Reorder > 0 }, func(l *sim.Link) { l.Reorder = 0 }},
}

// involved returns what goes wrong in a scenario.
func involved(sc *rashomon.Scenario) string {
	var all []string
	for _, f := range sc.Faults {
		all = append(all, f.Kind.String())
	}
	for _, t := range troubles {
		if t.does(&sc.Links) || t.does(&sc.Access) {
			all = append(all, t.name)
		}
	}
	slices.Sort(all)
	return strings.Join(slices.Compact(all), ", ")
}

// only returns the scenario with nothing going wrong that is not involved.
func only(sc *rashomon.Scenario, involved string) *rashomon.Scenario {
	kept := strings.Split(involved, ", ")
	plain := *sc
	plain.Faults = slices.DeleteFunc(slices.Clone(sc.Faults), func(f faults.Fault) bool { return !slices.Contains(kept, f.Kind.String()) })
	for _, t := range troubles {
		if !slices.Contains(kept, t.name) {
			t.stop(&plain.Links)
			t.stop(&plain.Access)
		}
	}
	return &plain
}

// Write writes the scenario that shows the failure best.
func (f *Failure) Write(w io.Writer) error {
	return rashomon.WriteScenario(w, cmp.Or(f.Small, f.Scenario))
}

// Size returns how large the scenario is that Write writes.
func (f *Failure) Size() (operations, faults int) {
	sc := cmp.Or(f.Small, f.Scenario)
	return len(sc.Operations), len(sc.Faults)
}
