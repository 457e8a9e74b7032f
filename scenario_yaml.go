package rashomon

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"github.com/rashomon-go/rashomon/faults"
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
	data = bytes.TrimPrefix(data, []byte(byteOrderMark))
	if err := refuseBinary(data); err != nil {
		return nil, f.placed(err)
	}
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
