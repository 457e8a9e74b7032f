package model_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/anishathalye/porcupine"

	"github.com/rashomon-go/rashomon/model"
)

func get(seen model.Value) model.Op { return model.Op{Kind: model.Read, Seen: seen} }
func put(v model.Value) model.Op    { return model.Op{Kind: model.Write, Value: v} }
func open(o model.Op) model.Op      { o.Open = true; return o }

func swap(from, to model.Value) model.Op {
	return model.Op{Kind: model.CAS, Expect: from, Value: to, Swapped: true, Seen: model.Unseen}
}

func refused(from, to, saw model.Value) model.Op {
	return model.Op{Kind: model.CAS, Expect: from, Value: to, Seen: saw}
}

func getText(seen string) model.Op { return model.Op{Kind: model.Read, SeenText: seen} }
func putText(s string) model.Op    { return model.Op{Kind: model.Write, Text: s} }
func add(s string) model.Op        { return model.Op{Kind: model.Append, Text: s} }

var erase = model.Op{Kind: model.Delete}

const null, unseen = model.Absent, model.Unseen

func increment(v model.Value) model.Op { return model.Op{Kind: model.Increment, Value: v} }
func enqueue(v model.Value) model.Op   { return model.Op{Kind: model.Enqueue, Value: v} }
func dequeue(v model.Value) model.Op   { return model.Op{Kind: model.Dequeue, Seen: v} }
func insert(v model.Value) model.Op    { return model.Op{Kind: model.Add, Value: v} }

var acquire, release = model.Op{Kind: model.Acquire}, model.Op{Kind: model.Release}

var lock, count, fifo, set, list = model.Mutex(), model.Counter(), model.Queue(), model.Set(), model.List()

var reg, cas, kv = model.Register(), model.CASRegister(), model.KV()

// A line is operations one after the other, all of them legal, or all but the
// last.
type line struct {
	name  string
	m     model.Model
	ops   []model.Op
	legal bool
	state string
}

func (l line) holds(m model.Model) error {
	want := len(l.ops)
	if !l.legal {
		want--
	}
	if state, legal := m.Replay(l.ops...); legal != want || state != l.state {
		return fmt.Errorf("%d legal, state %s; expected %d, state %s", legal, state, want, l.state)
	}
	return nil
}

var lines = []line{
	{"a lock", lock, []model.Op{acquire, release, acquire}, true, "held"},
	{"a lock taken twice", lock, []model.Op{acquire, acquire}, false, "held"},
	{"a free lock left", lock, []model.Op{release}, false, "free"},
	{"an open acquire of a lock that is held", lock, []model.Op{acquire, open(acquire), release}, true, "free"},
	{"a counter", count, []model.Op{get(0), increment(3), increment(-5), get(-2), get(unseen)}, true, "-2"},
	{"a counter misread", count, []model.Op{increment(3), get(0)}, false, "3"},
	{"a queue", fifo, []model.Op{dequeue(null), enqueue(3), enqueue(4), dequeue(3), dequeue(unseen), dequeue(null)}, true, "[]"},
	{"a queue out of order", fifo, []model.Op{enqueue(3), enqueue(4), dequeue(4)}, false, "[3 4]"},
	{"a queue that is not empty", fifo, []model.Op{enqueue(3), dequeue(null)}, false, "[3]"},
	{"an open dequeue", fifo, []model.Op{enqueue(3), open(dequeue(unseen)), open(dequeue(unseen)), dequeue(null)}, true, "[]"},
	{"a set", set, []model.Op{getText("{}"), insert(3), insert(-1), insert(20), insert(3), insert(4), getText("{-1 3 4 20}")}, true, "{-1 3 4 20}"},
	{"a set misread", set, []model.Op{insert(3), insert(1), getText("{3 1}")}, false, "{1 3}"},
	{"a list", list, []model.Op{getText(""), getText("[]"), add("2"), add("1"), add("2"), getText("[2 1 2]")}, true, "[2 1 2]"},
	{"a list misread", list, []model.Op{add("2"), add("1"), getText("[1 2]")}, false, "[2 1]"},
	{"a list is not empty", list, []model.Op{add("2"), getText("")}, false, "[2]"},
	{"nothing", reg, nil, true, "nil"},
	{"nil at first", reg, []model.Op{get(null)}, true, "nil"},
	{"a value at first", reg, []model.Op{get(0)}, false, "nil"},
	{"what was written", reg, []model.Op{put(3), get(3)}, true, "3"},
	{"what was written before", reg, []model.Op{put(3), put(4), get(3)}, false, "4"},
	{"nil after a write", reg, []model.Op{put(3), get(null)}, false, "3"}, // ignores nil reads
	{"nil after a delete", reg, []model.Op{put(3), erase, get(null)}, true, "nil"},
	{"a value after a delete", reg, []model.Op{put(3), erase, get(3)}, false, "nil"},
	{"a read that tells nothing", reg, []model.Op{put(3), get(unseen)}, true, "3"},
	{"an open read", reg, []model.Op{put(3), open(get(4))}, true, "3"},
	{"an open write", reg, []model.Op{put(3), open(put(4)), get(4)}, true, "4"},
	{"cas on a register", reg, []model.Op{put(3), swap(3, 4)}, false, "3"},

	{"cas", cas, []model.Op{put(3), swap(3, 4), get(4)}, true, "4"},
	{"cas from nil", cas, []model.Op{swap(null, 4), get(4)}, true, "4"},
	{"cas from another value", cas, []model.Op{put(3), swap(5, 4)}, false, "3"},
	{"cas from nil after a write", cas, []model.Op{put(3), swap(null, 4)}, false, "3"},
	{"failed cas stores nothing", cas, []model.Op{put(3), refused(5, 4, unseen), get(3)}, true, "3"},
	{"failed cas on what it expects", cas, []model.Op{put(3), refused(3, 4, unseen)}, false, "3"}, // ignores failed CAS
	{"failed cas that saw another value", cas, []model.Op{put(3), refused(5, 4, 6)}, false, "3"},  // ignores failed CAS
	{"failed cas that saw this value", cas, []model.Op{put(3), refused(5, 4, 3)}, true, "3"},
	{"failed cas that saw nil", cas, []model.Op{refused(5, 4, null), put(3)}, true, "3"},
	{"failed cas that saw nil after a write", cas, []model.Op{put(3), refused(5, 4, null)}, false, "3"}, // ignores nil reads
	{"failed cas that saw what it expects", cas, []model.Op{put(3), refused(3, 4, 3)}, false, "3"},      // contradicts itself
	{"failed cas that expects nil", cas, []model.Op{refused(null, 4, unseen)}, false, "nil"},
	{"open cas that stores", cas, []model.Op{put(3), open(refused(3, 4, unseen)), get(4)}, true, "4"},
	{"open cas that must store", cas, []model.Op{put(3), open(refused(3, 4, unseen)), get(3)}, false, "4"}, // effect by rule
	{"open cas that does not", cas, []model.Op{put(3), open(refused(5, 4, unseen)), get(3)}, true, "3"},
	{"open cas with an answer that it ignores", cas, []model.Op{put(3), open(swap(5, 4)), get(3)}, true, "3"},
	{"open cas that saw what cannot be", cas, []model.Op{put(3), open(refused(5, 4, 77)), get(3)}, true, "3"},
	{"delete, then cas from nil", cas, []model.Op{put(3), erase, swap(null, 5), get(5)}, true, "5"},
	{"append to a register", cas, []model.Op{{Kind: model.Append, Value: 1}}, false, "nil"},
	{"no operation", cas, []model.Op{{}}, false, "nil"},
	{"a missing key", kv, []model.Op{getText("")}, true, `""`},
	{"a text at first", kv, []model.Op{getText("x")}, false, `""`},
	{"texts", kv, []model.Op{putText("x"), add("y"), getText("xy")}, true, `"xy"`},
	{"append to nothing", kv, []model.Op{add("y"), getText("y")}, true, `"y"`},
	{"appends in order", kv, []model.Op{add("x"), add("y"), getText("yx")}, false, `"xy"`},
	{"empty after an append", kv, []model.Op{add("x"), getText("")}, false, `"x"`}, // ignores nil reads
	{"a deleted text", kv, []model.Op{putText("x"), erase, getText("")}, true, `""`},
	{"a read of texts that tells nothing", kv, []model.Op{putText("x"), get(unseen)}, true, `"x"`},
	{"open texts", kv, []model.Op{open(add("x")), open(getText("z")), getText("x")}, true, `"x"`},
	{"cas of texts", kv, []model.Op{swap(model.Absent, 1)}, false, `""`},
}

func TestReplay(t *testing.T) {
	for _, l := range lines {
		t.Run(l.name, func(t *testing.T) {
			if err := l.holds(l.m); err != nil {
				t.Error(err)
			}
		})
	}
}

// Real logs do not tell these mutants from the model: the lines must.
func TestLinesKillMutants(t *testing.T) {
	for name, mutate := range map[string]func(held model.Value, op *model.Op){
		"none":              func(model.Value, *model.Op) {},
		"ignores nil reads": func(held model.Value, op *model.Op) { op.Open = op.Open || op.Kind == model.Read && op.Seen == null },
		"ignores all reads": func(held model.Value, op *model.Op) { op.Open = op.Open || op.Kind == model.Read },
		"ignores failed CAS": func(held model.Value, op *model.Op) {
			op.Open = op.Open || op.Kind == model.CAS && !op.Swapped && op.Expect != held
		},
		"failed CAS may be spurious": func(held model.Value, op *model.Op) {
			if op.Kind == model.CAS && !op.Swapped && !op.Open && op.Expect == held {
				*op = model.Op{Kind: model.Read, Seen: held}
			}
		},
		"CAS swaps from anything": func(held model.Value, op *model.Op) {
			if op.Kind == model.CAS && op.Swapped && !op.Open {
				op.Expect = held
			}
		},
		"open CAS stores nothing": func(held model.Value, op *model.Op) {
			if op.Kind == model.CAS && op.Open {
				op.Kind = model.Read
			}
		},
		"open writes are dropped": func(held model.Value, op *model.Op) {
			if op.Kind == model.Write && op.Open {
				op.Kind = model.Read
			}
		},
		"deletes are dropped": func(held model.Value, op *model.Op) {
			if op.Kind == model.Delete {
				*op = model.Op{Kind: model.Read, Seen: held}
			}
		},
	} {
		killed := 0
		mutant := mutantOf(mutate)
		for _, l := range lines {
			if l.m.Name() == cas.Name() || l.m.Name() == reg.Name() && !strings.HasPrefix(l.name, "cas on") {
				if l.holds(mutant) != nil {
					killed++
				}
			}
		}
		if (killed == 0) != (name == "none") {
			t.Errorf("%s: %d lines notice", name, killed)
		}
	}
}

// mutantOf returns a cas-register that sees its operations changed.
func mutantOf(mutate func(held model.Value, op *model.Op)) model.Model {
	return model.Spec[model.Value]{
		Name: "mutant", Kinds: cas.Kinds(), Init: null,
		Step: func(held model.Value, op model.Op) (model.Value, bool) {
			mutate(held, &op)
			first := model.Op{Kind: model.Write, Value: held}
			state, legal := cas.Replay(first, op)
			if legal < 2 {
				return held, false
			}
			return parse(state), true
		},
	}.Model()
}

func parse(state string) model.Value {
	if state == null.String() {
		return null
	}
	v, err := strconv.ParseInt(state, 10, 64)
	if err != nil {
		panic(err)
	}
	return model.Value(v)
}

// What is no list, and no count, is not judged: it is of something else.
func TestRefuseStrange(t *testing.T) {
	for _, c := range []struct {
		m    model.Model
		op   model.Op
		want string
	}{
		{list, getText("[1 2]"), ""},
		{list, getText("[]"), ""},
		{list, getText(""), ""},
		{list, open(getText("ab")), ""},
		{list, add("a"), ""},
		{list, getText("ab"), `saw "ab", expected a list such as [1 2]`},
		{list, getText("["), `saw "[", expected a list such as [1 2]`},
		{list, getText("[1,2]"), `saw "[1,2]", expected a list such as [1 2]`},
		{list, getText("[1  2]"), `saw "[1  2]", expected a list such as [1 2]`},
		{list, getText("[[1] 2]"), `saw "[[1] 2]", expected a list such as [1 2]`},
		{list, add("x y"), `adds "x y", expected an element: a text without spaces, commas and brackets`},
		{list, open(add("")), `adds "", expected an element: a text without spaces, commas and brackets`},
		{count, get(3), ""},
		{count, get(unseen), ""},
		{count, open(get(null)), ""},
		{count, get(null), "saw nil, expected a number"},
		{kv, getText("ab"), ""},
	} {
		got := ""
		if err := c.m.Refuse(c.op); err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%s: %v: %q, expected %q", c.m.Name(), c.op, got, c.want)
		}
	}
}

func TestRefuse(t *testing.T) {
	for _, c := range []struct {
		m    model.Model
		k    model.Kind
		want string
	}{
		{model.Register(), model.CAS, "is a cas, expected read, write or delete"},
		{model.CASRegister(), model.Append, "is an append, expected read, write, cas or delete"},
		{model.KV(), 0, "is a kind(0), expected read, write, delete or append"},
		{model.KV(), 200, "is a kind(200), expected read, write, delete or append"},
	} {
		if err := c.m.Refuse(model.Op{Kind: c.k}); err == nil || err.Error() != c.want {
			t.Errorf("%v, expected %s", err, c.want)
		}
		for _, k := range c.m.Kinds() {
			if err := c.m.Refuse(model.Op{Kind: k, Text: "x"}); err != nil {
				t.Error(err)
			}
		}
	}
	if (model.Model{}).Accepts(model.Read) || (model.Model{}).Kinds() != nil {
		t.Error("the zero model accepts something")
	}
}

func TestByName(t *testing.T) {
	for _, m := range model.All() {
		if got, err := model.ByName(m.Name()); err != nil || got.Name() != m.Name() {
			t.Errorf("%s: %v", m.Name(), err)
		}
	}
	if _, err := model.ByName("stack"); err == nil || err.Error() != `no model "stack", expected register, cas-register, multi-register, mutex, kv, set, counter, queue or list` {
		t.Errorf("stack: %v", err)
	}
}

// maxRegister keeps the largest value ever written.
var maxRegister = model.Spec[model.Value]{
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

func ExampleSpec() {
	fmt.Println(maxRegister.Replay(put(7), put(3), get(7)))
	fmt.Println(maxRegister.Replay(put(7), put(3), get(3)))
	// Output:
	// 7 3
	// 7 2
}

func TestIncompleteSpecifications(t *testing.T) {
	type spec = model.Spec[[]int]
	step := func(s []int, _ model.Op) ([]int, bool) { return s, true }
	kinds := []model.Kind{model.Read}
	for want, s := range map[string]spec{
		"without a name":     {Kinds: kinds, Step: step},
		"no Step":            {Name: "m", Kinds: kinds},
		"no Kinds":           {Name: "m", Step: step},
		"not comparable":     {Name: "m", Kinds: kinds, Step: step},
		"no such kind: kind": {Name: "m", Kinds: []model.Kind{0}, Step: step, Equal: func(a, b []int) bool { return true }},
	} {
		func() {
			defer func() {
				if got := fmt.Sprint(recover()); !strings.Contains(got, want) {
					t.Errorf("panic %q, expected %q", got, want)
				}
			}()
			s.Model()
		}()
	}
}

func TestBudget(t *testing.T) {
	ops := []porcupine.Operation{}
	for i := range 5 {
		o := put(model.Value(i))
		ops = append(ops, porcupine.Operation{Input: &o, Call: int64(10 * i), Return: int64(10*i + 5)})
	}
	for limit, want := range map[int64]model.Budget{
		0: {Used: 5}, 5: {Limit: 5, Used: 5}, 9: {Limit: 9, Used: 5}, 4: {Limit: 4, Used: 4, Spent: true}, 1: {Limit: 1, Used: 1, Spent: true},
	} {
		b := model.Budget{Limit: limit}
		if ok := porcupine.CheckOperations(model.Register().Porcupine(&b), ops); b != want || ok == want.Spent {
			t.Errorf("%v %+v, expected %+v", ok, b, want)
		}
	}
}

func TestOpString(t *testing.T) {
	for want, o := range map[string]model.Op{
		"read -> 7": get(7), "read -> nil": get(model.Absent), "read: unknown": open(get(7)), "write 7": put(7), "delete": erase,
		"cas 3->4": swap(3, 4), "cas 3->4: failed": refused(3, 4, model.Unseen), "cas 3->4: failed, saw 5": refused(3, 4, 5),
		"cas 3->4: unknown": open(swap(3, 4)), `append "x"`: add("x"), `read -> "xy"`: getText("xy"),
	} {
		if got := o.String(); got != want {
			t.Errorf("%s, expected %s", got, want)
		}
	}
}
