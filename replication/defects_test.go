package replication_test

import (
	"maps"
	"slices"
	"testing"

	. "github.com/rashomon-go/rashomon/replication"
	"github.com/rashomon-go/rashomon/sim"
)

// mutation puts a small defect around a node.
type mutation func(mutant) sim.Node

type mutant struct {
	members []sim.NodeID
	place   int
	node    sim.Node
}

// defects must each break a property, or the property says nothing.
var defects = map[string]mutation{
	"nothing is sent again": receiving(func(x mutant, env *sim.Env, from sim.Addr, m sim.Message) {
		if from.Node != env.Self() {
			x.node.Receive(env, from, m)
		}
	}),
	"a backup acknowledges despite a gap": receiving(func(x mutant, env *sim.Env, from sim.Addr, m sim.Message) {
		x.node.Receive(env, from, m)
		if r, ok := m.(Replicate); ok {
			env.Send(x.members[0], ReplicationAck{Seq: r.Entry.Seq})
		}
	}),
	"a backup acknowledges before it syncs": receiving(func(x mutant, env *sim.Env, from sim.Addr, m sim.Message) {
		if r, ok := m.(Replicate); ok && r.Entry.Seq == x.node.(*BackupNode).LastSeq()+1 {
			env.Send(x.members[0], ReplicationAck{Seq: r.Entry.Seq})
		}
		x.node.Receive(env, from, m)
	}),
	"a backup applies duplicates": receiving(func(x mutant, env *sim.Env, from sim.Addr, m sim.Message) {
		if r, ok := m.(Replicate); ok && r.Entry.Seq <= x.node.(*BackupNode).LastAppliedSeq() {
			x.node.(*BackupNode).Store().Apply(r.Entry.Write)
		}
		x.node.Receive(env, from, m)
	}),
	"a backup takes updates as they come": receiving(func(x mutant, env *sim.Env, from sim.Addr, m sim.Message) {
		if r, ok := m.(Replicate); ok && r.Entry.Seq > x.node.(*BackupNode).LastSeq() {
			r.Entry.Seq = x.node.(*BackupNode).LastSeq() + 1
			m = r
		}
		x.node.Receive(env, from, m)
	}),
	"a backup takes what is sent for committed": receiving(func(x mutant, env *sim.Env, from sim.Addr, m sim.Message) {
		if r, ok := m.(Replicate); ok {
			r.Committed = r.Entry.Seq
			m = r
		}
		x.node.Receive(env, from, m)
	}),
	"a backup never joins again": receiving(func(x mutant, env *sim.Env, from sim.Addr, m sim.Message) {
		if _, ok := m.(Join); !ok {
			x.node.Receive(env, from, m)
		}
	}),
	"a backup does not wait for its welcome": receiving(func(x mutant, env *sim.Env, from sim.Addr, m sim.Message) {
		if b, ok := x.node.(*BackupNode); ok {
			if r, isRead := m.(Read); isRead {
				env.Reply(from, Value{Value: b.Store().Get(r.Key)})
				return
			}
		}
		x.node.Receive(env, from, m)
	}),
	"the primary commits when it sends": receiving(func(x mutant, env *sim.Env, from sim.Addr, m sim.Message) {
		x.node.Receive(env, from, m)
		if p, ok := x.node.(*PrimaryNode); ok {
			for _, id := range x.members[1:] {
				p.Receive(env, sim.Addr{Node: id}, ReplicationAck{Seq: p.LastSeq()})
			}
		}
	}),
	"the primary counts one backup for another": receiving(func(x mutant, env *sim.Env, from sim.Addr, m sim.Message) {
		x.node.Receive(env, from, m)
		if _, ok := m.(ReplicationAck); ok {
			x.node.Receive(env, sim.Addr{Node: x.members[1]}, m)
		}
	}),
	"the first node applies a retry again": func(x mutant) sim.Node {
		got := map[RequestID]bool{}
		return receiving(func(x mutant, env *sim.Env, from sim.Addr, m sim.Message) {
			if w, ok := m.(Write); ok && x.place == 0 {
				if got[w.Request] {
					w.Request = RequestID{}
				}
				got[m.(Write).Request] = true
				m = w
			}
			x.node.Receive(env, from, m)
		})(x)
	},
	"a node of a chain acknowledges what it receives": receiving(func(x mutant, env *sim.Env, from sim.Addr, m sim.Message) {
		x.node.Receive(env, from, m)
		if p, ok := m.(Propagate); ok {
			env.Send(from.Node, WriteAck{Number: p.Number, Seq: p.Entry.Seq})
		}
	}),
	"a node of a chain applies duplicates": receiving(func(x mutant, env *sim.Env, from sim.Addr, m sim.Message) {
		if p, ok := m.(Propagate); ok && p.Entry.Seq <= x.node.(*ChainNode).LastSeq() {
			x.node.(*ChainNode).Store().Apply(p.Entry.Write)
		}
		x.node.Receive(env, from, m)
	}),
	"a node of a chain takes updates as they come": receiving(func(x mutant, env *sim.Env, from sim.Addr, m sim.Message) {
		if p, ok := m.(Propagate); ok && p.Entry.Seq > x.node.(*ChainNode).LastSeq() {
			p.Entry.Seq = x.node.(*ChainNode).LastSeq() + 1
			m = p
		}
		x.node.Receive(env, from, m)
	}),
	"a node of a chain acknowledges once": receiving(func(x mutant, env *sim.Env, from sim.Addr, m sim.Message) {
		if p, ok := m.(Propagate); !ok || p.Entry.Seq > x.node.(*ChainNode).LastSeq() {
			x.node.Receive(env, from, m)
		}
	}),
	"the head answers at once": receiving(func(x mutant, env *sim.Env, from sim.Addr, m sim.Message) {
		if w, ok := m.(Write); ok && x.place == 0 {
			env.Reply(from, Written{Swapped: true, Seen: w.Value})
		}
		x.node.Receive(env, from, m)
	}),
	"nothing is taken up again after a restart": func(x mutant) sim.Node {
		return lazy{x.node}
	},
}

// TestDefectsAreCaught: each defect breaks a property within so many worlds.
func TestDefectsAreCaught(t *testing.T) {
	const worlds = 300
	for _, name := range slices.Sorted(maps.Keys(defects)) {
		t.Run(name, func(t *testing.T) {
			for seed := range worlds {
				if err := play(plans.Example(seed), defects[name]); err != nil {
					t.Logf("world %d: %v", seed, err)
					return
				}
			}
			t.Fatalf("not caught in %d worlds", worlds)
		})
	}
}

// receiving puts a function in front of a node's Receive.
func receiving(receive func(mutant, *sim.Env, sim.Addr, sim.Message)) mutation {
	return func(x mutant) sim.Node { return mutantNode{x, receive} }
}

type mutantNode struct {
	mutant
	receive func(mutant, *sim.Env, sim.Addr, sim.Message)
}

func (n mutantNode) Receive(env *sim.Env, from sim.Addr, m sim.Message) {
	n.receive(n.mutant, env, from, m)
}

func (n mutantNode) Start(env *sim.Env) {
	if s, ok := n.node.(sim.Starter); ok {
		s.Start(env)
	}
}

// lazy hides that a node has something to do when it boots.
type lazy struct{ sim.Node }
