package formats

import (
	"fmt"
	"io"

	"github.com/rashomon-go/rashomon/history"
)

// The EDN scanner is our own because a reader of foreign histories must name
// the line and the column of every mistake, must bound the depth of nesting
// (Go cannot recover from a stack that is too deep), and must let through the
// objects, ratios and regular expressions that Clojure prints into the
// operations of a nemesis.

const (
	maxDepth = 100
	maxForm  = 16 << 20 // bytes of one top-level form
)

// scanner reads forms one after another. Forms stay valid until reset.
type scanner struct {
	name string
	src  io.Reader // nil if buf is everything
	err  error     // of src, other than io.EOF

	buf       []byte
	pos       int
	base      int64 // place of buf[0] in the file
	line      int
	lineStart int64

	start int64 // of the present top-level form
	token []byte
	words map[string]string
	run   []byte // numbers of the latest of these, not yet among its items
	count int64  // of them
	first form   // the first of them, for where it stands
	stack []form // items of collections that are still open
	arena []form // items of collections that are complete, as far as they found room
}

func newScanner(src io.Reader, name string) *scanner {
	return &scanner{name: name, src: src, line: 1}
}

// setLine makes the scanner read one line of a file, from a byte of it on.
func (s *scanner) setLine(line []byte, from, number int) {
	s.buf, s.pos, s.base, s.line, s.lineStart = line, from, 0, number, 0
	s.reset()
}

// reset gives up the forms read so far.
func (s *scanner) reset() {
	s.stack, s.arena = s.stack[:0], s.arena[:0]
	s.start = s.base + int64(s.pos)
}

func (s *scanner) column() int { return int(s.base + int64(s.pos) - s.lineStart + 1) }

func (s *scanner) fail(format string, args ...any) error {
	return s.failAt(s.line, s.column(), format, args...)
}

func (s *scanner) failAt(line, column int, format string, args ...any) error {
	err := fmt.Errorf(format, args...)
	if s.err != nil {
		err = s.err
	}
	return &history.ReadError{Name: s.name, Line: line, Column: column, Err: err}
}

// unit names what ends where no more bytes come.
func (s *scanner) unit() string {
	if s.src == nil {
		return "line"
	}
	return "file"
}

// peek returns the next byte. It reports false at the end of the file and on an
// error of the source, which every later failure then shows.
func (s *scanner) peek() (byte, bool) {
	if s.pos == len(s.buf) && !s.fill() {
		return 0, false
	}
	return s.buf[s.pos], true
}

// fill reads on, keeping what was not read yet.
func (s *scanner) fill() bool {
	if s.src == nil || s.err != nil {
		return false
	}
	if cap(s.buf) == 0 {
		s.buf = make([]byte, 0, 64<<10)
	}
	kept := copy(s.buf[:cap(s.buf)], s.buf[s.pos:])
	s.base += int64(s.pos)
	s.pos = 0
	for range 100 {
		n, err := s.src.Read(s.buf[kept:cap(s.buf)])
		s.buf = s.buf[:kept+n]
		if err != nil && err != io.EOF {
			s.err = err
		}
		if n > 0 || err != nil {
			return n > 0
		}
	}
	s.err = io.ErrNoProgress
	return false
}

// follows reports whether the byte after the next one is b.
func (s *scanner) follows(b byte) bool {
	if s.pos+1 >= len(s.buf) && !s.fill() {
		return false
	}
	return s.pos+1 < len(s.buf) && s.buf[s.pos+1] == b
}

func (s *scanner) advance() {
	if s.buf[s.pos] == '\n' {
		s.line++
		s.lineStart = s.base + int64(s.pos) + 1
	}
	s.pos++
}

// skip goes past white space, comments and discarded forms to the next byte.
func (s *scanner) skip(depth int) (byte, bool, error) {
	for {
		c, ok := s.peek()
		switch {
		case !ok:
			return 0, false, s.broken()
		case c == ' ' || c == '\n' || c == ',' || c == '\t' || c == '\r' || c == '\f':
			s.advance()
		case c == ';':
			s.comment()
		case c == '#' && s.follows('_'):
			s.pos += 2
			if _, err := s.form(depth + 1); err != nil {
				return 0, false, err
			}
		default:
			return c, true, nil
		}
	}
}

func (s *scanner) broken() error {
	if s.err != nil {
		return s.fail("")
	}
	return nil
}

func (s *scanner) comment() {
	for {
		c, ok := s.peek()
		if !ok || c == '\n' {
			return
		}
		s.pos++
	}
}
