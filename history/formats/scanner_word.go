package formats

import (
	"strconv"
	"strings"
)

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
