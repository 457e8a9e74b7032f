package replication

import (
	"fmt"
	"slices"

	"github.com/rashomon-go/rashomon/sim"
)

// BackupStats counts what a node did as a backup since it booted.
type BackupStats struct {
	ReplicationsApplied uint64
	Reads               uint64
	LastAppliedSeq      uint64
	Evictions           uint64 // keys that its store has lost
}

// BackupNode keeps the primary's updates in order and applies the committed
// ones. In a group with failover a node that is no member is a backup too, which
// does not count, and so is one that knows of no primary at the moment.
type BackupNode struct {
	*replica
	of      sim.NodeID // the primary, or nobody
	matched bool       // the log is the beginning of the primary's; otherwise it may have to be truncated
	told    uint64     // what the primary has said to be committed
}

// NewBackupNode builds a backup of a fixed group from its disk. It panics if cfg
// is not valid.
func NewBackupNode(cfg *PrimaryBackupConfig, disk *sim.Disk) *BackupNode {
	r := newReplica(cfg, disk)
	return newBackup(r, cfg.Members[0], true)
}

// newBackup makes a replica a backup of a primary.
func newBackup(r *replica, of sim.NodeID, matched bool) *BackupNode {
	return &BackupNode{replica: r, of: of, matched: matched}
}

// Stats returns a copy of the counters.
func (n *BackupNode) Stats() BackupStats { return n.asBackup() }

// LastSeq returns the last update that the node has received in sequence.
func (n *BackupNode) LastSeq() uint64 { return n.log.last() }

// LastAppliedSeq returns the last update that is applied.
func (n *BackupNode) LastAppliedSeq() uint64 { return n.committed }

// Store returns the committed state, as far as the backup knows it.
func (n *BackupNode) Store() *KVStore { return &n.store }

// State implements sim.Observable.
func (n *BackupNode) State() []sim.Variable {
	state := append(n.store.state(), number("log", n.log.last()), number("committed", n.committed))
	return pending(state, n.log.last()-n.committed)
}

// Start asks the primary what is committed: only the log is on disk. When the
// world of a fixed group begins, nothing is.
func (n *BackupNode) Start(env *sim.Env) {
	if n.fixed() {
		n.boot = env.Now()
		n.floored = n.boot == 0
	}
	n.join(env)
}

// join asks until it is answered. Who is no member goes on asking: a primary that
// restarts doesn't know of it any more.
func (n *BackupNode) join(env *sim.Env) {
	learner := !n.fixed() && !n.member(env)
	if !n.matched || !n.floored || learner {
		env.Send(n.of, Join{n.number, slices.Clone(n.log.runs), n.matched, n.boot})
		env.After(orDefault(n.cfg.Retransmit), retransmit{n.number})
	}
}

// Receive implements sim.Node.
func (n *BackupNode) Receive(env *sim.Env, from sim.Addr, m sim.Message) {
	if _, protocol := numberOf(m); protocol && n.of == nobody.Node {
		return
	}
	switch m := m.(type) {
	case Replicate:
		n.replicate(env, m)
	case Commit:
		n.learn(env, m.Committed)
	case Welcome:
		n.welcome(env, m)
	case Read:
		n.read(env, from, m)
	case Write:
		n.redirect(env, from)
	case retransmit:
		n.join(env)
	case Newer, ReplicationAck, Join: // to the primary that it was before
		if n.fixed() {
			panic(fmt.Sprintf("backup: unexpected message %T", m))
		}
	default:
		panic(fmt.Sprintf("backup: unexpected message %T", m))
	}
}

// replicate takes an update. Until the logs match, all that come are early.
func (n *BackupNode) replicate(env *sim.Env, m Replicate) {
	if !n.matched {
		n.log.keep(m.Entry)
		return
	}
	if n.log.receive(env, m.Entry) {
		n.cfg.rules().Sync(env)
	}
	n.learn(env, m.Committed)
}

// welcome truncates the log to what the primary has too, and sets how far the node
// must have got before it serves reads. The answer to an earlier incarnation
// doesn't count: this one may have served newer values.
func (n *BackupNode) welcome(env *sim.Env, m Welcome) {
	if m.Boot != n.boot {
		n.learn(env, m.Committed)
		return
	}
	if !n.matched {
		n.matched = true
		n.rollBack(env, m.Common)
		if n.log.takeEarly(env) {
			n.cfg.rules().Sync(env)
		}
	}
	if m.Established && !n.floored {
		n.floored, n.floor = true, m.Committed
	}
	n.learn(env, m.Committed)
}

// learn applies what is committed and tells the primary where the backup stands.
func (n *BackupNode) learn(env *sim.Env, committed uint64) {
	if !n.matched {
		return
	}
	n.told = max(n.told, committed)
	for n.committed < min(committed, n.log.last()) {
		n.backup.ReplicationsApplied++
		n.applyNext(env)
	}
	env.Send(n.of, ReplicationAck{n.number, n.log.last(), n.committed, n.boot})
}

// caughtUp says whether the node has what the members have, but for what is under
// way.
func (n *BackupNode) caughtUp() bool {
	return n.matched && n.floored && n.committed >= max(n.floor, n.told)
}

func (n *BackupNode) read(env *sim.Env, from sim.Addr, m Read) {
	n.backup.Reads++
	switch {
	case !n.cfg.ServeReads:
		n.redirect(env, from)
	case !n.floored || n.committed < n.floor:
		refuse(env, from)
	default:
		access(env, n.cfg.Store.ReadLatency)
		env.Reply(from, Value{n.store.Get(m.Key)})
	}
}

func (n *BackupNode) redirect(env *sim.Env, from sim.Addr) {
	if n.of == nobody.Node {
		if n.latest.Number > 0 {
			env.Count(ReachedStaleClient)
		}
		refuse(env, from)
		return
	}
	redirect(env, from, n.of)
}
