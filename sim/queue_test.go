package sim

import (
	"cmp"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// The queue agrees with a sorted slice, whatever the order of pushes and pops,
// with many ties.
func TestQueueAgreesWithSortedSlice(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var q queue
		var model []event
		seq := uint64(0)
		for range rapid.IntRange(0, 200).Draw(t, "operations") {
			if rapid.IntRange(0, 2).Draw(t, "what") > 0 {
				seq++
				at := time.Duration(rapid.IntRange(0, 9).Draw(t, "at"))
				e := event{at: at, order: seq<<kindBits | uint64(evTimer), id: seq}
				q.push(&e)
				model = append(model, e)
				slices.SortFunc(model, func(a, b event) int {
					return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.order, b.order))
				})
			} else if len(model) > 0 {
				if rapid.Bool().Draw(t, "look first") {
					require.Equal(t, model[0], *q.first())
				}
				require.Equal(t, model[0], q.pop())
				model = model[1:]
			}
			require.Equal(t, len(model), q.len())
		}
		for _, e := range model {
			require.Equal(t, e, q.pop())
		}
		require.Zero(t, q.len())
	})
}

func TestQueueLetsMessagesGo(t *testing.T) {
	var q queue
	for i := range uint64(5) {
		q.push(&event{at: time.Duration(i), order: i << kindBits, msg: "held"})
	}
	for range 5 {
		q.pop()
	}
	for _, e := range q.heap[:cap(q.heap)][:5] {
		require.Nil(t, e.msg)
	}
}

func TestEventsOfTheWorldsEnd(t *testing.T) {
	early, late := event{at: never - 1, order: 9}, event{at: never, order: 1}
	require.EqualValues(t, 1, early.before(&late))
	require.EqualValues(t, 0, late.before(&early))
	require.EqualValues(t, 0, late.before(&late))
	require.Equal(t, evResume, (&event{order: 7<<kindBits | uint64(evResume)}).kind())
}
