package rashomon

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/rashomon-go/rashomon/faults"
	"github.com/rashomon-go/rashomon/model"
	"github.com/rashomon-go/rashomon/sim"
)

// WriteScenario writes the scenario as a small YAML file for people and
// programs. ParseScenario reads it back as an equal value.
func WriteScenario(w io.Writer, sc *Scenario) error {
	b := bufio.NewWriter(w)
	p := func(format string, args ...any) { fmt.Fprintf(b, format, args...) }
	p("# One run as data. For a built-in system: check replay FILE. For one of your own:\n# RASHOMON_REPLAY=FILE go test\n")
	p("format: 1\n")
	p("system: %s\n", quote(sc.System))
	if sc.Bug != "" {
		p("bug: %s\n", quote(sc.Bug))
	}
	p("reads: %s\n", quote(sc.Reads))
	p("claim: %s\n", quote(string(sc.Claim)))
	p("seed: %d\n", sc.Seed)
	p("nodes: %d\n", sc.Nodes)
	for _, l := range []struct {
		name, about string
		link        sim.Link
	}{{"links", "between replicas", sc.Links}, {"access", "between clients and replicas", sc.Access}} {
		p("%s: # %s\n", l.name, l.about)
		writeLink(p, l.link)
	}
	p("timeout: %v # how long a client waits for a reply\n", sc.Timeout)
	p("attempts: %d\n", sc.Attempts)
	p("operations: # number, client, what, the node asked first, and the pause before it\n")
	for i := range sc.Operations {
		p("  - %s\n", quote(sc.Operations[i].String()))
	}
	if len(sc.Faults) > 0 {
		p("faults:\n")
		for _, f := range sc.Faults {
			p("  - %s\n", quote(f.String()))
		}
	}
	if sc.Digest != 0 {
		p("digest: %s # of the run\n", quote(DigestString(sc.Digest)))
	}
	if sc.Program != "" {
		p("program: %s\n", quote(sc.Program))
	}
	return b.Flush()
}

// writeLink writes a link as the name of its profile, if it is one, or else by
// its fields, of which it leaves out what is zero.
func writeLink(p func(string, ...any), l sim.Link) {
	for _, known := range sim.Profiles() {
		if l == known.Link {
			p("  profile: %s\n", known.Name)
			return
		}
	}
	p("  latency: %v\n", l.Latency)
	for _, f := range []struct {
		name string
		p    float64
	}{{"loss", l.Loss}, {"duplicate", l.Duplicate}, {"reorder", l.Reorder}, {"corrupt", l.Corrupt}} {
		if f.p != 0 {
			p("  %s: %s\n", f.name, strconv.FormatFloat(f.p, 'f', -1, 64))
		}
	}
	if l.FIFO {
		p("  fifo: true\n")
	}
	if l.Bandwidth != 0 {
		p("  bandwidth: %v\n", l.Bandwidth)
	}
	if l.Queue != 0 {
		p("  queue: %v\n", l.Queue)
	}
}

// quote returns s as a YAML scalar that is read back as the string s: plain where
// that is beyond doubt, and quoted elsewhere.
func quote(s string) string {
	plain := s != "" && strings.Trim(s, " ") == s
	for i, c := range s {
		switch {
		case c >= 'a' && c <= 'z':
		case i > 0 && (c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || strings.ContainsRune(" .=->_*|%+()/", c)):
		case c >= '0' && c <= '9' && strings.Contains(s, " "):
		default:
			plain = false
		}
	}
	switch s {
	case "null", "true", "false", "yes", "no", "on", "off", "y", "n":
		plain = false
	}
	if plain {
		return s
	}
	return strconv.Quote(s)
}

// String returns the operation in one line: "7 c0 write k1=12 at n2 after 3ms".
func (op Operation) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d %s %s %s", op.ID, clientName(op.Client), op.Kind, keyText(op.Key))
	switch op.Kind {
	case model.Write, model.Add:
		b.WriteString("=" + op.Value.String())
	case model.CAS:
		expect := op.Expect.String()
		if op.Expect == LastSeen {
			expect = "seen"
		}
		b.WriteString("=" + expect + "->" + op.Value.String())
	}
	b.WriteString(" at " + nodeName(op.Node))
	if op.Think != 0 {
		b.WriteString(" after " + op.Think.String())
	}
	return b.String()
}

// keyText returns a key as operations print it: quoted if it would be misread.
func keyText(key string) string {
	if key == "" || strings.ContainsAny(key, " =\"\\") || strconv.Quote(key) != `"`+key+`"` {
		return strconv.Quote(key)
	}
	return key
}

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
	return &faults.SyntaxError{Column: w.column, Message: fmt.Sprintf(format, args...)}
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

// ParseOperation reads what Operation.String writes. Its errors begin with
// "column N: ".
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
	switch word := w.next(); word {
	case "":
		return op, nil
	case "after":
	default:
		return Operation{}, w.unexpected(word, "after and a duration, or the end of the line")
	}
	word := w.next()
	if op.Think, err = time.ParseDuration(word); err != nil || op.Think < 0 {
		return Operation{}, w.unexpected(word, "a duration such as 3ms")
	}
	if word := w.next(); word != "" {
		return Operation{}, w.unexpected(word, "the end of the line")
	}
	return op, nil
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
