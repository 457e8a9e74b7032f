package workload

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/rashomon-go/rashomon/model"
)

// SyntaxError says what is wrong with an operation's text, where, and what was
// expected.
type SyntaxError struct {
	Column  int // in bytes, from 1
	Message string
}

// Error returns "column N: ", and the message.
func (e *SyntaxError) Error() string { return fmt.Sprintf("column %d: %s", e.Column, e.Message) }

// words reads a line word by word, and remembers where each one began.
type words struct {
	line   string
	at     int // of the next word
	column int // of the latest word, from 1
}

func (w *words) next() string {
	for w.at < len(w.line) && w.line[w.at] == ' ' {
		w.at++
	}
	w.column = w.at + 1
	start, quoted := w.at, false
	for w.at < len(w.line) && (quoted || w.line[w.at] != ' ') {
		if w.line[w.at] == '"' {
			quoted = !quoted
		} else if quoted && w.line[w.at] == '\\' && w.at+1 < len(w.line) {
			w.at++
		}
		w.at++
	}
	return w.line[start:w.at]
}

func (w *words) errorf(format string, args ...any) error {
	return &SyntaxError{w.column, fmt.Sprintf(format, args...)}
}

// unexpected is the error of a word that should be another one; there is none if
// the line has ended.
func (w *words) unexpected(word, format string, args ...any) error {
	what := "the line ends"
	if word != "" {
		what = strconv.Quote(word)
	}
	return w.errorf("%s, expected %s", what, fmt.Sprintf(format, args...))
}

// number reads a name such as n3 or c0.
func (w *words) number(word, prefix, what string) (int, error) {
	digits, ok := strings.CutPrefix(word, prefix)
	n, err := strconv.ParseUint(digits, 10, 31)
	if !ok || err != nil || strconv.FormatUint(n, 10) != digits {
		return 0, w.unexpected(word, "%s such as %s0", what, prefix)
	}
	return int(n), nil
}

// ParseOperation reads what Operation.String writes; what follows the node may come
// in any order. The error is a *SyntaxError.
func ParseOperation(line string) (Operation, error) {
	w := &words{line: line}
	var op Operation
	id, err := strconv.ParseInt(w.next(), 10, 32)
	if err != nil || id < 1 {
		return Operation{}, w.errorf(`expected the operation's number, as in "7 c0 write k1=12 at n2 after 3ms"`)
	}
	op.ID = int32(id)
	if op.Client, err = w.number(w.next(), "c", "a client"); err != nil {
		return Operation{}, err
	}
	kind := w.next()
	var known bool
	if op.Kind, known = model.ParseKind(kind); !known {
		return Operation{}, w.unexpected(kind, "read, write, cas, delete or add")
	}
	if err := op.parseKey(w); err != nil {
		return Operation{}, err
	}
	if word := w.next(); word != "at" {
		return Operation{}, w.unexpected(word, "at and a node")
	}
	if op.Node, err = w.number(w.next(), "n", "a node"); err != nil {
		return Operation{}, err
	}
	if err := op.parseOptions(w); err != nil {
		return Operation{}, err
	}
	return op, nil
}

// parseOptions reads what follows the node.
func (op *Operation) parseOptions(w *words) error {
	var given [3]bool
	for word := w.next(); word != ""; word = w.next() {
		i := 0
		for i < len(given) && op.options()[i].word != word {
			i++
		}
		if i == len(given) {
			return w.unexpected(word, "after, at or timeout and a duration, or the end of the line")
		}
		if given[i] {
			return w.errorf("%s is given twice, expected it once", word)
		}
		given[i] = true
		text := w.next()
		d, err := time.ParseDuration(text)
		if err != nil || d < 0 {
			return w.unexpected(text, "a duration such as 3ms")
		}
		if d == 0 && word == "timeout" { // it would mean the scenario's
			return w.unexpected(text, "a timeout of more than 0s")
		}
		*op.options()[i].d = d
	}
	return nil
}

// parseKey reads the key and what is stored there: k1, k1=12, k1=seen->12.
func (op *Operation) parseKey(w *words) error {
	word := w.next()
	key, value, hasValue := cutKey(word)
	if key[:min(1, len(key))] == `"` {
		unquoted, err := strconv.Unquote(key)
		if err != nil {
			return w.errorf("%s, expected a key in double quotes", key)
		}
		key = unquoted
	}
	if key == "" {
		return w.unexpected(word, "a key")
	}
	op.Key = key
	wants := op.Kind == model.Write || op.Kind == model.Add || op.Kind == model.CAS
	if hasValue != wants {
		if wants {
			return w.errorf("%q, expected a value behind the key, as in k0=7", word)
		}
		return w.errorf("%q, expected a key alone: a %v stores nothing", word, op.Kind)
	}
	if !wants {
		return nil
	}
	if op.Kind == model.CAS {
		expect, stored, arrow := strings.Cut(value, "->")
		if !arrow {
			return w.errorf("%q, expected what must be there and what to store, as in k0=7->8 or k0=seen->8", word)
		}
		if op.Expect, arrow = parseValue(expect); expect == "seen" {
			op.Expect = LastSeen
		} else if !arrow {
			return w.errorf("%q, expected a number, nil or seen", expect)
		}
		value = stored
	}
	var ok bool
	if op.Value, ok = parseValue(value); !ok || op.Value == model.Absent {
		return w.errorf("%q, expected a number to store", value)
	}
	return nil
}

// cutKey splits key=value, where the key may be quoted.
func cutKey(word string) (key, value string, found bool) {
	if end := strings.LastIndexByte(word, '"'); end > 0 {
		key, value, found = strings.Cut(word[end+1:], "=")
		return word[:end+1] + key, value, found
	}
	return strings.Cut(word, "=")
}

func parseValue(s string) (model.Value, bool) {
	if s == "nil" {
		return model.Absent, true
	}
	n, err := strconv.ParseInt(s, 10, 64)
	return model.Value(n), err == nil && n > math.MinInt64+1
}
