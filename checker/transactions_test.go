package checker

import (
	"cmp"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rashomon-go/rashomon/history"
	"github.com/rashomon-go/rashomon/model"
)

// someTransactionsFit tries every order of the transactions, and leaves out those of
// unknown outcome as it likes. It shares nothing with the model.
func someTransactionsFit(h *history.History, done []bool, held map[string]model.Value) bool {
	end := true
	for i, o := range h.Ops {
		end = end && (done[i] || o.Outcome != history.OK)
	}
	if end {
		return true
	}
	for i, o := range h.Ops {
		late := slices.ContainsFunc(h.Ops, func(p history.Op) bool {
			return p.Outcome == history.OK && p.Return < o.Call && !done[slices.Index(h.Ops, p)]
		})
		if done[i] || o.Outcome == history.Fail || late {
			continue
		}
		after, right := maps.Clone(held), true
		for _, m := range h.Txns[o.Value] {
			now, written := after[m.Register]
			switch {
			case m.Kind == model.Write:
				after[m.Register] = m.Value
			case o.Outcome == history.Unknown || m.Value == model.Unseen:
			case written:
				right = right && m.Value == now
			default:
				right = right && m.Value == model.Absent
			}
		}
		done[i] = true
		ok := right && someTransactionsFit(h, done, after)
		done[i] = false
		if ok {
			return true
		}
	}
	return false
}

// randomTransactions returns transactions with the answers of a legal order, of which
// a few are spoilt.
func randomTransactions(r *rand.Rand) *history.History {
	n := 2 + r.IntN(6)
	h := &history.History{Keys: []string{"x"}, Ops: make([]history.Op, n), Txns: make([][]model.Micro, n)}
	positions := make([]int, 2*n)
	for i := range positions {
		positions[i] = 10*(i/2) + r.IntN(35)*(i%2) + r.IntN(5)
	}
	distinct(positions)
	unique := r.IntN(3) > 0
	next := model.Value(0)
	for i := range h.Ops {
		o := &h.Ops[i]
		*o = history.Op{Process: int32(i), Kind: model.Txn, Node: history.NoNode, Seen: model.Unseen, Outcome: history.OK}
		o.Call, o.Return = int64(min(positions[2*i], positions[2*i+1])+1), int64(max(positions[2*i], positions[2*i+1])+1)
		switch r.IntN(10) {
		case 0:
			o.Outcome = history.Fail
		case 1, 2:
			o.Outcome, o.Return = history.Unknown, history.Never
		}
		for range 1 + r.IntN(3) {
			m := model.Micro{Kind: model.Read, Register: []string{"a", "b", "c"}[r.IntN(3)], Value: model.Unseen}
			if r.IntN(2) == 0 {
				next++
				m.Kind, m.Value = model.Write, next
				if !unique {
					m.Value = model.Value(1 + r.IntN(2))
				}
			}
			h.Txns[i] = append(h.Txns[i], m)
		}
	}
	slices.SortFunc(h.Ops, func(a, b history.Op) int { return cmp.Compare(a.Call, b.Call) })
	for i := range h.Ops {
		h.Ops[i].Value = model.Value(i)
	}
	happen(r, h, next)
	return h
}

// happen lets the transactions happen, each at some moment, and gives them their
// answers.
func happen(r *rand.Rand, h *history.History, most model.Value) {
	order := make([]int, len(h.Ops))
	moment := make([]int64, len(h.Ops))
	for i, o := range h.Ops {
		order[i], moment[i] = i, 1000*o.Call+r.Int64N(20000)
		if o.Return != history.Never {
			moment[i] = 1000*o.Call + r.Int64N(1000*(o.Return-o.Call))
		}
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(moment[a], moment[b]) })
	held := map[string]model.Value{"a": model.Absent, "b": model.Absent, "c": model.Absent}
	spoil := r.IntN(4) > 0
	for _, i := range order {
		outcome := h.Ops[i].Outcome
		if outcome == history.Fail || outcome == history.Unknown && r.IntN(2) == 0 {
			continue
		}
		for n := range h.Txns[i] {
			m := &h.Txns[i][n]
			switch {
			case m.Kind == model.Write:
				held[m.Register] = m.Value
			case outcome != history.OK:
			case spoil && r.IntN(3) == 0:
				m.Value = []model.Value{model.Absent, 1 + model.Value(r.Int64N(int64(most)+1))}[r.IntN(2)]
			default:
				m.Value = held[m.Register]
			}
		}
	}
}

func TestTransactionsAgreeWithOracle(t *testing.T) {
	r := rand.New(rand.NewPCG(31, 32))
	count, why := map[Verdict]int{}, map[Anomaly]int{}
	for n := range *histories / 5 {
		h := randomTransactions(r)
		got, err := Linearizable(h, model.MultiRegister(), Options{})
		require.NoError(t, err)
		count[got.Verdict]++
		if got.Verdict == Unknown {
			require.Equal(t, "no operation succeeded", got.Reason)
			continue
		}
		fits := someTransactionsFit(h, make([]bool, len(h.Ops)), map[string]model.Value{})
		require.Equal(t, fits, got.Verdict == Valid, "history %d: %v\n%s", n, got.Verdict, show(h))
		if fits {
			continue
		}
		why[got.Anomaly]++
		few := *h
		few.Ops = nil
		for _, i := range got.Witness {
			few.Ops = append(few.Ops, h.Ops[i])
		}
		require.False(t, someTransactionsFit(&few, make([]bool, len(few.Ops)), map[string]model.Value{}), "the witness is valid: %s\n%s", got.Sentence, show(h))
		require.NotEmpty(t, got.Sentence)
	}
	t.Log(count, why)
	all := count[Valid] + count[Invalid]
	assert.InDelta(t, all/2, count[Invalid], float64(all/4), "the sample says little")
	assert.LessOrEqual(t, count[Unknown], all/20)
	for _, a := range []Anomaly{FracturedRead, PhantomRead, FutureRead, StaleRead, LostUpdate, ReadInversion, Unordered} {
		assert.NotZero(t, why[a], a)
	}
}

// Whatever reason is found in all of a history, no order of it fits.
func TestReasonsOfTransactionsAreProofs(t *testing.T) {
	r := rand.New(rand.NewPCG(35, 36))
	why := map[Anomaly]int{}
	for range *histories / 5 {
		h := randomTransactions(r)
		e := explanation{h: h}
		for i := range h.Ops {
			if counts(&h.Ops[i]) {
				e.ops = append(e.ops, int32(i))
			}
		}
		for _, find := range []func(*explanation) bool{(*explanation).unlikeMoment, (*explanation).unlikeOrder} {
			e.witness = e.ops
			if find(&e) {
				why[e.anomaly]++
				require.False(t, someTransactionsFit(h, make([]bool, len(h.Ops)), map[string]model.Value{}), "%s\n%s", e.sentence, show(h))
			}
		}
	}
	for _, a := range []Anomaly{FracturedRead, PhantomRead, FutureRead, StaleRead, LostUpdate, ReadInversion} {
		assert.NotZero(t, why[a], a)
	}
}

// txns makes a history of transactions that returned, one of each client.
func txns(times [][2]int, steps ...[]model.Micro) *history.History {
	var ops []history.Op
	for i := range steps {
		o := history.Op{Kind: model.Txn, Value: model.Value(i), Seen: model.Unseen}
		ops = append(ops, at(int32(i), times[i][0], times[i][1], o))
	}
	h := record(ops...)
	h.Txns = steps
	return h
}

func TestTransactionsInWords(t *testing.T) {
	w := func(register string, v model.Value) model.Micro {
		return model.Micro{Kind: model.Write, Register: register, Value: v}
	}
	r := func(register string, v model.Value) model.Micro {
		return model.Micro{Kind: model.Read, Register: register, Value: v}
	}
	after := [][2]int{{10, 20}, {30, 40}, {50, 60}}
	for name, c := range map[string]struct {
		h       *history.History
		anomaly Anomaly
		witness []int
		want    string
	}{
		"a part of a transaction, and nothing": {
			txns([][2]int{{10, 40}, {20, 30}}, []model.Micro{w("a", 1), w("b", 2)}, []model.Micro{r("a", 1), r("b", model.Absent)}), FracturedRead, []int{0, 1},
			"txn k0: a -> 1, b -> nil by client 1 (20ms..30ms) saw a part of a transaction: a=1 is of txn k0: a=1, b=2 by client 0 (10ms..40ms), but b=nil, which nobody had written before, was there before that one",
		},
		"a part of a transaction, and what was there before": {
			txns([][2]int{{10, 20}, {30, 60}, {40, 50}}, []model.Micro{w("b", 9)}, []model.Micro{w("a", 1), w("b", 2)}, []model.Micro{r("b", 9), r("a", 1)}), FracturedRead, []int{0, 1, 2},
			"txn k0: b -> 9, a -> 1 by client 2 (40ms..50ms) saw a part of a transaction: a=1 is of txn k0: a=1, b=2 by client 1 (30ms..60ms), but b=9, which txn k0: b=9 had left there before (10ms..20ms), was there before that one",
		},
		"stale": {
			txns(after, []model.Micro{w("a", 1), w("b", 1)}, []model.Micro{w("a", 2)}, []model.Micro{r("a", 1)}), StaleRead, []int{0, 1, 2},
			"txn k0: a -> 1 by client 2 (50ms..60ms) is stale: a=1 had been replaced by txn k0: a=2 (30ms..40ms)",
		},
		"both replaced one value": {
			txns([][2]int{{10, 20}, {30, 50}, {40, 60}}, []model.Micro{w("a", 1)}, []model.Micro{r("a", 1), w("a", 2)}, []model.Micro{r("a", 1), w("a", 3)}), LostUpdate, []int{0, 1, 2},
			"txn k0: a -> 1, a=2 by client 1 (30ms..50ms) and txn k0: a -> 1, a=3 by client 2 (40ms..60ms) both saw and replaced a=1, which was there only once",
		},
		"two orders of two writes": {
			txns([][2]int{{10, 70}, {11, 71}, {12, 72}, {13, 73}}, []model.Micro{w("a", 1)}, []model.Micro{w("b", 2)},
				[]model.Micro{r("a", 1), r("b", model.Absent)}, []model.Micro{r("a", model.Absent), r("b", 2)}), ReadInversion, []int{0, 1, 2, 3},
			"txn k0: a -> 1, b -> nil by client 2 (12ms..72ms) and txn k0: a -> nil, b -> 2 by client 3 (13ms..73ms) contradict each other: " +
				"that of client 2 saw b=nil, which was there first, and that of client 3 b=2, but that of client 3 saw a=nil, which was there first, and that of client 2 a=1",
		},
		"a later one saw the older value": {
			txns([][2]int{{10, 20}, {30, 90}, {40, 50}, {60, 70}}, []model.Micro{w("a", 1)}, []model.Micro{w("a", 2)}, []model.Micro{r("a", 2)}, []model.Micro{r("a", 1)}), ReadInversion, []int{0, 1, 2, 3},
			"txn k0: a -> 2 by client 2 (40ms..50ms) and txn k0: a -> 1 by client 3 (60ms..70ms) contradict each other: that of client 2 had finished (50ms) before that of client 3 began (60ms), " +
				"but that of client 3 saw a=1, and a=2 came later: txn k0: a=1 by client 0 had finished (20ms) before txn k0: a=2 by client 1 began (30ms)",
		},
		"write skew": {
			txns([][2]int{{10, 20}, {30, 50}, {40, 60}}, []model.Micro{w("a", 1)},
				[]model.Micro{r("a", 1), r("b", model.Absent), w("b", 2)}, []model.Micro{r("a", 1), r("b", model.Absent), w("a", 3)}), ReadInversion, []int{0, 1, 2},
			"txn k0: a -> 1, b -> nil, b=2 by client 1 (30ms..50ms) and txn k0: a -> 1, b -> nil, a=3 by client 2 (40ms..60ms) contradict each other: " +
				"that of client 1 saw a=1, which that of client 2 replaced: txn k0: a=1 by client 0 had finished (20ms) before, but that of client 2 saw b=nil, which was there first, and which that of client 1 replaced",
		},
		"from nowhere": {
			txns(after, []model.Micro{w("a", 1), w("a", 2)}, []model.Micro{r("a", 1)}), PhantomRead, []int{1},
			"txn k0: a -> 1 by client 1 (30ms..40ms) saw a=1, which no transaction that may have happened left there",
		},
		"a transaction that wrote what it read is not needed": {
			txns(after, []model.Micro{w("c", 1), r("c", 1)}, []model.Micro{w("a", 1)}, []model.Micro{r("a", model.Absent)}), StaleRead, []int{1, 2},
			"txn k0: a -> nil by client 2 (50ms..60ms) is stale: a=nil had been replaced by txn k0: a=1 (30ms..40ms)",
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := Linearizable(c.h, model.MultiRegister(), Options{})
			require.NoError(t, err)
			assert.Equal(t, c.want, got.Sentence)
			assert.Equal(t, c.anomaly, got.Anomaly)
			assert.Equal(t, c.witness, got.Witness)
			assert.Equal(t, Porcupine, got.Keys[0].Engine)
		})
	}
}

// Of a longer history the few transactions are shown that contradict each other.
func TestWitnessOfTransactionsIsSmall(t *testing.T) {
	r := rand.New(rand.NewPCG(33, 34))
	for range 50 {
		var steps [][]model.Micro
		var times [][2]int
		held := map[string]model.Value{"a": model.Absent, "b": model.Absent}
		for i := range 60 {
			a, b := model.Value(2*i+1), model.Value(2*i+2)
			s := []model.Micro{{Kind: model.Read, Register: "a", Value: held["a"]}, {Kind: model.Write, Register: "b", Value: b}}
			if held["b"] = b; r.IntN(2) == 0 {
				s, held["a"] = append(s, model.Micro{Kind: model.Write, Register: "a", Value: a}), a
			}
			steps, times = append(steps, s), append(times, [2]int{20 * i, 20*i + 10})
		}
		if held["a"] == model.Absent {
			continue
		}
		steps = append(steps, []model.Micro{{Kind: model.Read, Register: "a", Value: model.Absent}})
		h := txns(append(times, [2]int{2000, 2010}), steps...)
		got, err := Linearizable(h, model.MultiRegister(), Options{})
		require.NoError(t, err)
		require.Equal(t, StaleRead, got.Anomaly)
		require.Len(t, got.Witness, 2, got.Sentence)
	}
}
