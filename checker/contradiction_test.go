package checker

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rashomon-go/rashomon/history"
	"github.com/rashomon-go/rashomon/model"
)

// What a register cannot have answered whatever else happened is never found where it
// can have answered it.
func TestReasonsOfRegistersAreProofs(t *testing.T) {
	for name, s := range map[string]shape{
		"unique":     {keys: 1, unique: true, wild: true, cas: true, tells: true, deletes: true},
		"duplicates": {keys: 1, wild: true, cas: true, deletes: true},
		"silent":     {keys: 1, cas: true, open: 5},
		"plain":      {keys: 1},
	} {
		t.Run(name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(41, 42))
			valid, found := 0, 0
			for range *histories {
				h := s.random(r)
				var ops []int32
				for i := range h.Ops {
					if counts(&h.Ops[i]) {
						ops = append(ops, int32(i))
					}
				}
				e := explanation{h: h, ops: ops, witness: ops, register: true}
				reason := e.reason()
				if oracle(h) {
					valid++
					require.False(t, reason, "%s\n%s", e.sentence, show(h))
				} else if reason {
					found++
				}
			}
			t.Logf("%d valid, %d with a reason", valid, found)
			assert.Greater(t, valid, *histories/5)
			assert.Greater(t, found, *histories/10)
		})
	}
}

// twiceDequeued is a queue of which porcupine tries all orders of the enqueues before
// it comes to the dequeue that gives a value again.
func twiceDequeued(n int) *history.History {
	h := &history.History{Keys: []string{"x"}}
	at := int64(0)
	for i := range n {
		at++
		h.Ops = append(h.Ops, history.Op{Kind: model.Enqueue, Outcome: history.OK, Value: model.Value(i), Seen: model.Unseen, Process: int32(i), Node: history.NoNode, Call: at})
	}
	for i := range h.Ops {
		at++
		h.Ops[i].Return = at
	}
	for i := range n {
		v := model.Value((i + n/2) % n) // the first of the values again, at the end
		if i == n-1 {
			v = model.Value(n / 2)
		}
		h.Ops = append(h.Ops, history.Op{Kind: model.Dequeue, Outcome: history.OK, Seen: v, Process: int32(n), Node: history.NoNode, Call: at + 1, Return: at + 2})
		at += 2
	}
	return h
}

// A contradiction between a few operations ends a check that a search would not.
func TestContradictions(t *testing.T) {
	queue := model.Queue()
	for _, n := range []int{20, 300} { // before the search, and after it
		h := twiceDequeued(n)
		r, err := Linearizable(h, queue, Options{Steps: 100_000})
		require.NoError(t, err)
		assert.Equal(t, Invalid, r.Verdict, r.Reason)
		assert.Equal(t, Duplicate, r.Anomaly)
		assert.Len(t, r.Witness, 3, r.Sentence)
		assert.Equal(t, n <= quickPairs/2, r.Keys[0].Steps == 0)

		r, err = Linearizable(h, queue, Options{Steps: 100_000, Engine: Porcupine})
		require.NoError(t, err)
		assert.Equal(t, Unknown, r.Verdict)
	}
	h := closedLoop(seeded(), load{ops: 400, clients: 30, keys: 1, values: 3, cas: true, silent: true})
	late := &h.Ops[len(h.Ops)-1]
	late.Kind, late.Outcome, late.Value, late.Expect, late.Seen, late.Swapped = model.Read, history.OK, 0, 0, 9, false
	r, err := Linearizable(h, model.CASRegister(), Options{Steps: 1})
	require.NoError(t, err)
	assert.Equal(t, Invalid, r.Verdict, r.Reason)
	assert.Equal(t, PhantomRead, r.Anomaly)
}
