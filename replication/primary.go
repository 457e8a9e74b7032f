package replication

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/rashomon-go/rashomon/sim"
)

// PrimaryBackupStats counts what a primary did since it booted.
type PrimaryBackupStats struct {
	Writes           uint64 // requests received, retries included
	Reads            uint64 // requests received
	ReplicationsSent uint64 // Replicate messages, retransmissions included
	AcksReceived     uint64
	Committed        uint64        // updates received and committed
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
	booted    uint64 // end of the log at boot: until that is committed, serve nothing
	backups   []standing
	overdue   overdue
	began     []time.Duration // by update since boot: when it was received
	stats     PrimaryBackupStats
	ranks     []uint64 // scratch
}

// standing is what the primary knows of a backup.
type standing struct {
	id     sim.NodeID
	boot   time.Duration // of the backup's present incarnation, on its clock
	acked  uint64        // it has everything up to here
	known  uint64        // it knows of commits up to here
	resent uint64        // end of the burst that it has not yet acknowledged, or 0
}

// NewPrimaryNode builds the primary from its disk. It panics if cfg is not valid.
func NewPrimaryNode(cfg *PrimaryBackupConfig, disk *sim.Disk) *PrimaryNode {
	must(cfg.Validate())
	n := &PrimaryNode{cfg: cfg, ranks: make([]uint64, len(cfg.Members)-1)}
	for _, id := range cfg.Members[1:] {
		n.backups = append(n.backups, standing{id: id})
	}
	n.log.recover(disk)
	n.booted = n.log.last()
	return n
}

// Stats returns a copy of the counters.
func (n *PrimaryNode) Stats() PrimaryBackupStats { return n.stats }

// Mode returns the replication mode.
func (n *PrimaryNode) Mode() ReplicationMode { return n.cfg.Mode }

// LastSeq returns the last update in the log, committed or not.
func (n *PrimaryNode) LastSeq() uint64 { return n.log.last() }

// Committed returns the last update that is committed.
func (n *PrimaryNode) Committed() uint64 { return n.committed }

// Lag returns how many updates backup i (from 0) has not yet acknowledged.
func (n *PrimaryNode) Lag(i int) uint64 { return n.log.last() - n.backups[i].acked }

// Store returns the committed state.
func (n *PrimaryNode) Store() *KVStore { return &n.store }

// State implements sim.Observable.
func (n *PrimaryNode) State() []sim.Variable {
	state := append(n.store.state(), number("log", n.log.last()), number("committed", n.committed))
	for i := range n.backups {
		state = append(state, number("acked by backup "+strconv.Itoa(i), n.backups[i].acked))
	}
	return state
}

// Start takes up again what the log held when the node booted: nobody has
// acknowledged it, as far as the node knows.
func (n *PrimaryNode) Start(env *sim.Env) {
	n.commit(env)
	n.arm(env)
	for i := range n.backups {
		n.resend(env, &n.backups[i])
	}
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
	case Join:
		n.join(env, from.Node, m)
	case retransmit:
		n.retransmit(env)
	default:
		panic(fmt.Sprintf("primary: unexpected message %T", m))
	}
}

func (n *PrimaryNode) write(env *sim.Env, from sim.Addr, m Write) {
	n.stats.Writes++
	switch s, straggler := n.log.find(m.Request); {
	case straggler:
	case s == nil:
		n.order(env, from, m)
	case s.Seq <= n.committed:
		env.Reply(from, s.result)
	default:
		s.waits = from // answer the retry, not the attempt given up
	}
}

// order gives a new update its place and sends it to the backups.
func (n *PrimaryNode) order(env *sim.Env, from sim.Addr, m Write) {
	e := Entry{Seq: n.log.last() + 1, Write: m, Client: from}
	n.log.append(env, e)
	n.log.at(e.Seq).waits = from
	n.began = append(n.began, env.Now())
	env.Sync()
	var r sim.Message = Replicate{e, n.committed}
	for i := range n.backups {
		n.replicate(env, n.backups[i].id, r)
	}
	n.commit(env)
	n.arm(env)
}

func (n *PrimaryNode) replicate(env *sim.Env, backup sim.NodeID, r sim.Message) {
	n.stats.ReplicationsSent++
	env.Send(backup, r)
}

func (n *PrimaryNode) read(env *sim.Env, from sim.Addr, m Read) {
	n.stats.Reads++
	if n.committed < n.booted {
		env.Reply(from, Refused{}) // what was committed before the crash is not known yet
		return
	}
	env.Reply(from, Value{n.store.Get(m.Key)})
}

func (n *PrimaryNode) ack(env *sim.Env, from sim.NodeID, m ReplicationAck) {
	n.stats.AcksReceived++
	b := n.backup(from)
	b.hear(m)
	if b.acked > n.log.last() {
		panic(fmt.Sprintf("primary: node %d has update %d, but the log ends at %d", from, b.acked, n.log.last()))
	}
	if b.resent != 0 && b.acked >= b.resent {
		n.resend(env, b)
	}
	n.commit(env)
	n.arm(env)
}

// join tells a backup that has restarted what is committed; not before the
// primary knows that itself, or the backup would serve older values than before.
func (n *PrimaryNode) join(env *sim.Env, from sim.NodeID, m Join) {
	n.ack(env, from, ReplicationAck{Seq: m.Seq, Boot: m.Boot})
	if n.committed >= n.booted {
		env.Send(from, Welcome{n.committed, m.Boot})
	}
}

func (n *PrimaryNode) backup(id sim.NodeID) *standing {
	for i := range n.backups {
		if n.backups[i].id == id {
			return &n.backups[i]
		}
	}
	panic(fmt.Sprintf("primary: acknowledgement from node %d, which is no backup", id))
}

// hear takes in where a backup stands. Acknowledgements overtake each other, so
// only a restart lets its numbers fall: it may have lost its disk, and it has
// forgotten what is committed.
func (b *standing) hear(m ReplicationAck) {
	switch {
	case m.Boot < b.boot:
		return
	case m.Boot > b.boot:
		*b = standing{id: b.id, boot: m.Boot}
	}
	b.acked = max(b.acked, m.Seq)
	b.known = max(b.known, m.Committed)
}

// commit applies and answers what enough backups have acknowledged.
func (n *PrimaryNode) commit(env *sim.Env) {
	for replicated := n.replicated(); n.committed < replicated; {
		n.committed++
		s := n.log.at(n.committed)
		s.result = n.store.Apply(s.Write)
		if n.committed > n.booted {
			n.stats.Committed++
			n.stats.WriteLatencySum += env.Now() - n.began[n.committed-n.booted-1]
		}
		if s.waits != nobody {
			env.Reply(s.waits, s.result)
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
	for i := range n.backups {
		n.ranks[i] = n.backups[i].acked
	}
	slices.Sort(n.ranks)
	return n.ranks[len(n.ranks)-need]
}

// arm sets the timer if a backup lacks something.
func (n *PrimaryNode) arm(env *sim.Env) {
	for i := range n.backups {
		b := &n.backups[i]
		if (b.acked < n.log.last() || b.known < n.committed) && n.overdue.arm(n.log.last()) {
			env.After(orDefault(n.cfg.Retransmit), retransmit{})
		}
	}
}

// retransmit sends again what was sent before the timer was set and has not been
// acknowledged since. Commits usually travel with updates; when there are none,
// they go by themselves.
func (n *PrimaryNode) retransmit(env *sim.Env) {
	n.overdue.armed = false
	for i := range n.backups {
		b := &n.backups[i]
		n.resend(env, b)
		if b.acked == n.log.last() && b.known < n.committed {
			env.Send(b.id, Commit{n.committed})
		}
	}
	n.arm(env)
}

func (n *PrimaryNode) resend(env *sim.Env, b *standing) {
	end, more := n.overdue.span(b.acked)
	b.resent = more
	for seq := b.acked + 1; seq <= end; seq++ {
		n.replicate(env, b.id, Replicate{n.log.at(seq).Entry, n.committed})
	}
}
