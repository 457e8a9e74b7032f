package checker

import (
	"fmt"

	"github.com/rashomon-go/rashomon/history"
	"github.com/rashomon-go/rashomon/model"
)

// facts are what follows from a history in which no value is written twice on a
// key: who wrote what was read, and what a session did before.
type facts struct {
	h     *history.History
	words explanation // to talk about operations
	parts check       // groups operations by key

	writers  map[place]int32 // who stored a value, or may have
	deleted  []int64         // by key, the call of the first delete that did not fail, or Never
	sessions []int32         // by operation, its session counted from 0, or none
	count    int             // of sessions

	assumed map[*history.Op]int32 // who left nothing where an operation saw nothing, as far as that is assumed
}

type place struct {
	key   int32
	value model.Value
}

// initial stands for the write of Absent that comes before everything.
const initial int32 = -2

// gather returns the facts of h. It returns an error if h breaks its contract,
// or has other operations than those of a register with unique values.
func gather(h *history.History, s Sessions) (*facts, error) {
	f := &facts{h: h, words: explanation{h: h}, writers: make(map[place]int32, len(h.Ops)/2)}
	if err := f.parts.group(h); err != nil {
		return nil, fmt.Errorf("checker: %w", err)
	}
	if err := f.parts.accept(h, model.CASRegister()); err != nil {
		return nil, ofClaim(&modelError{err: err})
	}
	for i := range h.Ops {
		if o := &h.Ops[i]; o.Kind == model.CAS && o.Value == model.Absent {
			return nil, fmt.Errorf("checker: operation %d (%s) stores nil, expected a value or a delete", i, h.OpString(i))
		}
	}
	if err := f.findWriters(); err != nil {
		return nil, err
	}
	return f, f.findSessions(s)
}

func (f *facts) findWriters() error {
	f.deleted = make([]int64, len(f.h.Keys))
	for k := range f.deleted {
		f.deleted[k] = history.Never
	}
	for i := range f.h.Ops {
		o := &f.h.Ops[i]
		v, stores := stored(o)
		switch {
		case !stores || o.Outcome == history.Fail:
		case v == model.Absent:
			f.deleted[o.Key] = min(f.deleted[o.Key], o.Call)
		default:
			at := place{o.Key, v}
			if j, twice := f.writers[at]; twice {
				return fmt.Errorf("checker: %w: operations %d and %d both write %s on %s", ErrNotUnique, j, i, f.h.ValueString(v), f.h.Keys[o.Key])
			}
			f.writers[at] = int32(i)
		}
	}
	return nil
}

func (f *facts) findSessions(s Sessions) error {
	if s == nil {
		s = func(o *history.Op) int64 { return int64(uint32(o.Process)) }
	}
	f.sessions = make([]int32, len(f.h.Ops))
	numbers := map[int64]int32{}
	var last []int32 // by session
	for i := range f.h.Ops {
		o := &f.h.Ops[i]
		name := s(o)
		if name == NoSession {
			f.sessions[i] = none
			continue
		}
		n, known := numbers[name]
		if !known {
			n = int32(len(last))
			numbers[name] = n
			last = append(last, none)
		}
		if j := last[n]; j != none && f.h.Ops[j].Return > o.Call {
			return fmt.Errorf("checker: operations %d and %d of one session overlap, expected one after the other", j, i)
		}
		if o.Outcome != history.Unknown {
			last[n] = int32(i)
		}
		f.sessions[i] = n
	}
	f.count = len(last)
	return nil
}

func (f *facts) op(i int32) *history.Op { return &f.h.Ops[i] }

// from returns who stored what o observed: an operation, initial, or none if o
// observed nothing, or something of unknown origin. Absent is of unknown origin
// when somebody may have deleted the key by then, unless its origin is assumed.
func (f *facts) from(o *history.Op) int32 {
	v, saw := observed(o)
	switch {
	case !saw:
		return none
	case v != model.Absent:
		if w, known := f.writers[place{o.Key, v}]; known && f.op(w) != o {
			return w
		}
		return none
	case f.deleted[o.Key] < o.Return:
		return f.assumedOrigin(o)
	}
	return initial
}

// assumedOrigin returns who is assumed to have left the nothing that o saw, or none.
func (f *facts) assumedOrigin(o *history.Op) int32 {
	if w, assumed := f.assumed[o]; assumed {
		return w
	}
	return none
}

// impossible returns the judgement on an operation that saw a value before
// anybody could have stored it, if i is one.
func (f *facts) impossible(i int32) (Judgement, bool) {
	o := f.op(i)
	v, saw := observed(o)
	if !saw || v == model.Absent {
		return Judgement{}, false
	}
	if w, known := f.writers[place{o.Key, v}]; known && f.op(w) != o && f.op(w).Call < o.Return {
		return Judgement{}, false
	}
	e := explanation{h: f.h, ops: f.parts.part(int(o.Key)), witness: []int32{i}}
	if !e.impossible() {
		panic(fmt.Sprintf("checker: operation %d saw an impossible value, and nothing explains it", i))
	}
	return Judgement{Verdict: Invalid, Anomaly: e.anomaly, Sentence: e.sentence, Witness: indices(e.witness)}, true
}
