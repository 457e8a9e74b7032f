package rashomon

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/token"
)

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
		return fmt.Errorf("%s:%d:%d: %s", f.name, at.Line, at.Column, inOurWords(theirs.GetMessage()))
	}
	return fmt.Errorf("%s:1:1: %w", f.name, err)
}

// placedError is an error at a place in a file.
type placedError struct {
	at   token.Position
	text string
}

func (e *placedError) Error() string { return e.text }

// inOurWords says what is wrong, and what was expected, where the YAML library says
// what its parser was about. Its places are right.
func inOurWords(theirs string) string {
	for _, m := range mistakes {
		if strings.Contains(theirs, m.theirs) {
			return m.ours
		}
	}
	return "not YAML: " + theirs
}

// mistakes are the common ones. The first that fits counts.
var mistakes = []struct{ theirs, ours string }{
	{"found character '\t' that cannot start any token", "a tab before the text, expected blanks: YAML does not indent with tabs"},
	{"non-map value is specified", `a line without a key, expected a key, a colon and a blank, such as "seed: 1"`},
	{"map key-value is pre-defined", `a list without a key of its own, expected one above it, such as "operations:"`},
	{"mapping value is not allowed in this context", "a second colon, or another indentation in the next line, expected one key a line, in the column of the keys beside it"},
	{"value is not allowed in this context", "something that belongs to nothing above it, expected the column and the form of the lines above"},
	{"could not find flow mapping end token", "a { that is not closed, expected its }: the file may be cut off"},
	{"could not find flow map content", `a key without a value, expected "key": value`},
	{"',' or ']' must be specified", "a [ that is not closed, expected ',' or ']' here: the file may be cut off"},
	{"',' or '}' must be specified", "a { that is not closed, expected ',' or '}' here: the file may be cut off"},
	{"could not find end character of double-quoted text", `a quote that is not closed, expected another "`},
	{"could not find end character of single-quoted text", "a quote that is not closed, expected another '"},
	{"is a reserved character", "a text that begins with @ or `, expected it in quotes"},
	{"unexpected directive value", "a text that begins with %, expected it in quotes"},
}

// byteOrderMark is what some editors begin a file with.
const byteOrderMark = "\uFEFF"

// refuseBinary finds the first byte that no text has, so that a compressed file, or one
// in UTF-16, is not taken for strange YAML.
func refuseBinary(data []byte) error {
	for i := 0; i < len(data); {
		r, size := utf8.DecodeRune(data[i:])
		what := ""
		switch {
		case r == utf8.RuneError && size == 1:
			what = "a byte that is not UTF-8"
		case r < ' ' && r != '\t' && r != '\n' && r != '\r':
			what = fmt.Sprintf("the control character %U", r)
		}
		if what != "" {
			line := bytes.LastIndexByte(data[:i], '\n') + 1
			at := token.Position{Line: bytes.Count(data[:i], []byte("\n")) + 1, Column: utf8.RuneCount(data[line:i]) + 1}
			return &placedError{at, what + ", expected a scenario in UTF-8: YAML or JSON"}
		}
		i += size
	}
	return nil
}
