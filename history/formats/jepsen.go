package formats

import (
	"cmp"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/rashomon-go/rashomon/history"
	"github.com/rashomon-go/rashomon/model"
)

// theKey names the only key of histories that name none.
const theKey = "x"

// entry is one event as Jepsen writes it, in a map or in the columns of a log.
// Forms of kind 0 were not given.
type entry struct {
	whole   form // for messages about what is missing
	process form
	typ     form
	f       form
	key     form
	value   form
	err     form
	time    form
	index   form
}

// jepsen turns entries into a history.
type jepsen struct {
	name string
	info *Info
	rec  history.Recorder

	keyed  bool // every operation must have a :key
	tuples undecided
	texts  undecided // values are texts

	appends undecided // of elements to lists, not of texts to texts
	counts  bool      // a read told a number
	answers []collection

	keyKinds map[string]formKind
	calls    []called // by operation
	index    int64
	now      time.Duration
	early    int  // entries whose time came before that of an earlier one
	back     form // the time of the first of them
}

// collection is what a read of a set or of a list told.
type collection struct {
	op           int
	line, column int
	elements     []model.Value // as they stood there
	seen         model.Value   // of a list
}

// undecided is a property of a history that its first operation decides.
type undecided uint8

const (
	open undecided = iota
	no
	yes
)

// called is what is kept of a call for its completion.
type called struct {
	line  int
	kind  model.Kind
	key   string
	value model.Value
	other model.Value // CAS: what must be there
	txn   []model.Micro
}

func newJepsen(name string, info *Info) *jepsen {
	return &jepsen{name: name, info: info, keyed: info.Format == PorcupineKV, keyKinds: map[string]formKind{}, index: -1}
}

func (j *jepsen) finish() (*history.History, error) {
	if j.early > 0 {
		j.note("time runs backwards at %s:%d:%d (the first of %d): the order of the file counts, and the time of the event before",
			j.name, j.back.line, j.back.column, j.early)
	}
	if j.info.FailedCAS > 0 {
		j.note("%d failed cas without :error, taken as failed comparisons", j.info.FailedCAS)
	}
	if j.info.Skipped > 0 {
		j.note("%d lines that are no operations, skipped", j.info.Skipped)
	}
	lists := j.appends == yes
	for i := range j.answers {
		if lists {
			j.answers[i].text(&j.rec)
		}
	}
	h := j.rec.Finish(j.now)
	return h, j.settle(h)
}

func (j *jepsen) note(format string, args ...any) {
	j.info.Notes = append(j.info.Notes, fmt.Sprintf(format, args...))
}

func (j *jepsen) wrong(at *form, format string, args ...any) error {
	return &history.ReadError{Name: j.name, Line: at.line, Column: at.column, Err: fmt.Errorf(format, args...)}
}

// orWhole returns the place of f, or that of the entry if f was not given.
func (e *entry) orWhole(f *form) *form {
	if f.kind == 0 {
		return &e.whole
	}
	return f
}

func (j *jepsen) add(e *entry) error {
	if err := j.position(e); err != nil {
		return err
	}
	switch {
	case e.process.kind == keyword:
		j.info.Nemesis++
		return nil
	case e.process.kind == 0:
		return j.wrong(&e.whole, "an operation without :process, expected a number or :nemesis")
	case e.process.kind != integer || e.process.n < math.MinInt32 || e.process.n > math.MaxInt32:
		return j.wrong(&e.process, "process %s, expected a number or :nemesis", e.process.describe())
	case e.typ.kind == 0:
		return j.wrong(&e.whole, "an operation without :type, expected :invoke, :ok, :fail or :info")
	}
	kind, err := j.kind(e)
	if err != nil {
		return err
	}
	switch {
	case e.typ.is(keyword, "invoke"):
		return j.invoke(e, kind)
	case e.typ.is(keyword, "ok"), e.typ.is(keyword, "fail"), e.typ.is(keyword, "info"):
		return j.complete(e, kind)
	}
	return j.wrong(&e.typ, "type %s, expected :invoke, :ok, :fail or :info", e.typ.describe())
}

// position takes the time and checks the order. The order of entries is the
// order of events; times are for drawing only, so that a clock that stepped back
// is no reason to refuse a history.
//
// A field that is nil is as good as none: Jepsen's records print what is not set.
func (j *jepsen) position(e *entry) error {
	if err := cmp.Or(j.wholeNumber(":index", &e.index), j.wholeNumber(":time", &e.time)); err != nil {
		return err
	}
	if e.index.kind == integer {
		if e.index.n <= j.index {
			return j.wrong(&e.index, "index %d after index %d, expected increasing ones", e.index.n, j.index)
		}
		j.index = e.index.n
	}
	if e.time.kind != integer {
		return nil
	}
	if at := time.Duration(e.time.n); at < j.now {
		if j.early++; j.early == 1 {
			j.back = e.time
		}
	} else {
		j.now = at
	}
	return nil
}

func (j *jepsen) wholeNumber(name string, f *form) error {
	if f.kind <= nilForm || f.kind == integer {
		return nil
	}
	return j.wrong(f, "%s %s, expected a whole number", name, f.describe())
}

var kinds = map[string]model.Kind{
	"read": model.Read, "get": model.Read,
	"write": model.Write, "put": model.Write,
	"cas": model.CAS, "append": model.Append, "delete": model.Delete,
	"add": model.Add, "increment": model.Increment,
	"acquire": model.Acquire, "release": model.Release,
	"enqueue": model.Enqueue, "dequeue": model.Dequeue,
	"txn": model.Txn,
}

const names = ":read, :write, :cas, :get, :put, :append, :delete, :add, :increment, :acquire, :release, :enqueue, :dequeue or :txn"

func (j *jepsen) kind(e *entry) (model.Kind, error) {
	if k, known := kinds[e.f.text]; known && e.f.kind == keyword {
		return k, nil
	}
	if e.f.kind == 0 {
		return 0, j.wrong(&e.whole, "an operation without :f, expected "+names)
	}
	return 0, j.wrong(&e.f, "operation %s, expected "+names, e.f.describe())
}

func (j *jepsen) invoke(e *entry, kind model.Kind) error {
	kind = asTxn(kind, &e.value)
	key, value, err := j.split(e, kind)
	if err != nil {
		return err
	}
	c := called{line: e.whole.line, kind: kind, key: key}
	if err := j.arguments(&c, e, value); err != nil {
		return err
	}
	_, err = j.rec.Call(history.Asked{
		Process: int32(e.process.n), Kind: kind, Key: key, Value: c.value, Expect: c.other, Txn: c.txn, Node: history.NoNode,
	}, j.now)
	if err != nil {
		if i, busy := j.rec.Open(int32(e.process.n)); busy {
			return j.wrong(&e.process, "%w (it was called in line %d)", err, j.calls[i].line)
		}
		return j.wrong(&e.process, "%w", err)
	}
	j.calls = append(j.calls, c)
	return nil
}

// arguments takes what an operation asks for.
func (j *jepsen) arguments(c *called, e *entry, value *form) (err error) {
	switch c.kind {
	case model.Acquire, model.Release:
		return nil // whatever the client says about itself
	case model.Read, model.Delete, model.Dequeue:
		if value.kind > nilForm {
			return j.wrong(value, "%s to %s, expected nil", value.describe(), c.kind)
		}
		return nil
	case model.CAS:
		if value.kind != sequence || len(value.items) != 2 {
			return j.wrong(e.orWhole(value), "a cas without [expected new]%s, expected two values in a vector", e.others(value))
		}
		if c.other, err = j.value(e, &value.items[0]); err != nil {
			return err
		}
		value = &value.items[1]
	case model.Append:
		return j.appended(c, e, value)
	case model.Txn:
		c.txn, err = j.steps(e, value, false)
		return err
	case model.Add, model.Increment:
		if value.kind != integer {
			return j.wrong(e.orWhole(value), "%s of no number%s, expected one", c.kind, e.others(value))
		}
	case model.Write:
		if value.kind == nilForm {
			return j.wrong(value, "a write of nil, expected a value (a :delete leaves nothing)")
		}
	case model.Enqueue:
		if value.kind == nilForm {
			return j.wrong(value, "to enqueue nil, expected a value")
		}
	}
	c.value, err = j.value(e, value)
	return err
}

// value returns what a form stands for.
func (j *jepsen) value(e *entry, f *form) (model.Value, error) {
	if f.tagged {
		return 0, j.wrong(f, "%s, expected a number, a text or nil", f.describe())
	}
	switch f.kind {
	case nilForm:
		return model.Absent, nil
	case text:
		if j.texts == no {
			return 0, j.wrong(f, "text %s, expected a number as before", f.describe())
		}
		j.texts = yes
		return j.rec.Text(f.text), nil
	case integer:
		if j.texts == yes {
			return 0, j.wrong(f, "number %d, expected a text", f.n)
		}
		if v := model.Value(f.n); v != model.Absent && v != model.Unseen {
			j.texts = no
			return v, nil
		}
		return 0, j.wrong(f, "number %d, expected one of at least %d", f.n, int64(model.Unseen)+1)
	case 0:
		return 0, j.wrong(&e.whole, "an operation without :value%s, expected a number, a text or nil", e.others(f))
	}
	return 0, j.wrong(f, "%s, expected a number, a text or nil", f.describe())
}

func (j *jepsen) complete(e *entry, kind model.Kind) error {
	i, busy := j.rec.Open(int32(e.process.n))
	if !busy {
		return j.wrong(&e.process, "process %d ends an operation but has none open, expected its :invoke first", e.process.n)
	}
	c := &j.calls[i]
	if c.kind == model.Txn && (kind == model.Read || kind == model.Write) {
		kind = model.Txn // and called so
	}
	if c.kind != kind {
		return j.wrong(&e.f, "the end of a %s of process %d, expected that of the %s called in line %d", kind, e.process.n, c.kind, c.line)
	}
	value, err := j.sameKey(e, c)
	if err != nil {
		return err
	}
	a, err := j.answer(e, c, value)
	if err != nil {
		return err
	}
	if err := j.rec.Return(i, a, j.now); err != nil {
		return j.wrong(&e.process, "%w", err)
	}
	return nil
}

// sameKey returns the value of a completion without its key, which must be that
// of the call. A completion that is not :ok may say something else than a tuple.
func (j *jepsen) sameKey(e *entry, c *called) (*form, error) {
	key, value := &e.key, &e.value
	if j.tuples == yes && isTuple(value, c.kind) {
		key, value = &value.items[0], &value.items[1]
	} else if j.tuples == yes && e.typ.is(keyword, "ok") {
		return nil, j.wrong(e.orWhole(value), "no [key value] tuple, expected one as in the call in line %d", c.line)
	}
	if key.kind == 0 {
		return value, nil
	}
	name, err := j.keyName(key)
	if err == nil && name != c.key {
		err = j.wrong(key, "key %s, expected %s as in the call in line %d", shorten(name), shorten(c.key), c.line)
	}
	return value, err
}

func (j *jepsen) answer(e *entry, c *called, value *form) (history.Answered, error) {
	a := history.Answered{Outcome: history.Unknown, Seen: model.Unseen, Node: history.NoNode}
	var err error
	switch e.typ.text {
	case "ok":
		a.Outcome, a.Swapped = history.OK, c.kind == model.CAS
		if c.kind == model.Txn {
			a.Told, err = j.told(e, c, value)
		} else if c.kind == model.Read && (value.kind == sequence || value.kind == set) && !value.tagged {
			i, _ := j.rec.Open(int32(e.process.n))
			err = j.several(i, value)
		} else if c.kind == model.Read || c.kind == model.Dequeue {
			a.Seen, err = j.value(e, value)
			j.counts = j.counts || c.kind == model.Read && value.kind == integer
		} else {
			err = j.sameValue(e, c, value)
		}
	case "fail":
		a.Outcome = history.Fail
		// A cas that failed did not take effect. Why it failed is known only if
		// nothing says otherwise: then the expected value was not there.
		if c.kind == model.CAS && e.err.kind <= nilForm && value.kind != keyword {
			a.Outcome = history.OK
			j.info.FailedCAS++
			err = j.sameValue(e, c, value)
		}
	}
	return a, err
}

// sameValue checks that a completion repeats what was asked for, if it says
// anything.
func (j *jepsen) sameValue(e *entry, c *called, value *form) error {
	if value.kind <= nilForm || c.kind == model.Delete {
		return nil
	}
	again := called{kind: c.kind}
	if err := j.arguments(&again, e, value); err != nil {
		return err
	}
	if again.value != c.value || again.other != c.other {
		return j.wrong(value, "another value than in the call in line %d, expected the same", c.line)
	}
	return nil
}

// recovered turns a panic of a reader into an error: a file must not be able to
// stop the program, whatever mistake it finds in a reader.
func recovered(name string, line *int, err *error) {
	if p := recover(); p != nil {
		*err = &history.ReadError{Name: name, Line: *line, Column: 1, Err: fmt.Errorf("the reader failed here (%s), expected an operation", strings.TrimSpace(fmt.Sprint(p)))}
	}
}
