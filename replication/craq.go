package replication

import (
	"maps"
	"slices"
	"time"

	"github.com/rashomon-go/rashomon/sim"
)

// Messages of CRAQ: reads at any node (Terrace & Freedman, USENIX ATC 2009,
// section 2.3).
type (
	// VersionQuery asks the tail which version of a key is committed.
	VersionQuery struct {
		Number, Query uint64
		Key           string
	}
	// VersionReply names it: the update that wrote it, or 0.
	VersionReply struct{ Number, Query, Seq uint64 }
)

// waited is a timer: time to look after a read that waits for the tail.
type waited struct{ query uint64 }

// craq is what a node keeps to answer reads of what is committed.
type craq struct {
	versions map[string][]version // by key, oldest first; at most the first is clean
	evicted  map[uint64]string    // keys evicted by updates that are not known to be committed
	reads    []dirtyRead          // that wait for the tail, oldest first
	queries  uint64
}

// version is a value of a key, and the update that wrote it.
type version struct {
	seq   uint64
	value int64
}

// dirtyRead is a read that came when the latest version was not clean.
type dirtyRead struct {
	query uint64
	from  sim.Addr
	key   string
	until time.Duration // on the node's own clock
}

// DirtyKeys returns the keys whose latest version is not known to be committed,
// sorted.
func (n *ChainNode) DirtyKeys() (keys []string) {
	for _, key := range slices.Sorted(maps.Keys(n.craq.versions)) {
		if _, clean := n.clean(key); !clean {
			keys = append(keys, key)
		}
	}
	return keys
}

// remember adds the version that an update writes. A compare-and-set that fails
// writes none.
func (n *ChainNode) remember(s *slot) {
	if n.craq.versions == nil {
		n.craq.versions = map[string][]version{}
	}
	if s.result.Swapped {
		key := s.Write.Key
		n.craq.versions[key] = append(n.craq.versions[key], version{s.Seq, n.store.Get(key)})
	}
}

// rememberEviction adds the version that an update takes away. It is dirty as long
// as the update is, because the tail still has the key; and it stays when it is
// clean, because other nodes need its number.
func (n *ChainNode) rememberEviction(seq uint64, key *string) {
	if key == nil {
		return
	}
	if n.craq.evicted == nil {
		n.craq.evicted = map[uint64]string{}
	}
	n.craq.evicted[seq] = *key
	n.craq.versions[*key] = append(n.craq.versions[*key], version{seq, Absent})
}

// settle drops the versions that are older than those that have become clean with
// an update (section 2.3: on an acknowledgement all prior versions are deleted).
func (n *ChainNode) settle(s *slot) {
	if !n.cfg.CRAQ {
		return
	}
	n.settleKey(s.Write.Key, s.Seq)
	if key, found := n.craq.evicted[s.Seq]; found {
		n.settleKey(key, s.Seq)
		delete(n.craq.evicted, s.Seq)
	}
}

func (n *ChainNode) settleKey(key string, seq uint64) {
	versions := n.craq.versions[key]
	if i := latestUpTo(versions, seq); i > 0 {
		n.craq.versions[key] = slices.Delete(versions, 0, i)
	}
}

// settleAll settles what is committed anew, after a replay.
func (n *ChainNode) settleAll() {
	for seq := uint64(1); seq <= n.acked; seq++ {
		n.settle(n.log.at(seq))
	}
}

// latestUpTo returns the place of the latest version that is not newer than seq,
// or -1.
func latestUpTo(versions []version, seq uint64) int {
	i := len(versions) - 1
	for i >= 0 && versions[i].seq > seq {
		i--
	}
	return i
}

// clean returns a key's latest version, and whether it is known to be committed.
// A key that was never written is clean.
func (n *ChainNode) clean(key string) (value int64, clean bool) {
	versions := n.craq.versions[key]
	if len(versions) == 0 {
		return Absent, true
	}
	latest := versions[len(versions)-1]
	return latest.value, n.Rules.Clean(n, key, latest.seq)
}

// readVersion answers from the latest version if that is clean, in the step that
// finds it so. Otherwise it asks the tail, which alone can tell whether the
// version is committed by now.
func (n *ChainNode) readVersion(env *sim.Env, from sim.Addr, key string) {
	if value, clean := n.clean(key); clean {
		n.answer(env, from, value)
		return
	}
	n.stats.DirtyReads++
	env.Count(ReachedDirtyRead)
	n.craq.queries++
	r := dirtyRead{n.craq.queries, from, key, env.Now() + n.cfg.patience()}
	n.craq.reads = append(n.craq.reads, r)
	n.askTail(env, r)
}

func (n *ChainNode) askTail(env *sim.Env, r dirtyRead) {
	env.Send(n.chain.Members[len(n.chain.Members)-1], VersionQuery{n.chain.Number, r.query, r.key})
	env.After(min(orDefault(n.cfg.Retransmit), n.cfg.patience()), waited{r.query})
}

// versionQuery is answered by the tail. There, everything is committed. A tail
// that may have been deposed is silent.
func (n *ChainNode) versionQuery(env *sim.Env, from sim.Addr, m VersionQuery) {
	if !n.Rules.Current(n, m.Number) || !n.isTail() || !n.Rules.Serves(n, env.Now()) {
		return
	}
	reply := VersionReply{Number: m.Number, Query: m.Query}
	if versions := n.craq.versions[m.Key]; len(versions) > 0 {
		reply.Seq = versions[len(versions)-1].seq
	}
	env.Reply(from, reply)
}

// versionReply answers the read with the version that the tail names, or with a
// newer one that has become clean since: both were current at some moment since
// the read came.
func (n *ChainNode) versionReply(env *sim.Env, m VersionReply) {
	i := n.waiting(m.Query)
	if i < 0 || !n.Rules.Current(n, m.Number) {
		return
	}
	r := n.craq.reads[i]
	n.craq.reads = slices.Delete(n.craq.reads, i, i+1)
	versions := n.craq.versions[r.key]
	if at := latestUpTo(versions, max(m.Seq, n.acked)); at >= 0 {
		n.answer(env, r.from, versions[at].value)
	} else {
		n.answer(env, r.from, Absent)
	}
}

// waited looks after a read: it is answered if the version has become clean,
// refused if it has waited for too long, and otherwise the tail, which may be
// another one by now, is asked again.
func (n *ChainNode) waited(env *sim.Env, m waited) {
	i := n.waiting(m.query)
	if i < 0 {
		return
	}
	r := n.craq.reads[i]
	value, clean := n.clean(r.key)
	switch {
	case clean && n.place != outside && n.Rules.Serves(n, env.Now()):
		n.answer(env, r.from, value)
	case n.place == outside || env.Now() >= r.until:
		n.refuse(env, r.from)
	default:
		n.askTail(env, r)
		return
	}
	n.craq.reads = slices.Delete(n.craq.reads, i, i+1)
}

func (n *ChainNode) waiting(query uint64) int {
	return slices.IndexFunc(n.craq.reads, func(r dirtyRead) bool { return r.query == query })
}
