package checker

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rashomon-go/rashomon/history"
	"github.com/rashomon-go/rashomon/model"
)

// Long histories with deletes are decided: where keys are linearizable at once, and
// else because few reads are doubtful together.
func TestOriginsInLongHistories(t *testing.T) {
	for _, name := range []string{"causal-consistency", "causal-convergence", "sequential-per-key", "session-guarantees", "prefix-consistent"} {
		t.Run(name, func(t *testing.T) {
			claim, _ := ClaimNamed(name)
			h := closedLoop(rand.New(rand.NewPCG(41, 42)), load{ops: 3000, clients: 5, keys: 3, open: 0.01, deletes: true, cas: true})
			j, err := claim.Judge(h, Terms{})
			require.NoError(t, err)
			require.Equal(t, Valid, j.Verdict, j.Reason)

			// One client reads what was there long ago: no linearization helps.
			lagging := lag(h)
			j, err = claim.Judge(lagging, Terms{})
			require.NoError(t, err)
			assert.Equal(t, Valid, j.Verdict, "%s %s", j.Reason, j.Sentence)
		})
	}
}

// lag returns h, in which a client on its own, who reads only, sees each value of a
// key a while later, nil among them.
func lag(h *history.History) *history.History {
	late := *h
	late.Ops = nil
	position := int64(0)
	var behind []history.Op
	for _, o := range h.Ops {
		if o.Outcome != history.OK {
			continue
		}
		o.Call, o.Return = position+1, position+2 // one after the other, in the order of calls
		position += 2
		if o.Key == 0 && len(late.Ops) < 400 && (o.Kind == model.Write || o.Kind == model.Delete) {
			o.Process = 1
			late.Ops = append(late.Ops, o)
			behind = append(behind, o)
			if len(behind) > 7 {
				r := history.Op{Process: 2, Kind: model.Read, Node: history.NoNode, Outcome: history.OK, Seen: behind[0].Value, Call: position + 1, Return: position + 2}
				if behind[0].Kind == model.Delete {
					r.Seen = model.Absent
				}
				late.Ops = append(late.Ops, r)
				position += 2
				behind = behind[1:]
			}
		}
	}
	return &late
}

// What did not happen left nothing, and what an unknown compare-and-set replaced must
// have been there.
func TestOriginsAreSomewhere(t *testing.T) {
	for name, h := range map[string]*history.History{
		"a failed delete":              record(at(1, 1, 5, erase()), at(1, 10, 20, write(7)), at(1, 30, 40, failed(erase())), at(2, 50, 60, read(7)), at(2, 70, 80, read(model.Absent))),
		"a swap of what was not there": record(at(1, 10, 20, write(7)), at(1, 30, never, cas(model.Absent, 9)), at(3, 40, 50, read(9)), at(3, 60, 70, erase())),
	} {
		j, err := Causal(h, CausalConsistency, Terms{})
		require.NoError(t, err)
		assert.Equal(t, Invalid, j.Verdict, name)
	}
}

// What no choice explains is invalid, and what there was no time for is unknown.
func TestOriginsAreProvedOrUnknown(t *testing.T) {
	// Client 1 deletes and writes; client 2 sees 7, nil, 7.
	h := record(at(1, 10, 20, write(7)), at(1, 30, 40, erase()), at(1, 50, 60, write(8)), at(1, 70, 80, erase()),
		at(2, 90, 100, read(7)), at(2, 110, 120, read(model.Absent)), at(2, 130, 140, read(7)))
	for _, name := range []string{"causal-consistency", "sequential-per-key", "monotonic-reads", "prefix-consistent"} {
		claim, _ := ClaimNamed(name)
		j, err := claim.Judge(h, Terms{})
		require.NoError(t, err)
		assert.Equal(t, Invalid, j.Verdict, name)
		j, err = claim.Judge(h, Terms{Steps: 1})
		require.NoError(t, err)
		assert.Equal(t, Unknown, j.Verdict, name)
		if name != "prefix-consistent" { // its own search is over first
			assert.Equal(t, "1 reads of nil may be of the beginning or of a delete, such as read k0 -> nil by client 2 (110ms..120ms), and the search for who left it spent its budget", j.Reason)
		}
	}
}

// Thousands of nogoods take longer to look at than a judgement: that is counted, too.
func TestOriginsCountChoices(t *testing.T) {
	h := record(at(1, 10, 20, write(7)), at(1, 30, 40, erase()), at(2, 50, 60, read(model.Absent)))
	f, err := gather(h, nil)
	require.NoError(t, err)
	n := origins{f: f, number: map[int32]int{}, deletes: map[int32][]int32{}}
	n.list()
	require.Equal(t, []int{1}, n.choice)
	var nogoods []nogood
	for range 100 * nogoodsInStep {
		nogoods = append(nogoods, nogood{picks: []pick{{0, 1}}})
	}
	n.left = 1000
	assert.Equal(t, Valid, n.avoid(nogoods))
	assert.Equal(t, []int{0}, n.choice)
	assert.Equal(t, int64(700), n.left, "a hundred for the list, and for each of two candidates")
	n.left = 150
	assert.Equal(t, Unknown, n.avoid(nogoods))
}
