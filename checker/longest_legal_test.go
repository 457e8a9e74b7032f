package checker

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rashomon-go/rashomon/history"
	"github.com/rashomon-go/rashomon/model"
)

// deepest returns how many operations the longest legal order of ops has.
func deepest(ops []history.Op, done []bool, v model.Value) (most int) {
	for i, o := range ops {
		first := !slices.ContainsFunc(indicesOf(done), func(j int) bool { return !done[j] && ops[j].Return < o.Call })
		next, right := answer(o, v)
		if done[i] || !first || !right {
			continue
		}
		done[i] = true
		most = max(most, 1+deepest(ops, done, next))
		done[i] = false
	}
	return most
}

func indicesOf(done []bool) (all []int) {
	for i := range done {
		all = append(all, i)
	}
	return all
}

// TestLongestLegal compares with trying every order, on histories that are legal and
// on many that are not.
func TestLongestLegal(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	illegal := 0
	for i := range 3000 {
		h := shape{keys: 1 + i%2, cas: i%3 > 0, deletes: i%5 == 0, wild: i%4 == 0}.random(r)
		if !oracle(h) {
			illegal++
		}
		testLongestLegal(t, h)
	}
	assert.Greater(t, illegal, 500)
	assert.Nil(t, LongestLegal(&history.History{}, model.CASRegister(), nil))
}

func testLongestLegal(t *testing.T, h *history.History) {
	key := h.Ops[len(h.Ops)-1].Key
	var ops []history.Op
	var witness []int
	for i, o := range h.Ops {
		witness = append(witness, i)
		if o.Key == key && counts(&o) && (o.Outcome != history.Unknown || o.Kind != model.Read) {
			ops = append(ops, o)
		}
	}
	order := LongestLegal(h, model.CASRegister(), witness)
	require.GreaterOrEqual(t, len(order), deepest(ops, make([]bool, len(ops)), model.Absent), "%v", h.Ops)
	require.Equal(t, order, LongestLegal(h, model.CASRegister(), witness))

	v := model.Absent
	for n, i := range order {
		o := h.Ops[i]
		require.Equal(t, key, o.Key)
		require.NotContains(t, order[:n], i)
		for _, j := range order[n+1:] {
			require.Greater(t, h.Ops[j].Return, o.Call, "%v stands before %v", i, j)
		}
		next, right := answer(o, v)
		require.True(t, right, "%v of %v", order, h.Ops)
		v = next
	}
}
