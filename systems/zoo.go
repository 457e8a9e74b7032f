package systems

import (
	"slices"
	"strings"

	"github.com/rashomon-go/rashomon/sim"
)

// Bugs are planted from outside, by wrapping a node's steps or by replacing entries
// of a protocol's table of decisions, so that the protocols stay clean.
var bugs = slices.SortedFunc(slices.Values(slices.Concat(chainBugs, primaryBackupBugs, multiLeaderBugs)),
	func(a, b Bug) int { return strings.Compare(a.Name, b.Name) })

// wrapped is a node whose steps a bug gets to see first.
type wrapped[N sim.Node] struct {
	node N
	step func(n N, env *sim.Env, from sim.Addr, m sim.Message) // nil: as node does
	// start takes the place of node's Start, if it is not nil.
	start func(n N, env *sim.Env)
}

// wrap lets step stand in front of a node of type N; other nodes stay as they
// are.
func wrap[N sim.Node](node sim.Node, step func(n N, env *sim.Env, from sim.Addr, m sim.Message)) sim.Node {
	if n, ok := node.(N); ok {
		return wrapped[N]{node: n, step: step}
	}
	return node
}

// Receive implements sim.Node.
func (w wrapped[N]) Receive(env *sim.Env, from sim.Addr, m sim.Message) {
	if w.step == nil {
		w.node.Receive(env, from, m)
		return
	}
	w.step(w.node, env, from, m)
}

// Start implements sim.Starter.
func (w wrapped[N]) Start(env *sim.Env) {
	if w.start != nil {
		w.start(w.node, env)
	} else if s, ok := sim.Node(w.node).(sim.Starter); ok {
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
