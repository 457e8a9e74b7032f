package checker

import (
	"fmt"

	"github.com/rashomon-go/rashomon/history"
	"github.com/rashomon-go/rashomon/model"
)

// finals are the reads at the end, by key.
type finals struct {
	h     *history.History
	reads [][]int32 // by key, those that were answered
	lost  []string  // by key, why they do not suffice to call the end the same everywhere
	late  []string  // by key, why they are not final
}

func newFinals(h *history.History, list []int) (finals, error) {
	f := finals{h: h, reads: make([][]int32, len(h.Keys)), lost: make([]string, len(h.Keys)), late: make([]string, len(h.Keys))}
	nodes := map[int32]bool{}
	for _, i := range list {
		if i < 0 || i >= len(h.Ops) {
			return f, fmt.Errorf("checker: final operation %d, expected 0..%d", i, len(h.Ops)-1)
		}
		o := &h.Ops[i]
		switch {
		case o.Kind != model.Read:
		case o.Outcome == history.OK && o.Seen != model.Unseen:
			f.reads[o.Key] = append(f.reads[o.Key], int32(i))
			nodes[o.Node] = true
		default:
			nodes[o.Node] = true
			f.lost[o.Key] = fmt.Sprintf("key %s: a read at the end was not answered", h.Keys[o.Key])
		}
	}
	delete(nodes, history.NoNode)
	f.compare(nodes)
	f.findLate()
	return f, nil
}

// compare notes which keys were not read at all the nodes.
func (f *finals) compare(nodes map[int32]bool) {
	for k := range f.reads {
		at := map[int32]bool{}
		for _, i := range f.reads[k] {
			if n := f.h.Ops[i].Node; n != history.NoNode {
				at[n] = true
			}
		}
		switch {
		case f.lost[k] != "":
		case len(f.reads[k]) == 0:
			f.lost[k] = fmt.Sprintf("key %s: no read at the end", f.h.Keys[k])
		case len(at) < 2:
			f.lost[k] = fmt.Sprintf("key %s: no reads at several nodes at the end", f.h.Keys[k])
		case len(at) < len(nodes):
			f.lost[k] = fmt.Sprintf("key %s: read at %d of %d nodes at the end", f.h.Keys[k], len(at), len(nodes))
		}
	}
}

// findLate notes which keys were still being written when the reads began, or
// later: they were not final then. Of what has an unknown outcome nobody knows,
// and the caller must have waited.
func (f *finals) findLate() {
	began := make([]int64, len(f.reads))
	for k, reads := range f.reads {
		began[k] = history.Never
		for _, r := range reads {
			began[k] = min(began[k], f.h.Ops[r].Call)
		}
	}
	for i := range f.h.Ops {
		o := &f.h.Ops[i]
		if k := o.Key; changes(o) && (o.Call > began[k] || o.Return > began[k] && o.Return != history.Never) && f.late[k] == "" {
			f.late[k] = fmt.Sprintf("key %s: %s was not over when the reads at the end began", f.h.Keys[k], f.h.OpString(i))
		}
	}
}

// changes reports whether o stored something, or may have.
func changes(o *history.Op) bool {
	if o.Outcome == history.Fail {
		return false
	}
	_, stores := stored(o)
	return stores || o.Kind == model.Add
}

// differ returns two final reads of key k that have not the same answer.
func (f *finals) differ(k int) (a, b int32, ok bool) {
	for _, b := range f.reads[k] {
		if a := f.reads[k][0]; f.h.Ops[a].Seen != f.h.Ops[b].Seen {
			return a, b, true
		}
	}
	return none, none, false
}

// divergence is the judgement on two final reads that differ.
func (e *explanation) divergence(a, b int32, writers ...int32) Judgement {
	s := e.tell(func() string {
		return fmt.Sprintf("%s%s and %s%s disagree, although nothing changed any more",
			e.full(a), e.where(a), e.full(b), e.where(b))
	})
	return invalid(Divergence, s, append(writers, a, b)...)
}

// where returns the node of an operation, such as " at n2".
func (e *explanation) where(i int32) string {
	if n := e.op(i).Node; n != history.NoNode {
		return " at " + e.h.Nodes[n]
	}
	return ""
}
