package replication

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/rashomon-go/rashomon/sim"
)

// Messages between the primary and its backups.
type (
	// Replicate carries an update to a backup, and how far updates are
	// committed.
	Replicate struct {
		Entry     Entry
		Committed uint64
	}
	// Commit tells a backup how far updates are committed.
	Commit struct{ Committed uint64 }
	// ReplicationAck tells the primary that a backup has synced every update up
	// to Seq and knows of commits up to Committed.
	ReplicationAck struct{ Seq, Committed uint64 }
	// retransmit is the timer of whoever waits for acknowledgements.
	retransmit struct{}
)

// ReplicationMode says when the primary takes an update for committed and
// answers the client.
type ReplicationMode uint8

const (
	Async    ReplicationMode = iota // when it is on its own disk
	SemiSync                        // when also K backups have it
	Sync                            // when also all backups have it
)

// String returns async, semi-sync or sync.
func (m ReplicationMode) String() string {
	switch m {
	case Async:
		return "async"
	case SemiSync:
		return "semi-sync"
	case Sync:
		return "sync"
	}
	return fmt.Sprintf("mode(%d)", uint8(m))
}

// PrimaryBackupConfig is what all nodes of a primary-backup group agree on.
type PrimaryBackupConfig struct {
	Mode ReplicationMode
	// Acks is K, the number of backups that SemiSync waits for: 1 or more, and
	// not more than there are.
	Acks int
	// Members are the nodes; the first one is the primary.
	Members []sim.NodeID
	// ServeReads lets backups answer reads from their committed prefix. Otherwise
	// they redirect them to the primary.
	ServeReads bool
	// Retransmit is how long a sender waits for an acknowledgement, on its own
	// clock. Zero means 20 ms.
	Retransmit time.Duration
}

const defaultRetransmit = 20 * time.Millisecond

// Validate names the field that makes the configuration impossible.
func (c *PrimaryBackupConfig) Validate() error {
	backups := len(c.Members) - 1
	switch {
	case c.Mode > Sync:
		return fmt.Errorf("primary-backup: Mode is %d, expected Async, SemiSync or Sync", c.Mode)
	case backups < 1:
		return fmt.Errorf("primary-backup: %d Members, expected a primary and at least one backup", len(c.Members))
	case c.Mode == SemiSync && (c.Acks < 1 || c.Acks > backups):
		return fmt.Errorf("primary-backup: Acks is %d, expected 1..%d, the number of backups", c.Acks, backups)
	case c.Retransmit < 0:
		return fmt.Errorf("primary-backup: Retransmit is %v, expected a duration that is not negative", c.Retransmit)
	}
	return validateMembers("primary-backup", c.Members)
}

func validateMembers(protocol string, members []sim.NodeID) error {
	for i, m := range members {
		if slices.Contains(members[:i], m) {
			return fmt.Errorf("%s: Members has node %d twice", protocol, m)
		}
	}
	return nil
}

func (c *PrimaryBackupConfig) primary() sim.NodeID { return c.Members[0] }

// need returns how many backups must have an update before it is committed.
func (c *PrimaryBackupConfig) need() int {
	switch c.Mode {
	case SemiSync:
		return c.Acks
	case Sync:
		return len(c.Members) - 1
	}
	return 0
}

func orDefault(d time.Duration) time.Duration {
	if d == 0 {
		return defaultRetransmit
	}
	return d
}

// PrimaryBackupStats counts what a primary did since it booted.
type PrimaryBackupStats struct {
	Writes           uint64 // requests received, retries included
	Reads            uint64 // requests received
	ReplicationsSent uint64 // Replicate messages, retransmissions included
	AcksReceived     uint64
	Committed        uint64        // updates that this incarnation committed
	WriteLatencySum  time.Duration // over Committed, from receipt to commit on the node's own clock
}

// PrimaryNode orders updates, replicates them to its backups, and serves reads of
// what is committed. It applies an update when it is committed, so that a read
// never sees one that may yet be lost.
type PrimaryNode struct {
	cfg       *PrimaryBackupConfig
	log       sequence
	store     KVStore
	committed uint64
	booted    uint64          // end of the log at boot: until that is committed, serve nothing
	acked     []uint64        // by backup: it has everything up to here
	known     []uint64        // by backup: it knows of commits up to here
	ticked    uint64          // end of the log when the timer was last set
	armed     bool            // the timer is set
	began     []time.Duration // by update since boot: when it was received
	stats     PrimaryBackupStats
	sorted    []uint64 // scratch
}

// NewPrimaryNode builds the primary from its disk.
func NewPrimaryNode(cfg *PrimaryBackupConfig, disk *sim.Disk) *PrimaryNode {
	backups := len(cfg.Members) - 1
	n := &PrimaryNode{cfg: cfg, acked: make([]uint64, backups), known: make([]uint64, backups), sorted: make([]uint64, backups)}
	n.log.recover(disk)
	n.booted = n.log.last()
	return n
}

// Stats returns a copy of the counters.
func (n *PrimaryNode) Stats() PrimaryBackupStats { return n.stats }

// Mode returns the replication mode.
func (n *PrimaryNode) Mode() ReplicationMode { return n.cfg.Mode }

// Lag returns how many updates backup i (from 0) has not yet acknowledged.
func (n *PrimaryNode) Lag(i int) uint64 { return n.log.last() - n.acked[i] }

// Store returns the committed state.
func (n *PrimaryNode) Store() *KVStore { return &n.store }

// State implements sim.Observable.
func (n *PrimaryNode) State() []sim.Variable {
	state := append(n.store.state(), number("log", n.log.last()), number("committed", n.committed))
	for i := range n.acked {
		state = append(state, number("acked by backup "+strconv.Itoa(i), n.acked[i]))
	}
	return state
}

// Start takes up again what the log held when the node booted.
func (n *PrimaryNode) Start(env *sim.Env) {
	n.commit(env)
	n.arm(env)
}

// Receive implements sim.Node.
func (n *PrimaryNode) Receive(env *sim.Env, from sim.Addr, m sim.Message) {
	switch m := m.(type) {
	case Write:
		n.write(env, from, m)
	case Read:
		n.read(env, from, m)
	case ReplicationAck:
		n.ack(env, from.Node, m)
	case retransmit:
		n.retransmit(env)
	default:
		panic(fmt.Sprintf("primary: unexpected message %T", m))
	}
}

func (n *PrimaryNode) write(env *sim.Env, from sim.Addr, m Write) {
	n.stats.Writes++
	r, found, straggler := n.log.find(m.Request)
	switch {
	case straggler:
	case found && r.seq <= n.committed:
		env.Reply(from, r.result)
	case found:
		n.log.at(r.seq).Client = from // answer the retry, not the attempt given up
	default:
		e := Entry{Seq: n.log.last() + 1, Write: m, Client: from}
		n.log.append(env, e)
		n.began = append(n.began, env.Now())
		env.Sync()
		for i := range n.acked {
			n.replicate(env, i, e)
		}
		n.commit(env)
		n.arm(env)
	}
}

func (n *PrimaryNode) read(env *sim.Env, from sim.Addr, m Read) {
	n.stats.Reads++
	if n.committed < n.booted {
		env.Reply(from, Refused{}) // what was committed before the crash is not known yet
		return
	}
	env.Reply(from, Value{n.store.Get(m.Key)})
}

func (n *PrimaryNode) replicate(env *sim.Env, backup int, e Entry) {
	n.stats.ReplicationsSent++
	env.Send(n.cfg.Members[1+backup], Replicate{e, n.committed})
}

func (n *PrimaryNode) ack(env *sim.Env, from sim.NodeID, m ReplicationAck) {
	n.stats.AcksReceived++
	i := slices.Index(n.cfg.Members[1:], from)
	if i < 0 {
		panic(fmt.Sprintf("primary: acknowledgement from node %d, which is no backup", from))
	}
	n.acked[i] = max(n.acked[i], m.Seq)
	n.known[i] = max(n.known[i], m.Committed)
	n.commit(env)
	n.arm(env)
}

// commit applies and answers what enough backups have acknowledged.
func (n *PrimaryNode) commit(env *sim.Env) {
	for n.committed < n.replicated() {
		n.committed++
		e := n.log.at(n.committed)
		result := n.store.Apply(e.Write)
		n.log.applied(e, result)
		if n.committed > n.booted {
			n.stats.Committed++
			n.stats.WriteLatencySum += env.Now() - n.began[n.committed-n.booted-1]
			env.Reply(e.Client, result)
		}
	}
}

// replicated returns the last update that as many backups have as the mode asks
// for.
func (n *PrimaryNode) replicated() uint64 {
	need := n.cfg.need()
	if need == 0 {
		return n.log.last()
	}
	copy(n.sorted, n.acked)
	slices.Sort(n.sorted)
	return min(n.sorted[len(n.sorted)-need], n.log.last())
}

// arm sets the timer if a backup lacks something.
func (n *PrimaryNode) arm(env *sim.Env) {
	if n.armed {
		return
	}
	for i := range n.acked {
		if n.acked[i] < n.log.last() || n.known[i] < n.committed {
			n.armed, n.ticked = true, n.log.last()
			env.After(orDefault(n.cfg.Retransmit), retransmit{})
			return
		}
	}
}

// burst bounds how many updates one retransmission sends to one node: a node that
// was cut off for long catches up by acknowledgements, not by a flood.
const burst = 16

// retransmit sends again what was sent before the timer was set and has not been
// acknowledged since.
func (n *PrimaryNode) retransmit(env *sim.Env) {
	n.armed = false
	for i, acked := range n.acked {
		switch {
		case acked < n.ticked:
			for seq := acked + 1; seq <= min(n.ticked, acked+burst); seq++ {
				n.replicate(env, i, *n.log.at(seq))
			}
		case acked == n.log.last() && n.known[i] < n.committed:
			env.Send(n.cfg.Members[1+i], Commit{n.committed})
		}
	}
	n.arm(env)
}

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
	committed uint64 // what the primary is known to have committed, and is applied
	heard     bool   // from the primary since boot
	stats     BackupStats
}

// NewBackupNode builds a backup from its disk.
func NewBackupNode(cfg *PrimaryBackupConfig, disk *sim.Disk) *BackupNode {
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

// LastAppliedSeq returns the last update that is applied.
func (n *BackupNode) LastAppliedSeq() uint64 { return n.committed }

// Store returns the committed state, as far as the backup knows it.
func (n *BackupNode) Store() *KVStore { return &n.store }

// State implements sim.Observable.
func (n *BackupNode) State() []sim.Variable {
	return append(n.store.state(), number("log", n.log.last()), number("committed", n.committed))
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
	case Read:
		n.read(env, from, m)
	case Write:
		env.Reply(from, Redirect{n.cfg.primary()})
	default:
		panic(fmt.Sprintf("backup: unexpected message %T", m))
	}
}

// learn applies what is committed and tells the primary where the backup stands.
func (n *BackupNode) learn(env *sim.Env, committed uint64) {
	n.heard = true
	for n.committed < min(committed, n.log.last()) {
		n.committed++
		n.stats.ReplicationsApplied++
		e := n.log.at(n.committed)
		n.log.applied(e, n.store.Apply(e.Write))
	}
	env.Send(n.cfg.primary(), ReplicationAck{Seq: n.log.last(), Committed: n.committed})
}

func (n *BackupNode) read(env *sim.Env, from sim.Addr, m Read) {
	n.stats.Reads++
	switch {
	case !n.cfg.ServeReads:
		env.Reply(from, Redirect{n.cfg.primary()})
	case !n.heard:
		env.Reply(from, Refused{})
	default:
		env.Reply(from, Value{n.store.Get(m.Key)})
	}
}
