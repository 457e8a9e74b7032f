package rashomon

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/rashomon-go/rashomon/checker"
	"github.com/rashomon-go/rashomon/faults"
	"github.com/rashomon-go/rashomon/internal/wholefile"
	"github.com/rashomon-go/rashomon/model"
	"github.com/rashomon-go/rashomon/report"
	"github.com/rashomon-go/rashomon/sim"
)

// Files says where to write a finding.
type Files struct {
	// Dir is made if it is missing. The files in it are Name.yaml, Name.html, and, of a
	// run that should be linearizable and is not, Name-porcupine.html if
	// checker.PorcupinePage gives one; else what Save has written there of an earlier run
	// is removed.
	Dir, Name string
	SVG       bool // and Name.svg, the drawing of the page
	// Replay returns the command that the page gives for seeing the run in a file
	// again.
	Replay func(file string) string
}

// Saved says where a finding was written.
type Saved struct {
	Scenario, Page string
	Drawing        string // if it was wanted
	Porcupine      string // porcupine's own page, if there is one
}

// Save runs a scenario again, with its trace, and writes the scenario and the page
// that shows the run. The result is that of the run, also if writing fails; it is nil
// if the scenario makes no sense.
func Save(to Files, s *System, sc *Scenario) (Saved, *Result, error) {
	result, page, err := film(s, sc)
	if err != nil {
		return Saved{}, nil, err
	}
	sc = sc.clone()
	sc.Digest, sc.Shows = result.Digest, result.Class()
	file := filepath.Join(to.Dir, to.Name)
	saved := Saved{Scenario: file + ".yaml", Page: file + ".html"}
	if err := os.MkdirAll(to.Dir, 0o755); err != nil {
		return Saved{}, result, err
	}
	write := func(w io.Writer) error { return WriteScenario(w, sc) }
	if err := wholefile.Write(saved.Scenario, write); err != nil {
		return Saved{}, result, err
	}
	if err := result.title(page, sc, to.Replay(saved.Scenario)); err != nil {
		return Saved{}, result, err
	}
	if to.SVG {
		saved.Drawing = file + ".svg"
		if err := wholefile.Write(saved.Drawing, page.WriteSVG); err != nil {
			return saved, result, err
		}
	}
	second, beside := result.porcupine(sc), file+"-porcupine.html"
	if err := wholefile.Optional(beside, second); err != nil {
		return saved, result, err
	}
	if second != nil {
		saved.Porcupine, page.Porcupine = beside, filepath.Base(beside)
	}
	return saved, result, wholefile.Write(saved.Page, page.Write)
}

// film runs a scenario twice: once to see what happens, and once to look into the
// nodes when it matters. The page lacks its title.
func film(s *System, sc *Scenario) (*Result, *report.Page, error) {
	first := newWatcher(0, nil)
	result, err := Run(s, sc, Options{Trace: first.event})
	if err != nil {
		return nil, nil, err
	}
	page := result.page(sc, first.events)
	window, err := page.Window()
	if err != nil {
		return nil, nil, err
	}
	second := newWatcher(result.firstClient, window)
	if _, err := Run(s, sc, Options{Trace: second.event, Look: second.look, Check: checker.Options{VerdictOnly: true}}); err != nil {
		return nil, nil, err
	}
	page.States, page.StatesLeft = second.states, second.full
	return result, page, nil
}

// page puts a run into the words of package report.
func (r *Result) page(sc *Scenario, events []sim.Event) *report.Page {
	p := &report.Page{
		Verdict: r.Verdict.String(), Sentence: r.Sentence,
		History: r.History, Witness: r.Witness, Events: events,
		Names: r.Names, Replicas: r.firstClient,
		Lane:  func(process int32) sim.NodeID { return sim.NodeID(r.firstClient + int(process)%r.Clients) },
		Facts: r.Exercise.facts(),
	}
	if r.Verdict == checker.Invalid && r.Panic == "" {
		p.Endings = r.endings(sc.Claim)
	}
	if r.ordered(sc) {
		p.Order = checker.LongestLegal(r.History, model.CASRegister(), r.Witness)
	}
	for _, f := range sc.Faults {
		p.Faults = append(p.Faults, report.Band{From: f.From, Until: min(f.Until, r.End), Kind: f.Kind.String(), Text: f.String(), Nodes: r.befallen(f)})
	}
	return p
}

// ordered says whether the verdict is about a legal order of the operations.
func (r *Result) ordered(sc *Scenario) bool { return sc.Claim == Linearizable && r.Panic == "" }

// porcupine returns what writes porcupine's own page of the run, or nil.
func (r *Result) porcupine(sc *Scenario) func(io.Writer) error {
	if !r.ordered(sc) {
		return nil
	}
	return checker.PorcupinePage(r.History, model.CASRegister(), r.Witness)
}

// title says what was run and how to run it again.
func (r *Result) title(p *report.Page, sc *Scenario, replay string) error {
	var text bytes.Buffer
	if err := WriteScenario(&text, sc); err != nil {
		return err
	}
	p.Title, p.System, p.Claim = sc.System, sc.System, fmt.Sprintf("%s, reads at %s", sc.Claim, sc.Reads)
	p.Digest, p.Seed, p.Replay, p.Scenario = DigestString(r.Digest), strconv.FormatUint(sc.Seed, 10), replay, text.String()
	if sc.Bug != "" {
		p.Title = sc.Bug
		p.System += " with the planted bug " + sc.Bug
	}
	return nil
}

// befallen returns the nodes that a fault names, and those that played the roles
// that it names, or nil if it names everybody. Beside names, "*" means the rest,
// whom the drawing need not mark.
func (r *Result) befallen(f faults.Fault) (nodes []sim.NodeID) {
	again := f.Repeat != faults.Repeat{}
	begins := func(at time.Duration) bool { return at == f.From || again && f.From <= at && at < f.Until }
	for _, name := range slices.Concat(f.Who...) {
		if place := slices.Index(r.Names[:r.firstClient], name); place >= 0 {
			nodes = append(nodes, sim.NodeID(place))
			continue
		}
		for _, c := range r.cast {
			if c.role == name && name != faults.Clients && begins(c.at) {
				nodes = append(nodes, c.players...)
			}
		}
	}
	slices.Sort(nodes)
	return slices.Compact(nodes)
}

// facts returns the counts for a page.
func (e *Exercise) facts() []report.Fact {
	count := func(name string, n int) report.Fact { return report.Fact{Name: name, Value: strconv.Itoa(n)} }
	t := &e.Traffic
	facts := []report.Fact{
		count("operations ok", e.OK), count("operations failed", e.Failed), count("operations unknown", e.Unknown),
		count("reads answered", e.Reads), count("writes acknowledged", e.Writes),
		count("operations that overlapped", e.Overlapping),
		count("reads at the end", e.LastReads),
		count("messages sent", int(t.Sent)), count("messages duplicated", int(t.Duplicated)), count("messages held back", int(t.HeldBack)),
	}
	if e.CAS > 0 {
		facts = append(facts, count("compare-and-sets answered", e.CAS), count("compare-and-sets that stored", e.Swapped))
	}
	for cause := sim.Lost; cause <= sim.Overflow; cause++ {
		if cause > sim.PortClosed && t.Dropped[cause] == 0 {
			continue // only links and faults of some runs do that
		}
		facts = append(facts, count("messages dropped: "+cause.String(), int(t.Dropped[cause])))
	}
	for i := range e.Features {
		facts = append(facts, count(e.Features[i].Name, e.Features[i].Times))
	}
	return facts
}

// roundTime cuts a duration for people.
func roundTime(d time.Duration) time.Duration { return d.Round(10 * time.Microsecond) }
