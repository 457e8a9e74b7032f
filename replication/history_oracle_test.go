package replication_test

import (
	"fmt"
	"maps"
	"slices"

	"github.com/rashomon-go/rashomon/replication"
	"github.com/rashomon-go/rashomon/sim"
)

// historyOracle is causality without clocks: every write remembers all the
// writes before it, one by one, and a leader holds those that no other of its
// writes remembers. Writes are told apart by their timestamps.
type historyOracle struct {
	history  map[stamp]writes // before and with the write
	held     []map[string]writes
	contexts map[string]writes // by key and clock
	made     map[replication.RequestID]stamp
	keys     map[stamp]string
	acked    []replication.RequestID
}

type (
	stamp  = replication.HLCTimestamp
	writes map[stamp]bool
)

func newHistoryOracle(leaders int) *historyOracle {
	return &historyOracle{
		history: map[stamp]writes{}, held: make([]map[string]writes, leaders), contexts: map[string]writes{},
		made: map[replication.RequestID]stamp{}, keys: map[stamp]string{},
	}
}

func (o *historyOracle) ack(id replication.RequestID) { o.acked = append(o.acked, id) }

// watched is a leader and what the oracle knows of it.
type watched struct {
	*replication.LeaderNode
	inner  sim.Node
	oracle *historyOracle
	place  int
}

func (o *historyOracle) watch(n *replication.LeaderNode, place int, wrap func(*replication.LeaderNode, int) sim.Node) sim.Node {
	held := map[string]writes{}
	for key := range n.Tree().Keys(replication.KeyRange{}) {
		held[key] = stamps(n.Versions(key))
	}
	o.held[place] = held
	w := &watched{n, n, o, place}
	if wrap != nil {
		w.inner = wrap(n, 0)
	}
	return w
}

func stamps(versions []replication.VersionedValue) writes {
	s := writes{}
	for i := range versions {
		s[versions[i].Timestamp] = true
	}
	return s
}

// Receive lets the leader take a step and compares it with the oracle.
func (w *watched) Receive(env *sim.Env, from sim.Addr, m sim.Message) {
	switch m := m.(type) {
	case replication.Write:
		w.write(env, from, m, m.Key, m.Request, w.oracle.past(w.oracle.held[w.place][m.Key]))
	case replication.Add:
		w.write(env, from, m, m.Key, m.Request, w.oracle.past(w.oracle.held[w.place][m.Key]))
	case replication.WriteAfter:
		w.write(env, from, m, m.Write.Key, m.Write.Request, w.oracle.contexts[name(m.Write.Key, m.Context.Clock)])
	case replication.ReadContext:
		w.inner.Receive(env, from, m)
		w.oracle.read(m.Key, w.Versions(m.Key), w.oracle.past(w.oracle.held[w.place][m.Key]))
	case replication.ReplicateVersions:
		w.inner.Receive(env, from, m)
		w.heard(m.KeyVersions)
	case replication.Repair:
		w.inner.Receive(env, from, m)
		for _, k := range m.Keys {
			w.heard(k)
		}
	default:
		w.inner.Receive(env, from, m)
	}
}

func name(key string, c replication.VectorClock) string {
	for len(c) > 0 && c[len(c)-1] == 0 {
		c = c[:len(c)-1]
	}
	return fmt.Sprint(key, []uint64(c))
}

// past returns a union of histories.
func (o *historyOracle) past(held writes) writes {
	all := writes{}
	for id := range held {
		maps.Copy(all, o.history[id])
	}
	return all
}

// read remembers what a context stands for: one clock, one set of writes.
func (o *historyOracle) read(key string, versions []replication.VersionedValue, past writes) {
	var c replication.VectorClock
	for _, v := range versions {
		c = c.Join(v.Clock)
		for c.At(v.Dot.Replica) < v.Dot.Counter {
			c = c.Tick(v.Dot.Replica)
		}
	}
	if known, found := o.contexts[name(key, c)]; found && !maps.Equal(known, past) {
		panic(fmt.Sprintf("oracle: the clock %v of %s stands for two sets of writes: %v and %v", c, key, known, past))
	}
	o.contexts[name(key, c)] = past
}

func (w *watched) write(env *sim.Env, from sim.Addr, m sim.Message, key string, id replication.RequestID, past writes) {
	before := stamps(w.Versions(key))
	w.inner.Receive(env, from, m)
	for _, v := range w.Versions(key) {
		if !before[v.Timestamp] {
			w.oracle.history[v.Timestamp] = maps.Clone(past)
			if past == nil {
				w.oracle.history[v.Timestamp] = writes{}
			}
			w.oracle.history[v.Timestamp][v.Timestamp] = true
			w.oracle.made[id], w.oracle.keys[v.Timestamp] = v.Timestamp, key
			w.hold(key, writes{v.Timestamp: true})
		}
	}
	w.compare(key)
}

func (w *watched) heard(k replication.KeyVersions) {
	w.hold(k.Key, stamps(k.Versions))
	w.compare(k.Key)
}

func (w *watched) hold(key string, more writes) {
	all := maps.Clone(w.oracle.held[w.place][key])
	if all == nil {
		all = writes{}
	}
	maps.Copy(all, more)
	w.oracle.held[w.place][key] = w.oracle.maximal(all)
}

// maximal leaves out what others remember.
func (o *historyOracle) maximal(all writes) writes {
	top := writes{}
	for id := range all {
		remembered := false
		for other := range all {
			remembered = remembered || other != id && o.history[other][id]
		}
		if !remembered {
			top[id] = true
		}
	}
	return top
}

func (w *watched) compare(key string) {
	if ours, theirs := stamps(w.Versions(key)), w.oracle.held[w.place][key]; !maps.Equal(ours, theirs) {
		panic(fmt.Sprintf("oracle: leader %d holds %v of %s, and should hold %v", w.place, ours, key, theirs))
	}
}

// judge says whether every leader holds exactly the maximal ones of the writes
// that were acknowledged or that anybody still knows of.
func (o *historyOracle) judge(nodes []*replication.LeaderNode) error {
	all := map[string]writes{}
	know := func(key string, id stamp) {
		if all[key] == nil {
			all[key] = writes{}
		}
		all[key][id] = true
	}
	for _, request := range o.acked {
		know(o.keys[o.made[request]], o.made[request])
	}
	for i := range nodes {
		for key, held := range o.held[i] {
			for id := range held {
				know(key, id)
			}
		}
	}
	for _, key := range slices.Sorted(maps.Keys(all)) {
		for i, n := range nodes {
			if ours, due := stamps(n.Versions(key)), o.maximal(all[key]); !maps.Equal(ours, due) {
				return fmt.Errorf("lost: leader %d holds %v of %s, and the maximal writes are %v", i, ours, key, due)
			}
		}
	}
	return nil
}
