package systems

import (
	"slices"

	"github.com/rashomon-go/rashomon/sim"
)

// Bugs are planted from outside, by wrapping a node's steps, so that the
// protocols stay clean.
var bugs = slices.Concat(chainBugs, primaryBackupBugs)

// wrapped is a node whose steps a bug gets to see first.
type wrapped[N sim.Node] struct {
	node N
	step func(n N, env *sim.Env, from sim.Addr, m sim.Message)
}

// wrap lets step stand in front of a node of type N; other nodes stay as they
// are.
func wrap[N sim.Node](node sim.Node, step func(n N, env *sim.Env, from sim.Addr, m sim.Message)) sim.Node {
	if n, ok := node.(N); ok {
		return wrapped[N]{n, step}
	}
	return node
}

// Receive implements sim.Node.
func (w wrapped[N]) Receive(env *sim.Env, from sim.Addr, m sim.Message) {
	w.step(w.node, env, from, m)
}

// Start implements sim.Starter.
func (w wrapped[N]) Start(env *sim.Env) {
	if s, ok := sim.Node(w.node).(sim.Starter); ok {
		s.Start(env)
	}
}

func (w wrapped[N]) unwrap() sim.Node { return w.node }

// State implements sim.Observable.
func (w wrapped[N]) State() []sim.Variable {
	if o, ok := sim.Node(w.node).(sim.Observable); ok {
		return o.State()
	}
	return nil
}
