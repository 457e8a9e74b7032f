package checker

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/rashomon-go/rashomon/history"
	"github.com/rashomon-go/rashomon/model"
)

// Offence is the end of a history that was linearizable so far. Its witness are
// all operations of a small history.
type Offence struct {
	Judgement
	History *history.History
}

// gone takes a read of a value that nobody may read.
func (s *Stream) gone(k *streamKey, o *history.Op) (*Offence, error) {
	for _, z := range s.forgotten {
		if z.key != k || z.value != o.Seen {
			continue
		}
		if z.write.Outcome == history.Fail {
			return s.offend(k, z.write, *o)
		}
		stale := *z
		stale.last, stale.late = o.Call, *o
		for _, x := range slices.Concat(s.forgotten, k.zones) {
			if x.key == k && x.value != z.value && x.first < stale.last && stale.first < x.last {
				return s.offend(k, append(stale.operations(), x.operations()...)...)
			}
		}
	}
	f, err := s.offend(k, *o)
	if err != nil || !k.forgot && f.Anomaly == PhantomRead && o.Seen != model.Absent {
		return f, err
	}
	e := explanation{h: f.History, ops: []int32{0}}
	f.Anomaly, f.Sentence = StaleRead, e.tell(func() string {
		return fmt.Sprintf("%s saw a value that nobody had written by then, or that had been replaced long before it began", e.full(0))
	})
	return f, nil
}

// offend ends the stream: the operations given are not linearizable. That is
// judged again from the beginning, with all proofs.
func (s *Stream) offend(k *streamKey, ops ...history.Op) (*Offence, error) {
	s.over = true
	ops = slices.DeleteFunc(ops, func(o history.Op) bool { return o.Call == 0 })
	// Of an operation that was noted twice, the later note knows more.
	slices.SortFunc(ops, func(a, b history.Op) int { return cmp.Or(cmp.Compare(a.Call, b.Call), cmp.Compare(a.Return, b.Return)) })
	ops = slices.CompactFunc(ops, func(a, b history.Op) bool { return a.Call == b.Call })
	h := &history.History{Ops: ops, Keys: []string{k.name}, Clients: s.Clients}
	r, err := Linearizable(h, model.Register(), Options{Engine: Zones})
	if err != nil {
		return nil, err
	}
	f := &Offence{Judgement: r.Judgement, History: h}
	if r.Verdict != Invalid {
		e := &CertificateError{Key: k.name, Engine: Zones, Verdict: Invalid, History: h, Problem: "the operations that should be in conflict are " + r.Verdict.String()}
		for i := range ops {
			e.Proof = append(e.Proof, i)
		}
		return nil, fmt.Errorf("checker: %w", e)
	}
	return f, nil
}

// operations returns the operations that prove the limits of a zone.
func (z *streamZone) operations() []history.Op { return []history.Op{z.write, z.early, z.late} }
