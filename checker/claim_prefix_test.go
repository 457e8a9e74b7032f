package checker

import (
	"testing"

	"github.com/rashomon-go/rashomon/history"
	"github.com/rashomon-go/rashomon/model"
)

// showsPrefixes tries every log.
func showsPrefixes(h *history.History, terms Terms) bool {
	if illusion(h, every) {
		return false
	}
	var writes []int
	for i := range h.Ops {
		if changes(&h.Ops[i]) {
			writes = append(writes, i)
		}
	}
	for set := range 1 << len(writes) {
		var log []int
		complete := true
		for n, i := range writes {
			if set>>n&1 == 1 {
				log = append(log, i)
			} else if h.Ops[i].Outcome == history.OK && !terms.Lossy {
				complete = false
			}
		}
		if complete && someOrder(log, 0, func(log []int) bool { return fits(h, terms, log) }) {
			return true
		}
	}
	return false
}

func fits(h *history.History, terms Terms, log []int) bool {
	type state [2]model.Value
	now := state{model.Absent, model.Absent}
	states := []state{now}
	for n, i := range log {
		o := &h.Ops[i]
		for _, j := range log[:n] {
			if o.Return < h.Ops[j].Call {
				return false
			}
		}
		if o.Kind == model.CAS && now[o.Key] != o.Expect {
			return false
		}
		now[o.Key], _ = stored(o)
		states = append(states, now)
	}
	length := map[int64]int{}
	for i := range h.Ops {
		o := &h.Ops[i]
		v, saw := observed(o)
		if !saw || swapped(o) {
			continue
		}
		n := length[terms.Sessions(o)]
		for n < len(states) && states[n][o.Key] != v {
			n++
		}
		if n == len(states) {
			return false
		}
		for _, j := range log[:n] {
			if h.Ops[j].Call > o.Return {
				return false
			}
		}
		length[terms.Sessions(o)] = n
	}
	return true
}

func TestPrefixConsistentAgreesWithOracle(t *testing.T) {
	for name, c := range map[string]trial{
		"writes":  {story: story{ops: 14, lag: 100}, exact: true},
		"cas":     {story: story{ops: 14, lag: 100, cas: true}, exact: true},
		"lossy":   {story: story{ops: 14, lag: 100, cas: true}, exact: true, terms: Terms{Lossy: true}},
		"deletes": {story: story{ops: 18, lag: 100, cas: true, deletes: true}, exact: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.clients, c.keys, c.nodes, c.least, c.reads = 2, 2, 2, 11, 65
			c.claim, c.oracle, c.terms.Sessions = PrefixConsistent, showsPrefixes, PerClient(3)
			c.run(t, 2000)
		})
	}
}
