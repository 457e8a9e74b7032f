package history

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/rashomon-go/rashomon/model"
)

// jsonCursor walks through one line of JSON. encoding/json would accept what a
// strict reader must not (fields twice, fields in the wrong case) and would not
// say in which column it stumbled.
type jsonCursor struct {
	line   []byte
	i      int
	nameAt int // where the name of the latest field begins
}

// columnError is an error at a byte of the line, counted from 0.
type columnError struct {
	at  int
	err error
}

func (e *columnError) Error() string { return e.err.Error() }

func wrong(at int, format string, args ...any) error {
	return &columnError{at, fmt.Errorf(format, args...)}
}

func (c *jsonCursor) space() {
	for c.i < len(c.line) && (c.line[c.i] == ' ' || c.line[c.i] == '\t') {
		c.i++
	}
}

// what describes the rest of the line, for messages.
func (c *jsonCursor) what() string {
	if c.i >= len(c.line) {
		return "the line ends"
	}
	r, _ := utf8.DecodeRune(c.line[c.i:])
	return fmt.Sprintf("%q", r)
}

func (c *jsonCursor) take(b byte) bool {
	c.space()
	if c.i < len(c.line) && c.line[c.i] == b {
		c.i++
		return true
	}
	return false
}

func (c *jsonCursor) expect(b byte) error {
	if !c.take(b) {
		return wrong(c.i, "%s, expected %q", c.what(), b)
	}
	return nil
}

// open begins an object.
func (c *jsonCursor) open() error { return c.expect('{') }

// field returns the name of the next field, or nil after the last one.
func (c *jsonCursor) field(first bool) ([]byte, error) {
	if c.take('}') {
		return nil, nil
	}
	if !first {
		if !c.take(',') {
			return nil, wrong(c.i, "%s, expected ',' or '}'", c.what())
		}
	}
	c.space()
	c.nameAt = c.i
	name, err := c.text()
	if err != nil {
		return nil, err
	}
	if err := c.expect(':'); err != nil {
		return nil, err
	}
	c.space()
	return name, nil
}

func (c *jsonCursor) end() error {
	if c.space(); c.i < len(c.line) {
		return wrong(c.i, "%s after the object, expected the end of the line", c.what())
	}
	return nil
}

// text returns a string, valid as long as the line.
func (c *jsonCursor) text() ([]byte, error) {
	if !c.take('"') {
		return nil, wrong(c.i, "%s, expected a string", c.what())
	}
	start := c.i
	plain := true
	for ; c.i < len(c.line); c.i++ {
		switch b := c.line[c.i]; {
		case b == '"':
			raw := c.line[start:c.i]
			c.i++
			if plain {
				return raw, nil
			}
			return unquoted(c.line[start-1:c.i], start-1)
		case b == '\\':
			plain = false
			c.i++
		case b < ' ' || b >= utf8.RuneSelf:
			plain = false
		}
	}
	return nil, wrong(len(c.line), "the line ends inside the string that began in column %d, expected '\"'", start)
}

func unquoted(quoted []byte, at int) ([]byte, error) {
	if !utf8.Valid(quoted) {
		return nil, wrong(at, "a string that is not valid UTF-8, expected UTF-8")
	}
	var s string
	if err := json.Unmarshal(quoted, &s); err != nil {
		return nil, wrong(at, "a malformed string (%v), expected a JSON string", err)
	}
	if lone := loneSurrogate(quoted); lone >= 0 {
		return nil, wrong(at+lone, "half a surrogate pair %s, expected both halves", quoted[lone:lone+6])
	}
	return []byte(s), nil
}

// loneSurrogate returns where the first escape of a well-formed string stands
// that is half a surrogate pair, or -1. encoding/json makes U+FFFD of every
// such half, so that different texts would become the same.
func loneSurrogate(quoted []byte) int {
	for i := 0; i < len(quoted); i++ {
		if quoted[i] != '\\' {
			continue
		}
		r := escaped(quoted[i:])
		switch {
		case !utf16.IsSurrogate(r):
			i++
		case utf16.DecodeRune(r, escaped(quoted[i+6:])) == utf8.RuneError:
			return i
		default:
			i += 11
		}
	}
	return -1
}

// escaped returns the code of the \u that b begins with, or -1.
func escaped(b []byte) rune {
	if len(b) < 6 || b[0] != '\\' || b[1] != 'u' {
		return -1
	}
	n, err := strconv.ParseUint(string(b[2:6]), 16, 32)
	if err != nil {
		return -1
	}
	return rune(n)
}

// integer returns a whole number between lo and hi.
func (c *jsonCursor) integer(lo, hi int64) (int64, error) {
	start := c.i
	negative := c.take('-')
	digits := c.i
	var n uint64
	for ; c.i < len(c.line) && c.line[c.i] >= '0' && c.line[c.i] <= '9'; c.i++ {
		if n > math.MaxInt64/10 {
			return 0, wrong(start, "a number out of range, expected %d..%d", lo, hi)
		}
		n = n*10 + uint64(c.line[c.i]-'0')
	}
	switch {
	case c.i == digits:
		c.i = start
		return 0, wrong(start, "%s, expected a whole number", c.what())
	case c.line[digits] == '0' && c.i > digits+1:
		return 0, wrong(start, "a number with leading zeros, expected none")
	case c.i < len(c.line) && (c.line[c.i] == '.' || c.line[c.i]|0x20 == 'e'):
		return 0, wrong(start, "a fraction, expected a whole number")
	case n > math.MaxInt64:
		return 0, wrong(start, "a number out of range, expected %d..%d", lo, hi)
	}
	v := int64(n)
	if negative {
		v = -v
	}
	if v < lo || v > hi {
		return 0, wrong(start, "number %d, expected %d..%d", v, lo, hi)
	}
	return v, nil
}

// boolean returns true or false.
func (c *jsonCursor) boolean() (bool, error) {
	switch {
	case c.word("true"):
		return true, nil
	case c.word("false"):
		return false, nil
	}
	return false, wrong(c.i, "%s, expected true or false", c.what())
}

func (c *jsonCursor) word(w string) bool {
	if bytes.HasPrefix(c.line[c.i:], []byte(w)) {
		c.i += len(w)
		return true
	}
	return false
}

// The smallest number that is not one of the special values.
const leastValue = int64(model.Unseen) + 1

// jsonScalar is a value as it stands in the line.
type jsonScalar struct {
	number model.Value // Absent for null
	text   []byte      // not nil for a text
}

// jsonValue is a value, or several: the elements of a set, what a transaction was told,
// or the steps of one.
type jsonValue struct {
	jsonScalar
	list jsonList
}

func (c *jsonCursor) value() (jsonScalar, error) {
	if c.word("null") {
		return jsonScalar{number: model.Absent}, nil
	}
	if c.i < len(c.line) && c.line[c.i] == '"' {
		text, err := c.text()
		if text == nil {
			text = []byte{}
		}
		return jsonScalar{text: text}, err
	}
	if c.i < len(c.line) && (c.line[c.i] == '-' || c.line[c.i] >= '0' && c.line[c.i] <= '9') {
		n, err := c.integer(leastValue, math.MaxInt64)
		return jsonScalar{number: model.Value(n)}, err
	}
	return jsonScalar{}, wrong(c.i, "%s, expected a whole number, a string or null", c.what())
}

// valueOr returns a value, or a list whose elements element goes past.
func (c *jsonCursor) valueOr(element func() error) (v jsonValue, err error) {
	if c.i < len(c.line) && c.line[c.i] == '[' {
		v.list, err = c.list(element)
	} else {
		v.jsonScalar, err = c.value()
	}
	return v, err
}

// names returns a list of different strings.
func (c *jsonCursor) names() ([]string, error) {
	list := []string{}
	known := map[string]bool{}
	err := c.elements(func(at int) error {
		s, err := c.text()
		if err == nil && known[string(s)] {
			err = wrong(at, "name %q twice, expected names used once", s)
		}
		known[string(s)] = true
		list = append(list, string(s))
		return err
	})
	return list, err
}
