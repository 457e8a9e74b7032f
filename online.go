package rashomon

import (
	"errors"
	"time"

	"github.com/rashomon-go/rashomon/checker"
	"github.com/rashomon-go/rashomon/history"
)

// online judges a run while it goes on, so that it can end with the first answer
// that no order of the operations explains.
type online struct {
	stream  checker.Stream
	on      bool
	stopped bool
}

// asked takes a call. Who calls something that a stream cannot judge, such as a
// compare-and-set, turns it off: the history is then judged at the end alone.
func (o *online) asked(a history.Asked, at time.Duration) {
	if o.on && !o.stopped {
		o.on = o.stream.Call(a, at) == nil
	}
}

func (o *online) answered(process int32, a history.Answered, at time.Duration) {
	if !o.on || o.stopped {
		return
	}
	f, err := o.stream.Return(process, a, at)
	if err != nil {
		panic(err)
	}
	o.stopped = f != nil
}

// errNotInvalid says that a run was stopped for nothing.
var errNotInvalid = errors.New("the run was stopped by a checker that judges while it goes on, but its history is not invalid; this is a bug")
