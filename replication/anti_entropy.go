package replication

import (
	"slices"

	"github.com/rashomon-go/rashomon/sim"
)

// Messages of anti-entropy. Each says all that it is about, so that one may be
// lost, doubled or late: a round that breaks off is taken up by the next.
type (
	// Summary asks a peer to compare ranges of keys with its own.
	Summary struct{ Ranges []RangeSummary }
	// Repair carries what the sender holds of some keys. Of Ranges it carries
	// everything, and asks for all that the peer then holds besides.
	Repair struct {
		Keys   []KeyVersions
		Ranges []KeyRange
	}
	// antiEntropy is the timer of the next round.
	antiEntropy struct{}
)

// RangeSummary is a range of keys and what the sender's tree says of it.
type RangeSummary struct {
	KeyRange
	Hash Hash
	Keys int // how many
}

const (
	// fanOut is in how many parts a range that differs is cut: more of them make
	// a round shorter and its messages longer.
	fanOut = 16
	// fewKeys is how many keys a leader would rather send than compare further.
	fewKeys = 4
	// repairSize bounds the keys in one answer, so that one loss costs little.
	repairSize = 64
	// drawPeer labels the random number that picks a peer.
	drawPeer = 1
)

func (n *LeaderNode) arm(env *sim.Env) {
	if n.cfg.AntiEntropy > 0 {
		env.After(n.cfg.AntiEntropy, antiEntropy{})
	}
}

// antiEntropy begins a round with a random peer (Demers et al., "Epidemic
// Algorithms for Replicated Database Maintenance", PODC 1987, push-pull), from
// the roots of the trees downwards. Both sides send only of ranges that differ.
func (n *LeaderNode) antiEntropy(env *sim.Env) {
	n.stats.AntiEntropySyncs++
	draws, peers := env.Rand(drawPeer), n.Peers()
	env.Send(peers[draws.IntN(len(peers))], Summary{[]RangeSummary{n.summary(KeyRange{})}})
	n.arm(env)
}

func (n *LeaderNode) summary(r KeyRange) RangeSummary {
	h, keys := n.Tree().Range(r)
	return RangeSummary{r, h, keys}
}

// summarized compares ranges with the peer's. Where they differ and the leader
// holds many keys, it cuts the range into parts of its own and asks the peer
// in turn, so that the ranges shrink at every exchange; where it holds few, it
// sends them.
func (n *LeaderNode) summarized(env *sim.Env, from sim.NodeID, m Summary) {
	var finer []RangeSummary
	var ask Repair
	for _, theirs := range m.Ranges {
		switch ours := n.summary(theirs.KeyRange); {
		case ours == theirs:
		case ours.Keys > fewKeys:
			for _, part := range n.tree.Split(ours.KeyRange, fanOut) {
				finer = append(finer, n.summary(part))
			}
		default:
			ask.Ranges = append(ask.Ranges, ours.KeyRange)
			ask.Keys = append(ask.Keys, n.held(ours.KeyRange)...)
		}
	}
	if len(finer) > 0 {
		env.Send(from, Summary{finer})
	}
	if len(ask.Ranges) > 0 {
		env.Send(from, ask)
	}
}

// held returns all that the leader holds of a range.
func (n *LeaderNode) held(r KeyRange) []KeyVersions {
	var held []KeyVersions
	for key := range n.Tree().Keys(r) {
		held = append(held, KeyVersions{key, n.cells[key].versions})
	}
	return held
}

// repair learns what the peer holds and sends what the peer lacks.
func (n *LeaderNode) repair(env *sim.Env, from sim.NodeID, m Repair) {
	repaired := n.stats.AntiEntropyKeysRepaired
	for _, k := range m.Keys {
		if n.learn(env, k) {
			n.stats.AntiEntropyKeysRepaired++
			env.Count(ReachedAntiEntropy)
		}
	}
	if n.stats.AntiEntropyKeysRepaired > repaired {
		env.Sync()
	}
	for part := range slices.Chunk(n.besides(m), repairSize) {
		env.Send(from, Repair{Keys: part})
	}
}

// besides returns what the leader holds in the ranges of a Repair otherwise than
// the peer did.
func (n *LeaderNode) besides(m Repair) []KeyVersions {
	theirs := make(map[string][]VersionedValue, len(m.Keys))
	for _, k := range m.Keys {
		theirs[k.Key] = k.Versions
	}
	var more []KeyVersions
	for _, r := range m.Ranges {
		for _, ours := range n.held(r) {
			if !sameVersions(ours.Versions, theirs[ours.Key]) {
				more = append(more, ours)
			}
		}
	}
	return more
}
