package report

import (
	"maps"
	"slices"

	"github.com/rashomon-go/rashomon/sim"
)

// State is what a node held after a step: all of its variables.
type State struct {
	Seq       uint64 // of the first event of the step
	Node      sim.NodeID
	Variables []sim.Variable
}

// writeStates writes how states changed, node by node.
func (w *writer) writeStates() {
	before, left := map[sim.NodeID]map[string]string{}, roomForStates
	for i := range w.scene.page.States {
		s := &w.scene.page.States[i]
		lane, known := w.lanes[s.Node]
		if !known {
			continue
		}
		now, names := joined(s.Variables)
		room := w.room
		changes := w.changes(before[s.Node], now, names)
		if left -= 30 + 8*len(changes) + room - w.room; left < 0 {
			w.statesLeft = len(w.scene.page.States) - i
			return
		}
		before[s.Node] = now
		w.doc.States = append(w.doc.States, stateEntry{Seq: int64(s.Seq * seqScale), Lane: lane, Changes: changes})
	}
}

// joined returns variables by name, and the names in order. A name that comes
// several times, such as that of a dirty key, has all its values.
func joined(variables []sim.Variable) (values map[string]string, names []string) {
	values = make(map[string]string, len(variables))
	for _, v := range variables {
		name, value := clip(oneLine(v.Name), maxLabel), oneLine(v.Value)
		if before, known := values[name]; known {
			values[name] = clip(before+", "+value, maxText)
			continue
		}
		values[name] = clip(value, maxText)
		names = append(names, name)
	}
	return values, names
}

// changes returns names and values in turns.
func (w *writer) changes(before, now map[string]string, names []string) []int {
	changes := []int{}
	for _, name := range names {
		if old, known := before[name]; !known || old != now[name] {
			changes = append(changes, w.put(name), w.put(now[name]))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(before)) {
		if _, stays := now[name]; !stays {
			changes = append(changes, w.put(name), -1)
		}
	}
	return changes
}
