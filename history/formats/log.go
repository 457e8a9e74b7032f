package formats

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"unicode"

	"github.com/rashomon-go/rashomon/history"
	"github.com/rashomon-go/rashomon/history/internal/lines"
)

// readLog reads lines of process, type, operation, value and, if there is one,
// error. Other lines of a logger are skipped.
func readLog(r io.Reader, name string, info *Info) (h *history.History, err error) {
	line := 0
	defer recovered(name, &line, &err)
	j := newJepsen(name, info)
	in := lines.NewReader(r)
	s := &scanner{name: name}
	for {
		line++
		text, err := in.Next()
		if err == io.EOF {
			return j.finish()
		}
		if err != nil {
			return nil, &history.ReadError{Name: name, Line: line, Column: 1, Err: err}
		}
		if in.Unended() {
			j.note("line %d has no end: the file may be cut off", line)
		}
		if err := j.logLine(s, text, line); err != nil {
			return nil, err
		}
	}
}

func (j *jepsen) logLine(s *scanner, text []byte, line int) error {
	from, operation := operationPart(text)
	switch {
	case operation && text[from] == ':': // a nemesis says whatever it likes
		j.info.Nemesis++
		return nil
	case operation:
		s.setLine(text, from, line)
		e, err := j.columns(s)
		if err != nil {
			return err
		}
		return j.add(&e)
	case from >= 0:
		return &history.ReadError{Name: j.name, Line: line, Column: from + 1,
			Err: errors.New(`an operation in the middle of a line, expected it behind a logger's name, such as "INFO  jepsen.util - 0 :invoke :read nil", or alone`)}
	}
	// Anything may follow the first operation, stack traces included. What comes
	// before it must look like a log, so that garbage fails at its first line.
	if len(bytes.TrimSpace(text)) == 0 {
		return nil
	}
	if len(j.calls) == 0 && j.info.Nemesis == 0 && j.info.Skipped == 0 && !isLogLine(text) {
		return &history.ReadError{Name: j.name, Line: line, Column: 1,
			Err: errors.New(`no line of a log, expected one such as "INFO  jepsen.util - 0 :invoke :read nil" or "0 :invoke :read nil"`)}
	}
	j.info.Skipped++
	return nil
}

// columns reads an operation from the columns of a line.
func (j *jepsen) columns(s *scanner) (entry, error) {
	e := entry{whole: form{line: s.line, column: s.column()}}
	for _, column := range []*form{&e.process, &e.typ, &e.f, &e.value, &e.err} {
		_, ok, err := s.skip(0)
		if err != nil {
			return e, err
		}
		if !ok {
			break
		}
		if *column, err = s.form(0); err != nil {
			return e, err
		}
	}
	c, more, err := s.skip(0)
	if more {
		err = s.fail("%q after the operation, expected the end of the line", c)
	}
	return e, err
}

var (
	logger = []byte("jepsen.util")
	levels = [][]byte{[]byte("INFO"), []byte("WARN"), []byte("ERROR"), []byte("DEBUG"), []byte("TRACE"), []byte("FATAL")}
)

// operationPart returns where the operation begins in a line of a log: after
// the name of the logger, or at the beginning of the line. If an operation
// begins elsewhere it returns where, and false; if none does it returns -1.
func operationPart(line []byte) (from int, ok bool) {
	if i := bytes.Index(line, logger); i >= 0 {
		i += len(logger)
		i += leading(line[i:], ":")
		i += leading(line[i:], " \t")
		if bytes.HasPrefix(line[i:], []byte("- ")) {
			i += 1 + leading(line[i+1:], " \t")
		}
		if i < len(line) && isProcess(line[i:]) {
			return i, true
		}
	}
	i := leading(line, " \t")
	if bytes.HasPrefix(line[i:], []byte(":nemesis")) {
		return i, true
	}
	if n := numeral(line[i:]); n > 0 {
		spaces := leading(line[i+n:], " \t")
		if end := i + n + spaces; spaces > 0 && end < len(line) && line[end] == ':' {
			return i, true
		}
	}
	return wordsOfOperation(line)
}

// isProcess reports whether b begins as the process of an operation does: with a
// number, or with a keyword that does not say what should follow the process.
func isProcess(b []byte) bool {
	word, _ := nextWord(b)
	return numeral(b) > 0 || len(word) > 0 && word[0] == ':' && !isType(word)
}

// numeral returns the length of the whole number that b begins with.
func numeral(b []byte) int {
	sign := 0
	if len(b) > 0 && (b[0] == '-' || b[0] == '+') {
		sign = 1
	}
	if n := leading(b[sign:], "0123456789"); n > 0 {
		return sign + n
	}
	return 0
}

// wordsOfOperation looks for what makes a line an operation, wherever it stands:
// a type and a name, such as ":ok :read". It begins with the process before them,
// which must follow what separates the prefixes of loggers from their messages.
func wordsOfOperation(line []byte) (from int, ok bool) {
	before, last := -1, -1 // where the words before this one begin
	for at := 0; at < len(line); {
		word, skipped := nextWord(line[at:])
		at += skipped
		if last >= 0 && isType(wordAt(line, last)) && isName(word) {
			if before < 0 {
				return last, false
			}
			process := wordAt(line, before)
			prefix := bytes.TrimRight(line[:before], " \t")
			ended := len(prefix) == 0 || prefix[len(prefix)-1] == ':' || bytes.HasSuffix(prefix, []byte(" -"))
			return before, ended && isProcess(line[before:]) && (process[0] == ':' || numeral(process) == len(process))
		}
		before, last = last, at
		at += len(word)
	}
	return -1, false
}

// nextWord returns the first word of b and how many bytes of white space, which
// commas are as well, stand before it.
func nextWord(b []byte) (word []byte, skipped int) {
	space := func(r rune) bool { return unicode.IsSpace(r) || r == ',' }
	rest := bytes.TrimLeftFunc(b, space)
	skipped = len(b) - len(rest)
	if end := bytes.IndexFunc(rest, space); end >= 0 {
		rest = rest[:end]
	}
	return rest, skipped
}

func wordAt(line []byte, at int) []byte {
	word, _ := nextWord(line[at:])
	return word
}

func isType(word []byte) bool {
	switch string(word) {
	case ":invoke", ":ok", ":fail", ":info":
		return true
	}
	return false
}

func isName(word []byte) bool {
	_, known := kinds[strings.TrimPrefix(string(word), ":")]
	return known && word[0] == ':'
}

// leading returns how many of the first bytes of b are in set.
func leading(b []byte, set string) int { return len(b) - len(bytes.TrimLeft(b, set)) }

// isLogLine reports whether a line begins as a logger begins one: with a level
// or a date.
func isLogLine(line []byte) bool {
	for _, level := range levels {
		if bytes.HasPrefix(line, level) {
			return true
		}
	}
	return len(line) > 10 && leading(line[:4], "0123456789") == 4 && line[4] == '-' && line[7] == '-'
}
