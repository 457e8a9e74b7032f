package rashomon

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"

	"github.com/rashomon-go/rashomon/faults"
	"github.com/rashomon-go/rashomon/sim"
	"github.com/rashomon-go/rashomon/workload"
)

// maxScenarioBytes bounds a scenario file: an operation takes a line of some 40
// bytes.
const maxScenarioBytes = 64 << 20

// scenarioFormat is the version of the file format that this program writes. It reads
// older ones, too: format 2 added the words "at" and "timeout" behind the node of an
// operation.
const scenarioFormat = 2

// ParseScenario reads a scenario from a file in YAML or JSON. Unknown and
// repeated keys are errors. An error begins with "name:line:column: ". Whether
// the scenario makes sense for its system is for Scenario.Validate to say.
func ParseScenario(r io.Reader, name string) (*Scenario, error) {
	f, err := readScenarioFile(r, name)
	if err != nil {
		return nil, err
	}
	return f.scenario, nil
}

// LoadScenario reads a scenario as ParseScenario does, lets find choose the system
// by the names in the file, and validates the scenario for that system. Every
// error says where in the file the reason is.
func LoadScenario(r io.Reader, name string, find func(system, bug string) (*System, error)) (*Scenario, *System, error) {
	f, err := readScenarioFile(r, name)
	if err != nil {
		return nil, nil, err
	}
	sc := f.scenario
	s, err := find(sc.System, sc.Bug)
	if err != nil {
		key := "system"
		if sc.Bug != "" {
			key = "bug"
		}
		return nil, nil, f.placed(f.invalid(&invalidError{err: err, key: key}))
	}
	if err := sc.Validate(s); err != nil {
		return nil, nil, f.placed(f.invalid(err))
	}
	return sc, s, nil
}

// scenarioFile is a scenario and where its parts stand in its file.
type scenarioFile struct {
	name     string
	scenario *Scenario
	fields   map[string]field
	// operations and faults are elements of lists.
	operations, faults []field
}

func readScenarioFile(r io.Reader, name string) (*scenarioFile, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxScenarioBytes+1))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if len(data) > maxScenarioBytes {
		last := bytes.LastIndexByte(data, '\n')
		return nil, fmt.Errorf("%s:%d:%d: longer than %d bytes, expected a scenario of no more than %d operations",
			name, bytes.Count(data, []byte("\n"))+1, len(data)-last-1, maxScenarioBytes, maxOperations)
	}
	f := &scenarioFile{name: name, scenario: &Scenario{}, fields: map[string]field{}}
	top, err := parseYAML(data)
	if err != nil {
		return nil, f.placed(err)
	}
	if err := f.read(top); err != nil {
		return nil, f.placed(err)
	}
	return f, nil
}

// parseYAML returns the mapping that a file consists of. It guards against a
// panic of the parser: bad input must not look like a defect of ours.
func parseYAML(data []byte) (top field, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("not a YAML file: %v", r)
		}
	}()
	file, err := parser.ParseBytes(data, 0, parser.AllowDuplicateMapKey()) // entries refuses them, in our words
	if err != nil {
		return field{}, err
	}
	var bodies []ast.Node
	for _, d := range file.Docs {
		if d.Body != nil {
			bodies = append(bodies, d.Body)
		}
	}
	switch len(bodies) {
	case 0:
		return field{}, fmt.Errorf(`empty, expected a scenario that begins with "format: %d"`, scenarioFormat)
	case 1:
		return field{bodies[0]}, nil
	}
	return field{}, field{bodies[1]}.errorf("a second document, expected one scenario")
}

// read fills the scenario. The format comes first: of a newer one not even the
// keys are known.
func (f *scenarioFile) read(top field) error {
	entries, err := top.entries()
	if err != nil {
		return err
	}
	if err := checkFormat(top, entries); err != nil {
		return err
	}
	for _, e := range entries {
		f.fields[e.key] = e.value
		if err := f.readEntry(e); err != nil {
			return err
		}
	}
	return nil
}

func checkFormat(top field, entries []entry) error {
	for _, e := range entries {
		if e.key != "format" {
			continue
		}
		switch format, err := e.value.int(); {
		case err != nil:
			return err
		case format > scenarioFormat:
			return e.value.errorf("scenario format %d was made by a newer version of this program, which reads formats 1..%d", format, scenarioFormat)
		case format < 1:
			return e.value.errorf("scenario format %d, expected 1..%d", format, scenarioFormat)
		}
		return nil
	}
	return top.errorf(`no format, expected a file with "format: %d"`, scenarioFormat)
}

func (f *scenarioFile) readEntry(e entry) (err error) {
	sc, v := f.scenario, e.value
	switch e.key {
	case "format":
	case "system":
		sc.System, err = v.text()
	case "bug":
		sc.Bug, err = v.text()
	case "reads":
		sc.Reads, err = v.text()
	case "claim":
		var claim string
		claim, err = v.text()
		sc.Claim = Property(claim)
	case "seed":
		sc.Seed, err = v.uint64()
	case "nodes":
		sc.Nodes, err = v.int()
	case "links":
		sc.Links, err = v.link()
	case "access":
		sc.Access, err = v.link()
	case "timeout":
		sc.Timeout, err = v.duration()
	case "attempts":
		sc.Attempts, err = v.int()
	case "operations":
		return f.readOperations(v)
	case "faults":
		return f.readFaults(v)
	case "digest":
		sc.Digest, err = v.digest()
	case "shows":
		sc.Shows, err = v.text()
	case "program":
		sc.Program, err = v.text()
	default:
		return e.unknown("format, system, bug, reads, claim, seed, nodes, links, access, timeout, attempts, operations, faults, digest, shows or program")
	}
	return err
}

func (f *scenarioFile) readOperations(list field) (err error) {
	if f.operations, err = list.elements(); err != nil {
		return err
	}
	if len(f.operations) > maxOperations {
		return f.operations[maxOperations].errorf("operation number %d of %d, expected no more than %d", maxOperations+1, len(f.operations), maxOperations)
	}
	f.scenario.Operations = slices.Grow(f.scenario.Operations, len(f.operations))
	for _, element := range f.operations {
		line, err := element.text()
		if err != nil {
			return err
		}
		op, err := ParseOperation(line)
		if err != nil {
			return element.inLine(err)
		}
		f.scenario.Operations = append(f.scenario.Operations, op)
	}
	return nil
}

func (f *scenarioFile) readFaults(list field) (err error) {
	if f.faults, err = list.elements(); err != nil {
		return err
	}
	for _, element := range f.faults {
		line, err := element.text()
		if err != nil {
			return err
		}
		fault, err := faults.Parse(line)
		if err != nil {
			return element.inLine(err)
		}
		f.scenario.Faults = append(f.scenario.Faults, fault)
	}
	return nil
}

// invalid puts an error of Validate at the part of the file that it is about.
func (f *scenarioFile) invalid(err error) error {
	var what *invalidError
	if !errors.As(err, &what) {
		return err
	}
	switch {
	case what.key == "operations" && what.index < len(f.operations):
		return f.operations[what.index].errorf("%v", err)
	case what.key == "faults" && what.index < len(f.faults):
		element := f.faults[what.index]
		if line, _ := element.text(); line == f.scenario.Faults[what.index].String() {
			return element.inLine(err) // the columns of err are those of the file
		}
		return element.errorf("%v", err)
	}
	if v, given := f.fields[what.key]; given {
		return v.errorf("%v", err)
	}
	return err
}

// placed turns an error of the YAML library, or one of ours, into
// "name:line:column: text".
func (f *scenarioFile) placed(err error) error {
	var ours *placedError
	var theirs yaml.Error
	switch {
	case errors.As(err, &ours):
		return fmt.Errorf("%s:%d:%d: %s", f.name, ours.at.Line, ours.at.Column, ours.text)
	case errors.As(err, &theirs) && theirs.GetToken() != nil:
		at := theirs.GetToken().Position
		return fmt.Errorf("%s:%d:%d: %s", f.name, at.Line, at.Column, theirs.GetMessage())
	}
	return fmt.Errorf("%s:1:1: %w", f.name, err)
}

// placedError is an error at a place in a file.
type placedError struct {
	at   token.Position
	text string
}

func (e *placedError) Error() string { return e.text }

// field is a value in a YAML file.
type field struct{ node ast.Node }

// entry is a key of a mapping and its value.
type entry struct {
	key   string
	place field // of the key
	value field
}

func (e entry) unknown(expected string) error {
	return e.place.errorf("unknown key %q, expected %s", e.key, expected)
}

func (f field) errorf(format string, args ...any) error {
	at := token.Position{Line: 1, Column: 1}
	if t := f.node.GetToken(); t != nil && t.Position != nil {
		at = *t.Position
	}
	if m, ok := f.node.(*ast.MappingNode); ok && len(m.Values) > 0 && !m.IsFlowStyle {
		at = *m.Values[0].Key.GetToken().Position // not of the colon
	}
	return &placedError{at, fmt.Sprintf(format, args...)}
}

// unexpected says what stands there instead of what was expected.
func (f field) unexpected(expected string) error {
	what := strings.ToLower(f.node.Type().String())
	if strings.Contains("aeiou", what[:1]) {
		what = "an " + what
	} else {
		what = "a " + what
	}
	if t := f.node.GetToken(); f.scalar() && t != nil {
		what = strconv.Quote(cut(t.Value, 60))
	}
	return f.errorf("%s, expected %s", what, expected)
}

func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "") + "…"
}

func (f field) scalar() bool {
	switch f.node.(type) {
	case *ast.StringNode, *ast.LiteralNode, *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.NullNode, *ast.InfinityNode, *ast.NanNode:
		return true
	}
	return false
}

// text returns a scalar as it is written.
func (f field) text() (string, error) {
	switch n := f.node.(type) {
	case *ast.StringNode:
		return n.Value, nil
	case *ast.LiteralNode:
		return n.Value.Value, nil
	}
	if !f.scalar() {
		return "", f.unexpected("one line of text")
	}
	return f.node.GetToken().Value, nil
}

func (f field) int() (int, error) {
	s, err := f.text()
	if err != nil {
		return 0, f.unexpected("a whole number")
	}
	n, err := strconv.ParseInt(s, 10, 32)
	if err != nil {
		return 0, f.unexpected("a whole number, no more than 2147483647")
	}
	return int(n), nil
}

func (f field) uint64() (uint64, error) {
	s, err := f.text()
	if err != nil {
		return 0, err
	}
	n, err := strconv.ParseUint(s, 10, 64)
	if err != nil {
		return 0, f.unexpected("a whole number, 0..18446744073709551615")
	}
	return n, nil
}

func (f field) probability() (float64, error) {
	s, err := f.text()
	if err != nil {
		return 0, err
	}
	p, err := strconv.ParseFloat(s, 64)
	if err != nil || !(p >= 0 && p <= 1) {
		return 0, f.unexpected("a probability, 0..1")
	}
	return p, nil
}

func (f field) bool() (bool, error) {
	if b, ok := f.node.(*ast.BoolNode); ok {
		return b.Value, nil
	}
	return false, f.unexpected("true or false")
}

func (f field) duration() (time.Duration, error) {
	s, err := f.text()
	if err != nil {
		return 0, err
	}
	d, err := time.ParseDuration(s)
	if err != nil {
		return 0, f.unexpected("a duration such as 100ms")
	}
	return d, nil
}

func (f field) digest() (uint64, error) {
	s, err := f.text()
	if err != nil {
		return 0, err
	}
	d, err := strconv.ParseUint(s, 16, 64)
	if err != nil || len(s) != len(DigestString(0)) {
		return 0, f.unexpected("16 hexadecimal digits")
	}
	return d, nil
}

func (f field) link() (l sim.Link, err error) {
	entries, err := f.entries()
	for i := 0; err == nil && i < len(entries); i++ {
		v := entries[i].value
		switch entries[i].key {
		case "latency":
			l.Latency, err = v.latency()
		case "loss":
			l.Loss, err = v.probability()
		case "duplicate":
			l.Duplicate, err = v.probability()
		case "reorder":
			l.Reorder, err = v.probability()
		case "corrupt":
			l.Corrupt, err = v.probability()
		case "fifo":
			l.FIFO, err = v.bool()
		case "bandwidth":
			l.Bandwidth, err = v.bandwidth()
		case "queue":
			l.Queue, err = v.duration()
		case "profile":
			if len(entries) > 1 {
				return l, v.errorf("a profile and other keys, expected the profile alone")
			}
			l, err = v.profile()
		default:
			err = entries[i].unknown("profile, or latency, loss, duplicate, reorder, corrupt, fifo, bandwidth and queue")
		}
	}
	return l, err
}

func (f field) latency() (sim.Latency, error) {
	s, err := f.text()
	if err != nil {
		return sim.Latency{}, err
	}
	l, err := sim.ParseLatency(s)
	if err != nil {
		return sim.Latency{}, f.errorf("%v", err)
	}
	return l, nil
}

func (f field) bandwidth() (sim.Bandwidth, error) {
	s, err := f.text()
	if err != nil {
		return 0, err
	}
	b, err := sim.ParseBandwidth(s)
	if err != nil {
		return 0, f.errorf("%v", err)
	}
	return b, nil
}

func (f field) profile() (sim.Link, error) {
	s, err := f.text()
	if err != nil {
		return sim.Link{}, err
	}
	l, known := sim.ProfileNamed(s)
	if !known {
		var names []string
		for _, p := range sim.Profiles() {
			names = append(names, p.Name)
		}
		return sim.Link{}, f.unexpected("one of " + strings.Join(names, ", "))
	}
	return l, nil
}

// entries returns the entries of a mapping, which has no key twice.
func (f field) entries() (entries []entry, err error) {
	var values []*ast.MappingValueNode
	switch n := f.node.(type) {
	case *ast.MappingNode:
		values = n.Values
	case *ast.MappingValueNode:
		values = []*ast.MappingValueNode{n}
	default:
		return nil, f.unexpected("keys and values")
	}
	for _, v := range values {
		e := entry{key: v.Key.GetToken().Value, place: field{v.Key}, value: field{v.Value}}
		for _, other := range entries {
			if e.key == other.key {
				return nil, e.place.errorf("%s is given twice, expected it once", e.key)
			}
		}
		entries = append(entries, e)
	}
	return entries, nil
}

// elements returns the elements of a list. No value at all is an empty list.
func (f field) elements() (elements []field, err error) {
	switch n := f.node.(type) {
	case *ast.NullNode:
	case *ast.SequenceNode:
		for _, v := range n.Values {
			elements = append(elements, field{v})
		}
	default:
		return nil, f.unexpected("a list")
	}
	return elements, nil
}

// inLine moves an error at a column of the text to its place in the file.
func (f field) inLine(err error) error {
	var fault *faults.SyntaxError
	var operation *workload.SyntaxError
	switch {
	case errors.As(err, &fault):
		return f.atColumn(fault.Column, fault.Message)
	case errors.As(err, &operation):
		return f.atColumn(operation.Column, operation.Message)
	}
	return f.errorf("%v", err)
}

// atColumn is an error at a column of the text of a scalar.
func (f field) atColumn(column int, message string) error {
	place := f.errorf("%s", message).(*placedError)
	place.at.Column += column - 1
	if t := f.node.GetToken().Type; t == token.DoubleQuoteType || t == token.SingleQuoteType {
		place.at.Column++
	}
	return place
}
