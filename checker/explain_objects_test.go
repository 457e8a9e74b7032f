package checker

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rashomon-go/rashomon/history"
	"github.com/rashomon-go/rashomon/model"
)

// spoilAnswers gives some reads and dequeues other answers.
func spoilAnswers(r *rand.Rand, name string, h *history.History, seen [][]int) {
	for i := range h.Ops {
		o := &h.Ops[i]
		if o.Outcome != history.OK || r.IntN(4) > 0 {
			continue
		}
		switch {
		case o.Kind == model.Dequeue && r.IntN(2) == 0:
			o.Seen = model.Absent
		case o.Kind == model.Dequeue:
			o.Seen = h.Ops[r.IntN(len(h.Ops))].Value + 1
		case o.Kind == model.Read && name == "counter":
			o.Seen += model.Value(r.IntN(9) - 4)
		case o.Kind == model.Read:
			elements := slices.Clone(seen[i])
			if len(elements) > 1 {
				at := r.IntN(len(elements) - 1)
				elements[at], elements[at+1] = elements[at+1], elements[at]
			}
			if r.IntN(3) == 0 {
				elements = append(elements, 1+r.IntN(8))
			}
			if len(elements) > 0 && r.IntN(3) == 0 {
				elements = elements[1:]
			}
			seen[i] = tellElements(name, h, o, elements)
		}
	}
}

// Whatever reason is found in all of a history: no order of it fits, nor of the
// operations that the reason blames.
func TestReasonsOfObjectsAreProofs(t *testing.T) {
	reasons := map[string][]string{
		"mutex": {"held it, who had acquired it before", "both succeeded, and nobody released", "it can have been released only", "nobody had acquired it before",
			"both succeeded, and nobody acquired", "although it was free: client", "it can have been acquired only"},
		"counter": {"is too low", "is too high", "contradicts"},
		"queue": {"was dequeued", "comes from the future", "which nobody enqueued", "which was not enqueued", "nobody dequeued it before",
			"at most", "passed over", "began only afterwards", "and nobody dequeued it before"},
		"set": {"which nobody added", "which was not added", "from the future", "lacks", ", but not ", "contradict each other", "which read"},
		"list": {"which nobody appended", "which was not appended", "from the future", "lacks", ", but not ", "only once, although it had been appended",
			"only once before that", " before ", "contradict each other", "which read"},
	}
	for name, do := range objects {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, pick := rand.New(rand.NewPCG(31, 32)), rand.New(rand.NewPCG(33, 34))
			found, sample := map[string]int{}, map[string]string{}
			invalid, explained := 0, 0
			for range *histories / 2 {
				h, seen := randomObject(r, name, 3+5*r.IntN(2), do)
				if r.IntN(2) == 0 {
					spoilAnswers(r, name, h, seen)
				}
				var ops []int32
				for i := range h.Ops {
					if counts(&h.Ops[i]) {
						ops = append(ops, int32(i))
					}
				}
				fits := do.fits(h, seen, nil)
				e := explanation{h: h, ops: ops, witness: ops, object: name}
				if !fits {
					invalid++
				}
				if fits { // whatever somebody takes for a witness
					some := slices.DeleteFunc(slices.Clone(ops), func(int32) bool { return pick.IntN(2) == 0 })
					e := explanation{h: h, ops: ops, witness: some, object: name}
					require.False(t, e.unlikeObject(), "%s\n%v of\n%s", e.sentence, some, show(h))
				}
				if !e.unlikeObject() {
					continue
				}
				explained++
				require.False(t, fits, "%s\n%s", e.sentence, show(h))
				require.False(t, do.fits(h, seen, indices(e.witness)), "%s\n%v of\n%s", e.sentence, e.witness, show(h))
				for _, words := range reasons[name] {
					if strings.Contains(e.sentence, words) {
						found[words]++
						sample[words] = e.sentence
					}
				}
			}
			t.Log(explained, "of", invalid, found)
			for _, words := range reasons[name] {
				assert.Greater(t, found[words], 0, words)
				t.Log(sample[words])
			}
			assert.Greater(t, explained, invalid*3/4)
		})
	}
}

func TestObjectsInWords(t *testing.T) {
	do := func(k model.Kind, v model.Value) history.Op {
		return history.Op{Kind: k, Value: v, Seen: model.Unseen}
	}
	took := func(v model.Value) history.Op { return history.Op{Kind: model.Dequeue, Seen: v} }
	for name, c := range map[string]struct {
		model   model.Model
		ops     []history.Op
		anomaly Anomaly
		witness []int
		want    string
	}{
		"a lock that is held": {
			model.Mutex(), []history.Op{
				at(2, 1, 2, do(model.Acquire, 0)), at(2, 3, 4, do(model.Release, 0)),
				at(1, 10, 20, do(model.Acquire, 0)), at(3, 30, 40, do(model.Acquire, 0)), at(1, 50, 60, do(model.Release, 0)),
			}, HeldTwice, []int{2, 3},
			"acquire k0 by client 3 (30ms..40ms) succeeded while client 1 held it, who had acquired it before (10ms..20ms): nobody released it in between",
		},
		"a value that was dequeued twice": {
			model.Queue(), []history.Op{
				at(1, 1, 2, do(model.Enqueue, 6)), at(1, 3, 4, do(model.Enqueue, 7)), at(2, 5, 6, took(6)), at(2, 10, 20, took(7)), at(3, 30, 40, took(7)),
			}, Duplicate, []int{1, 3, 4},
			"7 was dequeued from k0 twice: by client 2 (10ms..20ms), by client 3 (30ms..40ms); but enqueued only once before that: by client 1 (3ms..4ms)",
		},
		"a queue that is not empty": {
			model.Queue(), []history.Op{
				at(1, 10, 20, do(model.Enqueue, 5)), at(2, 30, 40, took(model.Absent)), at(3, 50, 60, took(5)),
			}, LostElement, []int{0, 1},
			"dequeue k0 -> nil by client 2 (30ms..40ms) found it empty, although 5 was there: enqueue 5 in k0 by client 1 had finished (20ms) before it began, and nobody dequeued it before",
		},
		"dequeued in another order": {
			model.Queue(), []history.Op{
				at(1, 10, 20, do(model.Enqueue, 4)), at(2, 30, 40, do(model.Enqueue, 5)), at(3, 50, 60, took(5)), at(3, 70, 80, took(4)),
			}, Disorder, []int{0, 1, 2, 3},
			"dequeue k0 -> 5 by client 3 (50ms..60ms) passed over 4: enqueue 4 in k0 by client 1 had finished (20ms) before enqueue 5 in k0 by client 2 began (30ms), but dequeue k0 -> 4 by client 3 began only afterwards (70ms)",
		},
		"a counter that is too low": {
			model.Counter(), []history.Op{
				at(1, 10, 20, do(model.Increment, 4)), at(2, 30, never, do(model.Increment, 2)), at(3, 40, 50, read(3)),
			}, WrongCount, []int{0, 1, 2},
			"read k0 -> 3 by client 3 (40ms..50ms) is too low: the increments that had finished before it began come to 4, and with those that may have happened by then it is between 4 and 6",
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := record(c.ops...)
			got, err := Linearizable(h, c.model, Options{})
			require.NoError(t, err)
			assert.Equal(t, c.want, got.Sentence)
			assert.Equal(t, c.anomaly, got.Anomaly)
			assert.Equal(t, c.witness, got.Witness)
		})
	}
}

// A model may be called queue and be none: its reasons are its own.
func TestOtherModelsOfTheSameName(t *testing.T) {
	stack := model.Spec[model.Value]{
		Name: "queue", Kinds: []model.Kind{model.Enqueue, model.Dequeue}, Init: model.Absent,
		Step: func(top model.Value, op model.Op) (model.Value, bool) {
			if op.Kind == model.Enqueue {
				return op.Value, true
			}
			return top, op.Open || op.Seen == top
		},
	}.Model()
	h := record(at(1, 10, 20, history.Op{Kind: model.Enqueue, Value: 4}), at(2, 30, 40, history.Op{Kind: model.Dequeue, Seen: 4}),
		at(2, 50, 60, history.Op{Kind: model.Dequeue, Seen: 4}), at(2, 70, 80, history.Op{Kind: model.Dequeue, Seen: 5}))
	got, err := Linearizable(h, stack, Options{})
	require.NoError(t, err)
	assert.Equal(t, Unordered, got.Anomaly)
}
