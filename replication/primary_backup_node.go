package replication

import (
	"fmt"

	"github.com/rashomon-go/rashomon/sim"
)

// replica is what a node of a primary-backup group is, whichever role it plays.
type replica struct {
	membership
	cfg       *PrimaryBackupConfig
	self      sim.NodeID
	log       sequence
	store     KVStore
	committed uint64 // applied up to here
	floor     uint64 // a backup serves reads only when it has committed so much
	floored   bool   // the floor is known
	primary   PrimaryBackupStats
	backup    BackupStats
}

// newReplica builds a replica from its disk, for a fixed group if the
// configuration names no master.
func newReplica(cfg *PrimaryBackupConfig, disk *sim.Disk) *replica {
	must(cfg.Validate())
	r := &replica{cfg: cfg, store: emptyStore(cfg.Store)}
	if cfg.Failover != nil {
		r.membership = newMembership(*cfg.Failover, &cfg.rules().FailoverRules, disk)
	}
	r.log.recover(disk)
	return r
}

// applyNext commits the next update.
func (r *replica) applyNext(env *sim.Env) *slot {
	r.committed++
	s := r.log.at(r.committed)
	s.result = r.store.Apply(s.Write)
	access(env, r.cfg.Store.latency(s.Write.Kind))
	return s
}

// rollBack takes back what follows seq. Only in an asynchronous group can that be
// something that was committed.
func (r *replica) rollBack(env *sim.Env, seq uint64) {
	if seq >= r.log.last() {
		return
	}
	env.Count(ReachedRollback)
	r.log.truncate(env, seq)
	env.Sync()
	if r.committed <= seq {
		return
	}
	r.store, r.committed = emptyStore(r.cfg.Store), 0
	for r.committed < seq {
		r.applyNext(env)
	}
}

func (r *replica) asPrimary() PrimaryBackupStats {
	s := r.primary
	s.Evictions = r.store.Evictions()
	return s
}

func (r *replica) asBackup() BackupStats {
	s := r.backup
	s.LastAppliedSeq = r.committed
	s.Evictions = r.store.Evictions()
	return s
}

// Log returns the entries that the replica has.
func (r *replica) Log() []Entry {
	entries := make([]Entry, r.log.last())
	for i := range entries {
		entries[i] = r.log.at(uint64(i + 1)).Entry
	}
	return entries
}

// PrimaryBackupNode is a node of a group with failover. It plays the role that
// the latest configuration gives it: a PrimaryNode or a BackupNode. It alone looks
// at the numbers of messages: a role gets those of its configuration only.
type PrimaryBackupNode struct {
	*replica
	role  sim.Node
	asked uint64 // the latest number that others have told it of
}

// NewPrimaryBackupNode builds the node from its disk. It panics if cfg is not
// valid or names no configuration master.
func NewPrimaryBackupNode(cfg *PrimaryBackupConfig, disk *sim.Disk) *PrimaryBackupNode {
	if cfg.Failover == nil {
		panic("primary-backup: a PrimaryBackupNode without Failover")
	}
	r := newReplica(cfg, disk)
	return &PrimaryBackupNode{replica: r, role: newBackup(r, nobody.Node, false)}
}

// Primary returns the node in its role as a primary, or nil.
func (n *PrimaryBackupNode) Primary() *PrimaryNode {
	p, _ := n.role.(*PrimaryNode)
	return p
}

// Backup returns the node in its role as a backup, which is also the role of who
// is no member, or nil.
func (n *PrimaryBackupNode) Backup() *BackupNode {
	b, _ := n.role.(*BackupNode)
	return b
}

// Number returns the configuration that the node works in, or has promised.
func (n *PrimaryBackupNode) Number() uint64 { return n.number }

// Configuration returns the latest configuration that the node knows.
func (n *PrimaryBackupNode) Configuration() Configuration { return n.latest }

// Committed returns up to where the node has applied its log.
func (n *PrimaryBackupNode) Committed() uint64 { return n.committed }

// Store returns the committed state, as far as the node knows it.
func (n *PrimaryBackupNode) Store() *KVStore { return &n.store }

// PrimaryStats returns what the node has done as a primary since it booted.
func (n *PrimaryBackupNode) PrimaryStats() PrimaryBackupStats { return n.asPrimary() }

// BackupStats returns what the node has done as a backup since it booted.
func (n *PrimaryBackupNode) BackupStats() BackupStats { return n.asBackup() }

// State implements sim.Observable.
func (n *PrimaryBackupNode) State() []sim.Variable {
	role := "backup"
	switch {
	case n.Primary() != nil:
		role = "primary"
	case !n.current():
		role = "fenced"
	case !n.latest.Has(n.self):
		role = "learner"
	}
	return append(n.role.(sim.Observable).State(), number("configuration", n.number), sim.Variable{Name: "role", Value: role}, n.leaseState())
}

// Start implements sim.Starter.
func (n *PrimaryBackupNode) Start(env *sim.Env) {
	n.self = env.Self()
	n.start(env)
}

// Receive implements sim.Node.
func (n *PrimaryBackupNode) Receive(env *sim.Env, from sim.Addr, m sim.Message) {
	switch m := m.(type) {
	case heartbeatTick:
		n.tell(env)
		n.beatAgain(env)
		return
	case HeartbeatAck:
		n.news(env, m)
		return
	}
	number, numbered := numberOf(m)
	switch {
	case !numbered || n.rules.Accepts(number, n.number):
		n.role.Receive(env, from, m)
	case from.Node == env.Self(): // a timer of an earlier role
	case number < n.number:
		env.Count(ReachedOldMessage)
		env.Send(from.Node, Newer{n.number})
	default:
		n.hearOf(env, number)
	}
}

// tell sends a heartbeat.
func (n *PrimaryBackupNode) tell(env *sim.Env) {
	b := n.Backup()
	n.beat(env, n.log.position(), b != nil && !n.member(env) && b.caughtUp())
}

// hearOf stops the node at once from acting on behalf of a configuration that has
// been replaced, or is about to be. It asks the master and promises nothing by
// itself: if its disk was lost, the master must notice.
func (n *PrimaryBackupNode) hearOf(env *sim.Env, number uint64) {
	if number <= n.asked {
		return
	}
	n.asked, n.lease = number, 0
	n.retire()
	n.tell(env)
}

// retire leaves the node without a role in any configuration.
func (n *PrimaryBackupNode) retire() { n.role = newBackup(n.replica, nobody.Node, false) }

func (n *PrimaryBackupNode) news(env *sim.Env, m HeartbeatAck) {
	switch n.hear(env, m) {
	case fenced:
		n.retire()
		n.tell(env)
	case adopted:
		n.assume(env)
	}
}

// assume takes the role that the latest configuration gives the node.
func (n *PrimaryBackupNode) assume(env *sim.Env) {
	n.log.early = nil
	first, found := n.latest.First()
	switch {
	case !found:
		panic(fmt.Sprintf("primary-backup: configuration %d is empty", n.latest.Number))
	case first == env.Self():
		p := newPrimary(n.replica, n.latest.Members)
		n.role = p
		p.Start(env)
	default:
		b := newBackup(n.replica, first, false)
		n.role = b
		b.Start(env)
	}
}
