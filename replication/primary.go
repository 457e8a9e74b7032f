package replication

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/rashomon-go/rashomon/sim"
)

// PrimaryBackupStats counts what a node did as a primary since it booted.
type PrimaryBackupStats struct {
	Writes           uint64 // requests received, retries included
	Reads            uint64 // requests received
	ReplicationsSent uint64 // Replicate messages, retransmissions included
	AcksReceived     uint64
	Committed        uint64        // updates received and committed
	WriteLatencySum  time.Duration // over Committed, from receipt to commit on the node's own clock, and until the store has it
	Evictions        uint64        // keys that its store has lost
}

// PrimaryNode orders updates, replicates them to its backups, and serves reads of
// what is committed. It applies an update when it is committed, so that a read
// never sees one that may yet be lost.
type PrimaryNode struct {
	*replica
	began    uint64 // end of the log when the node took office: until that is committed, serve nothing
	backups  []standing
	overdue  overdue
	received []time.Duration // by update since then: when it was received
	ranks    []uint64        // scratch
}

// standing is what the primary knows of a backup.
type standing struct {
	id      sim.NodeID
	learner bool          // it is no member, and does not count for commits
	matched bool          // its log is known to be the beginning of the primary's
	boot    time.Duration // of the backup's present incarnation, on its clock
	acked   uint64        // it has everything up to here
	known   uint64        // it knows of commits up to here
	resent  uint64        // end of the burst that it has not yet acknowledged, or 0
}

// NewPrimaryNode builds the primary of a fixed group from its disk. It panics if
// cfg is not valid.
func NewPrimaryNode(cfg *PrimaryBackupConfig, disk *sim.Disk) *PrimaryNode {
	return newPrimary(newReplica(cfg, disk), cfg.Members)
}

// newPrimary makes a replica the primary of its configuration. The logs of a fixed
// group never part.
func newPrimary(r *replica, members []sim.NodeID) *PrimaryNode {
	n := &PrimaryNode{replica: r, began: r.log.last()}
	for _, id := range members[1:] {
		n.backups = append(n.backups, standing{id: id, matched: r.fixed()})
	}
	return n
}

// fixed says whether the group has one configuration for ever.
func (r *replica) fixed() bool { return r.cfg.Failover == nil }

// Stats returns a copy of the counters.
func (n *PrimaryNode) Stats() PrimaryBackupStats { return n.asPrimary() }

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
	state = pending(state, n.log.last()-n.committed)
	for i := range n.backups {
		state = append(state, number("acked by backup "+strconv.Itoa(i), n.backups[i].acked))
	}
	return state
}

// Start takes up again what the log holds: nobody has acknowledged it, as far as
// the node knows. In a new configuration an update that changes nothing comes
// last: when it is committed, so is all before it.
func (n *PrimaryNode) Start(env *sim.Env) {
	if n.log.position().Number < n.number {
		n.log.append(env, Entry{Number: n.number, Seq: n.log.last() + 1, Write: Write{Kind: NoOp}, Client: nobody})
		n.began = n.log.last()
		n.cfg.rules().Sync(env)
	}
	n.commit(env)
	n.arm(env)
	for i := range n.backups {
		if b := &n.backups[i]; b.matched {
			n.resend(env, b)
		} else {
			n.ask(env, b)
		}
	}
}

// ask has a backup say where it stands, if it knows.
func (n *PrimaryNode) ask(env *sim.Env, b *standing) { env.Send(b.id, Commit{n.number, n.committed}) }

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
	case Newer:
	case Replicate, Commit, Welcome: // from another one that takes itself for the primary
		if n.fixed() {
			panic(fmt.Sprintf("primary: unexpected message %T", m))
		}
	default:
		panic(fmt.Sprintf("primary: unexpected message %T", m))
	}
}

// may says by a rule whether the node may serve. An asynchronous primary promises
// nothing that a lease would protect: it serves until it hears of another one.
func (n *PrimaryNode) may(env *sim.Env, rule func(leased, established bool) bool) bool {
	return rule(n.fixed() || n.cfg.Mode == Async || n.leased(env), n.committed >= n.began)
}

func (n *PrimaryNode) write(env *sim.Env, from sim.Addr, m Write) {
	n.primary.Writes++
	switch s, straggler := n.log.find(m.Request); {
	case straggler:
		env.Count(ReachedStraggler)
	case s != nil && s.Seq <= n.committed:
		env.Count(ReachedRetry)
		env.Reply(from, s.result)
	case s != nil:
		env.Count(ReachedRetry)
		s.waits = from // answer the retry, not the attempt given up
	case n.may(env, n.cfg.rules().TakesWrites):
		n.order(env, from, m)
	default:
		n.refuse(env, from)
	}
}

// refuse tells a client that the node may not serve it.
func (n *PrimaryNode) refuse(env *sim.Env, client sim.Addr) {
	if !n.fixed() && !n.leased(env) {
		env.Count(ReachedLeaseEnd)
	}
	refuse(env, client)
}

// order gives a new update its place and sends it to the backups.
func (n *PrimaryNode) order(env *sim.Env, from sim.Addr, m Write) {
	e := Entry{Number: n.number, Seq: n.log.last() + 1, Write: m, Client: from}
	n.log.append(env, e)
	n.log.at(e.Seq).waits = from
	n.received = append(n.received, env.Now())
	n.cfg.rules().Sync(env)
	var r sim.Message = Replicate{n.number, e, n.committed}
	for i := range n.backups {
		if b := &n.backups[i]; b.matched {
			n.replicate(env, b.id, r)
		}
	}
	n.commit(env)
	n.arm(env)
}

func (n *PrimaryNode) replicate(env *sim.Env, backup sim.NodeID, r sim.Message) {
	n.primary.ReplicationsSent++
	env.Send(backup, r)
}

// read answers once the node knows what was committed before it took office, and
// while nobody else can be primary.
func (n *PrimaryNode) read(env *sim.Env, from sim.Addr, m Read) {
	n.primary.Reads++
	if !n.may(env, n.cfg.rules().ServesReads) {
		n.refuse(env, from)
		return
	}
	access(env, n.cfg.Store.ReadLatency)
	env.Reply(from, Value{n.cfg.rules().Reads(n, m.Key)})
}

func (n *PrimaryNode) ack(env *sim.Env, from sim.NodeID, m ReplicationAck) {
	n.primary.AcksReceived++
	b := n.standing(from)
	b.hear(m)
	if !n.fixed() {
		b.acked = min(b.acked, n.log.last()) // to have more would be another primary's business
	}
	if b.acked > n.log.last() && n.fixed() {
		panic(fmt.Sprintf("primary: node %d has update %d, but the log ends at %d", from, b.acked, n.log.last()))
	}
	if b.resent != 0 && b.acked >= b.resent {
		n.resend(env, b)
	}
	n.commit(env)
	n.arm(env)
}

// join tells a backup up to where their logs are equal, and what is committed; not
// before the primary knows that itself, or the backup would serve older values than
// before. Then it sends what the backup lacks.
func (n *PrimaryNode) join(env *sim.Env, from sim.NodeID, m Join) {
	common := n.log.common(m.Runs)
	n.ack(env, from, ReplicationAck{Seq: common, Boot: m.Boot})
	established := n.committed >= n.began
	if established || !m.Matched {
		env.Send(from, Welcome{n.number, common, n.committed, established, m.Boot})
	}
	if b := n.standing(from); !m.Matched && b.resent == 0 {
		if b.learner && b.acked < n.log.last() {
			env.Count(ReachedTransfer)
		}
		n.burst(env, b, min(b.acked+burst, n.log.last()))
	}
}

// standing returns what the primary knows of a backup, or of a node that wants to
// become one.
func (n *PrimaryNode) standing(id sim.NodeID) *standing {
	for i := range n.backups {
		if n.backups[i].id == id {
			return &n.backups[i]
		}
	}
	if n.fixed() {
		panic(fmt.Sprintf("primary: acknowledgement from node %d, which is no backup", id))
	}
	n.backups = append(n.backups, standing{id: id, learner: true})
	return &n.backups[len(n.backups)-1]
}

// hear takes in where a backup stands. Acknowledgements overtake each other, so
// only a restart lets its numbers fall: it may have lost its disk, and it has
// forgotten what is committed.
func (b *standing) hear(m ReplicationAck) {
	switch {
	case m.Boot < b.boot:
		return
	case m.Boot > b.boot:
		*b = standing{id: b.id, learner: b.learner, boot: m.Boot}
	}
	b.matched = true
	b.acked = max(b.acked, m.Seq)
	b.known = max(b.known, m.Committed)
}

// commit applies and answers what enough backups have acknowledged.
func (n *PrimaryNode) commit(env *sim.Env) {
	replicated := n.replicated()
	if replicated <= n.committed || !n.cfg.rules().Commits(n.log.at(replicated).Number, n.number) {
		return
	}
	var applying time.Duration // the clock stands still meanwhile
	for n.committed < replicated {
		s := n.applyNext(env)
		applying += n.cfg.Store.latency(s.Write.Kind)
		if n.committed > n.began {
			n.primary.Committed++
			n.primary.WriteLatencySum += env.Now() + applying - n.received[n.committed-n.began-1]
		}
		if s.waits != nobody {
			env.Reply(s.waits, s.result)
		}
	}
	if n.committed >= n.began {
		n.established = n.number
	}
}

// replicated returns the last update that as many backups have as the mode asks
// for.
func (n *PrimaryNode) replicated() uint64 {
	n.ranks = n.ranks[:0]
	for i := range n.backups {
		if !n.backups[i].learner {
			n.ranks = append(n.ranks, n.backups[i].acked)
		}
	}
	need := n.cfg.rules().Need(n.cfg, len(n.ranks))
	switch {
	case need <= 0:
		return n.log.last()
	case need > len(n.ranks):
		return 0
	}
	slices.Sort(n.ranks)
	return n.ranks[len(n.ranks)-need]
}

// arm sets the timer if a backup lacks something.
func (n *PrimaryNode) arm(env *sim.Env) {
	for i := range n.backups {
		b := &n.backups[i]
		if (b.acked < n.log.last() || b.known < n.committed) && n.overdue.arm(n.log.last()) {
			env.After(orDefault(n.cfg.Retransmit), retransmit{n.number})
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
		if !b.matched {
			n.ask(env, b)
			continue
		}
		n.resend(env, b)
		if b.acked == n.log.last() && b.known < n.committed {
			n.ask(env, b)
		}
	}
	n.arm(env)
}

func (n *PrimaryNode) resend(env *sim.Env, b *standing) {
	end, more := n.overdue.span(b.acked)
	b.resent = more
	if end > b.acked {
		env.Count(ReachedResend)
	}
	n.burst(env, b, end)
}

// burst sends a backup the updates that it lacks, up to end.
func (n *PrimaryNode) burst(env *sim.Env, b *standing, end uint64) {
	for seq := b.acked + 1; seq <= end; seq++ {
		n.replicate(env, b.id, Replicate{n.number, n.log.at(seq).Entry, n.committed})
	}
}
