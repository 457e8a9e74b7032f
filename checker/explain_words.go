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
	return fmt.Sprintf("%s by %s (%s)", e.bare(i), e.client(i), e.span(i))
}

// by returns an operation as it is mentioned in passing. Writes are told apart
// by what they write, everything else by its client.
func (e *explanation) by(i int32) string {
	if e.op(i).Kind == model.Write {
		return e.bare(i)
	}
	return fmt.Sprintf("%s by %s", e.bare(i), e.client(i))
}

// client returns what the client of an operation is called.
func (e *explanation) client(i int32) string { return e.h.Client(e.op(i).Process) }

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
	return e.moment(moment{at: e.op(i).CalledAt, position: e.op(i).Call})
}

func (e *explanation) returned(i int32) string {
	return e.moment(moment{at: e.op(i).ReturnedAt, position: e.op(i).Return, returns: true})
}

// moment is the call or the return of an operation.
type moment struct {
	at       time.Duration
	position int64
	returns  bool
}

// clock is a way to tell moments.
type clock uint8

const (
	rounded clock = iota // times to 10 µs, as lists tell them
	exact                // times
	events               // positions in the history
)

func (c clock) tell(m moment) string {
	switch c {
	case rounded:
		return m.at.Round(10 * time.Microsecond).String()
	case exact:
		return m.at.String()
	}
	return fmt.Sprintf("event %d", m.position)
}

func (e *explanation) moment(m moment) string {
	e.mentioned = append(e.mentioned, m)
	return e.clock.tell(m)
}

// tell returns what say says, with the first clock that does not hide what it is
// about: that one operation had returned before another was called.
func (e *explanation) tell(say func() string) string {
	e.clock = rounded
	if e.timeless() {
		e.clock = events
	}
	for {
		e.mentioned = e.mentioned[:0]
		s := say()
		if e.clear() {
			return s
		}
		e.clock++
	}
}

func (e *explanation) timeless() bool {
	for i := range e.h.Ops {
		if o := &e.h.Ops[i]; o.CalledAt != 0 || o.ReturnedAt != 0 {
			return false
		}
	}
	return true
}

// clear reports whether the moments mentioned can be told apart where that
// matters: different times must look different, and a return must not look as
// late as a call that came after it.
func (e *explanation) clear() bool {
	if e.clock == events {
		return true
	}
	for i, a := range e.mentioned {
		for j, b := range e.mentioned {
			if a.at == b.at && a.returns && !b.returns && a.position < b.position {
				return false
			}
			if i < j && a.at != b.at && e.clock.tell(a) == e.clock.tell(b) {
				return false
			}
		}
	}
	return true
}
