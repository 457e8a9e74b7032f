package checker

import (
	"fmt"

	"github.com/rashomon-go/rashomon/history"
	"github.com/rashomon-go/rashomon/model"
)

// verifier checks the orders that engines give as proofs that a history of
// registers is linearizable. It is what the verdict valid rests on, so it shares
// nothing with the engines, and is meant to be read.
type verifier struct {
	h    *history.History
	done []bool // by operation
}

func (v *verifier) prepare(h *history.History) {
	v.h = h
	v.done = append(v.done[:0], make([]bool, len(h.Ops))...)
}

// verify reports why the order is no proof for key k, if it is none: it does
// operations in turn, each of which must be one that may have happened on k, not
// done before, not called after the return of one that still follows, and
// answered as the register answers.
func (v *verifier) verify(k int32, order []int32) error {
	held := model.Absent
	called := int64(0) // the latest call of those done
	for _, i := range order {
		if i < 0 || int(i) >= len(v.h.Ops) {
			return fmt.Errorf("operation %d, which does not exist", i)
		}
		o := &v.h.Ops[i]
		switch {
		case o.Key != k:
			return fmt.Errorf("operation %d is on another key", i)
		case o.Outcome == history.Fail:
			return fmt.Errorf("operation %d failed", i)
		case v.done[i]:
			return fmt.Errorf("operation %d comes twice", i)
		case o.Return < called:
			return fmt.Errorf("operation %d comes after one that was called when it had returned", i)
		}
		v.done[i] = true
		called = max(called, o.Call)
		var right bool
		if held, right = does(o, held); !right {
			return fmt.Errorf("operation %d (%s) gave another answer than the register", i, v.h.OpString(int(i)))
		}
	}
	return nil
}

// complete reports an operation, and its key, that certainly happened on a key
// of which verified is true, and that no order had. Reads that do not tell what they saw
// can be anywhere.
func (v *verifier) complete(verified []bool) (int, error) {
	for i := range v.h.Ops {
		o := &v.h.Ops[i]
		silent := o.Kind == model.Read && o.Seen == model.Unseen
		if o.Outcome == history.OK && !silent && verified[o.Key] && !v.done[i] {
			return int(o.Key), fmt.Errorf("operation %d (%s) is missing", i, v.h.OpString(i))
		}
	}
	return 0, nil
}

// does returns what a register that held a value holds after o, and whether the
// answer is right.
func does(o *history.Op, held model.Value) (model.Value, bool) {
	known := o.Outcome == history.OK
	switch o.Kind {
	case model.Read:
		return held, known && (o.Seen == held || o.Seen == model.Unseen)
	case model.Write:
		return o.Value, true
	case model.Delete:
		return model.Absent, true
	case model.CAS:
		if held != o.Expect {
			return held, !known || !o.Swapped && (o.Seen == held || o.Seen == model.Unseen)
		}
		return o.Value, !known || o.Swapped
	}
	return held, false
}

// Verify reports why order is no linearization of a history of registers, or nil if
// it is one: a proof that the history is linearizable that whoever knows the order
// can bring, such as a system that numbers its updates. The order may leave out
// operations with an unknown outcome and reads that do not tell what they saw. It
// must not hold failed operations, nor reads with an unknown outcome, which answered
// nothing. It takes linear time.
func Verify(h *history.History, order []int) error {
	if err := h.Validate(); err != nil {
		return fmt.Errorf("checker: %w", err)
	}
	byKey := make([][]int32, len(h.Keys))
	for _, i := range order {
		if i < 0 || i >= len(h.Ops) {
			return fmt.Errorf("checker: operation %d, expected 0..%d", i, len(h.Ops)-1)
		}
		k := h.Ops[i].Key
		byKey[k] = append(byKey[k], int32(i))
	}
	var v verifier
	v.prepare(h)
	verified := make([]bool, len(h.Keys))
	for k := range byKey {
		verified[k] = true
		if err := v.verify(int32(k), byKey[k]); err != nil {
			return fmt.Errorf("checker: key %s: %w", h.Keys[k], err)
		}
	}
	if k, err := v.complete(verified); err != nil {
		return fmt.Errorf("checker: key %s: %w", h.Keys[k], err)
	}
	return nil
}
