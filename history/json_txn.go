package history

import (
	"github.com/rashomon-go/rashomon/model"
)

// jsonElement is a value in a list, of which a line may have millions.
type jsonElement struct {
	jsonScalar
	at int
}

// jsonStep is a step of a transaction, such as ["w","a",1].
type jsonStep struct {
	kind     model.Kind
	register []byte
	value    jsonElement // of a write
}

// elements calls element for each element of a list.
func (c *jsonCursor) elements(element func(at int) error) error {
	if err := c.expect('['); err != nil {
		return err
	}
	for first := true; !c.take(']'); first = false {
		if !first {
			if err := c.expect(','); err != nil {
				return err
			}
		}
		c.space()
		if err := element(c.i); err != nil {
			return err
		}
	}
	return nil
}

// list returns a list of values.
func (c *jsonCursor) list() ([]jsonElement, error) {
	list := []jsonElement{}
	err := c.elements(func(at int) error {
		v, err := c.value()
		list = append(list, jsonElement{v, at})
		return err
	})
	return list, err
}

// steps returns the steps of a transaction, such as [["w","a",1],["r","b"]].
func (c *jsonCursor) steps() ([]jsonStep, error) {
	list := []jsonStep{}
	err := c.elements(func(int) error {
		s, err := c.step()
		list = append(list, s)
		return err
	})
	return list, err
}

func (c *jsonCursor) step() (s jsonStep, err error) {
	if err := c.expect('['); err != nil {
		return s, err
	}
	c.space()
	at := c.i
	what, err := c.text()
	if err != nil {
		return s, err
	}
	switch string(what) {
	case "r":
		s.kind = model.Read
	case "w":
		s.kind = model.Write
	default:
		return s, wrong(at, `step %q of a transaction, expected "r" or "w"`, what)
	}
	if err := c.expect(','); err != nil {
		return s, err
	}
	c.space()
	if s.register, err = c.text(); err != nil {
		return s, err
	}
	if s.kind == model.Write {
		if err := c.expect(','); err != nil {
			return s, err
		}
		c.space()
		s.value.at = c.i
		if s.value.jsonScalar, err = c.value(); err != nil {
			return s, err
		}
		if s.value.text == nil && s.value.number == model.Absent {
			return s, wrong(s.value.at, "null to write, expected a value")
		}
	}
	return s, c.expect(']')
}

// steps returns the steps of a transaction that is called.
func (j *jsonReader) steps(e *jsonEvent) ([]model.Micro, error) {
	if e.value.steps == nil {
		return nil, wrong(e.at[fieldValue], `no transaction, expected steps such as [["r","a"],["w","b",1]]`)
	}
	list := make([]model.Micro, len(e.value.steps))
	for n := range e.value.steps {
		s := &e.value.steps[n]
		list[n] = model.Micro{Kind: s.kind, Register: j.intern(s.register)}
		if s.kind == model.Write {
			v, err := j.plain(s.value.at, s.value.jsonScalar)
			if err != nil {
				return nil, err
			}
			list[n].Value = v
		}
	}
	return list, nil
}

// told returns what the reads of transaction i were told.
func (j *jsonReader) told(e *jsonEvent, i int) ([]model.Value, error) {
	reads := readsOf(j.rec.h.Txn(j.rec.h.Ops[i].Value))
	if e.seen.list == nil || len(e.seen.list) != reads {
		return nil, wrong(e.at[fieldSeen], "no list of %d values, expected one for each read of the transaction (called in line %d)", reads, j.calledIn[i])
	}
	list := make([]model.Value, reads)
	for n, x := range e.seen.list {
		v, err := j.plain(x.at, x.jsonScalar)
		if err != nil {
			return nil, err
		}
		list[n] = v
	}
	return list, nil
}

// set returns a list of increasing numbers.
func (j *jsonReader) set(list []jsonElement) (model.Value, error) {
	numbers := make([]model.Value, len(list))
	for n, x := range list {
		switch {
		case x.text != nil || x.number == model.Absent:
			return 0, wrong(x.at, "no number in a set, expected numbers")
		case n > 0 && x.number <= numbers[n-1]:
			return 0, wrong(x.at, "element %d behind %d, expected increasing elements", x.number, numbers[n-1])
		}
		numbers[n] = x.number
	}
	return j.rec.Set(numbers...), nil
}

// told writes what the reads of a transaction were told, if they were.
func (j *jsonWriter) told(steps []model.Micro) {
	before := `,"seen":[`
	for _, m := range steps {
		if m.Kind == model.Read && m.Value != model.Unseen {
			j.line = append(j.line, before...)
			j.bare(m.Value)
			before = ","
		}
	}
	if before == "," {
		j.line = append(j.line, ']')
	}
}

func (j *jsonWriter) steps(steps []model.Micro) {
	j.line = append(j.line, `,"value":[`...)
	for i, m := range steps {
		if i > 0 {
			j.line = append(j.line, ',')
		}
		if m.Kind == model.Read {
			j.line = append(j.line, `["r",`...)
			j.line = appendJSON(j.line, m.Register)
		} else {
			j.line = append(j.line, `["w",`...)
			j.line = appendJSON(j.line, m.Register)
			j.line = append(j.line, ',')
			j.bare(m.Value)
		}
		j.line = append(j.line, ']')
	}
	j.line = append(j.line, ']')
}
