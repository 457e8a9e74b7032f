package formats

import (
	"bytes"
	"errors"
	"io"

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
			return j.finish(), nil
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
	if operation && text[from] == ':' { // a nemesis says whatever it likes
		j.info.Nemesis++
		return nil
	}
	if operation {
		s.setLine(text, from, line)
		e, err := j.columns(s)
		if err != nil {
			return err
		}
		return j.add(&e)
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
// the name of the logger, or at the beginning of the line.
func operationPart(line []byte) (from int, ok bool) {
	if i := bytes.Index(line, logger); i >= 0 {
		i += len(logger)
		i += leading(line[i:], ":")
		i += leading(line[i:], " \t")
		if bytes.HasPrefix(line[i:], []byte("- ")) {
			i += 1 + leading(line[i+1:], " \t")
		}
		return i, i < len(line) && (isDigit(line[i]) || line[i] == ':')
	}
	if bytes.HasPrefix(line, []byte(":nemesis")) {
		return 0, true
	}
	i := leading(line, "0123456789")
	spaces := leading(line[i:], " \t")
	return 0, i > 0 && spaces > 0 && i+spaces < len(line) && line[i+spaces] == ':'
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
