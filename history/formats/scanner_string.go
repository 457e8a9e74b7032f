package formats

import (
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

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
