package history

import (
	"github.com/rashomon-go/rashomon/model"
)

// jsonList is a list in a line, of which nothing is kept but where it stands: there may
// be millions of elements, and what they mean the other fields tell. It is read once to
// count them, and again for what they say.
type jsonList struct {
	line  []byte // nil if there is no list
	from  int
	count int
}

// jsonStep is a step of a transaction, such as ["w","a",1].
type jsonStep struct {
	kind     model.Kind
	register []byte
	value    jsonScalar // of a write
	valueAt  int
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

// list goes past a list, whose elements element goes past.
func (c *jsonCursor) list(element func() error) (jsonList, error) {
	l := jsonList{line: c.line, from: c.i}
	err := c.elements(func(int) error {
		l.count++
		return element()
	})
	return l, err
}

// again returns a cursor before the list.
func (l *jsonList) again() *jsonCursor { return &jsonCursor{line: l.line, i: l.from} }

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
		s.valueAt = c.i
		if s.value, err = c.value(); err != nil {
			return s, err
		}
		if s.value.text == nil && s.value.number == model.Absent {
			return s, wrong(s.valueAt, "null to write, expected a value")
		}
	}
	return s, c.expect(']')
}

// steps returns the steps of a transaction that is called.
func (j *jsonReader) steps(e *jsonEvent) ([]model.Micro, error) {
	if e.value.list.line == nil {
		return nil, wrong(e.at[fieldValue], `no transaction, expected steps such as [["r","a"],["w","b",1]]`)
	}
	list := make([]model.Micro, 0, e.value.list.count)
	c := e.value.list.again()
	err := c.elements(func(int) error {
		s, err := c.step()
		if err != nil {
			return err
		}
		m := model.Micro{Kind: s.kind, Register: j.intern(s.register)}
		if s.kind == model.Write {
			m.Value, err = j.plain(s.valueAt, s.value)
		}
		list = append(list, m)
		return err
	})
	return list, err
}

// told returns what the reads of transaction i were told.
func (j *jsonReader) told(e *jsonEvent, i int) ([]model.Value, error) {
	reads := readsOf(j.rec.h.Txn(j.rec.h.Ops[i].Value))
	if e.seen.list.line == nil || e.seen.list.count != reads {
		return nil, wrong(e.at[fieldSeen], "no list of %d values, expected one for each read of the transaction (called in line %d)", reads, j.calledIn[i])
	}
	list := make([]model.Value, 0, reads)
	c := e.seen.list.again()
	err := c.elements(func(at int) error {
		x, err := c.value()
		if err != nil {
			return err
		}
		v, err := j.plain(at, x)
		list = append(list, v)
		return err
	})
	return list, err
}

// set returns a list of increasing numbers.
func (j *jsonReader) set(list jsonList) (model.Value, error) {
	numbers := make([]model.Value, 0, list.count)
	c := list.again()
	err := c.elements(func(at int) error {
		x, err := c.value()
		switch n := len(numbers); {
		case err != nil:
			return err
		case x.text != nil || x.number == model.Absent:
			return wrong(at, "no number in a set, expected numbers")
		case n > 0 && x.number <= numbers[n-1]:
			return wrong(at, "element %d behind %d, expected increasing elements", x.number, numbers[n-1])
		}
		numbers = append(numbers, x.number)
		return nil
	})
	if err != nil {
		return 0, err
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
