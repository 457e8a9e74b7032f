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

	"github.com/rashomon-go/rashomon/internal/wholefile"
	"github.com/rashomon-go/rashomon/report"
	"github.com/rashomon-go/rashomon/sim"
)

// Saved says where a finding was written.
type Saved struct{ Scenario, Page string }

// Save runs a scenario once more, with its trace, and writes the scenario and
// the page that shows the run to a directory, which is made if it is missing. The
// files are called name.yaml and name.html. Replay returns the command that the
// page gives for seeing the run in a file again. The result is that of the run,
// also if writing fails; it is nil if the scenario makes no sense.
func Save(dir, name string, s *System, sc *Scenario, replay func(file string) string) (Saved, *Result, error) {
	var events []sim.Event
	result, err := Run(s, sc, Options{Trace: func(e sim.Event) { events = append(events, e) }})
	if err != nil {
		return Saved{}, nil, err
	}
	sc = sc.clone()
	sc.Digest, sc.Shows = result.Digest, result.Class()
	saved := Saved{filepath.Join(dir, name+".yaml"), filepath.Join(dir, name+".html")}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return Saved{}, result, err
	}
	write := func(w io.Writer) error { return WriteScenario(w, sc) }
	if err := wholefile.Write(saved.Scenario, write); err != nil {
		return Saved{}, result, err
	}
	page, err := result.page(sc, events, replay(saved.Scenario))
	if err != nil {
		return Saved{}, result, err
	}
	return saved, result, wholefile.Write(saved.Page, page.Write)
}

// page puts a run into the words of package report.
func (r *Result) page(sc *Scenario, events []sim.Event, replay string) (*report.Page, error) {
	var text bytes.Buffer
	if err := WriteScenario(&text, sc); err != nil {
		return nil, err
	}
	p := &report.Page{
		Title: sc.System, Verdict: r.Verdict.String(), Sentence: r.Sentence,
		System: sc.System, Claim: fmt.Sprintf("%s, reads at %s", sc.Claim, sc.Reads),
		Digest: DigestString(r.Digest), Seed: strconv.FormatUint(sc.Seed, 10), Replay: replay,
		History: r.History, Witness: r.Witness, Events: events,
		Names: r.Names, Replicas: r.firstClient,
		Lane:     func(process int32) sim.NodeID { return sim.NodeID(r.firstClient + int(process)%r.Clients) },
		Scenario: text.String(), Facts: r.Exercise.facts(),
	}
	if sc.Bug != "" {
		p.Title = sc.Bug
		p.System += " with the planted bug " + sc.Bug
	}
	for _, f := range sc.Faults {
		p.Faults = append(p.Faults, report.Band{From: f.From, Until: min(f.Until, r.End), Text: f.String(), Nodes: sc.concerned(f.Who)})
	}
	return p, nil
}

// concerned returns the nodes of a fault's groups, or nil if it names roles.
func (sc *Scenario) concerned(groups [][]string) (nodes []sim.NodeID) {
	for _, group := range groups {
		for _, name := range group {
			place := slices.Index(nodeNames(sc.Nodes), name)
			if place < 0 {
				return nil
			}
			nodes = append(nodes, sim.NodeID(place))
		}
	}
	return nodes
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
