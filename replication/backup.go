package replication

import (
	"fmt"
	"time"

	"github.com/rashomon-go/rashomon/sim"
)

// BackupStats counts what a backup did since it booted.
type BackupStats struct {
	ReplicationsApplied uint64
	Reads               uint64
	LastAppliedSeq      uint64
}

// BackupNode keeps the primary's updates in order and applies the committed
// ones.
type BackupNode struct {
	cfg       *PrimaryBackupConfig
	log       sequence
	store     KVStore
	committed uint64        // what the primary is known to have committed, and is applied
	boot      time.Duration // when the node booted, on its own clock
	joined    bool          // the primary has answered since
	floor     uint64        // what was committed then: before that is applied, serve nothing
	stats     BackupStats
}

// NewBackupNode builds a backup from its disk. It panics if cfg is not valid.
func NewBackupNode(cfg *PrimaryBackupConfig, disk *sim.Disk) *BackupNode {
	must(cfg.Validate())
	n := &BackupNode{cfg: cfg}
	n.log.recover(disk)
	return n
}

// Stats returns a copy of the counters.
func (n *BackupNode) Stats() BackupStats {
	s := n.stats
	s.LastAppliedSeq = n.committed
	return s
}

// LastSeq returns the last update that the node has received in sequence.
func (n *BackupNode) LastSeq() uint64 { return n.log.last() }

// LastAppliedSeq returns the last update that is applied.
func (n *BackupNode) LastAppliedSeq() uint64 { return n.committed }

// Store returns the committed state, as far as the backup knows it.
func (n *BackupNode) Store() *KVStore { return &n.store }

// State implements sim.Observable.
func (n *BackupNode) State() []sim.Variable {
	return append(n.store.state(), number("log", n.log.last()), number("committed", n.committed))
}

// Start asks the primary what is committed: only the log is on disk. When the
// world begins, nothing is.
func (n *BackupNode) Start(env *sim.Env) {
	n.boot = env.Now()
	n.joined = n.boot == 0
	n.join(env)
}

// join asks until it is answered.
func (n *BackupNode) join(env *sim.Env) {
	if !n.joined {
		env.Send(n.cfg.primary(), Join{n.log.last(), n.boot})
		env.After(orDefault(n.cfg.Retransmit), retransmit{})
	}
}

// Receive implements sim.Node.
func (n *BackupNode) Receive(env *sim.Env, from sim.Addr, m sim.Message) {
	switch m := m.(type) {
	case Replicate:
		if n.log.receive(env, m.Entry) {
			env.Sync()
		}
		n.learn(env, m.Committed)
	case Commit:
		n.learn(env, m.Committed)
	case Welcome:
		n.welcome(env, m)
	case Read:
		n.read(env, from, m)
	case Write:
		env.Reply(from, Redirect{n.cfg.primary()})
	case retransmit:
		n.join(env)
	default:
		panic(fmt.Sprintf("backup: unexpected message %T", m))
	}
}

// welcome sets how far the node must have got before it serves reads. The answer
// to an earlier incarnation doesn't count: this one may have served newer values.
func (n *BackupNode) welcome(env *sim.Env, m Welcome) {
	if m.Boot == n.boot && !n.joined {
		n.joined, n.floor = true, m.Committed
	}
	n.learn(env, m.Committed)
}

// learn applies what is committed and tells the primary where the backup stands.
func (n *BackupNode) learn(env *sim.Env, committed uint64) {
	for n.committed < min(committed, n.log.last()) {
		n.committed++
		n.stats.ReplicationsApplied++
		s := n.log.at(n.committed)
		s.result = n.store.Apply(s.Write)
	}
	env.Send(n.cfg.primary(), ReplicationAck{n.log.last(), n.committed, n.boot})
}

func (n *BackupNode) read(env *sim.Env, from sim.Addr, m Read) {
	n.stats.Reads++
	switch {
	case !n.cfg.ServeReads:
		env.Reply(from, Redirect{n.cfg.primary()})
	case !n.joined || n.committed < n.floor:
		env.Reply(from, Refused{})
	default:
		env.Reply(from, Value{n.store.Get(m.Key)})
	}
}
