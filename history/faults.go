package history

import (
	"fmt"
	"math"
	"strconv"
	"time"
	"unicode/utf8"
)

// Fault is what somebody did to the system while clients used it. Checkers do not
// look at faults; people and drawings do.
type Fault struct {
	From, Until time.Duration // since the start of the run; Until is Endless if it did not end
	Text        string        // in words
	Hits        uint64        // how often it hit anything: messages, steps, nodes; 0 if it did nothing
}

// Endless is the end of a fault that does not end.
const Endless time.Duration = math.MaxInt64

// validate reports the first thing that is wrong with the fault.
func (f *Fault) validate() error {
	switch {
	case f.From < 0 || f.Until < f.From:
		return fmt.Errorf("fault %q: from %v until %v, expected an end that is not before the beginning", f.Text, f.From, f.Until)
	case !utf8.ValidString(f.Text):
		return fmt.Errorf("fault %q, expected valid UTF-8", f.Text)
	}
	return nil
}

func (j *jsonWriter) faults() {
	j.line = append(j.line, `,"faults":[`...)
	for i, f := range j.h.Faults {
		if i > 0 {
			j.line = append(j.line, ',')
		}
		j.line = append(j.line, `{"from":`...)
		j.line = strconv.AppendInt(j.line, int64(f.From), 10)
		if f.Until != Endless {
			j.line = append(j.line, `,"until":`...)
			j.line = strconv.AppendInt(j.line, int64(f.Until), 10)
		}
		j.line = append(j.line, `,"fault":`...)
		j.line = appendJSON(j.line, f.Text)
		j.line = append(j.line, `,"hits":`...)
		j.line = strconv.AppendUint(j.line, f.Hits, 10)
		j.line = append(j.line, '}')
	}
	j.line = append(j.line, ']')
}

// faults reads a list of faults.
func (c *jsonCursor) faults() (all []Fault, err error) {
	if err := c.expect('['); err != nil {
		return nil, err
	}
	for !c.take(']') {
		if len(all) > 0 {
			if err := c.expect(','); err != nil {
				return nil, err
			}
		}
		c.space()
		at := c.i
		f, err := c.fault()
		if err != nil {
			return nil, err
		}
		if err := f.validate(); err != nil {
			return nil, wrong(at, "%w", err)
		}
		all = append(all, f)
	}
	return all, nil
}

func (c *jsonCursor) fault() (Fault, error) {
	f := Fault{Until: Endless}
	known := map[string]bool{}
	err := c.open()
	for err == nil {
		var name []byte
		if name, err = c.field(len(known) == 0); name == nil {
			break
		}
		field := string(name)
		if known[field] {
			return f, wrong(c.nameAt, "field %q twice, expected it once", field)
		}
		known[field] = true
		var n int64
		switch field {
		case "from":
			n, err = c.integer(0, math.MaxInt64)
			f.From = time.Duration(n)
		case "until":
			n, err = c.integer(0, math.MaxInt64)
			f.Until = time.Duration(n)
		case "hits":
			n, err = c.integer(0, math.MaxInt64)
			f.Hits = uint64(n)
		case "fault":
			var text []byte
			text, err = c.text()
			f.Text = string(text)
		default:
			return f, wrong(c.nameAt, "field %q in a fault, expected from, until, fault or hits", field)
		}
	}
	return f, err
}
