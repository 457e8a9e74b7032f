package rashomon

import (
	"strconv"
	"time"

	"github.com/goccy/go-yaml/ast"
)

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
	if !f.scalar() || f.node.Type() == ast.NullType {
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
