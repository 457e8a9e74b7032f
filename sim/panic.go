package sim

import (
	"fmt"
	"runtime/debug"
	"time"
)

// Panic is what comes out of Step and Run when a node, a process or an action
// panics: the same panic, with its circumstances.
type Panic struct {
	Who   string        // "node n1", "process c2", `action "heal"`
	At    time.Duration // true time
	Value any           // what it panicked with
	Stack string        // where
}

// Brief says in one line who panicked, when and why. Unlike Error, it is the
// same in every run.
func (p *Panic) Brief() string { return fmt.Sprintf("sim: %s at %v: %v", p.Who, p.At, p.Value) }

// Error is Brief and the stack, because that is lost when a panic leaves the
// coroutine of a process.
func (p *Panic) Error() string { return p.Brief() + "\n\n" + p.Stack }

// Unwrap returns the error that was panicked with, if it was one.
func (p *Panic) Unwrap() error {
	err, _ := p.Value.(error)
	return err
}

// explain is deferred wherever others' code runs.
func (w *World) explain() {
	if r := recover(); r != nil {
		explained := w.explained(r)
		w.active, w.acting = nil, ""
		panic(explained)
	}
}

// explained adds the circumstances to a panic, once. If nobody else's code is
// running, it is a bug of the simulator or of its caller and stays as it is.
func (w *World) explained(r any) any {
	who := w.culprit()
	if _, already := r.(*Panic); already || who == "" {
		return r
	}
	return &Panic{who, w.now, r, string(debug.Stack())}
}

// culprit names whose code is running.
func (w *World) culprit() string {
	switch {
	case w.active != nil:
		return w.active.String()
	case w.acting != "":
		return fmt.Sprintf("action %q", w.acting)
	}
	return ""
}
