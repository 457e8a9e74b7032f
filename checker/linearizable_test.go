package checker

import (
	"errors"
	"math/rand/v2"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/anishathalye/porcupine"

	"github.com/rashomon-go/rashomon/history"
	"github.com/rashomon-go/rashomon/model"
)

func judge(t *testing.T, h *history.History, m model.Model, opts Options) Result {
	t.Helper()
	r, err := Linearizable(h, m, opts)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

var bothEngines = []Engine{Zones, Porcupine}

// Porcupine calls these valid; that nothing was broken says nothing.
func TestNothingExercisedIsUnknown(t *testing.T) {
	if !porcupine.CheckOperations(model.Register().Porcupine(&model.Budget{}), nil) {
		t.Error("porcupine has changed its mind about nothing")
	}
	for name, h := range map[string]*history.History{
		"zero":         {},
		"no operation": {Keys: []string{"k0"}},
		"all failed":   record(at(1, 10, 20, failed(write(1))), at(1, 30, 40, failed(read(0)))),
		"all open":     record(at(1, 10, never, write(1)), at(2, 30, never, read(0))),
	} {
		for _, e := range append(bothEngines, Auto) {
			r := judge(t, h, model.Register(), Options{Engine: e})
			if r.Verdict != Unknown || r.Reason != "no operation succeeded" || len(r.Keys) != len(h.Keys) {
				t.Errorf("%s by %v: %+v", name, e, r)
			}
		}
	}
}

// One key on which nothing succeeded does not make the others unknown, but it
// is told.
func TestKeyOnWhichNothingSucceeded(t *testing.T) {
	h := record(at(1, 10, 20, write(1)), at(2, 30, never, write(2)))
	h.Keys, h.Ops[1].Key = []string{"k0", "k1", "k2"}, 1
	r := judge(t, h, model.Register(), Options{})
	if r.Verdict != Valid || r.Keys[0].Reason != "" || r.Keys[1].Reason != "no operation succeeded" || r.Keys[2].Ops != 0 {
		t.Errorf("%+v", r)
	}
}

// A call without a return makes porcupine's check of events fail.
func TestOpenWriteIsNoViolation(t *testing.T) {
	b := &model.Budget{}
	w := &model.Op{Kind: model.Write, Value: 1, Open: true}
	if porcupine.CheckEvents(model.Register().Porcupine(b), []porcupine.Event{{Kind: porcupine.CallEvent, Value: w}}) {
		t.Error("porcupine has changed its mind about calls that are pending")
	}
	for name, h := range map[string]*history.History{
		"took effect late": record(at(1, 10, never, write(1)), at(2, 20, 30, read(model.Absent)), at(2, 40, 50, read(1))),
		"took none":        record(at(1, 10, never, write(1)), at(2, 20, 30, read(model.Absent))),
		"read is dropped":  record(at(1, 10, never, read(5)), at(2, 20, 30, write(1))),
	} {
		for _, e := range bothEngines {
			if r := judge(t, h, model.Register(), Options{Engine: e}); r.Verdict != Valid {
				t.Errorf("%s by %v: %+v", name, e, r)
			}
		}
	}
}

// Porcupine takes equal times as concurrent, so that a tie hides a stale read.
// Positions have no ties.
func TestTiesAreRefused(t *testing.T) {
	var ops []porcupine.Operation
	for _, o := range []struct {
		op        model.Op
		call, ret int64
	}{{model.Op{Kind: model.Write, Value: 1}, 1, 2}, {model.Op{Kind: model.Read, Seen: model.Absent}, 2, 3}} {
		ops = append(ops, porcupine.Operation{Input: &o.op, Call: o.call, Return: o.ret})
	}
	if !porcupine.CheckOperations(model.Register().Porcupine(&model.Budget{}), ops) {
		t.Error("porcupine has changed its mind about ties")
	}
	h := record(at(1, 10, 20, write(1)), at(2, 30, 40, read(model.Absent)))
	for _, e := range bothEngines {
		if r := judge(t, h, model.Register(), Options{Engine: e}); r.Verdict != Invalid {
			t.Errorf("%v: %v", e, r.Verdict)
		}
	}
	h.Ops[1].Call = h.Ops[0].Return
	if _, err := Linearizable(h, model.Register(), Options{}); err == nil || !strings.Contains(err.Error(), "positions used once") {
		t.Errorf("a tie: %v", err)
	}
}

func texts(h *history.History) *history.History {
	h.Texts = []string{"a", "b"}
	return h
}

// A valid verdict that says little says so.
func TestRemarks(t *testing.T) {
	const noRead = "no read was answered: any history of writes is linearizable"
	const noWrite = "nothing was written: only reads of nothing were tested"
	for name, c := range map[string]struct {
		h    *history.History
		want string
	}{
		"writes":                  {record(at(1, 10, 20, write(1)), at(1, 30, 40, erase())), noRead},
		"reads without an answer": {record(at(1, 10, 20, write(1)), at(1, 30, 40, failed(read(0))), at(1, 50, 60, read(model.Unseen)), at(2, 70, never, read(0))), noRead},
		"reads":                   {record(at(1, 10, 20, read(model.Absent)), at(1, 30, 40, failed(write(2)))), noWrite},
		"a comparison":            {record(at(1, 10, 20, casFailed(5, 6, model.Unseen))), noWrite},
		"a swap":                  {record(at(1, 10, 20, cas(model.Absent, 6))), ""},
		"reads of an open write":  {record(at(1, 10, never, write(1)), at(2, 15, 20, read(model.Absent))), ""},
	} {
		if r := judge(t, c.h, model.CASRegister(), Options{}); r.Verdict != Valid || r.Reason != c.want {
			t.Errorf("%s: %+v, expected %q", name, r, c.want)
		}
	}
	r := judge(t, record(at(1, 10, 20, write(1)), at(1, 30, 40, read(2))), model.Register(), Options{})
	if r.Verdict != Invalid || r.Reason != "" {
		t.Errorf("%+v", r)
	}
}

func TestErrors(t *testing.T) {
	backwards := record(at(1, 10, 20, write(1)))
	backwards.Ops[0].Return = 0
	for name, c := range map[string]struct {
		h    *history.History
		m    model.Model
		opts Options
		want string
	}{
		"contract": {backwards, model.Register(), Options{}, "checker: operation 0 (write k0=1): returns at position 0 before its call at 1"},
		"kind": {record(at(1, 10, 20, write(1)), at(1, 30, 40, cas(1, 2))), model.Register(), Options{},
			"checker: model register: cas k0 1->2 by client 1 (30ms..40ms) is a cas, expected read, write or delete"},
		"texts": {record(at(1, 10, 20, write(1))), model.KV(), Options{},
			"checker: model kv: the history has no texts, expected texts for its values"},
		"no list": {texts(record(at(1, 10, 20, read(0)))), model.List(), Options{},
			`checker: model list: read k0 -> "a" by client 1 (10ms..20ms) saw "a", expected a list such as [1 2]`},
		"texts counted": {texts(record(at(1, 10, 20, read(0)))), model.Counter(), Options{},
			"checker: model counter: the history has texts, expected numbers"},
		"zones and delete": {record(at(1, 10, 20, erase())), model.Register(), Options{Engine: Zones},
			"checker: key k0: engine not applicable: zones judges reads and writes of a register, each value written once"},
		"zones and twice": {record(at(1, 10, 20, write(1)), at(1, 30, 40, write(1))), model.Register(), Options{Engine: Zones},
			"checker: key k0: engine not applicable: zones judges reads and writes of a register, each value written once"},
		"nil written": {record(at(1, 10, 20, write(model.Absent))), model.Register(), Options{},
			"checker: operation 0 (write k0=nil): stores nothing, expected a value or a delete"},
		"kv and cas": {texts(record(at(1, 10, 20, cas(0, 1)))), model.KV(), Options{},
			"checker: model kv: cas k0 \"a\"->\"b\" by client 1 (10ms..20ms) is a cas, expected read, write, delete or append"},
	} {
		r, err := Linearizable(c.h, c.m, c.opts)
		if err == nil || err.Error() != c.want {
			t.Errorf("%s: %v, expected %s", name, err, c.want)
		}
		if !reflect.DeepEqual(r, Result{}) {
			t.Errorf("%s: a result beside an error: %+v", name, r)
		}
		if strings.HasPrefix(name, "zones") {
			if !errors.Is(err, ErrNotApplicable) {
				t.Errorf("%s: not ErrNotApplicable", name)
			}
			if r := judge(t, c.h, c.m, Options{}); r.Verdict != Valid || r.Keys[0].Engine == Zones {
				t.Errorf("%s by auto: %+v", name, r)
			}
		}
	}
}

// openWrites is a history that is hard to search: writes that never returned,
// and a stale read at the end.
func openWrites(n int) *history.History {
	h := &history.History{Keys: []string{"k0"}}
	position := int64(0)
	add := func(o history.Op, open bool) {
		o.Process, o.Node, o.Outcome = int32(len(h.Ops)), history.NoNode, history.OK
		position += 2
		o.Call, o.Return = position, position+1
		if open {
			o.Return, o.Outcome = history.Never, history.Unknown
		}
		h.Ops = append(h.Ops, o)
	}
	for i := range n {
		add(write(model.Value(10+i)), true)
	}
	add(write(1), false)
	add(write(2), false)
	add(read(1), false)
	return h
}

func TestBudgetSpentIsUnknown(t *testing.T) {
	h := openWrites(30)
	if r := judge(t, h, model.Register(), Options{}); r.Verdict != Invalid || r.Anomaly != StaleRead || len(r.Witness) != 3 {
		t.Errorf("zones: %+v", r)
	}
	opts := Options{Engine: Porcupine, Steps: 5000}
	first := judge(t, h, model.Register(), opts)
	if first.Verdict != Unknown || first.Reason != "key k0: budget of 5000 steps spent" || first.Keys[0].Steps != 5000 || first.Witness != nil {
		t.Errorf("%+v", first)
	}
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for range 5 {
				if r, err := Linearizable(h, model.Register(), opts); err != nil || !reflect.DeepEqual(r, first) {
					t.Errorf("another run: %+v %v", r, err)
				}
			}
		})
	}
	group.Wait()
	opts.Bytes = 203 * 100 // 33 operations take 204 bytes a step
	if r := judge(t, h, model.Register(), opts); r.Keys[0].Steps != 99 || r.Reason != "key k0: budget of 20300 bytes of memory spent, after 99 steps" {
		t.Errorf("with a limit on memory: %+v", r)
	}
}

// A spent budget on one key hides no violation on another.
func TestInvalidOutweighsUnknown(t *testing.T) {
	h := openWrites(30)
	h.Keys = append(h.Keys, "k1")
	last := h.Ops[len(h.Ops)-1]
	last.Key, last.Process, last.Call, last.Return = 1, 99, last.Return+1, last.Return+2
	h.Ops = append(h.Ops, last)
	r := judge(t, h, model.Register(), Options{Engine: Porcupine, Steps: 5000})
	if r.Verdict != Invalid || r.Keys[0].Verdict != Unknown || r.Anomaly != PhantomRead || !reflect.DeepEqual(r.Witness, []int{33}) {
		t.Errorf("%+v", r)
	}
}

func TestResultIsAFunctionOfTheArguments(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	var hs []*history.History
	var want []Result
	for range 300 {
		h := shape{keys: 2, cas: true, deletes: true}.random(r)
		hs, want = append(hs, h), append(want, judge(t, h, model.CASRegister(), Options{}))
	}
	var group sync.WaitGroup
	for range 3 {
		group.Go(func() {
			for i, h := range hs {
				if got, err := Linearizable(h, model.CASRegister(), Options{}); err != nil || !reflect.DeepEqual(got, want[i]) {
					t.Errorf("history %d: %+v, expected %+v", i, got, want[i])
				}
			}
		})
	}
	group.Wait()
}

// Of a model that is not a register nothing is known but that reads change
// nothing, so its witness is what happened until it became invalid, and the
// reads that matter.
func TestOwnModel(t *testing.T) {
	m := model.Spec[model.Value]{
		Name:  "max-register",
		Kinds: []model.Kind{model.Read, model.Write},
		Init:  model.Absent,
		Step: func(s model.Value, op model.Op) (model.Value, bool) {
			if op.Kind == model.Write {
				return max(s, op.Value), true
			}
			return s, op.Open || op.Seen == s
		},
	}.Model()
	ops := []history.Op{
		at(1, 10, 20, write(7)), at(2, 30, 40, write(3)), at(3, 50, 60, read(7)), at(4, 70, 80, read(3)), at(4, 90, 95, write(9)),
	}
	if r := judge(t, record(ops[:3]...), m, Options{}); r.Verdict != Valid || r.Keys[0].Engine != Porcupine {
		t.Errorf("%+v", r)
	}
	r := judge(t, record(ops...), m, Options{})
	want := "no order of these 3 operations on k0 is legal: write k0=7 by client 1 (10ms..20ms); write k0=3 by client 2 (30ms..40ms); read k0 -> 3 by client 4 (70ms..80ms)"
	if r.Verdict != Invalid || !reflect.DeepEqual(r.Witness, []int{0, 1, 3}) || r.Sentence != want {
		t.Errorf("%+v", r)
	}
}

func TestVerdictOnly(t *testing.T) {
	h := openWrites(3)
	r := judge(t, h, model.Register(), Options{VerdictOnly: true})
	if r.Verdict != Invalid || r.Witness != nil || r.Sentence != "" || r.Anomaly != NoAnomaly {
		t.Errorf("%+v", r)
	}
}

func TestVerdicts(t *testing.T) {
	var zero Verdict
	if zero != Unknown || zero.String() != "unknown" || Valid.String() != "valid" || Invalid.String() != "invalid" {
		t.Error("names of verdicts")
	}
	for _, c := range []struct{ a, b, want Verdict }{
		{Valid, Valid, Valid}, {Valid, Unknown, Unknown}, {Valid, Invalid, Invalid},
		{Unknown, Unknown, Unknown}, {Unknown, Invalid, Invalid}, {Invalid, Invalid, Invalid},
	} {
		if c.a.And(c.b) != c.want || c.b.And(c.a) != c.want {
			t.Errorf("%v and %v: %v, expected %v", c.a, c.b, c.a.And(c.b), c.want)
		}
	}
	for e := range engines {
		if got, err := ParseEngine(e.String()); err != nil || got != e {
			t.Errorf("engine %v: %v %v", e, got, err)
		}
	}
	names := map[string]Anomaly{}
	for a := range anomalies {
		if b, taken := names[a.String()]; taken || a.String() == "" {
			t.Errorf("anomalies %d and %d are both called %q", a, b, a)
		}
		names[a.String()] = a
	}
}

// An open write must not be used up where an open compare-and-set does as well:
// the write is needed later, when the compare-and-set does not fit.
func TestOpenWriteIsKeptForLater(t *testing.T) {
	h := record(
		at(1, 10, never, write(1)), at(2, 20, never, write(1)),
		at(3, 25, 35, read(1)), at(4, 30, 40, write(3)), at(5, 42, 44, read(3)), at(6, 50, 60, write(4)), at(7, 52, never, cas(3, 1)),
		at(5, 54, 56, read(1)), at(5, 62, 66, read(4)), at(8, 64, 68, read(1)))
	for _, e := range []Engine{Window, Porcupine} {
		if r := judge(t, h, model.CASRegister(), Options{Engine: e}); r.Verdict != Valid {
			t.Errorf("%v: %+v", e, r)
		}
	}
}
