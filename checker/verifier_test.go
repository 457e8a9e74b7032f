package checker

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/rashomon-go/rashomon/history"
	"github.com/rashomon-go/rashomon/model"
)

// legal says by the definition whether the order is a linearization of the
// operations on key 0.
func legal(h *history.History, order []int32) bool {
	held := model.Absent
	for at, i := range order {
		o := h.Ops[i]
		if slices.Contains(order[:at], i) || o.Key != 0 || o.Outcome == history.Fail || o.Kind == model.Read && o.Outcome != history.OK {
			return false
		}
		for _, later := range order[at:] {
			if h.Ops[later].Return < o.Call {
				return false
			}
		}
		var right bool
		if held, right = answer(o, held); !right {
			return false
		}
	}
	for i, o := range h.Ops {
		silent := o.Kind == model.Read && o.Seen == model.Unseen
		if o.Key == 0 && o.Outcome == history.OK && !silent && !slices.Contains(order, int32(i)) {
			return false
		}
	}
	return true
}

func verified(h *history.History, order []int32) bool {
	var v verifier
	v.prepare(h)
	if v.verify(0, order) != nil {
		return false
	}
	_, err := v.complete([]bool{true, false}[:len(h.Keys)])
	return err == nil
}

// The verifier accepts what is legal by the definition, and nothing else, of
// orders that are legal and orders that nearly are.
func TestVerifier(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 12))
	var w window
	accepted, refused := 0, 0
	for n := range 60_000 {
		h := shape{keys: 1 + n%2, cas: true, deletes: true, unique: n%3 == 0}.random(r)
		var part []int32
		for i := range h.Ops {
			if o := &h.Ops[i]; o.Key == 0 && counts(o) {
				part = append(part, int32(i))
			}
		}
		if w.judge(h.Ops, part, DefaultSteps, DefaultBytes) != Valid {
			continue
		}
		order := w.linearization()
		if !verified(h, order) || !legal(h, order) {
			t.Fatalf("history %d: order %v of the window\n%s", n, order, show(h))
		}
		for range r.IntN(3) {
			order = disturb(r, order, len(h.Ops))
		}
		want, got := legal(h, order), verified(h, order)
		if want != got {
			t.Fatalf("history %d: order %v: legal %v, verified %v\n%s", n, order, want, got, show(h))
		}
		if got {
			accepted++
		} else {
			refused++
		}
	}
	t.Log(accepted, "accepted,", refused, "refused")
	if accepted < 10_000 || refused < 10_000 {
		t.Error("the sample says little")
	}
	h := record(at(1, 10, 20, write(1)))
	if verified(h, []int32{1}) || verified(h, []int32{-1}) {
		t.Error("operations that do not exist")
	}
}

// disturb returns the order with a small change.
func disturb(r *rand.Rand, order []int32, ops int) []int32 {
	order = slices.Clone(order)
	at := func() int { return r.IntN(len(order)) }
	switch change := r.IntN(4); {
	case len(order) == 0 || change == 0:
		return slices.Insert(order, r.IntN(len(order)+1), int32(r.IntN(ops)))
	case change == 1:
		i := at()
		return slices.Delete(order, i, i+1)
	case change == 2:
		i, j := at(), at()
		order[i], order[j] = order[j], order[i]
	default:
		if i := at(); i > 0 {
			order[i], order[i-1] = order[i-1], order[i]
		}
	}
	return order
}

// A verdict whose proof fails is none.
func TestProofThatFails(t *testing.T) {
	h := record(at(1, 10, 20, write(1)), at(1, 30, 40, read(1)), at(1, 50, 60, write(2)))
	for name, order := range map[string][]int32{"wrong order": {1, 0, 2}, "one missing": {0, 1}} {
		c := check{h: h, m: model.Register(), verified: make([]bool, 1)}
		c.verifier.prepare(h)
		c.verified[0] = true
		err := c.verifier.verify(0, order)
		if err == nil {
			err = c.complete()
		}
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	c := check{h: h}
	e := c.unproved(0, decision{engine: Zones, verdict: Valid}, "why", []int32{2, 0}).(*CertificateError)
	if e.Error() != "key k0: zones says valid, but its proof fails: why" || !slices.Equal(e.Proof, []int{2, 0}) || len(e.History.Ops) != 3 {
		t.Errorf("%+v", e)
	}
}

// Whoever has an order can have it verified.
func TestVerify(t *testing.T) {
	h := record(at(0, 10, 20, write(1)), at(1, 15, 30, read(1)), at(2, 40, never, write(2)), at(3, 50, 60, read(2)), at(4, 70, 80, failed(write(9))), at(5, 90, never, read(2)))
	h.Keys = append(h.Keys, "unused")
	for _, c := range []struct {
		order []int
		want  string
	}{
		{[]int{0, 1, 2, 3}, ""},
		{[]int{0, 1, 3, 2}, "checker: key k0: operation 3 (read k0 -> 2) gave another answer than the register"},
		{[]int{0, 1, 2}, "checker: key k0: operation 3 (read k0 -> 2) is missing"},
		{[]int{0, 1, 2, 3, 4}, "checker: key k0: operation 4 failed"},
		{[]int{0, 1, 2, 3, 5}, "checker: key k0: operation 5 (read k0: unknown) gave another answer than the register"},
		{[]int{0, 6}, "checker: operation 6, expected 0..5"},
		{[]int{-1}, "checker: operation -1, expected 0..5"},
	} {
		err := Verify(h, c.order)
		if c.want == "" && err != nil || c.want != "" && (err == nil || err.Error() != c.want) {
			t.Errorf("%v: %v, expected %s", c.order, err, c.want)
		}
	}
	h.Ops[1].Call = 1
	if err := Verify(h, []int{0, 1, 2, 3}); err == nil {
		t.Error("a history that breaks its contract was verified")
	}
}
