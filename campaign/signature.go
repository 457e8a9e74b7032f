package campaign

import (
	"cmp"
	"fmt"
	"hash/fnv"
	"io"
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
	Kind               string // the anomaly, or how a panic begins or a process ended, without numbers
	// Involved is what has to go wrong for the failure to happen, of network, crashes,
	// pauses and clocks. A failure belongs to the first known signature of its Kind that
	// has all it needs.
	Involved string
}

// ID returns eight digits for people to type.
func (s Signature) ID() string {
	h := fnv.New64a()
	fmt.Fprintf(h, "%q", []string{s.System, s.Bug, s.Reads, string(s.Claim), s.Kind, s.Involved})
	return fmt.Sprintf("%08x", uint32(sim.Key(h.Sum64(), 0)))
}

// Crash says whether the failures end their process (Crash).
func (s Signature) Crash() bool { return strings.HasPrefix(s.Kind, crashed) }

// String tells the signature in one line.
func (s Signature) String() string {
	if s.Crash() {
		return fmt.Sprintf("%s, reads at %s: not %s: %s", cmp.Or(s.Bug, s.System), s.Reads, s.Claim, s.Kind)
	}
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

// maxSignatures is how many signatures of a row are told apart: there is no end of
// panics. The rest is otherKinds.
const (
	maxSignatures = 50
	otherKinds    = "something else"
)

// classifier tells which failures have the same signature.
type classifier struct {
	mu    sync.Mutex
	known map[Signature][]Signature // by row: what has neither Kind nor Involved
}

func newClassifier(known []Signature) *classifier {
	c := &classifier{known: map[Signature][]Signature{}}
	for _, s := range known {
		c.add(s)
	}
	return c
}

func (s Signature) row() Signature {
	s.Kind, s.Involved = "", ""
	return s
}

// add remembers a signature, and returns it, or what stands for it if there are too
// many.
func (c *classifier) add(s Signature) Signature {
	c.mu.Lock()
	defer c.mu.Unlock()
	row := s.row()
	switch all := c.known[row]; {
	case slices.Contains(all, s):
	case len(all) >= maxSignatures:
		s = row
		s.Kind = otherKinds
	default:
		c.known[row] = append(all, s)
	}
	return s
}

// like returns the known signatures of the same row and kind, those with least
// involved first. If many says that there can be no more of the row, nothing is gained
// by shrinking.
func (c *classifier) like(s Signature) (known []Signature, many bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := c.known[s.row()]
	for _, one := range all {
		if one.Kind == s.Kind {
			known = append(known, one)
		}
	}
	slices.SortFunc(known, func(a, b Signature) int {
		return cmp.Or(cmp.Compare(len(a.Involved), len(b.Involved)), cmp.Compare(a.Involved, b.Involved))
	})
	return known, len(all) >= maxSignatures
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
	fail.Kind, fail.Sentence = r.Class(), r.Sentence
	known, many := c.like(fail.Signature)
	for _, one := range known {
		plain := only(f.Scenario, one.Involved)
		if r, err := rashomon.Run(s, plain, rashomon.Options{}); err == nil && r.Verdict == checker.Invalid && r.Class() == fail.Kind {
			fail.Signature = one
			return fail, nil
		}
	}
	if many {
		fail.Signature = c.add(fail.Signature)
		return fail, nil
	}
	small, err := f.Shrink(s)
	if err != nil {
		return fail, err
	}
	fail.Small, fail.Sentence = small.Scenario, small.Result.Sentence
	fail.Involved = involved(small.Scenario)
	fail.Signature = c.add(fail.Signature)
	return fail, nil
}

// troubles are what can go wrong in a scenario, in classes: that one bug shows by the
// loss of a message and by a partition does not make two of it.
var troubles = []struct {
	name   string
	faults []faults.Kind
}{
	{"clocks", []faults.Kind{faults.Clock}},
	{"crashes", []faults.Kind{faults.Crash, faults.CrashSending, faults.FillDisk, faults.FailDisk}},
	{"network", nil}, // faults of links, and what links do without any
	{"pauses", []faults.Kind{faults.Pause, faults.Slow, faults.SlowDisk}},
}

const network = "network"

func trouble(k faults.Kind) string {
	for _, t := range troubles {
		if slices.Contains(t.faults, k) {
			return t.name
		}
	}
	return network
}

// involved returns what goes wrong in a scenario.
func involved(sc *rashomon.Scenario) string {
	var all []string
	for _, f := range sc.Faults {
		all = append(all, trouble(f.Kind))
	}
	if smooth(sc.Links) != sc.Links || smooth(sc.Access) != sc.Access {
		all = append(all, network)
	}
	slices.Sort(all)
	return strings.Join(slices.Compact(all), ", ")
}

// only returns the scenario with nothing going wrong that is not involved.
func only(sc *rashomon.Scenario, involved string) *rashomon.Scenario {
	kept := strings.Split(involved, ", ")
	plain := *sc
	plain.Faults = slices.DeleteFunc(slices.Clone(sc.Faults), func(f faults.Fault) bool { return !slices.Contains(kept, trouble(f.Kind)) })
	if !slices.Contains(kept, network) {
		plain.Links, plain.Access = smooth(sc.Links), smooth(sc.Access)
	}
	return &plain
}

// smooth returns the link with nothing happening to messages.
func smooth(l sim.Link) sim.Link {
	l.Loss, l.Duplicate, l.Reorder, l.Corrupt = 0, 0, 0, 0
	l.Bandwidth, l.Queue = 0, 0
	return l
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
