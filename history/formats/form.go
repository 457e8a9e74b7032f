package formats

import (
	"strconv"
	"strings"

	"github.com/rashomon-go/rashomon/model"
)

type formKind uint8

const (
	nilForm formKind = iota + 1
	boolean
	integer
	number // not a 64-bit integer
	text
	symbol // and characters
	keyword
	sequence // vector or list
	mapping  // items are keys and values in turn
	set
	run // of numbers in a long collection: n of them, in text
)

var formKinds = [...]string{
	nilForm: "nil", boolean: "a boolean", integer: "a number", number: "a number that is no 64-bit integer",
	text: "a text", symbol: "a symbol", keyword: "a keyword", sequence: "a vector", mapping: "a map", set: "a set", run: "numbers",
}

// form is a piece of EDN. Metadata are dropped, and so are tags, but that they
// were there.
type form struct {
	kind         formKind
	tagged       bool // a tag or a mark says that it is not what it looks like
	line, column int
	n            int64
	text         string // keyword (without the colon), symbol, text, number
	items        []form
}

func (f *form) is(k formKind, text string) bool { return f.kind == k && f.text == text }

// numbers appends the number that f is, or the numbers of a run.
func (f *form) numbers(list []model.Value) []model.Value {
	if f.kind == integer {
		return append(list, model.Value(f.n))
	}
	for word := range strings.FieldsSeq(f.text) {
		n, err := strconv.ParseInt(word, 10, 64)
		if err != nil {
			panic("formats: " + err.Error() + " in a run that the scanner wrote")
		}
		list = append(list, model.Value(n))
	}
	return list
}

// describe returns f as a message names it.
func (f *form) describe() string {
	if f.tagged {
		return formKinds[f.kind] + " with a tag"
	}
	switch f.kind {
	case nilForm:
		return "nil"
	case integer:
		return strconv.FormatInt(f.n, 10)
	case keyword:
		return shorten(":" + f.text)
	case text:
		return shorten(strconv.Quote(f.text))
	case run: // its first number, at which it stands
		word, _, _ := strings.Cut(f.text, " ")
		return word
	case symbol, number, boolean:
		return shorten(f.text)
	}
	return formKinds[f.kind]
}

func shorten(s string) string {
	if len(s) > 60 {
		return strings.ToValidUTF8(s[:60], "") + "…"
	}
	return s
}
