package checker

import (
	"fmt"
	"strings"
	"time"

	"github.com/rashomon-go/rashomon/history"
	"github.com/rashomon-go/rashomon/model"
)

// full returns an operation with its client and its times, such as
// "read k0 -> 7 by client 3 (412ms..415ms)".
func (e *explanation) full(i int32) string {
	return fmt.Sprintf("%s by client %d (%s)", e.bare(i), e.op(i).Process, e.span(i))
}

// by returns an operation as it is mentioned in passing. Writes are told apart
// by what they write, everything else by its client.
func (e *explanation) by(i int32) string {
	if e.op(i).Kind == model.Write {
		return e.bare(i)
	}
	return fmt.Sprintf("%s by client %d", e.bare(i), e.op(i).Process)
}

func (e *explanation) noun(i int32) string { return "the " + e.op(i).Kind.String() }

// bare returns an operation without its outcome if that is not an answer.
func (e *explanation) bare(i int32) string {
	s := e.h.OpString(int(i))
	if o := e.op(i).Outcome; o != history.OK {
		s = strings.TrimSuffix(s, ": "+o.String())
	}
	return s
}

// asked returns an operation without its answer.
func (e *explanation) asked(i int32) string {
	s, _, _ := strings.Cut(e.bare(i), ": failed")
	return s
}

func (e *explanation) span(i int32) string {
	if e.op(i).Outcome == history.Unknown {
		return e.called(i) + ".., outcome unknown"
	}
	return e.called(i) + ".." + e.returned(i)
}

func (e *explanation) called(i int32) string {
	return e.moment(e.op(i).CalledAt, e.op(i).Call)
}

func (e *explanation) returned(i int32) string {
	return e.moment(e.op(i).ReturnedAt, e.op(i).Return)
}

// moment returns a time, or the position in the history if it has no times.
func (e *explanation) moment(at time.Duration, position int64) string {
	for i := range e.h.Ops {
		if o := &e.h.Ops[i]; o.CalledAt != 0 || o.ReturnedAt != 0 {
			return at.String()
		}
	}
	return fmt.Sprintf("event %d", position)
}
