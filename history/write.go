package history

import (
	"bufio"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/rashomon-go/rashomon/model"
)

const (
	formatName    = "rashomon-history"
	formatVersion = 1
)

// Write writes h as JSON lines: a header, one line per event in the global
// order, a trailer with the number of events (see docs/formats.md).
// ReadJSONLines reads it back, with positions numbered 1, 2, 3 and so on.
//
// It refuses a history that ReadJSONLines would refuse: one that Validate
// refuses, one whose times run backwards, or one whose names are not valid
// UTF-8.
func Write(w io.Writer, h *History) error {
	if err := h.Validate(); err != nil {
		return fmt.Errorf("history: %w", err)
	}
	if err := h.checkNames(); err != nil {
		return fmt.Errorf("history: %w", err)
	}
	j := jsonWriter{h: h, out: bufio.NewWriterSize(w, 64<<10)}
	j.header()
	if err := j.events(); err != nil {
		return fmt.Errorf("history: %w", err)
	}
	j.line = append(j.line, `{"type":"end","events":`...)
	j.line = strconv.AppendInt(j.line, int64(j.count), 10)
	j.endLine()
	return j.out.Flush()
}

func (h *History) checkNames() error {
	for _, t := range h.tables() {
		for _, s := range t.names {
			if !utf8.ValidString(s) {
				return fmt.Errorf("%s %q, expected valid UTF-8", t.what, s)
			}
		}
	}
	return nil
}

type jsonWriter struct {
	h     *History
	out   *bufio.Writer
	line  []byte
	count int
	last  time.Duration
}

func (j *jsonWriter) header() {
	j.line = append(j.line, `{"format":"`+formatName+`","version":`...)
	j.line = strconv.AppendInt(j.line, formatVersion, 10)
	j.list("keys", j.h.Keys)
	if len(j.h.Nodes) > 0 {
		j.list("nodes", j.h.Nodes)
	}
	if len(j.h.Clients) > 0 {
		j.list("clients", j.h.Clients)
	}
	if j.h.Texts != nil {
		j.list("texts", j.unexpectedTexts())
	}
	if j.h.Sets != nil {
		j.line = append(j.line, `,"sets":true`...)
	}
	if j.h.Pinned {
		j.line = append(j.line, `,"pinned":true`...)
	}
	if len(j.h.Faults) > 0 {
		j.faults()
	}
	j.endLine()
}

func (j *jsonWriter) list(name string, items []string) {
	j.line = append(j.line, `,"`+name+`":[`...)
	for i, s := range items {
		if i > 0 {
			j.line = append(j.line, ',')
		}
		j.line = appendJSON(j.line, s)
	}
	j.line = append(j.line, ']')
}

// unexpectedTexts returns the whole table of texts if a reader that numbers
// texts as they appear would get another one, and otherwise nothing: a table
// would only say everything twice.
func (j *jsonWriter) unexpectedTexts() []string {
	next := model.Value(0)
	inOrder := true
	appears := func(v model.Value) {
		inOrder = inOrder && v <= next
		if v == next {
			next++
		}
	}
	// The reader meets what is stored at the call and what is seen at the
	// return.
	for i, returns := range j.h.inOrder() {
		o := &j.h.Ops[i]
		switch {
		case o.Kind == model.Txn:
			for _, m := range j.h.Txn(o.Value) {
				if returns == (m.Kind == model.Read) {
					appears(m.Value)
				}
			}
		case returns && o.sees():
			appears(o.Seen)
		case !returns && o.stores():
			if o.Kind == model.CAS {
				appears(o.Expect)
			}
			appears(o.Value)
		}
	}
	if inOrder && int(next) == len(j.h.Texts) {
		return nil
	}
	return j.h.Texts
}

func (j *jsonWriter) events() error {
	for i, returns := range j.h.inOrder() {
		o := &j.h.Ops[i]
		at := o.CalledAt
		if returns {
			at = o.ReturnedAt
		}
		if at < j.last {
			return fmt.Errorf("operation %d (%s) has an event at %v after another at %v, expected times in the order of positions",
				i, j.h.OpString(i), at, j.last)
		}
		j.last = at
		j.count++
		if returns {
			j.returned(o)
		} else {
			j.called(o)
		}
		j.number("time", int64(at))
		if err := j.endLine(); err != nil {
			return err
		}
	}
	return nil
}

// inOrder goes through the calls (false) and returns (true) of the operations in
// their global order. Unknown outcomes have no position: they stand where their
// time puts them, or nowhere if it is not known.
func (h *History) inOrder() iter.Seq2[int, bool] {
	placed, unknown := h.split()
	return func(yield func(int, bool) bool) {
		for _, e := range placed {
			for len(unknown) > 0 && unknown[0].at < e.at {
				if !yield(unknown[0].op, true) {
					return
				}
				unknown = unknown[1:]
			}
			if !yield(e.op, e.returns) {
				return
			}
		}
		for _, e := range unknown {
			if !yield(e.op, true) {
				return
			}
		}
	}
}

type event struct {
	position int64
	at       time.Duration
	op       int
	returns  bool
}

// split returns the events that have a position, by position, and the unknown
// outcomes whose time is known, by time.
func (h *History) split() (placed, unknown []event) {
	placed = make([]event, 0, 2*len(h.Ops))
	for i := range h.Ops {
		o := &h.Ops[i]
		placed = append(placed, event{o.Call, o.CalledAt, i, false})
		if o.Return != Never {
			placed = append(placed, event{o.Return, o.ReturnedAt, i, true})
		} else if o.ReturnedAt >= o.CalledAt {
			unknown = append(unknown, event{Never, o.ReturnedAt, i, true})
		}
	}
	slices.SortFunc(placed, func(a, b event) int { return cmp.Compare(a.position, b.position) })
	slices.SortStableFunc(unknown, func(a, b event) int { return cmp.Compare(a.at, b.at) })
	return placed, unknown
}

func (j *jsonWriter) called(o *Op) {
	j.start(o, "invoke")
	j.line = append(j.line, `,"op":"`+o.Kind.String()+`","key":`...)
	j.line = appendJSON(j.line, j.h.Keys[o.Key])
	if o.Kind == model.CAS {
		j.value("expect", o.Expect)
	}
	if o.stores() {
		j.value("value", o.Value)
	}
	if o.Kind == model.Txn {
		j.steps(j.h.Txn(o.Value))
	}
	if o.Node != NoNode {
		j.line = append(j.line, `,"node":`...)
		j.line = appendJSON(j.line, j.h.Nodes[o.Node])
	}
	if o.ID != 0 {
		j.number("id", int64(o.ID))
	}
}

func (j *jsonWriter) returned(o *Op) {
	j.start(o, o.Outcome.String())
	if o.Kind == model.CAS && o.Outcome == OK {
		j.line = append(j.line, `,"swapped":`...)
		j.line = strconv.AppendBool(j.line, o.Swapped)
	}
	switch {
	case o.Kind == model.Txn && o.Outcome == OK:
		j.told(j.h.Txn(o.Value))
	case !o.sees() || o.Seen == model.Unseen:
	case j.h.Sets != nil:
		j.set(j.h.Set(o.Seen))
	default:
		j.value("seen", o.Seen)
	}
}

func (j *jsonWriter) start(o *Op, what string) {
	j.line = append(j.line, `{"process":`...)
	j.line = strconv.AppendInt(j.line, int64(o.Process), 10)
	j.line = append(j.line, `,"type":"`...)
	j.line = append(j.line, what...)
	j.line = append(j.line, '"')
}

func (j *jsonWriter) number(name string, n int64) {
	j.line = append(j.line, `,"`...)
	j.line = append(j.line, name...)
	j.line = append(j.line, `":`...)
	j.line = strconv.AppendInt(j.line, n, 10)
}

func (j *jsonWriter) value(name string, v model.Value) {
	j.line = append(j.line, `,"`...)
	j.line = append(j.line, name...)
	j.line = append(j.line, `":`...)
	j.bare(v)
}

// bare writes a value without the name of a field.
func (j *jsonWriter) bare(v model.Value) {
	switch {
	case v == model.Absent:
		j.line = append(j.line, "null"...)
	case j.h.Texts == nil:
		j.line = strconv.AppendInt(j.line, int64(v), 10)
	default:
		j.line = appendJSON(j.line, j.h.text(v))
	}
}

func (j *jsonWriter) set(elements []model.Value) {
	j.line = append(j.line, `,"seen":[`...)
	for i, v := range elements {
		if i > 0 {
			j.line = append(j.line, ',')
		}
		j.line = strconv.AppendInt(j.line, int64(v), 10)
	}
	j.line = append(j.line, ']')
}

func (j *jsonWriter) endLine() error {
	j.line = append(j.line, '}', '\n')
	_, err := j.out.Write(j.line)
	j.line = j.line[:0]
	return err
}

// appendJSON appends s as a JSON string. Plain text, which is nearly all there
// is, needs no encoder.
func appendJSON(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			quoted, err := json.Marshal(s)
			if err != nil {
				panic(errors.Join(errors.New("history: a string without JSON form"), err))
			}
			return append(b, quoted...)
		}
	}
	b = append(b, '"')
	b = append(b, s...)
	return append(b, '"')
}
