// Package report writes what a person reads: a page that shows one caught
// violation, as a single HTML file that needs no network.
//
// # The page of a counterexample
//
// A Page is plain data: a history, the witness in it, and, if the history comes
// from the simulator, what happened to every message. Write draws clients and
// replicas in one space-time diagram, with operations, messages, crashes and
// faults, limited to the time around the witness. Whatever is left out is said
// in words and numbers.
//
//	p := report.Page{
//		Verdict: "invalid", Sentence: why, System: "chain",
//		History: h, Witness: witness, Events: trace, Names: names, Replicas: 3,
//	}
//	err := p.Write(file)
//
// The package knows neither checkers nor faults: a verdict comes as words and a
// fault as a span of time with a text. So a failing test can write its page, and
// a history from a real system has one too.
package report

import (
	"cmp"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"slices"
	"time"

	"github.com/rashomon-go/rashomon/history"
	"github.com/rashomon-go/rashomon/sim"
)

// Page is what the page of a counterexample shows. Every field may be empty;
// what is empty is not mentioned.
type Page struct {
	Title    string // what was run: a scenario, a test, a file
	Verdict  string // "invalid", "unknown", "valid", or words of another checker
	Sentence string // the violation in words
	System   string
	Claim    string // what the system promised and broke
	Digest   string // of the run, to compare with a replay
	Seed     string
	Replay   string // the command that shows the same run again

	// History must be valid (History.Validate). Witness are the positions in
	// it of the operations that suffice for the violation, in any order.
	History *history.History
	Witness []int

	// Events is the trace of the run, in its order. Without it the page shows
	// operations only.
	Events []sim.Event
	// Names are the lanes' names, by NodeID: first the replicas (and other
	// nodes that serve), then the processes. Lanes without a name get one.
	Names    []string
	Replicas int
	// Lane tells the lane of a process of the history. Operations of one lane
	// should not overlap; if they do they are drawn below each other. If nil,
	// process p is drawn on the lane of the client p mod n, where n is the
	// number of names after those of the replicas; without such names every
	// process has its own lane.
	Lane func(process int32) sim.NodeID

	Faults []Band

	// From and Until choose the time to draw. If both are zero the time around
	// the witness is drawn, or the whole run if there is no witness.
	From, Until time.Duration

	Scenario string // the scenario as text
	Facts    []Fact // what the run exercised, in the order to show it
}

// Band is a fault: a span of time with a text. A Band that ends when it begins,
// or before, is a moment.
type Band struct {
	From, Until time.Duration
	Text        string
	Nodes       []sim.NodeID // the lanes it concerns; nil means all
}

// Fact is a named count, such as {"failovers", "2"}.
type Fact struct{ Name, Value string }

//go:embed page.html diagram.html style.css page.js
var assets embed.FS

var pages = template.Must(template.New("page.html").ParseFS(assets, "page.html", "diagram.html"))

// Write writes the page as one HTML document. Equal pages are written as equal
// bytes. Texts may come from anywhere: they are shown, never run. The page stays
// readable, and below about two megabytes, whatever the size of the history.
// The error is the writer's, or says which operation of the witness does not
// exist.
func (p *Page) Write(w io.Writer) error {
	s, err := newScene(p)
	if err != nil {
		return err
	}
	return pages.Execute(w, newView(s))
}

// view is what the templates see.
type view struct {
	*Page
	Grade           string // CSS class of the verdict
	Meta            []Fact
	Facts           []Fact
	Scenario        string
	Drawing         *drawing
	Shown           []string // sentences about what is drawn and what is not
	Witness         []row
	WitnessLeftOut  string
	SameKey         []row
	SameKeyTitle    string
	SameKeyLeftOut  string
	Bands           []bandRow
	BandsLeftOut    string
	FactsLeftOut    string
	Style           template.CSS
	Script          template.JS
	StyleSum, JSSum string
}

func newView(s *scene) *view {
	p := s.page
	v := &view{Page: p, Grade: grade(p.Verdict), Drawing: newDrawing(s)}
	v.Shown = append(s.words(), v.Drawing.notes...)
	v.Meta = present(Fact{"System", p.System}, Fact{"Claim", p.Claim}, Fact{"Seed", p.Seed}, Fact{"Digest", p.Digest})
	v.Scenario = clip(p.Scenario, maxScenario)
	v.Witness, v.WitnessLeftOut = s.rows(s.witness, "operations of the witness")
	same := s.sameKey()
	v.SameKeyTitle = s.sameKeyTitle(len(same))
	v.SameKey, v.SameKeyLeftOut = s.rows(same, "operations")
	v.Bands, v.BandsLeftOut = bandRows(s)
	v.Facts, v.FactsLeftOut = p.Facts[:min(len(p.Facts), maxRows)], leftOut(len(p.Facts), maxRows, "counts")
	v.Style, v.StyleSum = template.CSS(asset("style.css")), sum("style.css")
	v.Script, v.JSSum = template.JS(asset("page.js")), sum("page.js")
	return v
}

func present(facts ...Fact) []Fact {
	return slices.DeleteFunc(facts, func(f Fact) bool { return f.Value == "" })
}

func grade(verdict string) string {
	switch verdict {
	case "valid", "invalid", "unknown":
		return verdict
	}
	return "other"
}

func asset(name string) string {
	b, err := assets.ReadFile(name)
	if err != nil {
		panic("report: " + err.Error())
	}
	return string(b)
}

// sum is the hash by which the page's content policy admits its own script and
// style and nothing else.
func sum(name string) string {
	h := sha256.Sum256([]byte(asset(name)))
	return "sha256-" + base64.StdEncoding.EncodeToString(h[:])
}

// lane returns where a process is drawn.
func (p *Page) lane(process int32) sim.NodeID {
	if p.Lane != nil {
		return p.Lane(process)
	}
	if n := len(p.Names) - p.Replicas; n > 0 {
		return sim.NodeID(p.Replicas + int(uint32(process))%n)
	}
	return sim.NodeID(p.Replicas) + sim.NodeID(process)
}

// name returns what a lane is called.
func (p *Page) name(id sim.NodeID) string {
	switch {
	case id >= 0 && int(id) < len(p.Names):
		return p.Names[id]
	case int(id) < p.Replicas:
		return fmt.Sprintf("node %d", id)
	}
	return fmt.Sprintf("client %d", int(id)-p.Replicas)
}

// checked returns the witness in the order of the calls, each operation once.
func (p *Page) checked() ([]int, error) {
	w := slices.Clone(p.Witness)
	slices.SortFunc(w, cmp.Compare[int])
	w = slices.Compact(w)
	n := 0
	if p.History != nil {
		n = len(p.History.Ops)
	}
	for _, i := range w {
		if i < 0 || i >= n {
			return nil, fmt.Errorf("report: the witness names operation %d of a history of %d operations", i, n)
		}
	}
	return w, nil
}
