package rashomon

import (
	"slices"
	"strings"

	"github.com/rashomon-go/rashomon/history"
	"github.com/rashomon-go/rashomon/model"
	"github.com/rashomon-go/rashomon/report"
)

// endings returns what the replicas store of each key at the end, and who wrote there, if
// that is what the verdict is about.
func (r *Result) endings(claim Property) (all []report.Ending) {
	if claim != Convergent && claim != SetConverges {
		return nil
	}
	for _, name := range r.storedNames() {
		e := report.Ending{Name: name}
		for _, state := range r.States {
			e.Held = append(e.Held, held(state, name))
		}
		for i := range r.History.Ops {
			if o := &r.History.Ops[i]; r.History.Keys[o.Key] == name && mayHaveStored(o) {
				e.Writes = append(e.Writes, i)
			}
		}
		all = append(all, e)
	}
	return all
}

func mayHaveStored(o *history.Op) bool {
	if o.Kind == model.CAS && o.Outcome == history.OK {
		return o.Swapped
	}
	return o.Kind != model.Read && o.Outcome != history.Fail
}

// storedNames returns the names of what some replica stores, each once and in order.
func (r *Result) storedNames() (names []string) {
	for _, state := range r.States {
		for _, v := range stored(state) {
			names = append(names, storedName(v.Name))
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// storedName is what a variable is called that is about what a replica stores: the key.
func storedName(variable string) string {
	return strings.TrimPrefix(strings.TrimPrefix(variable, storePrefix), " ")
}
