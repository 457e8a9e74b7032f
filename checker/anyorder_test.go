package checker

import (
	"math/rand/v2"
	"testing"

	"github.com/rashomon-go/rashomon/history"
	"github.com/rashomon-go/rashomon/model"
)

// asLogged turns a history into what several recorders may have written: operations
// in any order, with moments of a clock that ticks so many times per position.
func asLogged(r *rand.Rand, h *history.History, ticks float64) {
	for i := range h.Ops {
		o := &h.Ops[i]
		o.Call = int64(ticks * float64(o.Call))
		if o.Return != history.Never {
			o.Return = int64(ticks * float64(o.Return))
		}
	}
	r.Shuffle(len(h.Ops), func(i, j int) { h.Ops[i], h.Ops[j] = h.Ops[j], h.Ops[i] })
}

// A fine clock changes no verdict; a coarse one can only hide what is wrong.
func TestSortedHistoriesKeepTheirVerdicts(t *testing.T) {
	r := rand.New(rand.NewPCG(21, 22))
	invalid, hidden, refused, ties := 0, 0, 0, 0
	for n := range 2000 {
		h := shape{keys: 1, unique: true, wild: n%2 == 0}.random(r)
		ticks := []float64{1000, 0.5, 0.25}[n%3]
		want := oracle(h)
		asLogged(r, h, ticks)
		if err := h.Sort(); err != nil {
			refused++
			continue
		}
		got, err := Linearizable(h, model.Register(), Options{VerdictOnly: true})
		if err != nil {
			t.Fatalf("history %d: %v\n%s", n, err, show(h))
		}
		switch valid := got.Verdict != Invalid; {
		case valid == want:
		case ticks > 1 || want:
			t.Fatalf("history %d: %v, expected valid: %v\n%s", n, got.Verdict, want, show(h))
		default:
			hidden++
		}
		if got.Verdict == Invalid {
			invalid++
		}
		if ticks < 1 {
			ties++
		}
	}
	t.Logf("%d invalid, %d hidden by a coarse clock, %d refused", invalid, hidden, refused)
	if invalid < 300 || hidden == 0 || ties < 500 {
		t.Errorf("the sample says little: %d invalid, %d hidden, %d with a coarse clock", invalid, hidden, ties)
	}
}
