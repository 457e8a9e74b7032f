package checker

import (
	"testing"

	"github.com/rashomon-go/rashomon/history"
	"github.com/rashomon-go/rashomon/model"
)

// lasts says what Durable says by trying every order of every set of writes that
// can have happened: one that respects real time and compare-and-sets must end
// with what a read at the end returned, before anything that it need not show.
func lasts(h *history.History, terms Terms) bool {
	for _, i := range terms.Final {
		if illusion(h, func(j int) bool { return j == i }) || !shown(h, &h.Ops[i]) {
			return false
		}
	}
	return true
}

func shown(h *history.History, r *history.Op) bool {
	var writes []int
	for i := range h.Ops {
		if o := &h.Ops[i]; o.Key == r.Key && changes(o) {
			writes = append(writes, i)
		}
	}
	for set := range 1 << len(writes) {
		var happened []int
		complete := true
		for n, i := range writes {
			if set>>n&1 == 1 {
				happened = append(happened, i)
			} else if h.Ops[i].Outcome == history.OK {
				complete = false
			}
		}
		if complete && someOrder(happened, 0, func(order []int) bool { return endsWith(h, order, r) }) {
			return true
		}
	}
	return false
}

func endsWith(h *history.History, order []int, r *history.Op) bool {
	for n, i := range order {
		for _, j := range order[:n] {
			if h.Ops[i].Return < h.Ops[j].Call || readsFrom(&h.Ops[i], &h.Ops[j]) {
				return false
			}
		}
	}
	for n, i := range order { // what replaced a value comes after its write, if that is there
		o := &h.Ops[i]
		if o.Kind != model.CAS || o.Expect == model.Absent {
			continue
		}
		for j := range h.Ops {
			there := false
			for _, k := range order[:n] {
				there = there || j == k
			}
			if readsFrom(&h.Ops[j], o) && !there {
				return false
			}
		}
	}
	held, due := model.Absent, 0
	last := 0
	for _, i := range order {
		if o := &h.Ops[i]; o.Outcome == history.OK && o.Return < r.Call {
			due++
		}
	}
	_ = last
	others := due
	for n := 0; ; n++ {
		if others == 0 && held == r.Seen {
			return true
		}
		if n == len(order) {
			return false
		}
		o := &h.Ops[order[n]]
		held, _ = stored(o)
		if o.Outcome == history.OK && o.Return < r.Call {
			others--
		}
	}
}

func TestDurableAgreesWithOracle(t *testing.T) {
	for name, c := range map[string]trial{
		"writes":   {story: story{ops: 8, keys: 1, wrong: 60}},
		"deletes":  {story: story{ops: 8, keys: 1, wrong: 60, deletes: true}},
		"cas":      {story: story{ops: 8, keys: 1, wrong: 60, cas: true}},
		"all":      {story: story{ops: 8, keys: 1, wrong: 60, cas: true, deletes: true}},
		"two keys": {story: story{ops: 10, keys: 2, wrong: 40, cas: true, deletes: true}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.clients, c.nodes, c.reads, c.final, c.exact = 3, 1, 25, true, true
			c.claim, c.oracle = Durable, lasts
			c.run(t, 6000)
		})
	}
}
