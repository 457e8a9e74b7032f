package rashomon

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"

	"github.com/rashomon-go/rashomon/faults"
	"github.com/rashomon-go/rashomon/sim"
)

// maxScenarioBytes bounds a scenario file: an operation takes a line of some 40
// bytes.
const maxScenarioBytes = 64 << 20

// scenarioFormat is the version of the file format that this program writes.
const scenarioFormat = 1

// text is a scalar of a scenario file and where it stands.
type text struct {
	s  string
	at *token.Position
}

// UnmarshalYAML keeps the place of the scalar for errors.
func (t *text) UnmarshalYAML(node ast.Node) error {
	tok := node.GetToken()
	switch n := node.(type) {
	case *ast.StringNode:
		t.s = n.Value
	case *ast.LiteralNode:
		t.s = n.Value.Value
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.NullNode:
		t.s = tok.Value
	default:
		return &placedError{tok.Position, fmt.Sprintf("a %s, expected one line of text", node.Type())}
	}
	t.at = tok.Position
	return nil
}

func (t *text) errorf(format string, args ...any) error {
	return &placedError{t.at, fmt.Sprintf(format, args...)}
}

// placedError is an error at a place in a file.
type placedError struct {
	at   *token.Position
	text string
}

func (e *placedError) Error() string { return e.text }

type yamlLink struct {
	Latency   text    `yaml:"latency"`
	Loss      float64 `yaml:"loss"`
	Duplicate float64 `yaml:"duplicate"`
	Reorder   float64 `yaml:"reorder"`
	FIFO      bool    `yaml:"fifo"`
}

func (t text) String() string { return t.s }

func linkText(l sim.Link) yamlLink {
	return yamlLink{text{s: l.Latency.String()}, l.Loss, l.Duplicate, l.Reorder, l.FIFO}
}

func (l *yamlLink) link() (sim.Link, error) {
	link := sim.Link{Loss: l.Loss, Duplicate: l.Duplicate, Reorder: l.Reorder, FIFO: l.FIFO}
	if l.Latency.at == nil {
		return link, nil
	}
	var err error
	if link.Latency, err = sim.ParseLatency(l.Latency.s); err != nil {
		return sim.Link{}, l.Latency.errorf("%v", err)
	}
	return link, nil
}

type yamlScenario struct {
	Format     int      `yaml:"format"`
	System     string   `yaml:"system"`
	Bug        string   `yaml:"bug"`
	Reads      string   `yaml:"reads"`
	Claim      string   `yaml:"claim"`
	Seed       uint64   `yaml:"seed"`
	Nodes      int      `yaml:"nodes"`
	Links      yamlLink `yaml:"links"`
	Access     yamlLink `yaml:"access"`
	Timeout    text     `yaml:"timeout"`
	Attempts   int      `yaml:"attempts"`
	Operations []text   `yaml:"operations"`
	Faults     []text   `yaml:"faults"`
	Digest     text     `yaml:"digest"`
	Program    text     `yaml:"program"`
}

// ParseScenario reads a scenario from a file in YAML or JSON. Unknown and
// repeated keys are errors. An error begins with "name:line:column: ". Whether
// the scenario makes sense for its system is for Scenario.Validate to say.
func ParseScenario(r io.Reader, name string) (sc *Scenario, err error) {
	data, err := io.ReadAll(io.LimitReader(r, maxScenarioBytes+1))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if len(data) > maxScenarioBytes {
		return nil, fmt.Errorf("%s: longer than %d bytes, expected a scenario", name, maxScenarioBytes)
	}
	var y yamlScenario
	if err := unmarshal(data, &y); err != nil {
		return nil, placed(name, err)
	}
	if sc, err = y.scenario(); err != nil {
		return nil, placed(name, err)
	}
	return sc, nil
}

// unmarshal guards against a panic of the parser: bad input must not look like a
// defect of ours.
func unmarshal(data []byte, y *yamlScenario) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("not a YAML file: %v", r)
		}
	}()
	err = yaml.UnmarshalWithOptions(data, y, yaml.Strict())
	if errors.Is(err, io.EOF) || err == nil && y.Format == 0 {
		return errors.New(`expected a scenario that begins with "format: 1"`)
	}
	return err
}

// placed turns an error of the YAML library, or one of ours, into
// "name:line:column: text".
func placed(name string, err error) error {
	var ours *placedError
	var theirs yaml.Error
	switch {
	case errors.As(err, &ours) && ours.at != nil:
		return fmt.Errorf("%s:%d:%d: %s", name, ours.at.Line, ours.at.Column, ours.text)
	case errors.As(err, &theirs) && theirs.GetToken() != nil:
		at := theirs.GetToken().Position
		return fmt.Errorf("%s:%d:%d: %s", name, at.Line, at.Column, theirs.GetMessage())
	}
	return fmt.Errorf("%s:1:1: %w", name, err)
}

func (y *yamlScenario) scenario() (*Scenario, error) {
	if y.Format != scenarioFormat {
		return nil, fmt.Errorf("scenario format %d, expected %d: this program is too old for the file", y.Format, scenarioFormat)
	}
	sc := &Scenario{
		System: y.System, Bug: y.Bug, Reads: y.Reads, Claim: Property(y.Claim),
		Seed: y.Seed, Nodes: y.Nodes, Attempts: y.Attempts, Program: y.Program.s,
	}
	var err error
	if sc.Links, err = y.Links.link(); err != nil {
		return nil, err
	}
	if sc.Access, err = y.Access.link(); err != nil {
		return nil, err
	}
	if sc.Timeout, err = time.ParseDuration(y.Timeout.s); err != nil {
		return nil, y.Timeout.errorf("timeout %q, expected a duration such as 100ms", y.Timeout.s)
	}
	for i := range y.Operations {
		op, err := ParseOperation(y.Operations[i].s)
		if err != nil {
			return nil, y.Operations[i].inLine(err)
		}
		sc.Operations = append(sc.Operations, op)
	}
	for i := range y.Faults {
		f, err := faults.Parse(y.Faults[i].s)
		if err != nil {
			return nil, y.Faults[i].inLine(err)
		}
		sc.Faults = append(sc.Faults, f)
	}
	if y.Digest.s != "" {
		if sc.Digest, err = strconv.ParseUint(y.Digest.s, 16, 64); err != nil || len(y.Digest.s) != 16 {
			return nil, y.Digest.errorf("digest %q, expected 16 hexadecimal digits", y.Digest.s)
		}
	}
	return sc, nil
}

// inLine moves an error at a column of the text to its place in the file.
func (t *text) inLine(err error) error {
	at := *t.at
	var column *faults.SyntaxError
	if !errors.As(err, &column) {
		return &placedError{&at, err.Error()}
	}
	at.Column += column.Column - 1
	return &placedError{&at, column.Message}
}
