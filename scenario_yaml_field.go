package rashomon

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"

	"github.com/rashomon-go/rashomon/faults"
	"github.com/rashomon-go/rashomon/workload"
)

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
	if f.node.Type() == ast.NullType {
		what = "nothing"
	}
	return f.errorf("%s, expected %s", what, expected)
}

func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "") + "…"
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
	given := make(map[string]bool, len(values))
	for _, v := range values {
		e := entry{key: v.Key.GetToken().Value, place: field{v.Key}, value: field{v.Value}}
		if given[e.key] {
			return nil, e.place.errorf("%s is given twice, expected it once", e.key)
		}
		given[e.key] = true
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
