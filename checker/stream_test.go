package checker

import (
	"errors"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/rashomon-go/rashomon/history"
	"github.com/rashomon-go/rashomon/model"
)

// feed gives the events of h to s in their order. It returns the offence, if
// there is one, and the position in h of the event at which it came. Operations
// with an unknown outcome end at the event that ends says, or never.
func feed(t testing.TB, s *Stream, h *history.History, ends func(i int) int64) (*Offence, int64) {
	t.Helper()
	type event struct {
		position int64
		op       int
	}
	events := make([]event, 0, 2*len(h.Ops))
	for i := range h.Ops {
		o := &h.Ops[i]
		events = append(events, event{o.Call, i})
		if o.Outcome != history.Unknown {
			events = append(events, event{o.Return, i})
		} else if end := ends(i); end > o.Call {
			events = append(events, event{end, i})
		}
	}
	slices.SortStableFunc(events, func(a, b event) int { return int(a.position - b.position) })
	for _, e := range events {
		o := &h.Ops[e.op]
		if e.position == o.Call {
			err := s.Call(history.Asked{Process: o.Process, Kind: o.Kind, Key: h.Keys[o.Key], Value: o.Value}, o.CalledAt)
			if errors.Is(err, ErrNotUnique) {
				return nil, -1
			}
			if err != nil {
				t.Fatalf("operation %d: %v\n%s", e.op, err, show(h))
			}
			continue
		}
		f, err := s.Return(o.Process, history.Answered{Outcome: o.Outcome, Seen: o.Seen}, max(o.ReturnedAt, o.CalledAt, s.now))
		if err != nil {
			t.Fatalf("operation %d: %v\n%s", e.op, err, show(h))
		}
		if f != nil {
			return f, e.position
		}
	}
	return nil, 0
}

func noEnd(int) int64 { return 0 }

// prefix is h as it was known at position cut.
func prefix(h *history.History, cut int64) *history.History {
	p := *h
	p.Ops = nil
	for _, o := range h.Ops {
		switch {
		case o.Call > cut:
			continue
		case o.Return > cut:
			o.Outcome, o.Return, o.Seen = history.Unknown, history.Never, model.Unseen
		}
		p.Ops = append(p.Ops, o)
	}
	return &p
}

// A stream must find exactly the first event at which the history is not
// linearizable, whenever it forgets.
func TestStreamAgreesWithOracle(t *testing.T) {
	for name, c := range map[string]shape{
		"wild":     {keys: 1, unique: true, wild: true},
		"spoilt":   {keys: 1, unique: true},
		"open":     {keys: 1, unique: true, open: 2},
		"two keys": {keys: 2, unique: true},
	} {
		for few := range 3 {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				r := rand.New(rand.NewPCG(5, uint64(few)))
				found, forgot := 0, 0
				for n := range *histories {
					h := c.random(r)
					for range 2 {
						c.guess(r, h, r.IntN(len(h.Ops)))
					}
					s := Stream{few: []int{-1, 2, fewZones}[few]}
					last := int64(2*len(h.Ops) + 1)
					f, at := feed(t, &s, h, func(int) int64 { return r.Int64N(last) })
					for _, k := range s.keys {
						if k.forgot {
							forgot++
						}
					}
					if f == nil {
						if !oracle(h) {
							t.Fatalf("history %d: no offence\n%s", n, show(h))
						}
						continue
					}
					found++
					if !oracle(prefix(h, at-1)) || oracle(prefix(h, at)) {
						t.Fatalf("history %d: an offence at %d: %s\n%s", n, at, f.Sentence, show(h))
					}
					if f.Sentence == "" || f.Anomaly == NoAnomaly || oracle(f.History) {
						t.Fatalf("history %d: %+v\n%s", n, f, show(h))
					}
				}
				t.Logf("%d of %d invalid, %d keys forgot something", found, *histories, forgot)
				if found < *histories/4 || found > 3**histories/4 {
					t.Errorf("the sample says little: %d of %d", found, *histories)
				}
			})
		}
	}
}

// A value may be written again when nobody can read the earlier one any more: the
// verdict is right, or there is none.
func TestStreamMayRepeatValues(t *testing.T) {
	r := rand.New(rand.NewPCG(10, 11))
	refused, repeated, found := 0, 0, 0
	for n := range *histories {
		h := shape{keys: 1}.random(r)
		s := Stream{few: -1}
		f, at := feed(t, &s, h, func(int) int64 { return r.Int64N(int64(2*len(h.Ops) + 1)) })
		if at < 0 {
			refused++
			continue
		}
		values := map[model.Value]bool{}
		for _, o := range h.Ops {
			if o.Kind == model.Write && (f == nil || o.Call <= at) {
				if values[o.Value] {
					repeated++
				}
				values[o.Value] = true
			}
		}
		if f == nil && !oracle(h) || f != nil && (!oracle(prefix(h, at-1)) || oracle(prefix(h, at))) {
			t.Fatalf("history %d: %+v at %d\n%s", n, f, at, show(h))
		}
		if f != nil {
			found++
		}
	}
	t.Logf("%d refused, %d values repeated, %d invalid", refused, repeated, found)
	if repeated < *histories/100 || found < *histories/10 {
		t.Error("the sample says little")
	}
}

// Of longer histories the engine for whole ones is the oracle.
func TestStreamAgreesWithZones(t *testing.T) {
	r := rand.New(rand.NewPCG(6, 7))
	invalid, stale := 0, 0
	const runs = 600
	for n := range runs {
		h := closedLoop(r, load{ops: 50 + r.IntN(1500), clients: 2 + r.IntN(12), keys: 1 + r.IntN(2), open: 0.03})
		if n%5 > 0 { // one read goes back
			spoil(r, h)
		}
		ends := func(i int) int64 { return h.Ops[i].Call + r.Int64N(60) }
		if n%3 == 0 {
			ends = noEnd
		}
		f, at := feed(t, &Stream{}, h, ends)
		judge := func(h *history.History) Verdict {
			res, err := Linearizable(h, model.Register(), Options{Engine: Zones, VerdictOnly: true})
			if err != nil {
				t.Fatal(err)
			}
			return res.Verdict
		}
		if f == nil {
			if judge(h) != Valid {
				t.Fatalf("history %d: no offence", n)
			}
			continue
		}
		invalid++
		if judge(prefix(h, at-1)) == Invalid || judge(prefix(h, at)) != Invalid {
			t.Fatalf("history %d: an offence at %d: %s", n, at, f.Sentence)
		}
		if f.Anomaly == StaleRead {
			stale++
		}
	}
	t.Logf("%d of %d invalid; %d stale reads", invalid, runs, stale)
	if invalid < runs/4 || invalid > 3*runs/4 || stale == 0 {
		t.Error("the sample says little")
	}
}

// spoil lets a read return something that was written before.
func spoil(r *rand.Rand, h *history.History) {
	for range 1000 {
		i := r.IntN(len(h.Ops))
		o := &h.Ops[i]
		j := i - 1 - r.IntN(min(i+1, 200))
		if o.Kind != model.Read || o.Outcome != history.OK || j < 0 {
			continue
		}
		if w := &h.Ops[j]; w.Kind == model.Write && w.Key == o.Key && w.Outcome == history.OK {
			o.Seen = w.Value
			return
		}
	}
}

// The sentence says which write was missed, as long as the stream remembers.
func TestStreamTells(t *testing.T) {
	for writes, want := range map[int]string{
		3:   "read k0 -> 1 by client 1 (7ns..8ns) is stale: write k0=1 had finished before write k0=2 began (3ns), and write k0=2 had finished (4ns) before the read began",
		100: "read k0 -> 1 by client 1 (201ns..202ns) is stale: write k0=1 had finished before write k0=2 began (3ns), and write k0=2 had finished (4ns) before the read began",
		900: "read k0 -> 1 by client 1 (1.801µs..1.802µs) saw a value that nobody had written by then, or that had been replaced long before it began",
	} {
		var s Stream
		at := time.Duration(0)
		do := func(kind model.Kind, v model.Value) *Offence {
			if err := s.Call(history.Asked{Process: 1, Kind: kind, Key: "k0", Value: v}, at+1); err != nil {
				t.Fatal(err)
			}
			at += 2
			f, err := s.Return(1, history.Answered{Outcome: history.OK, Seen: v}, at)
			if err != nil {
				t.Fatal(err)
			}
			return f
		}
		for v := range writes {
			do(model.Write, model.Value(v+1))
		}
		f := do(model.Read, 1)
		if f == nil || f.Anomaly != StaleRead || f.Sentence != want {
			t.Errorf("after %d writes: %+v\nexpected %s", writes, f, want)
		}
	}
}

// What a stream keeps depends on concurrency and open writes, not on how long the
// history is.
func TestStreamForgets(t *testing.T) {
	kept := func(ops int, open float64) (zones, values int) {
		var s Stream
		h := closedLoop(seeded(), load{ops: ops, clients: 10, keys: 1, open: open})
		if f, _ := feed(t, &s, h, func(i int) int64 { return h.Ops[i].Call + 40 }); f != nil {
			t.Fatal(f.Sentence)
		}
		for _, k := range s.keys {
			zones, values = zones+len(k.zones), values+len(k.values)
		}
		if n := len(s.spare) + len(s.forgotten); n > remembered+200 {
			t.Errorf("%d zones not in use", n)
		}
		return zones, values
	}
	few, _ := kept(2_000, 0)
	many, values := kept(200_000, 0)
	if many > 2*few+100 || values > many+20 {
		t.Errorf("%d zones and %d values of a history of 200,000, %d zones of one of 2,000", many, values, few)
	}
	if zones, values := kept(200_000, 0.01); zones > 500 || values > 500 {
		t.Errorf("%d zones and %d values of them with unknown outcomes", zones, values)
	}
}

func TestStreamRefuses(t *testing.T) {
	var s Stream
	call := func(process int32, kind model.Kind, v model.Value, at time.Duration) error {
		return s.Call(history.Asked{Process: process, Kind: kind, Key: "k", Value: v}, at)
	}
	for _, c := range []struct {
		err  error
		want string
	}{
		{call(1, model.Write, 7, 10), ""},
		{call(1, model.Read, 0, 11), "checker: process 1 calls before its operation of event 1 has returned"},
		{call(2, model.Read, 0, 9), "checker: process 2 calls at 9ns, after an event at 10ns"},
		{call(2, model.Delete, 0, 11), "checker: key k: engine not applicable: a stream judges reads and writes, not a delete"},
		{call(2, model.Write, model.Absent, 11), "checker: key k: process 2 writes no value, expected one"},
		{call(2, model.Write, 7, 11), "checker: key k: values are not unique: 7 is written again"},
		{call(2, model.Read, 0, 11), ""},
	} {
		if got := c.err; got == nil && c.want != "" || got != nil && got.Error() != c.want {
			t.Errorf("%v, expected %q", got, c.want)
		}
	}
	if !errors.Is(call(3, model.Write, 7, 11), ErrNotUnique) || !errors.Is(call(3, model.CAS, 7, 11), ErrNotApplicable) {
		t.Error("errors without their reason")
	}
	for _, c := range []struct {
		process int32
		outcome history.Outcome
		at      time.Duration
		want    string
	}{
		{4, history.OK, 12, "checker: process 4 ends an operation but has none under way"},
		{2, history.OK, 3, "checker: process 2 ends an operation at 3ns, after an event at 11ns"},
		{2, 0, 12, "checker: process 2 ends an operation with outcome(0), expected ok, fail or unknown"},
	} {
		if _, err := s.Return(c.process, history.Answered{Outcome: c.outcome, Seen: 7}, c.at); err == nil || err.Error() != c.want {
			t.Errorf("%v, expected %q", err, c.want)
		}
	}
	if f, err := s.Return(2, history.Answered{Outcome: history.OK, Seen: 8}, 12); err != nil || f == nil || f.Sentence != "read k -> 8 by client 2 (11ns..12ns) saw a value that nobody wrote" {
		t.Errorf("%+v %v", f, err)
	}
	if err := call(5, model.Read, 0, 13); err == nil || err.Error() != "checker: process 5 calls after the history was found invalid" {
		t.Error(err)
	}
}
