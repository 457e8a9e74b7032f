package systems

import (
	"github.com/rashomon-go/rashomon"
	"github.com/rashomon-go/rashomon/replication"
	"github.com/rashomon-go/rashomon/sim"
)

// Bugs are planted from outside, by wrapping a node's steps, so that the
// protocols stay clean.
var bugs = append([]Bug{
	{
		Name:   "chain-ack-at-middle",
		About:  "the node before the tail answers the client as soon as it has an update",
		Rule:   "an update is answered by the tail (van Renesse & Schneider 2004, section 3)",
		Needs:  "3 nodes, no fault",
		System: "chain", Reads: "tail", Claim: rashomon.Linearizable,
		plant: ackAtMiddle,
	},
	{
		Name:   "chain-dup-regress",
		About:  "the tail applies an update again when it receives it again",
		Rule:   "an update is processed once, in sequence (van Renesse & Schneider 2004, section 3)",
		Needs:  "duplicated or retransmitted messages",
		System: "chain", Reads: "tail", Claim: rashomon.Linearizable,
		plant: dupRegress,
	},
}, primaryBackupBugs...)

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

// State implements sim.Observable.
func (w wrapped[N]) State() []sim.Variable {
	if o, ok := sim.Node(w.node).(sim.Observable); ok {
		return o.State()
	}
	return nil
}

func ackAtMiddle(c *rashomon.Cluster, place int, node sim.Node) sim.Node {
	if place != len(c.Nodes)-2 || place == 0 {
		return node
	}
	return wrap(node, func(n *replication.ChainNode, env *sim.Env, from sim.Addr, m sim.Message) {
		before := n.LastSeq()
		n.Receive(env, from, m)
		if p, ok := m.(replication.Propagate); ok && n.LastSeq() > before {
			env.Reply(p.Entry.Client, replication.Written{Swapped: true, Seen: p.Entry.Write.Value})
		}
	})
}

func dupRegress(c *rashomon.Cluster, place int, node sim.Node) sim.Node {
	if place != len(c.Nodes)-1 {
		return node
	}
	return wrap(node, func(n *replication.ChainNode, env *sim.Env, from sim.Addr, m sim.Message) {
		if p, ok := m.(replication.Propagate); ok && p.Entry.Seq <= n.LastSeq() {
			n.Store().Apply(p.Entry.Write)
		}
		n.Receive(env, from, m)
	})
}
