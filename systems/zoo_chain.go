package systems

import (
	"slices"
	"time"

	"github.com/rashomon-go/rashomon"
	"github.com/rashomon-go/rashomon/replication"
	"github.com/rashomon-go/rashomon/sim"
)

// chainBugs are the planted bugs of chain and craq; AbsentBugs says which are not
// here, and why.
var chainBugs = []Bug{
	{
		Name:   "chain-ack-at-middle",
		About:  "a node before the tail answers the client as soon as it has an update",
		Rule:   "an update is answered by the tail (van Renesse & Schneider 2004, section 3)",
		Needs:  "3 nodes, no fault",
		System: "chain", Reads: "tail", Claim: rashomon.Linearizable,
		plant: ackAtMiddle,
	},
	{
		Name:   "chain-divergent-suffix-kept",
		About:  "a node that comes back keeps updates that it alone has",
		Rule:   "logs are prefixes along the chain (van Renesse & Schneider 2004, Update Propagation Invariant)",
		Needs:  "a head cut off with updates of its own, and its return",
		System: "craq", Reads: "any", Claim: rashomon.Linearizable,
		plant: chainRule(func(r *replication.ChainRules) {
			r.Keep = func(n *replication.ChainNode, _ uint64) uint64 { return n.LastSeq() }
		}),
	},
	{
		Name:   "chain-dup-regress",
		About:  "the tail applies an update again when it receives it again",
		Rule:   "an update is processed once, in sequence (van Renesse & Schneider 2004, section 3)",
		Needs:  "duplicated or retransmitted messages",
		System: "chain", Reads: "tail", Claim: rashomon.Linearizable,
		plant: dupRegress,
	},
	{
		Name:   "chain-head-forgets",
		About:  "a restarted node takes everything on its disk for committed",
		Rule:   "a version is clean when the tail has acknowledged it (Terrace & Freedman 2009, section 2.3)",
		Needs:  "a crash while updates are on their way, and a quick restart",
		System: "craq", Reads: "any", Claim: rashomon.Linearizable,
		plant: headForgets,
	},
	{
		Name:   "chain-lost-propagate",
		About:  "a node sends each update to its successor once",
		Rule:   "a node keeps an update on its list Sent, and sends it again, until the tail has it (van Renesse & Schneider 2004, section 3.2.3)",
		Needs:  "a lost message",
		System: "chain", Reads: "tail", Claim: rashomon.Live,
		chain: func(c *replication.ChainConfig) { c.Retransmit = never },
	},
	{
		Name:   "chain-new-tail-before-catch-up",
		About:  "a new tail serves before it has what its predecessor had",
		Rule:   "a new tail has every update of its predecessor (van Renesse & Schneider 2004, \"Extending a Chain\")",
		Needs:  "a node that comes back while clients write",
		System: "chain", Reads: "tail", Claim: rashomon.Linearizable,
		plant: chainRule(func(r *replication.ChainRules) {
			r.Complete = func(*replication.ChainNode) bool { return true }
		}),
	},
	{
		Name:   "chain-no-order",
		About:  "updates are taken in the order in which they arrive",
		Rule:   "links of the chain are FIFO (van Renesse & Schneider 2004, section 3)",
		Needs:  "reordered messages",
		System: "craq", Reads: "any", Claim: rashomon.Linearizable,
		plant: noOrder,
	},
	{
		Name:   "chain-old-tail-answers",
		About:  "a tail serves reads without a lease",
		Rule:   "nobody else may be the tail as long as this one answers (Gray & Cheriton 1989)",
		Needs:  "a tail cut off from the master and from the chain, but not from a client",
		System: "chain", Reads: "tail", Claim: rashomon.Linearizable,
		plant: chainRule(servesWithoutLease),
	},
	{
		Name:   "chain-outside-for-ever",
		About:  "a node that has been removed never tells the master that it has caught up",
		Rule:   "a chain that has shrunk is extended again (van Renesse & Schneider 2004, section 3.2.2)",
		Needs:  "a node that is removed and comes back while clients write",
		System: "chain", Reads: "tail", Claim: rashomon.Live,
		plant: outsideForEver,
	},
	{
		Name:   "chain-read-anywhere",
		About:  "every node answers reads from its store",
		Rule:   "queries are answered by the tail (van Renesse & Schneider 2004, section 3)",
		Needs:  "no fault",
		System: "chain", Reads: "tail", Claim: rashomon.Linearizable,
		plant: readAnywhere,
	},
	{
		Name:   "chain-retry-reapplied-after-head-failure",
		About:  "a new head does not recognise requests that the old one had ordered",
		Rule:   "a retried request takes effect once",
		Needs:  "a head that fails after it has passed an update on, and a client that tries again",
		System: "chain", Reads: "tail", Claim: rashomon.Linearizable,
		plant: retryAtNewHead,
	},
	{
		Name:   "craq-commit-ignores-seq",
		About:  "an acknowledgement marks all versions clean",
		Rule:   "an acknowledgement concerns one version (Terrace & Freedman 2009, section 2.3)",
		Needs:  "two updates under way",
		System: "craq", Reads: "any", Claim: rashomon.Linearizable,
		plant: commitIgnoresSeq,
	},
	{
		Name:   "craq-dirty-not-set-at-middle",
		About:  "nodes between head and tail take every version for clean",
		Rule:   "a version is dirty until it is acknowledged (Terrace & Freedman 2009, section 2.3)",
		Needs:  "3 nodes, no fault",
		System: "craq", Reads: "any", Claim: rashomon.Linearizable,
		plant: chainRule(func(r *replication.ChainRules) {
			right := r.Clean
			r.Clean = func(n *replication.ChainNode, key string, seq uint64) bool {
				return n.Role() == replication.RoleMiddle || right(n, key, seq)
			}
		}),
	},
	{
		Name:   "craq-key-level-dirty",
		About:  "a key is clean when any of its versions is acknowledged",
		Rule:   "versions are clean or dirty, not keys (Terrace & Freedman 2009, section 2.3)",
		Needs:  "two updates of one key under way",
		System: "craq", Reads: "any", Claim: rashomon.Linearizable,
		plant: keyLevelDirty,
	},
	{
		Name:   "craq-no-lease",
		About:  "a node serves reads without a lease",
		Rule:   "a node that may have been removed does not answer",
		Needs:  "a node cut off from the master and from the chain, but not from a client",
		System: "craq", Reads: "any", Claim: rashomon.Linearizable,
		plant: chainRule(servesWithoutLease),
	},
	{
		Name:   "craq-toctou",
		About:  "a node finds a key clean and reads its value a little later",
		Rule:   "test and read are one step",
		Needs:  "no fault",
		System: "craq", Reads: "any", Claim: rashomon.Linearizable,
		plant: testThenRead,
	},
	{
		Name:   "chain-sent-not-resent",
		About:  "a node whose successor is new does not send it what it lacks",
		Rule:   "a new successor gets the list Sent first (van Renesse & Schneider 2004, section 3.2.3)",
		Needs:  "a node between head and tail that fails, with updates under way",
		System: "chain", Reads: "tail", Claim: rashomon.Live,
		plant: sentNotResent,
	},
	{
		Name:   "craq-dirty-leak",
		About:  "an acknowledgement makes clean the version that it names, and none before it",
		Rule:   "what is acknowledged is everything up to there (Terrace & Freedman 2009, section 2.3)",
		Needs:  "a lost or late acknowledgement",
		System: "craq", Reads: "any", Claim: rashomon.Live,
		plant: dirtyLeak,
	},
	{
		Name:   "store-evict",
		About:  "the stores have room for two keys: a third evicts the one that was inserted first",
		Rule:   "a replica keeps what was written until it is overwritten or deleted",
		Needs:  "three keys, no fault",
		System: "chain", Reads: "tail", Claim: rashomon.Linearizable,
		chain: func(c *replication.ChainConfig) { c.Store.Capacity = 2 },
	},
}

// chainRule replaces answers in a node's table of decisions.
func chainRule(replace func(*replication.ChainRules)) func(*rashomon.Cluster, int, sim.Node) sim.Node {
	return func(_ *rashomon.Cluster, _ int, node sim.Node) sim.Node {
		if n, ok := node.(*replication.ChainNode); ok {
			replace(&n.Rules)
		}
		return node
	}
}

func servesWithoutLease(r *replication.ChainRules) {
	r.Serves = func(n *replication.ChainNode, _ time.Duration) bool { return n.Rules.Complete(n) }
}

func ackAtMiddle(_ *rashomon.Cluster, _ int, node sim.Node) sim.Node {
	return wrap(node, func(n *replication.ChainNode, env *sim.Env, from sim.Addr, m sim.Message) {
		before := n.LastSeq()
		n.Receive(env, from, m)
		if p, ok := m.(replication.Propagate); ok && n.Role() == replication.RoleMiddle && n.LastSeq() > before {
			env.Reply(p.Entry.Client, replication.Written{Swapped: true, Seen: p.Entry.Write.Value})
		}
	})
}

func dupRegress(_ *rashomon.Cluster, _ int, node sim.Node) sim.Node {
	return wrap(node, func(n *replication.ChainNode, env *sim.Env, from sim.Addr, m sim.Message) {
		if p, ok := m.(replication.Propagate); ok && n.Role() == replication.RoleTail && p.Entry.Seq <= n.LastSeq() {
			n.Store().Apply(p.Entry.Write)
		}
		n.Receive(env, from, m)
	})
}

// never is longer than any run.
const never = time.Hour

// sentNotResent has a node take each successor that connects to have all that it has
// itself.
func sentNotResent(_ *rashomon.Cluster, _ int, node sim.Node) sim.Node {
	return wrap(node, func(n *replication.ChainNode, env *sim.Env, from sim.Addr, m sim.Message) {
		if c, ok := m.(replication.Connect); ok {
			c.Last = max(c.Last, n.LastSeq())
			m = c
		}
		n.Receive(env, from, m)
	})
}

// outsideForEver answers no question of who is outside what it lacks.
func outsideForEver(_ *rashomon.Cluster, _ int, node sim.Node) sim.Node {
	return wrap(node, func(n *replication.ChainNode, env *sim.Env, from sim.Addr, m sim.Message) {
		if _, ok := m.(replication.Missing); !ok {
			n.Receive(env, from, m)
		}
	})
}

// dirtyLeak remembers which updates have been named by acknowledgements.
func dirtyLeak(_ *rashomon.Cluster, _ int, node sim.Node) sim.Node {
	n, ok := node.(*replication.ChainNode)
	if !ok {
		return node
	}
	booted, named, right := n.LastSeq(), map[uint64]bool{}, n.Rules.Clean
	n.Rules.Clean = func(n *replication.ChainNode, key string, seq uint64) bool {
		return right(n, key, seq) && (seq <= booted || named[seq] || n.Role() == replication.RoleTail)
	}
	return wrap(node, func(n *replication.ChainNode, env *sim.Env, from sim.Addr, m sim.Message) {
		n.Receive(env, from, m)
		if a, ok := m.(replication.WriteAck); ok {
			named[a.Seq] = true
		}
	})
}

func headForgets(_ *rashomon.Cluster, _ int, node sim.Node) sim.Node {
	n, ok := node.(*replication.ChainNode)
	if !ok {
		return node
	}
	booted, right := n.LastSeq(), n.Rules.Clean
	n.Rules.Clean = func(n *replication.ChainNode, key string, seq uint64) bool {
		return seq <= booted || right(n, key, seq)
	}
	return n
}

func noOrder(_ *rashomon.Cluster, _ int, node sim.Node) sim.Node {
	return wrap(node, func(n *replication.ChainNode, env *sim.Env, from sim.Addr, m sim.Message) {
		if p, ok := m.(replication.Propagate); ok && p.Entry.Seq > n.LastSeq() {
			p.Entry.Seq = n.LastSeq() + 1
			m = p
		}
		n.Receive(env, from, m)
	})
}

func readAnywhere(_ *rashomon.Cluster, _ int, node sim.Node) sim.Node {
	return wrap(node, func(n *replication.ChainNode, env *sim.Env, from sim.Addr, m sim.Message) {
		if r, ok := m.(replication.Read); ok {
			env.Reply(from, replication.Value{Value: n.Store().Get(r.Key)})
			return
		}
		n.Receive(env, from, m)
	})
}

// retryAtNewHead lets a head forget the requests that came to it along the chain.
func retryAtNewHead(_ *rashomon.Cluster, _ int, node sim.Node) sim.Node {
	passed := map[replication.RequestID]bool{}
	return wrap(node, func(n *replication.ChainNode, env *sim.Env, from sim.Addr, m sim.Message) {
		switch w := m.(type) {
		case replication.Propagate:
			passed[w.Entry.Write.Request] = true
		case replication.Write:
			if passed[w.Request] && n.Role() == replication.RoleHead {
				delete(passed, w.Request)
				w.Request = replication.RequestID{}
				m = w
			}
		}
		n.Receive(env, from, m)
	})
}

func commitIgnoresSeq(_ *rashomon.Cluster, _ int, node sim.Node) sim.Node {
	n, ok := node.(*replication.ChainNode)
	if !ok {
		return node
	}
	var cleaned uint64
	right := n.Rules.Clean
	n.Rules.Clean = func(n *replication.ChainNode, key string, seq uint64) bool {
		return seq <= cleaned || right(n, key, seq)
	}
	return wrap(node, func(n *replication.ChainNode, env *sim.Env, from sim.Addr, m sim.Message) {
		before := n.Acked()
		n.Receive(env, from, m)
		if n.Acked() > before {
			cleaned = n.LastSeq()
		}
	})
}

// keyLevelDirty keeps a set of dirty keys instead of versions.
func keyLevelDirty(_ *rashomon.Cluster, _ int, node sim.Node) sim.Node {
	n, ok := node.(*replication.ChainNode)
	if !ok {
		return node
	}
	latest := map[string]uint64{}  // by key, the latest update
	cleaned := map[string]uint64{} // by key, what was the latest at the latest acknowledgement
	keys := map[uint64]string{}
	right := n.Rules.Clean
	n.Rules.Clean = func(n *replication.ChainNode, key string, seq uint64) bool {
		return seq <= cleaned[key] || right(n, key, seq)
	}
	return wrap(node, func(n *replication.ChainNode, env *sim.Env, from sim.Addr, m sim.Message) {
		last, acked := n.LastSeq(), n.Acked()
		n.Receive(env, from, m)
		switch w := m.(type) {
		case replication.Propagate:
			keys[w.Entry.Seq] = w.Entry.Write.Key
		case replication.Write:
			keys[n.LastSeq()] = w.Key
		}
		for seq := last + 1; seq <= n.LastSeq(); seq++ {
			latest[keys[seq]] = seq
		}
		for seq := acked + 1; seq <= n.Acked(); seq++ {
			cleaned[keys[seq]] = latest[keys[seq]]
		}
	})
}

// lateRead is a read of which the test is done.
type lateRead struct {
	from sim.Addr
	key  string
}

func testThenRead(_ *rashomon.Cluster, _ int, node sim.Node) sim.Node {
	const latency = time.Millisecond
	return wrap(node, func(n *replication.ChainNode, env *sim.Env, from sim.Addr, m sim.Message) {
		switch r := m.(type) {
		case lateRead:
			env.Reply(r.from, replication.Value{Value: n.Store().Get(r.key)})
			return
		case replication.Read:
			if n.Rules.Serves(n, env.Now()) && n.Role() != replication.RoleOutside && !slices.Contains(n.DirtyKeys(), r.Key) {
				env.After(latency, lateRead{from, r.Key})
				return
			}
		}
		n.Receive(env, from, m)
	})
}
