package replication

import (
	"fmt"
	"slices"

	"github.com/rashomon-go/rashomon/sim"
)

// MultiLeaderStats counts what a leader did since it booted.
type MultiLeaderStats struct {
	Writes                  uint64 // requests received, retries included
	Reads                   uint64 // requests received
	ReplicationsSent        uint64
	ReplicationsReceived    uint64 // duplicates included
	ConflictsDetected       uint64 // versions found to be concurrent with another of their key
	ConflictsResolved       uint64 // times that the resolver was given concurrent versions
	AntiEntropySyncs        uint64 // rounds that this leader began
	AntiEntropyKeysRepaired uint64 // keys that changed by what anti-entropy brought
	Evictions               uint64 // keys that the store has lost, some of them more than once
}

// Stats returns a copy of the counters.
func (n *LeaderNode) Stats() MultiLeaderStats { return n.stats }

// Peers returns the other leaders.
func (n *LeaderNode) Peers() []sim.NodeID {
	peers := slices.Clone(n.cfg.Leaders)
	return slices.Delete(peers, n.place, n.place+1)
}

// Clock returns the latest timestamp that the leader has given or heard of.
func (n *LeaderNode) Clock() HLCTimestamp { return n.clock.Last() }

// Get returns the value of a register, as readers see it, or Absent.
func (n *LeaderNode) Get(key string) int64 {
	if c := n.cells[key]; c != nil {
		return c.value()
	}
	return Absent
}

// Elements returns the elements of a set, as readers see it, in ascending order.
// The caller must not change them.
func (n *LeaderNode) Elements(key string) []int64 {
	v, _ := n.Version(key)
	return v.Elements
}

// Version returns what the resolver makes of the versions of a key; it may be a
// tombstone. A key that was never written has none.
func (n *LeaderNode) Version(key string) (VersionedValue, bool) {
	if c := n.cells[key]; c != nil && len(c.versions) > 0 {
		return c.current, true
	}
	return VersionedValue{}, false
}

// Versions returns the versions of a key of which none supersedes another, in
// order of their dots. The caller must not change them.
func (n *LeaderNode) Versions(key string) []VersionedValue {
	if c := n.cells[key]; c != nil {
		return c.versions
	}
	return nil
}

// Store returns what readers see of all keys that hold a register.
func (n *LeaderNode) Store() *KVStore {
	s := &KVStore{}
	for key := range n.Tree().Keys(KeyRange{}) {
		if v := &n.cells[key].current; !v.Deleted && v.Elements == nil {
			s.Apply(Write{Key: key, Value: v.Value})
		}
	}
	return s
}

// Tree returns the fingerprints of all keys, tombstones included. It brings the
// tree up to date first: a write only notes that it has to be, so that a key
// written often between two rounds of anti-entropy is hashed once. With c keys
// written since the last time and n in all, that takes O(c log n).
func (n *LeaderNode) Tree() *MerkleTree {
	for _, c := range n.stale {
		c.stale = false
		switch h := n.cfg.Rules.fingerprint(c.key, c.versions); {
		case len(c.versions) == 0:
			n.tree.Delete(c.key)
		case c.up == nil:
			n.tree.add(&c.merkleNode, h)
		default:
			c.set(h)
		}
	}
	n.stale = n.stale[:0]
	return &n.tree
}

// State implements sim.Observable: what readers see of each key, the versions
// that it comes from, and the hash of all of them. All of it is equal at leaders
// that have heard of the same writes.
func (n *LeaderNode) State() []sim.Variable {
	root := n.Tree().Root()
	state := make([]sim.Variable, 0, 2*n.tree.Len()+1)
	for key := range n.tree.Keys(KeyRange{}) {
		c := n.cells[key]
		if !c.current.Deleted {
			state = append(state, sim.Variable{Name: "store " + key, Value: c.current.Content()})
		}
		state = append(state, sim.Variable{Name: "versions " + key, Value: fmt.Sprint(c.versions)})
	}
	return append(state, sim.Variable{Name: "root", Value: fmt.Sprintf("%016x%016x", root[1], root[0])})
}
