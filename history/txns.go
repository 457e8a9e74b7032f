package history

import (
	"fmt"
	"slices"

	"github.com/rashomon-go/rashomon/model"
)

// Txn returns the steps of a transaction, given its Value, with what its reads
// were told: Unseen if they were not. They are nil if there is no such
// transaction, and must not be changed.
func (h *History) Txn(value model.Value) []model.Micro {
	if value < 0 || int64(value) >= int64(len(h.Txns)) {
		return nil
	}
	return h.Txns[value]
}

// txnFault reports in which way the steps of o break the contract.
func (h *History) txnFault(o *Op) error {
	if o.Value < 0 || int64(o.Value) >= int64(len(h.Txns)) {
		return fmt.Errorf("transaction number %d, expected 0..%d", o.Value, len(h.Txns)-1)
	}
	silent := 0
	for n, m := range h.Txns[o.Value] {
		if err := stepFault(&m); err != nil {
			return fmt.Errorf("step %d: %w", n, err)
		}
		if m.Kind == model.Read && o.Outcome != OK && m.Value != model.Unseen {
			return fmt.Errorf("step %d: a read that was told %s with outcome %s, expected that with ok only", n, m.Value, o.Outcome)
		}
		if h.Texts != nil && !h.hasText(m.Value) {
			return fmt.Errorf("step %d: text number %d, expected 0..%d", n, m.Value, len(h.Texts)-1)
		}
		if m.Kind == model.Read && m.Value == model.Unseen {
			silent++
		}
	}
	if reads := readsOf(h.Txns[o.Value]); silent > 0 && silent < reads {
		return fmt.Errorf("%d of %d reads told nothing, expected all or none", silent, reads)
	}
	return nil
}

func stepFault(m *model.Micro) error {
	switch {
	case m.Kind != model.Read && m.Kind != model.Write:
		return fmt.Errorf("a %s, expected read or write", m.Kind)
	case m.Kind == model.Write && m.Value <= model.Unseen:
		return fmt.Errorf("a write of no value, expected one")
	}
	return nil
}

// txn takes the steps of a transaction that is called, and returns its Value.
func (r *Recorder) txn(steps []model.Micro) (model.Value, error) {
	own := append([]model.Micro{}, steps...)
	for n := range own {
		if err := stepFault(&own[n]); err != nil {
			return 0, fmt.Errorf("step %d: %w", n, err)
		}
		if own[n].Kind == model.Read {
			own[n].Value = model.Unseen
		}
	}
	r.h.Txns = append(r.h.Txns, own)
	return model.Value(len(r.h.Txns) - 1), nil
}

// toldFault reports in which way told are no answers for the reads of a transaction.
func toldFault(steps []model.Micro, told []model.Value) error {
	if n := readsOf(steps); told != nil && len(told) != n {
		return fmt.Errorf("was told %d values, expected %d, one for each read", len(told), n)
	}
	if slices.Contains(told, model.Unseen) {
		return fmt.Errorf("was told nothing by some of its reads, expected a value of each, or of none")
	}
	return nil
}

// readsOf returns how many steps of a transaction read.
func readsOf(steps []model.Micro) (n int) {
	for i := range steps {
		if steps[i].Kind == model.Read {
			n++
		}
	}
	return n
}

// tell gives the reads of a transaction their answers, in their order.
func tell(steps []model.Micro, told []model.Value) {
	for i := range steps {
		if steps[i].Kind == model.Read && len(told) > 0 {
			steps[i].Value, told = told[0], told[1:]
		}
	}
}
