package formats

import (
	"slices"
	"strconv"
	"strings"

	"github.com/rashomon-go/rashomon/model"
)

// form reads one form. At the end of the file, or before a closing delimiter, it
// fails.
func (s *scanner) form(depth int) (form, error) {
	if depth > maxDepth {
		return form{}, s.fail("a value nested more than %d deep, expected less", maxDepth)
	}
	c, ok, err := s.skip(depth)
	if err != nil {
		return form{}, err
	}
	if !ok {
		return form{}, s.fail("the %s ends, expected a value: it is cut off", s.unit())
	}
	f := form{line: s.line, column: s.column()}
	switch c {
	case '[':
		return f, s.collection(&f, sequence, ']', depth)
	case '(':
		return f, s.collection(&f, sequence, ')', depth)
	case '{':
		return f, s.collection(&f, mapping, '}', depth)
	case '"':
		f.kind = text
		return f, s.quoted(&f, true)
	case '#':
		return s.dispatch(f, depth)
	case '^':
		s.pos++
		if _, err := s.form(depth + 1); err != nil {
			return f, err
		}
		return s.form(depth + 1)
	case ']', ')', '}':
		return f, s.fail("%q, expected a value", c)
	}
	return f, s.atom(&f)
}

func (s *scanner) dispatch(f form, depth int) (form, error) {
	s.pos++
	c, _ := s.peek()
	switch c {
	case '{':
		return f, s.collection(&f, set, '}', depth)
	case '"': // a regular expression
		f.kind, f.tagged = text, true
		return f, s.quoted(&f, false)
	case '#': // ##NaN
		f.kind = number
		s.pos++
		return f, s.word(&f)
	}
	var tag form
	if err := s.word(&tag); err != nil {
		return f, err
	}
	if tag.text == "" {
		return f, s.failAt(f.line, f.column, "'#' without a tag, expected one such as #jepsen.history.Op")
	}
	value, err := s.form(depth + 1)
	if err == nil && tag.text[0] == ':' {
		return value, s.namespace(&f, tag.text[1:], &value)
	}
	value.tagged = true
	return value, err
}

// namespace gives the keys of a map such as #:jepsen{:a 1, :_/b 2} the names
// that they stand for, :jepsen/a and :b.
func (s *scanner) namespace(tag *form, name string, f *form) error {
	if name == "" || name[0] == ':' || f.kind != mapping {
		return s.failAt(tag.line, tag.column, "#:%s before %s, expected a namespace and a map such as #:jepsen{:a 1}", name, f.describe())
	}
	for i := 0; i < len(f.items); i += 2 {
		key := &f.items[i]
		if key.kind != keyword && key.kind != symbol {
			continue
		}
		if plain, without := strings.CutPrefix(key.text, "_/"); without {
			key.text = plain
		} else if !strings.Contains(key.text, "/") {
			key.text = name + "/" + key.text
		}
	}
	return nil
}

func (s *scanner) collection(f *form, kind formKind, closing byte, depth int) error {
	f.kind = kind
	s.pos++
	s.endRun() // of the collection around this one
	mine := len(s.stack)
	for {
		c, ok, err := s.skip(depth)
		if err != nil {
			return err
		}
		if !ok {
			return s.fail("the %s ends inside %s that began at %d:%d, expected %q: it is cut off", s.unit(), formKinds[kind], f.line, f.column, closing)
		}
		if c == closing {
			s.endRun()
			break
		}
		if err := s.tooLong(); err != nil {
			return err
		}
		item, err := s.form(depth + 1)
		if err != nil {
			return err
		}
		if kind != mapping && len(s.stack)-mine >= plainItems && isPlain(&item) {
			s.addToRun(&item)
		} else {
			s.endRun()
			s.push(item)
		}
	}
	s.pos++
	if kind == mapping && (len(s.stack)-mine)%2 != 0 {
		return s.failAt(f.line, f.column, "a map with a key that has no value, expected keys and values in pairs")
	}
	f.items = s.keep(s.stack[mine:])
	s.stack = s.stack[:mine]
	return nil
}

// A long list or set of numbers is kept as runs: a form takes dozens of bytes, and a
// number may take two in the file. No value but those of reads is so long.
const (
	plainItems = 64      // of a collection are no runs
	longestRun = 4 << 10 // bytes
)

// isPlain reports whether f is a number that may be in a run.
func isPlain(f *form) bool {
	return f.kind == integer && !f.tagged && f.n > int64(model.Unseen)
}

// addToRun keeps a number until its run ends.
func (s *scanner) addToRun(f *form) {
	if s.count == 0 {
		s.first = *f
	}
	s.run = append(strconv.AppendInt(s.run, f.n, 10), ' ')
	if s.count++; len(s.run) >= longestRun {
		s.endRun()
	}
}

// endRun makes an item of the numbers kept.
func (s *scanner) endRun() {
	if s.count > 0 {
		s.push(form{kind: run, n: s.count, text: string(s.run), line: s.first.line, column: s.first.column})
		s.run, s.count = s.run[:0], 0
	}
}

// push puts an item of a collection that is still open on the stack. append would grow
// a long one by a quarter, and leave four times as much behind.
func (s *scanner) push(item form) {
	if len(s.stack) == cap(s.stack) {
		s.stack = slices.Grow(s.stack, max(64, len(s.stack)))
	}
	s.stack = append(s.stack, item)
}

// keep copies the items of a collection that is complete into the arena. What stands
// there stays: if there is no more room, another one begins.
func (s *scanner) keep(items []form) []form {
	if cap(s.arena)-len(s.arena) < len(items) {
		s.arena = make([]form, 0, max(64, len(items), min(2*cap(s.arena), arenaForms)))
	}
	from := len(s.arena)
	s.arena = append(s.arena, items...)
	return s.arena[from:len(s.arena):len(s.arena)]
}

// arenaForms is how many forms an arena has room for at most, unless one collection has
// more.
const arenaForms = 1 << 14

func (s *scanner) tooLong() error {
	if s.base+int64(s.pos)-s.start > maxForm {
		return s.fail("an operation of more than %d bytes, expected shorter ones", maxForm)
	}
	return nil
}
