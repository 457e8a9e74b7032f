package formats

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

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

type formKind uint8

const (
	nilForm formKind = iota + 1
	boolean
	integer
	number // not a 64-bit integer
	text
	symbol // and characters
	keyword
	sequence // vector or list
	mapping  // items are keys and values in turn
	set
)

var formKinds = [...]string{
	nilForm: "nil", boolean: "a boolean", integer: "a number", number: "a number that is no 64-bit integer",
	text: "a text", symbol: "a symbol", keyword: "a keyword", sequence: "a vector", mapping: "a map", set: "a set",
}

// form is a piece of EDN. Metadata are dropped, and so are tags, but that they
// were there.
type form struct {
	kind         formKind
	tagged       bool // a tag or a mark says that it is not what it looks like
	line, column int
	n            int64
	text         string // keyword (without the colon), symbol, text, number
	items        []form
}

func (f *form) is(k formKind, text string) bool { return f.kind == k && f.text == text }

// describe returns f as a message names it.
func (f *form) describe() string {
	if f.tagged {
		return formKinds[f.kind] + " with a tag"
	}
	switch f.kind {
	case nilForm:
		return "nil"
	case integer:
		return strconv.FormatInt(f.n, 10)
	case keyword:
		return shorten(":" + f.text)
	case text:
		return shorten(strconv.Quote(f.text))
	case symbol, number, boolean:
		return shorten(f.text)
	}
	return formKinds[f.kind]
}

func shorten(s string) string {
	if len(s) > 60 {
		return s[:60] + "…"
	}
	return s
}

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
	stack []form // items of collections that are still open
	arena []form // items of collections that are complete
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
			break
		}
		if err := s.tooLong(); err != nil {
			return err
		}
		item, err := s.form(depth + 1)
		if err != nil {
			return err
		}
		s.stack = append(s.stack, item)
	}
	s.pos++
	if kind == mapping && (len(s.stack)-mine)%2 != 0 {
		return s.failAt(f.line, f.column, "a map with a key that has no value, expected keys and values in pairs")
	}
	from := len(s.arena)
	s.arena = append(s.arena, s.stack[mine:]...)
	f.items = s.arena[from:len(s.arena):len(s.arena)]
	s.stack = s.stack[:mine]
	return nil
}

func (s *scanner) tooLong() error {
	if s.base+int64(s.pos)-s.start > maxForm {
		return s.fail("an operation of more than %d bytes, expected shorter ones", maxForm)
	}
	return nil
}

// quoted reads a string, with its escapes or, in a regular expression, as it
// stands.
func (s *scanner) quoted(f *form, escapes bool) error {
	s.pos++
	s.token = s.token[:0]
	for {
		c, ok := s.peek()
		if !ok {
			return s.fail("the %s ends inside a string that began at %d:%d, expected '\"': it is cut off", s.unit(), f.line, f.column)
		}
		switch {
		case c == '"':
			s.pos++
			return s.endString(f)
		case c == '\\' && escapes:
			if err := s.escape(); err != nil {
				return err
			}
			continue
		case c == '\\':
			s.pos++
			s.token = append(s.token, c)
			if c, ok = s.peek(); !ok {
				continue
			}
		}
		s.token = append(s.token, c)
		s.advance()
		if len(s.token)&0xfff == 0 {
			if err := s.tooLong(); err != nil {
				return err
			}
		}
	}
}

func (s *scanner) endString(f *form) error {
	if !utf8.Valid(s.token) {
		return s.failAt(f.line, f.column, "a string that is not valid UTF-8, expected UTF-8")
	}
	f.text = s.intern()
	return nil
}

var escapes = map[byte]byte{'n': '\n', 't': '\t', 'r': '\r', 'b': '\b', 'f': '\f', '\\': '\\', '"': '"'}

func (s *scanner) escape() error {
	at := s.column()
	s.pos++
	c, _ := s.peek()
	if b, plain := escapes[c]; plain {
		s.pos++
		s.token = append(s.token, b)
		return nil
	}
	if c != 'u' {
		return s.failAt(s.line, at, `an escape \%c, expected one of \n \t \r \b \f \\ \" \uXXXX`, c)
	}
	s.pos++
	r, err := s.hex(at)
	if err != nil {
		return err
	}
	if utf16.IsSurrogate(r) {
		if r, err = s.pair(at, r); err != nil {
			return err
		}
	}
	s.token = utf8.AppendRune(s.token, r)
	return nil
}

// pair returns the character whose first half was read. Java, and so Jepsen,
// writes characters beyond U+FFFF in two halves; one half is no character.
func (s *scanner) pair(at int, first rune) (rune, error) {
	if c, _ := s.peek(); c == '\\' && s.follows('u') {
		s.pos += 2
		second, err := s.hex(at)
		if err != nil {
			return 0, err
		}
		if r := utf16.DecodeRune(first, second); r != utf8.RuneError {
			return r, nil
		}
	}
	return 0, s.failAt(s.line, at, `half a surrogate pair \u%04x, expected both halves`, first)
}

// hex reads the four digits of an escape that began in column at.
func (s *scanner) hex(at int) (rune, error) {
	var r rune
	for range 4 {
		c, ok := s.peek()
		digit, err := strconv.ParseUint(string(rune(c)), 16, 8)
		if !ok || err != nil {
			return 0, s.failAt(s.line, at, `a malformed \u, expected four hexadecimal digits after it`)
		}
		r = r<<4 | rune(digit)
		s.pos++
	}
	return r, nil
}

// delimits marks the bytes at which a word ends.
var delimits = func() (d [256]bool) {
	for _, c := range " \t\r\n\f,()[]{}\";" {
		d[c] = true
	}
	return d
}()

// word reads up to the next delimiter into f.text.
func (s *scanner) word(f *form) error {
	s.token = s.token[:0]
	for {
		c, ok := s.peek()
		if !ok || delimits[c] {
			break
		}
		s.token = append(s.token, c)
		s.pos++
		if c == '\\' && len(s.token) == 1 { // a character, which may be a delimiter
			if c, ok = s.peek(); ok {
				s.token = append(s.token, c)
				s.advance()
			}
		}
		if len(s.token) > maxForm {
			return s.tooLong()
		}
	}
	f.text = s.intern()
	return s.broken()
}

// intern returns the token as a string. Words and keys repeat for ever, so each
// is allocated once; long texts hardly do.
func (s *scanner) intern() string {
	if len(s.token) > 64 {
		return string(s.token)
	}
	if w, known := s.words[string(s.token)]; known {
		return w
	}
	if s.words == nil || len(s.words) > 1<<16 {
		s.words = map[string]string{}
	}
	w := string(s.token)
	s.words[w] = w
	return w
}

// atom reads what is not a collection or a string. Words that are not known are
// symbols: only who needs the value can say whether that is wrong.
func (s *scanner) atom(f *form) error {
	if err := s.word(f); err != nil {
		return err
	}
	w := f.text
	switch {
	case w == "nil":
		f.kind = nilForm
	case w == "true" || w == "false":
		f.kind = boolean
	case w[0] == ':':
		f.kind, f.text = keyword, w[1:]
	case isDigit(w[0]), len(w) > 1 && (w[0] == '-' || w[0] == '+') && isDigit(w[1]):
		f.kind = number
		if zerosLead(w) {
			return s.failAt(f.line, f.column, "%s, expected a number without leading zeros", shorten(w))
		}
		if n, err := strconv.ParseInt(trimN(w), 10, 64); err == nil {
			f.kind, f.n = integer, n
		}
	default:
		f.kind = symbol
	}
	return nil
}

// zerosLead reports whether w is a whole number that begins with more zeros than
// EDN allows. Clojure reads it as octal, others do not.
func zerosLead(w string) bool {
	digits := strings.TrimLeft(trimN(w), "+-")
	return len(digits) > 1 && digits[0] == '0' && strings.Trim(digits, "0123456789") == ""
}

// trimN drops the N of an integer that may be big.
func trimN(w string) string {
	if w[len(w)-1] == 'N' {
		return w[:len(w)-1]
	}
	return w
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }
