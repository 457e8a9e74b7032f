package checker

import (
	"slices"
	"testing"

	"github.com/rashomon-go/rashomon/history"
	"github.com/rashomon-go/rashomon/model"
)

// keepsSequence tries every order of the operations of each key that keeps the
// order of sessions.
func keepsSequence(h *history.History, terms Terms) bool {
	if illusion(h, every) {
		return false
	}
	if _, sane := swapsThatHappened(h); !sane {
		return false
	}
	for k := range h.Keys {
		var list []int
		for i, o := range h.Ops {
			if o.Key == int32(k) && o.Outcome != history.Fail && (o.Kind != model.Read || o.Outcome == history.OK) {
				list = append(list, i)
			}
		}
		first := func(p, i int) bool {
			a, b := &h.Ops[p], &h.Ops[i]
			return p < i && a.Outcome == history.OK && terms.Sessions(a) == terms.Sessions(b)
		}
		if !someLegalOrder(h, list, first, map[int]bool{}, model.Absent) {
			return false
		}
	}
	return true
}

func TestSequentialAgreesWithOracle(t *testing.T) {
	for name, c := range map[string]trial{
		"registers": {story: story{ops: 12, clients: 3, keys: 1, lag: 45, reads: 55}, exact: true},
		"two keys":  {story: story{ops: 13, clients: 2, keys: 2, lag: 70, reads: 60}, exact: true},
		"cas":       {story: story{ops: 12, clients: 3, keys: 1, lag: 45, reads: 45, cas: true}, exact: true},
		"long":      {story: story{ops: 13, clients: 2, keys: 1, lag: 30, reads: 60, cas: true}, exact: true},
		"delete":    {story: story{ops: 12, clients: 3, keys: 1, lag: 90, reads: 60, cas: true, deletes: true}, exact: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.nodes, c.least = 2, 6
			c.claim, c.oracle, c.terms = SequentialPerKey, keepsSequence, Terms{Sessions: PerClient(c.clients + 1)}
			if c.deletes {
				c.oracle = withDeletes(keepsSequence)
			}
			c.run(t, *histories/10)
		})
	}
}

// Failures that do not tell what they saw may break the order, but never make it
// valid.
func TestSequentialDoubts(t *testing.T) {
	h := record(at(1, 10, 20, write(7)), at(1, 30, 40, casFailed(7, 8, model.Unseen)))
	j, err := SequentialPerKey(h, Terms{})
	if err != nil || j.Verdict != Unknown || j.Reason != "key k0: cas k0 7->8: failed by client 1 (30ms..40ms) does not tell what it saw" {
		t.Errorf("%+v %v", j, err)
	}
	h = record(at(1, 10, 20, write(7)), at(1, 30, 40, casFailed(7, 8, 7)))
	j, err = SequentialPerKey(h, Terms{})
	if err != nil || j.Verdict != Invalid || !slices.Equal(j.Witness, []int{0, 1}) || j.Sentence != "cas k0 7->8: failed, saw 7 by client 1 (30ms..40ms), although that is what it expected" {
		t.Errorf("%+v %v", j, err)
	}
	h = record(at(1, 10, 20, write(7)), at(2, 30, 40, erase()), at(1, 50, 60, read(model.Absent)))
	j, err = SequentialPerKey(h, Terms{})
	if err != nil || j.Verdict != Valid {
		t.Errorf("%+v %v", j, err)
	}
}
