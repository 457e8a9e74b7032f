package formats

import (
	"github.com/rashomon-go/rashomon/model"
)

// stepKinds are what steps of transactions are called.
var stepKinds = map[string]model.Kind{"r": model.Read, "read": model.Read, "w": model.Write, "write": model.Write}

// isTxn reports whether v is a transaction: steps such as [:r :x nil], in a vector.
func isTxn(v *form) bool {
	return v.kind == sequence && len(v.items) > 0 && v.items[0].kind == sequence && len(v.items[0].items) > 0 &&
		v.items[0].items[0].kind == keyword
}

// asTxn returns the kind of an operation that is called: what is called a read or a
// write, but has a transaction for its value, is one. Some tests name their
// transactions by what they do.
func asTxn(kind model.Kind, value *form) model.Kind {
	if kind != model.Read && kind != model.Write {
		return kind
	}
	if isTxn(value) || isTuple(value, kind) && isTxn(&value.items[1]) {
		return model.Txn
	}
	return kind
}

// steps returns the steps of a transaction. What its reads were told is there only
// if it was answered.
func (j *jepsen) steps(e *entry, value *form, answered bool) ([]model.Micro, error) {
	if value.kind != sequence {
		return nil, j.wrong(e.orWhole(value), "a transaction of no steps%s, expected steps such as [[:r :x nil] [:w :y 3]]", e.others(value))
	}
	list := make([]model.Micro, len(value.items))
	for n := range value.items {
		var err error
		if list[n], err = j.step(e, &value.items[n], answered); err != nil {
			return nil, err
		}
	}
	return list, nil
}

func (j *jepsen) step(e *entry, f *form, answered bool) (m model.Micro, err error) {
	if f.kind != sequence || len(f.items) != 3 {
		return m, j.wrong(f, "%s in a transaction, expected a step such as [:r :x nil] or [:w :y 3]", f.describe())
	}
	what, known := &f.items[0], false
	if m.Kind, known = stepKinds[what.text]; !known || what.kind != keyword {
		return m, j.wrong(what, "step %s of a transaction, expected :r or :w", what.describe())
	}
	if m.Register, err = j.keyName(&f.items[1]); err != nil {
		return m, err
	}
	value := &f.items[2]
	switch {
	case m.Kind == model.Read && !answered:
		m.Value = model.Unseen
		return m, nil
	case m.Kind == model.Write && value.kind == nilForm:
		return m, j.wrong(value, "a write of nil, expected a value")
	}
	m.Value, err = j.value(e, value)
	return m, err
}

// told returns what the reads of a transaction were told, which must have the steps
// of its call.
func (j *jepsen) told(e *entry, c *called, value *form) ([]model.Value, error) {
	steps, err := j.steps(e, value, true)
	if err != nil {
		return nil, err
	}
	if len(steps) != len(c.txn) {
		return nil, j.wrong(value, "a transaction of %d steps, expected %d as in the call in line %d", len(steps), len(c.txn), c.line)
	}
	told := []model.Value{}
	for n, m := range steps {
		was := c.txn[n]
		if m.Kind != was.Kind || m.Register != was.Register || m.Kind == model.Write && m.Value != was.Value {
			return nil, j.wrong(&value.items[n], "another step than in the call in line %d, expected the same", c.line)
		}
		if m.Kind == model.Read {
			told = append(told, m.Value)
		}
	}
	return told, nil
}
