package formats

import (
	"strconv"
	"unicode/utf8"

	"github.com/rashomon-go/rashomon/model"
)

// split returns the key of an invocation and the value without it. The first
// operation decides whether values are [key value] tuples, as those of
// jepsen.independent are.
func (j *jepsen) split(e *entry, kind model.Kind) (string, *form, error) {
	value := &e.value
	if e.key.kind != 0 {
		if j.tuples == yes {
			return "", nil, j.wrong(&e.key, "a :key among [key value] tuples, expected one or the other")
		}
		j.tuples = no
		key, err := j.keyName(&e.key)
		return key, value, err
	}
	if j.keyed {
		return "", nil, j.wrong(&e.whole, "an operation without :key, expected one")
	}
	tuple := isTuple(value, kind)
	if j.tuples == open {
		j.tuples = no
		if tuple {
			j.tuples = yes
		}
	}
	switch {
	case tuple && j.tuples == no:
		return "", nil, j.wrong(value, "a [key value] tuple, expected a plain value as in the first operation")
	case !tuple && j.tuples == yes:
		return "", nil, j.wrong(e.orWhole(value), "no [key value] tuple, expected one as in the first operation")
	case !tuple:
		return theKey, value, nil
	}
	key, err := j.keyName(&value.items[0])
	return key, &value.items[1], err
}

// isTuple tells a [key value] tuple from a value. Only a cas and a txn have vectors
// for values; so [k [a b]] is a tuple there and [a b] is none, and the first step of
// a transaction is no key.
func isTuple(v *form, kind model.Kind) bool {
	if v.kind != sequence || len(v.items) != 2 {
		return false
	}
	switch kind {
	case model.CAS:
		return v.items[1].kind == sequence
	case model.Txn:
		return v.items[0].kind != sequence
	}
	return true
}

// keyName returns the name of a key. A number and a text that look alike must
// not become the same key.
func (j *jepsen) keyName(f *form) (string, error) {
	var name string
	if f.tagged {
		return "", j.wrong(f, "%s for a key, expected a number, a text or a keyword", f.describe())
	}
	switch f.kind {
	case integer:
		name = strconv.FormatInt(f.n, 10)
	case keyword:
		name = ":" + f.text
	case text, symbol:
		name = f.text
	default:
		return "", j.wrong(f, "%s for a key, expected a number, a text or a keyword", f.describe())
	}
	if !utf8.ValidString(name) {
		return "", j.wrong(f, "key %q, expected valid UTF-8", shorten(name))
	}
	if kind, known := j.keyKinds[name]; known && kind != f.kind {
		return "", j.wrong(f, "key %s is %s and was %s before, expected one of them", name, formKinds[f.kind], formKinds[kind])
	}
	j.keyKinds[name] = f.kind
	return name, nil
}
