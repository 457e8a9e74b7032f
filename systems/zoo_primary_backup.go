package systems

import (
	"slices"
	"time"

	"github.com/rashomon-go/rashomon"
	"github.com/rashomon-go/rashomon/replication"
	"github.com/rashomon-go/rashomon/sim"
)

// primaryBackupBugs break rules of primary-backup; AbsentBugs says which are not
// here, and why.
var primaryBackupBugs = []Bug{
	{
		Name:   "pb-ack-before-backup",
		About:  "the primary answers when it has sent an update, not when its backups have it",
		Rule:   "an update is committed when all backups have it (Alsberg & Day 1976)",
		Needs:  "a failover while an update is on its way",
		System: "primary-backup-sync", Reads: "primary", Claim: rashomon.Linearizable,
		rules: func(r *replication.PrimaryBackupRules) {
			r.Need = func(*replication.PrimaryBackupConfig, int) int { return 0 }
		},
	},
	{
		Name:   "pb-backup-read-stale",
		About:  "backups answer reads that only the primary may answer",
		Rule:   "reads are served by the primary",
		Needs:  "no fault",
		System: "primary-backup-sync", Reads: "primary", Claim: rashomon.Linearizable,
		plant: backupReadStale,
	},
	{
		Name:   "pb-dirty-read",
		About:  "the primary answers reads with updates that are not committed",
		Rule:   "a read returns what is committed",
		Needs:  "a failover that loses an update which was read",
		System: "primary-backup-sync", Reads: "primary", Claim: rashomon.Linearizable,
		rules: func(r *replication.PrimaryBackupRules) { r.Reads = dirtyRead },
	},
	{
		Name:   "pb-gap-ignored",
		About:  "a backup acknowledges an update although it lacks one before",
		Rule:   "an acknowledgement covers all updates up to it",
		Needs:  "a lost or late update, then a failover",
		System: "primary-backup-sync", Reads: "primary", Claim: rashomon.Linearizable,
		plant: gapIgnored,
	},
	{
		Name:   "pb-lease-from-receipt",
		About:  "a lease counts from when the answer arrives, not from when it was asked for",
		Rule:   "a lease ends for its holder before it ends for who gave it (Gray & Cheriton 1989)",
		Needs:  "slow messages from the master, then a failover",
		System: "primary-backup-sync", Reads: "primary", Claim: rashomon.Linearizable,
		rules: func(r *replication.PrimaryBackupRules) {
			r.LeaseEnd = func(_, now, lease time.Duration) time.Duration { return now + lease }
		},
	},
	{
		Name:   "pb-lease-longer-than-patience",
		About:  "a primary serves for ten times the lease that it was given",
		Rule:   "the master is more patient than a lease is long (Gray & Cheriton 1989)",
		Needs:  "a primary that is cut off from the others, and a failover",
		System: "primary-backup-sync", Reads: "primary", Claim: rashomon.Linearizable,
		rules: func(r *replication.PrimaryBackupRules) {
			r.LeaseEnd = func(sent, _, lease time.Duration) time.Duration { return sent + 10*lease }
		},
	},
	{
		Name:   "pb-no-dedup",
		About:  "a backup applies an update again when it receives it again",
		Rule:   "an update is applied once, in sequence (Schneider 1990)",
		Needs:  "duplicated or retransmitted messages, then a failover",
		System: "primary-backup-sync", Reads: "primary", Claim: rashomon.Linearizable,
		plant: appliedAgain,
	},
	{
		Name:   "pb-no-fencing",
		About:  "a deposed primary goes on, and replicas go on with it after they have promised to leave its configuration",
		Rule:   "members refuse messages of older configurations (Oki & Liskov 1988)",
		Needs:  "a primary that is cut off from the master, and a failover",
		System: "primary-backup-semisync", Reads: "primary", Claim: rashomon.Linearizable,
		rules: func(r *replication.PrimaryBackupRules) {
			r.Accepts = func(configuration, promised uint64) bool { return configuration <= promised }
			r.TakesWrites = func(bool, bool) bool { return true }
			r.ServesReads = func(_, established bool) bool { return established }
		},
	},
	{
		Name:   "pb-no-lease",
		About:  "a primary answers reads whether or not it holds a lease",
		Rule:   "a primary that may have been deposed does not serve (Gray & Cheriton 1989)",
		Needs:  "a primary that is cut off from the others, and a failover",
		System: "primary-backup-sync", Reads: "primary", Claim: rashomon.Linearizable,
		rules: func(r *replication.PrimaryBackupRules) {
			r.ServesReads = func(_, established bool) bool { return established }
		},
	},
	{
		Name:   "pb-no-sync",
		About:  "replicas tell of updates that are not synced to their disks",
		Rule:   "what is acknowledged survives a crash",
		Needs:  "crashes that lose what was not synced",
		System: "primary-backup-sync", Reads: "primary", Claim: rashomon.Linearizable,
		rules: func(r *replication.PrimaryBackupRules) { r.Sync = func(*sim.Env) {} },
	},
	{
		Name:   "pb-no-retransmit",
		About:  "a primary sends each update once, and a backup asks once to join",
		Rule:   "what is not acknowledged is sent again",
		Needs:  "no fault: what is committed last travels with no other update",
		System: "primary-backup-sync", Reads: "primary", Claim: rashomon.Live,
		group: func(c *replication.PrimaryBackupConfig) { c.Retransmit = never },
	},
	{
		Name:   "pb-no-retransmit-async",
		About:  "as pb-no-retransmit, where clients do not wait for backups",
		Rule:   "what is not acknowledged is sent again",
		Needs:  "no fault, as there",
		System: "primary-backup-async", Reads: "primary", Claim: rashomon.Convergent,
		group: func(c *replication.PrimaryBackupConfig) { c.Retransmit = never },
	},
	{
		Name:   "pb-promote-lagging",
		About:  "the master promotes the member that has least",
		Rule:   "the longest log is promoted (Oki & Liskov 1988)",
		Needs:  "a failover while backups differ",
		System: "primary-backup-semisync", Reads: "primary", Claim: rashomon.Linearizable,
		rules: func(r *replication.PrimaryBackupRules) { r.Promote = lagging },
	},
	{
		Name:   "pb-quorum-off-by-one",
		About:  "the primary waits for one backup less than it should",
		Rule:   "an update is committed when K backups have it",
		Needs:  "a failover while an update is on its way",
		System: "primary-backup-semisync", Reads: "primary", Claim: rashomon.Linearizable,
		rules: func(r *replication.PrimaryBackupRules) {
			right := r.Need
			r.Need = func(c *replication.PrimaryBackupConfig, backups int) int { return right(c, backups) - 1 }
		},
	},
	{
		Name:   "pb-retry-reapplied",
		About:  "the primary does not recognise a request that it has already got, and applies it again",
		Rule:   "a retried request takes effect once",
		Needs:  "a lost reply, or a slow one",
		System: "primary-backup-sync", Reads: "primary", Claim: rashomon.Linearizable,
		plant: retryReapplied,
	},
	{
		Name:   "pb-retry-reapplied-after-failover",
		About:  "a new primary does not recognise requests that its predecessors have got",
		Rule:   "what a client has asked for is part of the replicated state (Schneider 1990)",
		Needs:  "a failover between a request and its retry",
		System: "primary-backup-sync", Reads: "primary", Claim: rashomon.Linearizable,
		plant: retryReappliedAfterFailover,
	},
	{
		Name:   "pb-semisync-promote-any",
		About:  "the master promotes whoever reports first",
		Rule:   "N-K members of a configuration report before there is another",
		Needs:  "a failover while backups differ",
		System: "primary-backup-semisync", Reads: "primary", Claim: rashomon.Linearizable,
		rules: func(r *replication.PrimaryBackupRules) {
			r.Quorum = func(*replication.PrimaryBackupConfig, int) int { return 1 }
			r.Promote = func(reports []replication.Report) int { return len(reports) - 1 }
		},
	},
	{
		Name:   "pb-serve-before-catch-up",
		About:  "a new primary answers reads before it knows what has been committed",
		Rule:   "a primary serves when it has committed something of its configuration",
		Needs:  "a failover",
		System: "primary-backup-sync", Reads: "primary", Claim: rashomon.Linearizable,
		rules: func(r *replication.PrimaryBackupRules) {
			r.ServesReads = func(leased, _ bool) bool { return leased }
		},
	},
}

// pbNode is a node of a primary-backup group.
type pbNode = *replication.PrimaryBackupNode

func backupReadStale(_ *rashomon.Cluster, _ int, node sim.Node) sim.Node {
	return wrap(node, func(n pbNode, env *sim.Env, from sim.Addr, m sim.Message) {
		if r, ok := m.(replication.Read); ok && n.Backup() != nil {
			env.Reply(from, replication.Value{Value: n.Store().Get(r.Key)})
			return
		}
		n.Receive(env, from, m)
	})
}

func dirtyRead(p *replication.PrimaryNode, key string) int64 {
	var dirty replication.KVStore
	for _, e := range p.Log() {
		dirty.Apply(e.Write)
	}
	return dirty.Get(key)
}

func gapIgnored(_ *rashomon.Cluster, _ int, node sim.Node) sim.Node {
	return wrap(node, func(n pbNode, env *sim.Env, from sim.Addr, m sim.Message) {
		n.Receive(env, from, m)
		if r, ok := m.(replication.Replicate); ok && r.Number == n.Number() {
			env.Send(from.Node, replication.ReplicationAck{Number: r.Number, Seq: r.Entry.Seq})
		}
	})
}

func appliedAgain(_ *rashomon.Cluster, _ int, node sim.Node) sim.Node {
	return wrap(node, func(n pbNode, env *sim.Env, from sim.Addr, m sim.Message) {
		if r, ok := m.(replication.Replicate); ok && r.Entry.Seq <= n.Committed() {
			n.Store().Apply(r.Entry.Write)
		}
		n.Receive(env, from, m)
	})
}

func lagging(reports []replication.Report) (worst int) {
	for i, r := range reports {
		if r.Member && r.Last.Compare(reports[worst].Last) < 0 {
			worst = i
		}
	}
	return worst
}

func retryReapplied(_ *rashomon.Cluster, _ int, node sim.Node) sim.Node {
	return wrap(node, func(n pbNode, env *sim.Env, from sim.Addr, m sim.Message) {
		if w, ok := m.(replication.Write); ok {
			w.Request = replication.RequestID{}
			m = w
		}
		n.Receive(env, from, m)
	})
}

func retryReappliedAfterFailover(_ *rashomon.Cluster, _ int, node sim.Node) sim.Node {
	return wrap(node, func(n pbNode, env *sim.Env, from sim.Addr, m sim.Message) {
		if w, ok := m.(replication.Write); ok && slices.ContainsFunc(n.Log(), func(e replication.Entry) bool {
			return e.Write.Request == w.Request && e.Number < n.Number()
		}) {
			w.Request = replication.RequestID{}
			m = w
		}
		n.Receive(env, from, m)
	})
}
