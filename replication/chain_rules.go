package replication

import "time"

// ChainRules are the decisions on which a chain's correctness rests, each a
// question with its answer. The protocol asks them wherever they matter; planted
// bugs replace single answers.
type ChainRules struct {
	// Serves: may the node answer reads, and queries of others, by itself? Only
	// while its lease lasts (nobody removes it before), and when it has everything
	// that was committed before it came to its place.
	Serves func(n *ChainNode, now time.Duration) bool
	// Clean: is a version known to be committed? (Terrace & Freedman 2009, section
	// 2.3: per version, never per key.)
	Clean func(n *ChainNode, key string, seq uint64) bool
	// Current: is a message from the configuration that the node is in? Older ones
	// come from nodes that may have been removed; of newer ones the master tells.
	Current func(n *ChainNode, number uint64) bool
	// Resend: from where on does a successor that connects get updates, when it
	// has everything up to last?
	Resend func(n *ChainNode, last uint64) uint64
	// Complete: has a node everything that its predecessor had when it connected?
	Complete func(n *ChainNode) bool
	// Keep: how much of its log may a node keep that comes back, when it has so
	// much in common with the tail?
	Keep func(n *ChainNode, common uint64) uint64
}

// chainRules are the right answers.
var chainRules = ChainRules{
	Serves: func(n *ChainNode, now time.Duration) bool {
		return n.cfg.Failover == nil || now < n.group.lease && n.Rules.Complete(n)
	},
	Clean:   func(n *ChainNode, _ string, seq uint64) bool { return seq <= n.acked },
	Current: func(n *ChainNode, number uint64) bool { return number == n.chain.Number && !n.fenced() },
	Resend:  func(_ *ChainNode, last uint64) uint64 { return last + 1 },
	Complete: func(n *ChainNode) bool {
		return n.isHead() || n.cfg.Failover == nil || n.repair.linked && n.log.last() >= n.repair.floor
	},
	Keep: func(_ *ChainNode, common uint64) uint64 { return common },
}
