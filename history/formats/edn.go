package formats

import (
	"io"
	"strings"

	"github.com/rashomon-go/rashomon/history"
)

// readEDN reads a vector, a list or a stream of operation maps.
func readEDN(r io.Reader, name string, info *Info) (h *history.History, err error) {
	s := newScanner(r, name)
	defer recovered(name, &s.line, &err)
	j := newJepsen(name, info)
	c, ok, err := s.skip(0)
	switch {
	case err != nil:
		return nil, err
	case ok && (c == '[' || c == '('):
		err = j.vector(s, c+closes[c])
	default:
		err = j.stream(s)
	}
	if err != nil {
		return nil, err
	}
	return j.finish()
}

// closes is the distance in ASCII from an opening to its closing delimiter.
var closes = map[byte]byte{'[': ']' - '[', '(': ')' - '('}

func (j *jepsen) stream(s *scanner) error {
	for {
		if _, ok, err := s.skip(0); err != nil || !ok {
			return err
		}
		if err := j.next(s); err != nil {
			return err
		}
	}
}

func (j *jepsen) vector(s *scanner, closing byte) error {
	line, column := s.line, s.column()
	s.pos++
	for {
		c, ok, err := s.skip(0)
		switch {
		case err != nil:
			return err
		case !ok:
			return s.fail("the file ends inside the vector that began at %d:%d, expected %q: it is cut off", line, column, closing)
		case c == closing:
			s.pos++
			return s.nothingMore()
		}
		if err := j.next(s); err != nil {
			return err
		}
	}
}

func (s *scanner) nothingMore() error {
	c, ok, err := s.skip(0)
	if ok {
		return s.fail("%q after the last operation, expected the end of the file", c)
	}
	return err
}

func (j *jepsen) next(s *scanner) error {
	s.reset()
	f, err := s.form(0)
	if err != nil {
		return err
	}
	if f.kind != mapping {
		return j.wrong(&f, "%s, expected an operation such as {:process 0, :type :invoke, :f :read, :value nil}", f.describe())
	}
	e, err := j.entry(&f)
	if err != nil {
		return err
	}
	return j.add(&e)
}

// entry picks out of a map what a history needs. Operations carry more: what
// clients and tests put there for themselves.
func (j *jepsen) entry(f *form) (entry, error) {
	e := entry{whole: *f}
	for i := 0; i < len(f.items); i += 2 {
		name := &f.items[i]
		if name.kind != keyword {
			return e, j.wrong(name, "%s for the name of a field, expected a keyword such as :process", name.describe())
		}
		field := e.field(name.text)
		if field == nil {
			continue
		}
		if field.kind != 0 {
			return e, j.wrong(name, "%s twice in one operation, expected it once", name.describe())
		}
		*field = f.items[i+1]
	}
	return e, nil
}

func (e *entry) field(name string) *form {
	switch name {
	case "process":
		return &e.process
	case "type":
		return &e.typ
	case "f":
		return &e.f
	case "key":
		return &e.key
	case "value":
		return &e.value
	case "error":
		return &e.err
	case "time":
		return &e.time
	case "index":
		return &e.index
	}
	return nil
}

// others names fields that mean nothing here, in place of a value that was not given:
// one of them may be a misspelt :value.
func (e *entry) others(value *form) string {
	var names []string
	for i := 0; i < len(e.whole.items) && value.kind == 0; i += 2 {
		if name := e.whole.items[i].text; e.field(name) == nil {
			names = append(names, ":"+name)
		}
	}
	if len(names) == 0 {
		return ""
	}
	return " (but with " + shorten(strings.Join(names, ", ")) + ")"
}
