// Package report writes what a person reads: a page that shows one caught
// violation, as a single HTML file that needs no network.
//
// # The page of a counterexample
//
// A Page is plain data: a history, the witness in it, and, if the history comes
// from the simulator, what happened to every message and what the replicas held.
// Write makes a page with one space-time diagram of clients and replicas, which
// opens at the witness and in which one can move, search, and look at everything;
// WriteSVG draws the time around the witness for papers. Whatever is left out is
// said in words and numbers.
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
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"net/url"
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
	// Timeless says that nobody knows times: those of the history are the positions of its
	// events, a millisecond from one to the next.
	Timeless bool

	// Events is the trace of the run, in its order. Without it the page shows
	// operations only.
	Events []sim.Event
	// States are what nodes held, in the order of the trace. A node without an
	// entry for a step held what its entry before says. Those outside of Window
	// may be missing. StatesLeft says that others are missing too.
	States     []State
	StatesLeft bool
	// Order is a longest order of operations that the model allows, as positions
	// in the history: the drawing marks where each may have taken effect.
	Order []int
	// Endings are what the replicas held at the end, where the violation is that they
	// differ. Each has as many replicas as the others.
	Endings []Ending
	// Porcupine is the name of a file beside the page: the same history as porcupine
	// shows it. The page links it.
	Porcupine string
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

	// From and Until choose the time to show first. If both are zero the time around
	// the witness is drawn, or the whole run if there is no witness.
	From, Until time.Duration

	Scenario string // the scenario as text
	Facts    []Fact // what the run exercised, in the order to show it
}

// Band is a fault: a span of time with a text. A Band that ends when it begins,
// or before, is a moment.
type Band struct {
	From, Until time.Duration
	Kind        string // "partition", "crash", "pause", "clock" or another word for it
	Text        string
	Nodes       []sim.NodeID // the lanes it concerns; nil means all
}

// Fact is a named count, such as {"failovers", "2"}.
type Fact struct{ Name, Value string }

//go:generate go -C page run ./bundle src/main.ts ../page.js

//go:embed page.html drawing.svg base.css page.css drawing.css page.js
var assets embed.FS

var pages = template.Must(template.New("page.html").ParseFS(assets, "page.html", "drawing.svg"))

// Write writes the page as one HTML document. Equal pages are written as equal
// bytes. Texts may come from anywhere: they are shown, never run. The page stays
// usable, and below five megabytes, whatever the size of the history: it holds
// Window. The error is the writer's, or says which operation of the witness does
// not exist.
func (p *Page) Write(w io.Writer) error {
	s, err := newScene(p)
	if err != nil {
		return err
	}
	v, err := newView(s)
	if err != nil {
		return err
	}
	return pages.Execute(w, v)
}

// WriteSVG draws the time around the witness as an SVG image in light colours,
// which needs no other file. What it has no room for is said below the drawing.
// The error is as that of Write.
func (p *Page) WriteSVG(w io.Writer) error {
	s, err := newScene(p)
	if err != nil {
		return err
	}
	d := newDrawing(s)
	d.Sentence, d.Style = clip(oneLine(p.Sentence), 2*maxText), template.CSS(asset("drawing.css"))
	for _, say := range append(s.words(), d.notes...) {
		d.Notes = append(d.Notes, text{Y: d.Height + px(20+18*len(d.Notes)), Text: say})
	}
	return pages.ExecuteTemplate(w, "drawing.svg", d)
}

// view is what the template sees.
type view struct {
	*Page
	Grade           string // CSS class of the verdict
	Meta            []Fact
	Facts           []Fact
	Scenario        string
	Second          string   // address of porcupine's page
	Nodes           bool     // there are replicas to look into
	Kinds           []string // of operations that are here
	End             string   // of the run
	Shown           []string // sentences about what is here and what is not
	Witness         []row
	WitnessLeftOut  string
	Endings         []endingRow
	EndingsLeftOut  string
	Holders         []string // the replicas that Endings are about
	SameKey         []row
	SameKeyTitle    string
	SameKeyLeftOut  string
	Bands           []bandRow
	BandsLeftOut    string
	FactsLeftOut    string
	Unit            string // of the axis
	Style           template.CSS
	Script          template.JS
	Data            template.JS
	StyleSum, JSSum string
}

func newView(s *scene) (*view, error) {
	p := s.page
	d := newDocument(s)
	data, err := json.Marshal(&d.doc) // escapes <, > and &
	if err != nil {
		return nil, fmt.Errorf("report: %w", err)
	}
	v := &view{Page: p, Grade: grade(p.Verdict), Shown: d.words(), Data: template.JS(data), Nodes: len(p.States) > 0, Kinds: d.kinds(), End: p.when(s.run.until), Unit: p.unit()}
	v.Meta = present(Fact{"System", p.System}, Fact{"Claim", p.Claim}, Fact{"Seed", p.Seed}, Fact{"Digest", p.Digest})
	if p.Porcupine != "" {
		v.Second = "./" + url.PathEscape(p.Porcupine) // without ./ a colon would end a scheme
	}
	v.Scenario = clip(p.Scenario, maxScenario)
	v.Witness, v.WitnessLeftOut = s.rows(s.witness, "operations of the witness")
	if len(p.Endings) > 0 {
		v.Holders = s.holders()
		v.Endings, v.EndingsLeftOut = s.endings()
	}
	same := s.sameKey()
	v.SameKeyTitle = s.sameKeyTitle(len(same))
	v.SameKey, v.SameKeyLeftOut = s.rows(same, "operations")
	v.Bands, v.BandsLeftOut = bandRows(s)
	v.Facts, v.FactsLeftOut = p.Facts[:min(len(p.Facts), maxRows)], leftOut(len(p.Facts), maxRows, "counts")
	style, script := Style()+asset("page.css"), asset("page.js")
	v.Style, v.StyleSum = template.CSS(style), Sum(style)
	v.Script, v.JSSum = template.JS(script), Sum(script)
	return v, nil
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

// Style returns the CSS that all pages have in common: colours for light and dark
// screens and for paper, type and tables.
func Style() string { return asset("base.css") }

// Sum returns the hash by which a page's content policy admits its own script or style
// and nothing else.
func Sum(text string) string {
	h := sha256.Sum256([]byte(text))
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
	for _, e := range p.Endings {
		for _, i := range e.Writes {
			if i < 0 || i >= n {
				return nil, fmt.Errorf("report: what is held at the end names operation %d of a history of %d operations", i, n)
			}
		}
	}
	return w, nil
}
