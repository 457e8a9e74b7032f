package rashomon

import (
	"slices"

	"github.com/rashomon-go/rashomon/report"
	"github.com/rashomon-go/rashomon/sim"
)

// watcher writes down what happens in a run, and what nodes hold during a window.
type watcher struct {
	events []sim.Event
	states []report.State
	full   bool // states were left out

	nodes  int // how many there are
	window []report.Span
	inside bool
	seen   int // events before the step
	last   map[sim.NodeID][]sim.Variable
	room   int // for variables
}

// watched bounds the memory for states, in variables.
const watched = 2_000_000

func newWatcher(nodes int, window []report.Span) *watcher {
	return &watcher{nodes: nodes, window: window, last: map[sim.NodeID][]sim.Variable{}, room: watched}
}

func (w *watcher) event(e sim.Event) { w.events = append(w.events, e) }

// look writes down the states of the nodes that a step has concerned, or of all if
// the window has just begun.
func (w *watcher) look(world *sim.World) {
	step := w.events[w.seen:]
	w.seen = len(w.events)
	if len(step) == 0 {
		return
	}
	was := w.inside
	w.inside = slices.ContainsFunc(w.window, func(s report.Span) bool { return s.From <= world.Now() && world.Now() <= s.Until })
	if !w.inside {
		return
	}
	for id := range sim.NodeID(w.nodes) {
		if !was || slices.ContainsFunc(step, func(e sim.Event) bool { return e.To == id && e.Kind != sim.Sent }) {
			w.state(step[0].Seq, id, stateOf(world.Node(id)))
		}
	}
}

func (w *watcher) state(seq uint64, id sim.NodeID, now []sim.Variable) {
	last, known := w.last[id]
	if known && slices.Equal(last, now) || !known && now == nil {
		return
	}
	if w.room -= len(now); w.room < 0 {
		w.full = true
		return
	}
	w.last[id] = now
	w.states = append(w.states, report.State{Seq: seq, Node: id, Variables: now})
}
