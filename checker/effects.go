package checker

import (
	"github.com/rashomon-go/rashomon/history"
	"github.com/rashomon-go/rashomon/model"
)

// counts reports whether an operation takes part in the question at all. What
// failed did not happen; a read without an answer says nothing.
func counts(o *history.Op) bool {
	return o.Outcome == history.OK || o.Outcome == history.Unknown && o.Kind != model.Read
}

// stored returns the value that a register holds after o, if o stores one or
// may have stored it.
func stored(o *history.Op) (v model.Value, stores bool) {
	switch {
	case o.Kind == model.Write, o.Kind == model.CAS && (o.Swapped || o.Outcome == history.Unknown):
		return o.Value, true
	case o.Kind == model.Delete:
		return model.Absent, true
	}
	return 0, false
}

// observed returns the value that a register held when o happened, if o's
// answer tells.
func observed(o *history.Op) (v model.Value, saw bool) {
	switch {
	case o.Outcome != history.OK:
		return 0, false
	case swapped(o):
		return o.Expect, true
	case o.Kind == model.Read, o.Kind == model.CAS:
		return o.Seen, o.Seen != model.Unseen
	}
	return 0, false
}

func swapped(o *history.Op) bool {
	return o.Kind == model.CAS && o.Outcome == history.OK && o.Swapped
}

// equal reports whether o is a compare-and-set that changes nothing.
func equal(o *history.Op) bool { return o.Kind == model.CAS && o.Expect == o.Value }

// acknowledged reports whether o changed its key for certain.
func acknowledged(o *history.Op) bool {
	_, stores := stored(o)
	return stores && o.Outcome == history.OK
}

// refused reports whether o asked to store a value that certainly was not
// stored.
func refused(o *history.Op) bool {
	return o.Kind == model.Write && o.Outcome == history.Fail ||
		o.Kind == model.CAS && (o.Outcome == history.Fail || o.Outcome == history.OK && !o.Swapped)
}
