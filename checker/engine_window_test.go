package checker

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rashomon-go/rashomon/history"
	"github.com/rashomon-go/rashomon/model"
)

// Mixes that a search with less foresight spends any budget on: it stores a value too
// early that one to be called later must see, and finds out when much else has been
// done; or it tries writes of the same value in every order.
func TestWindowDecidesMixes(t *testing.T) {
	for _, seed := range []uint64{1, 7, 22, 24, 26, 29, 40} {
		h := closedLoop(rand.New(rand.NewPCG(seed, seed)), load{ops: 10_000, clients: 50, keys: 1, values: 5, cas: true, silent: true, deletes: true, open: 0.01})
		r, err := Linearizable(h, model.CASRegister(), Options{Engine: Window, Steps: 50_000})
		require.NoError(t, err)
		assert.Equal(t, Valid, r.Verdict, "seed %d: %s", seed, r.Reason)
	}
}

// The only one who stored what was seen had returned before somebody overwrote it:
// that is known before any search.
func TestWindowKnowsWhoCannotServe(t *testing.T) {
	ops := []history.Op{at(1, 10, 20, write(1)), at(1, 1000, 1100, write(2)), at(1, 1200, 1300, read(1))}
	for i := range 30 { // whose orders would all have to be tried
		ops = append(ops, at(int32(2+i), 100+i, 900-i, write(model.Value(3+i))))
	}
	h := record(ops...)
	r, err := Linearizable(h, model.CASRegister(), Options{Engine: Window, Steps: 1, VerdictOnly: true})
	require.NoError(t, err)
	assert.Equal(t, Invalid, r.Verdict)
}

// A compare-and-set that fits is not taken in place of a write that returns earlier: it
// may be needed later.
func TestWindowKeepsSwapsForLater(t *testing.T) {
	h := record(
		at(1, 1, 2, write(1)), at(2, 10, 900, cas(1, 2)), at(1, 11, 20, write(2)), at(1, 30, 40, read(2)),
		at(1, 50, 60, write(1)), at(1, 70, 80, read(1)), at(1, 90, 100, read(2)),
	)
	r, err := Linearizable(h, model.CASRegister(), Options{Engine: Window})
	require.NoError(t, err)
	assert.Equal(t, Valid, r.Verdict, r.Sentence)
}
