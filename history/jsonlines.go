package history

import (
	"errors"
	"fmt"
	"io"
	"math"
	"time"

	"github.com/rashomon-go/rashomon/history/internal/lines"
	"github.com/rashomon-go/rashomon/model"
)

// ReadJSONLines reads a history that Write wrote, or that another program wrote
// in the same format (see docs/formats.md). The name stands in errors.
//
// It is strict: unknown fields, fields twice, events that cannot follow each
// other and a missing trailer are errors. Every error is a *ReadError. It stops
// at the first bad line, and keeps no more in memory than that line and the
// history so far.
func ReadJSONLines(r io.Reader, name string) (*History, error) {
	j := jsonReader{in: lines.NewReader(r), name: name, names: map[string]string{}, nodes: map[string]int32{}}
	if err := j.read(); err != nil {
		return nil, err
	}
	return j.rec.Finish(j.now), nil
}

type jsonReader struct {
	in       *lines.Reader
	name     string
	line     int
	rec      Recorder
	now      time.Duration
	texts    bool // values are texts
	names    map[string]string
	nodes    map[string]int32
	calledIn []int // by operation: the line of its call
	events   int64
}

func (j *jsonReader) read() error {
	line, err := j.next()
	if err != nil {
		return j.endsEarly(err, `the header {"format":"`+formatName+`","version":1}`)
	}
	if err := j.header(line); err != nil {
		return j.at(err)
	}
	for {
		line, err := j.next()
		if err != nil {
			return j.endsEarly(err, fmt.Sprintf(`the trailer {"type":"end","events":%d}: the file is cut off`, j.events))
		}
		ended, err := j.event(line)
		if err != nil {
			return j.at(err)
		}
		if ended {
			return j.nothingMore()
		}
	}
}

func (j *jsonReader) next() ([]byte, error) {
	j.line++
	return j.in.Next()
}

func (j *jsonReader) nothingMore() error {
	_, err := j.next()
	switch {
	case err == io.EOF:
		return nil
	case err != nil:
		return j.at(err)
	}
	return j.at(wrong(0, "a line after the trailer, expected the end of the file"))
}

// endsEarly explains an error of next where a line was needed.
func (j *jsonReader) endsEarly(err error, expected string) error {
	if err == io.EOF {
		err = wrong(0, "the file ends, expected %s", expected)
	}
	return j.at(err)
}

func (j *jsonReader) at(err error) error {
	column := 1
	var c *columnError
	if errors.As(err, &c) {
		column, err = c.at+1, c.err
	}
	return &ReadError{Name: j.name, Line: j.line, Column: column, Err: err}
}

func (j *jsonReader) header(line []byte) error {
	c := jsonCursor{line: line}
	if err := c.open(); err != nil {
		return err
	}
	known := map[string]bool{}
	for {
		name, err := c.field(len(known) == 0)
		if err != nil {
			return err
		}
		if name == nil {
			if err := c.end(); err != nil {
				return err
			}
			break
		}
		field := string(name)
		if known[field] {
			return wrong(c.nameAt, "field %q twice, expected it once", field)
		}
		known[field] = true
		if err := j.headerField(&c, field); err != nil {
			return err
		}
	}
	if j.texts && j.rec.h.Sets != nil {
		return wrong(0, `a header with "texts" and "sets", expected one of them`)
	}
	for _, field := range []string{"format", "version"} {
		if !known[field] {
			return wrong(0, `a header without %q, expected {"format":"%s","version":1}`, field, formatName)
		}
	}
	return nil
}

func (j *jsonReader) headerField(c *jsonCursor, field string) error {
	at := c.i
	switch field {
	case "format":
		if s, err := c.text(); err != nil || string(s) == formatName {
			return err
		} else {
			return wrong(at, "format %q, expected %q", s, formatName)
		}
	case "version":
		if v, err := c.integer(0, math.MaxInt64); err != nil || v == formatVersion {
			return err
		} else {
			return wrong(at, "version %d, expected %d", v, formatVersion)
		}
	}
	switch field {
	case "keys", "nodes", "clients", "texts":
	case "sets":
		j.rec.h.Sets = [][]model.Value{}
		return c.yes(field)
	case "pinned":
		j.rec.h.Pinned = true
		return c.yes(field)
	case "faults":
		list, err := c.faults()
		j.rec.h.Faults = list
		return err
	default:
		return wrong(c.nameAt, "field %q in the header, expected format, version, keys, nodes, clients, texts, sets, pinned or faults", field)
	}
	list, err := c.names()
	if err != nil {
		return err
	}
	j.tables(field, list)
	return nil
}

// yes takes a true.
func (c *jsonCursor) yes(field string) error {
	at := c.i
	yes, err := c.boolean()
	if err == nil && !yes {
		err = wrong(at, `"%s":false, expected true or no such field`, field)
	}
	return err
}

func (j *jsonReader) tables(field string, list []string) {
	switch field {
	case "keys":
		for _, s := range list {
			j.rec.key(j.intern([]byte(s)))
		}
	case "nodes":
		for _, s := range list {
			j.node([]byte(s))
		}
	case "clients":
		for _, s := range list {
			j.rec.h.Clients = append(j.rec.h.Clients, j.intern([]byte(s)))
		}
	case "texts":
		j.texts = true
		j.rec.h.Texts = []string{}
		for _, s := range list {
			j.rec.Text(s)
		}
	}
}

func (j *jsonReader) intern(name []byte) string {
	s, known := j.names[string(name)]
	if !known {
		s = string(name)
		j.names[s] = s
	}
	return s
}

func (j *jsonReader) node(name []byte) int32 {
	n, known := j.nodes[string(name)]
	if !known {
		n = int32(len(j.rec.h.Nodes))
		j.nodes[string(name)] = n
		j.rec.h.Nodes = append(j.rec.h.Nodes, string(name))
	}
	return n
}

// event records one line and reports whether it is the trailer.
func (j *jsonReader) event(line []byte) (ended bool, err error) {
	var e jsonEvent
	if err := e.parse(line); err != nil {
		return false, err
	}
	if err := e.check(); err != nil {
		return false, err
	}
	if e.typ == typeEnd {
		if e.events != j.events {
			return false, wrong(e.at[fieldEvents], "a trailer of %d events after %d events, expected the same number", e.events, j.events)
		}
		return true, nil
	}
	j.events++
	if !e.has(fieldTime) {
		e.time = j.now
	}
	if e.typ == typeInvoke {
		err = j.call(&e)
	} else {
		err = j.answer(&e)
	}
	j.now = e.time
	return false, err
}

func (j *jsonReader) call(e *jsonEvent) error {
	a := Asked{
		ID: int32(e.id), Process: e.process, Kind: e.op, Key: j.intern(e.key), Node: NoNode,
	}
	if e.has(fieldNode) {
		a.Node = j.node(e.node)
	}
	var err error
	if a.Kind == model.Txn {
		a.Txn, err = j.steps(e)
	} else {
		a.Value, err = j.value(e, fieldValue, e.value)
	}
	if err != nil {
		return err
	}
	if a.Expect, err = j.value(e, fieldExpect, e.expect); err != nil {
		return err
	}
	if a.Value == model.Absent && a.Kind != model.CAS {
		return wrong(e.at[fieldValue], "null to %s, expected a value%s", a.Kind, orDelete(a.Kind))
	}
	if sets := j.rec.h.Sets != nil; sets != (a.Kind == model.Add) && (!sets || a.Kind != model.Read) {
		if sets {
			return wrong(e.at[fieldOp], "%s in a history of sets, expected read or add", a.Kind)
		}
		return wrong(e.at[fieldOp], `add in a history without sets, expected "sets":true in its header`)
	}
	if _, err := j.rec.Call(a, e.time); err != nil {
		if open, busy := j.rec.Open(e.process); busy && e.time >= j.now {
			err = fmt.Errorf("%w (it was called in line %d)", err, j.calledIn[open])
		}
		return &columnError{e.column(err), err}
	}
	j.calledIn = append(j.calledIn, j.line)
	return nil
}

func (j *jsonReader) answer(e *jsonEvent) error {
	i, open := j.rec.Open(e.process)
	if !open {
		return wrong(e.at[fieldProcess], "process %d ends an operation but has none open, expected its invoke first", e.process)
	}
	a := Answered{Outcome: e.outcome(), Seen: model.Unseen, Swapped: e.swapped, Node: NoNode}
	if err := j.fits(e, i); err != nil {
		return err
	}
	if e.has(fieldNode) {
		a.Node = j.node(e.node)
	}
	if e.has(fieldSeen) {
		var err error
		if j.rec.h.Ops[i].Kind == model.Txn {
			a.Told, err = j.told(e, i)
		} else {
			a.Seen, err = j.seen(e)
		}
		if err != nil {
			return err
		}
	}
	if err := j.rec.Return(i, a, e.time); err != nil {
		return &columnError{e.column(err), err}
	}
	return nil
}

// fits checks that the answer says what the kind of operation i can answer.
func (j *jsonReader) fits(e *jsonEvent, i int) error {
	kind := j.rec.h.Ops[i].Kind
	switch {
	case kind == model.CAS && e.typ == typeOK && !e.has(fieldSwapped):
		return wrong(0, `the ok of a cas (called in line %d) without "swapped", expected true or false`, j.calledIn[i])
	case e.has(fieldSwapped) && (kind != model.CAS || e.typ != typeOK):
		return wrong(e.at[fieldSwapped], `"swapped" in the %s of a %s (called in line %d), expected it in the ok of a cas only`, e.typ, kind, j.calledIn[i])
	case e.has(fieldSeen) && (e.typ != typeOK || kind != model.Read && kind != model.Dequeue && kind != model.Txn && (kind != model.CAS || e.swapped)):
		return wrong(e.at[fieldSeen], `"seen" in the %s of a %s (called in line %d), expected it in the ok of a read, a dequeue, a txn, or a cas that did not swap only`, e.typ, kind, j.calledIn[i])
	}
	return nil
}

func (j *jsonReader) value(e *jsonEvent, field int, v jsonValue) (model.Value, error) {
	switch {
	case !e.has(field):
		return 0, nil
	case v.list.line != nil:
		return 0, wrong(e.at[field], "a list, expected a value (transactions are of op txn)")
	}
	return j.plain(e.at[field], v.jsonScalar)
}

// plain returns a value that stands at a column.
func (j *jsonReader) plain(at int, v jsonScalar) (model.Value, error) {
	switch {
	case v.text != nil && !j.texts:
		return 0, wrong(at, `text %q, expected a number or null (a history of texts has "texts":[] in its header)`, v.text)
	case v.text != nil:
		return j.rec.Text(j.intern(v.text)), nil
	case v.number != model.Absent && j.texts:
		return 0, wrong(at, `number %d, expected a text or null (the header has "texts")`, v.number)
	}
	return v.number, nil
}

func (j *jsonReader) seen(e *jsonEvent) (model.Value, error) {
	switch sets := j.rec.h.Sets != nil; {
	case sets != (e.seen.list.line != nil) && sets:
		return 0, wrong(e.at[fieldSeen], "no set, expected one such as [1,2]")
	case sets != (e.seen.list.line != nil):
		return 0, wrong(e.at[fieldSeen], `several values, expected one (a list is a text such as "[2 1]", with "texts":[] in the header; a history of sets has "sets":true there)`)
	case sets:
		return j.set(e.seen.list)
	}
	return j.value(e, fieldSeen, e.seen)
}

// column returns the column that a refusal of the recorder is about.
func (e *jsonEvent) column(err error) int {
	var backwards *backwardsError
	if errors.As(err, &backwards) && e.has(fieldTime) {
		return e.at[fieldTime]
	}
	return e.at[fieldProcess]
}
