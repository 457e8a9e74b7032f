package formats

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/rashomon-go/rashomon/history"
	"github.com/rashomon-go/rashomon/model"
)

// A read that tells several values is of a set, to which others :add, or of a
// list, to which they :append. Which of them shows only when somebody does: so
// what such reads told is settled at the end. An :add is that to a counter if a
// read told a number.

// appended takes the value of an append: a text behind a text, or a number behind
// a list. The first one decides.
func (j *jepsen) appended(c *called, e *entry, value *form) error {
	mode := no
	switch {
	case value.kind == integer && !value.tagged:
		mode = yes
	case value.kind != text:
		return j.wrong(e.orWhole(value), "an append of neither text nor number%s, expected one of them", e.others(value))
	}
	if j.appends != open && j.appends != mode {
		return j.wrong(value, "an append of %s, expected %s as before", value.describe(), map[undecided]string{yes: "a number", no: "a text"}[j.appends])
	}
	j.appends = mode
	if mode == no {
		var err error
		c.value, err = j.value(e, value)
		return err
	}
	if j.texts == no {
		return j.wrong(value, "an append to a list, expected no numbers elsewhere")
	}
	j.texts = yes
	c.value = j.rec.Text(strconv.FormatInt(value.n, 10))
	return nil
}

// several takes the answer of a read with several values.
func (j *jepsen) several(op int, value *form) error {
	count := 0
	for n := range value.items {
		switch x := &value.items[n]; {
		case x.kind == run:
			count += int(x.n)
		case isPlain(x):
			count++
		default:
			return j.wrong(x, "%s in a set or a list, expected numbers", x.describe())
		}
	}
	c := collection{op: op, line: value.line, column: value.column, elements: make([]model.Value, 0, count)}
	for n := range value.items {
		c.elements = value.items[n].numbers(c.elements)
	}
	j.answers = append(j.answers, c)
	return nil
}

// text makes the answer a text such as "[1 2]".
func (c *collection) text(r *history.Recorder) {
	words := make([]string, len(c.elements))
	for i, v := range c.elements {
		words[i] = v.String()
	}
	c.seen = r.Text("[" + strings.Join(words, " ") + "]")
}

// settle decides what reads told of several values, and what was added to.
func (j *jepsen) settle(h *history.History) error {
	switch {
	case j.appends == yes:
		for _, c := range j.answers {
			h.Ops[c.op].Seen = c.seen
		}
		return j.pure(h, "a list", model.Append)
	case h.Sets != nil && j.counts && len(j.answers) == 0:
		return j.count(h)
	case h.Sets != nil || len(j.answers) > 0:
		return j.gather(h)
	}
	return nil
}

// count makes adds increments.
func (j *jepsen) count(h *history.History) error {
	h.Sets = nil
	for i := range h.Ops {
		if o := &h.Ops[i]; o.Kind == model.Add {
			o.Kind = model.Increment
		}
	}
	return j.pure(h, "a counter", model.Increment)
}

// gather makes answers sets.
func (j *jepsen) gather(h *history.History) error {
	var sets history.Recorder
	for _, c := range j.answers {
		if v, twice := repeated(c.elements); twice {
			err := fmt.Errorf("%v is told twice in a read of a set, expected every element once", v)
			return &history.ReadError{Name: j.name, Line: c.line, Column: c.column, Err: err}
		}
		h.Ops[c.op].Seen = sets.Set(c.elements...)
	}
	h.Sets = sets.Finish(0).Sets
	if h.Sets == nil {
		h.Sets = [][]model.Value{}
	}
	return j.pure(h, "a set", model.Add)
}

// repeated sorts the elements, and returns one that stands there more than once.
func repeated(elements []model.Value) (v model.Value, twice bool) {
	slices.Sort(elements)
	for i := 1; i < len(elements); i++ {
		if elements[i] == elements[i-1] {
			return elements[i], true
		}
	}
	return v, false
}

// pure refuses operations that are neither reads nor of the kind that changes
// such a thing, and reads that told something else.
func (j *jepsen) pure(h *history.History, what string, changes model.Kind) error {
	several := make([]bool, len(h.Ops))
	for _, c := range j.answers {
		several[c.op] = true
	}
	for i := range h.Ops {
		o := &h.Ops[i]
		switch {
		case o.Kind != model.Read && o.Kind != changes:
			return j.misfit(i, fmt.Errorf("a %s of %s, expected read or %s", o.Kind, what, changes))
		case o.Kind != model.Read || o.Outcome != history.OK || several[i]:
		case changes == model.Increment && o.Seen != model.Absent, changes == model.Append && o.Seen == model.Absent:
		default:
			return j.misfit(i, fmt.Errorf("a read of %s that told no such thing, expected its value", what))
		}
	}
	return nil
}

// misfit is an error about an operation that turned out not to fit the others.
func (j *jepsen) misfit(op int, err error) error {
	return &history.ReadError{Name: j.name, Line: j.calls[op].line, Column: 1, Err: err}
}
