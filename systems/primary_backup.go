package systems

import (
	"slices"
	"time"

	"github.com/rashomon-go/rashomon"
	"github.com/rashomon-go/rashomon/checker"
	"github.com/rashomon-go/rashomon/faults"
	"github.com/rashomon-go/rashomon/replication"
	"github.com/rashomon-go/rashomon/sim"
)

// master is the service that systems with failover rely on. It does not crash; it
// can be cut off and paused.
const master = "master"

// maxDriftPPM is the drift that leases tolerate, on every clock.
const maxDriftPPM = 200_000

const ms = time.Millisecond

var primaryBackupModes = map[string]replication.ReplicationMode{
	"primary-backup-sync":     replication.Sync,
	"primary-backup-semisync": replication.SemiSync,
	"primary-backup-async":    replication.Async,
}

// primaryBackup clients read at the primary, or at any node. Backups serve what
// they know to be committed, which may be old.
func primaryBackup(name, about string) *rashomon.System {
	mode := primaryBackupModes[name]
	return &rashomon.System{
		Name: name, About: "primary-backup with failover: " + about,
		MinNodes: 2, MaxNodes: 7, Kinds: everyKind,
		Boot:   bootPrimaryBackup(mode, func(*replication.PrimaryBackupConfig) {}),
		Client: keyValueClient, Longest: keyValueLongest,
		Claims:    primaryBackupClaims(mode),
		Services:  []string{master},
		Tolerates: func(replicas int) faults.Options { return toleratedBy(mode, replicas) },
		Roles:     []string{"primary", "deposed", master},
		Falls:     []string{"primary"},
		InRole:    inRole,
		Survives:  func(replicas int) int { return survivedBy(mode, replicas) },
		Features:  primaryBackupFeatures(mode),
		Messages:  append(masterMessages(), "Replicate", "ReplicationAck", "Commit", "Join", "Welcome", "Newer"),
		Settle:    4 * time.Second,
	}
}

func primaryBackupFeatures(mode replication.ReplicationMode) []string {
	leaseless := func(feature string) bool { return mode == replication.Async && feature == replication.ReachedLeaseEnd }
	return slices.DeleteFunc(masterFeatures(), leaseless)
}

// masterFeatures are those of systems that a master repairs.
func masterFeatures() []string {
	return []string{
		replication.ReachedFailover, replication.ReachedFailover + rashomon.UnderLoad,
		replication.ReachedRemoval, replication.ReachedAddition, replication.ReachedLostDisk,
		replication.ReachedTransfer, replication.ReachedRollback, replication.ReachedOldMessage,
		replication.ReachedRedirect, replication.ReachedRefusal, replication.ReachedStaleClient, replication.ReachedLeaseEnd,
		replication.ReachedRetry, replication.ReachedStraggler, replication.ReachedResend,
	}
}

// masterMessages are those of clients, and of every system that a master repairs.
func masterMessages() []string {
	return []string{"Write", "Written", "Read", "Value", "Redirect", "Refused", "GetConfiguration", "Configuration", "Heartbeat", "HeartbeatAck"}
}

func primaryBackupClaims(mode replication.ReplicationMode) []rashomon.Claim {
	if mode == replication.Async {
		// It loses acknowledged updates when it promotes a backup, and takes them back
		// where they have been read.
		return []rashomon.Claim{
			{Reads: "primary", Property: rashomon.Convergent},
			{Reads: "primary", Property: rashomon.Live},
			{Reads: "primary", Property: rashomon.Durable, Refuted: true},
			{Reads: "primary", Property: rashomon.Linearizable, Refuted: true},
			{Reads: "any", Property: rashomon.Convergent, Rule: checker.AnyWriteWins},
			{Reads: "any", Property: rashomon.PrefixConsistent, Pinned: true, Lossy: true, Refuted: true},
			{Reads: "any", Property: rashomon.Linearizable, Refuted: true},
		}
	}
	return []rashomon.Claim{
		{Reads: "primary", Property: rashomon.Linearizable},
		{Reads: "primary", Property: rashomon.Convergent},
		{Reads: "primary", Property: rashomon.Durable},
		{Reads: "primary", Property: rashomon.Live},
		{Reads: "any", Property: rashomon.Convergent, Rule: checker.LastWriterWins},
		{Reads: "any", Property: rashomon.MonotonicReads, Pinned: true},
		{Reads: "any", Property: rashomon.Linearizable, Refuted: true},
	}
}

// bootPrimaryBackup boots the replicas, and the master at the place behind them, after
// a change of their configuration.
func bootPrimaryBackup(mode replication.ReplicationMode, change func(*replication.PrimaryBackupConfig)) func(*rashomon.Cluster, int) sim.Boot {
	return func(c *rashomon.Cluster, place int) sim.Boot {
		failover := replication.FailoverConfig{
			Master: c.Services[0], DriftPPM: maxDriftPPM,
			Lease: 50 * ms, Patience: 80 * ms,
		}
		cfg := &replication.PrimaryBackupConfig{
			Mode: mode, Members: c.Nodes, ServeReads: c.Reads == "any",
			Acks: acks(len(c.Nodes)), Least: least(len(c.Nodes)), Failover: &failover,
		}
		change(cfg)
		if place < len(c.Nodes) {
			return func(_ sim.NodeID, disk *sim.Disk) sim.Node { return replication.NewPrimaryBackupNode(cfg, disk) }
		}
		masters := &replication.MasterConfig{FailoverConfig: failover, Nodes: c.Nodes, Succession: cfg.Succession()}
		return func(_ sim.NodeID, disk *sim.Disk) sim.Node { return replication.NewMaster(masters, disk) }
	}
}

// acks is K: with the primary a majority.
func acks(replicas int) int { return replicas / 2 }

// least is the fewest members of a configuration: one more than disks may be lost
// in a run. Two replicas must be able to do with one.
func least(replicas int) int {
	switch {
	case replicas >= 5:
		return 3
	case replicas >= 3:
		return 2
	}
	return 1
}

// toleratedBy is what the claims hold under: any trouble on the network, clocks
// that drift as far as the leases allow for, as many crashes at once as leave a
// majority, or a crash of all that keep their disks, and as many lost disks as leave
// a copy of every committed update. Disks count for the whole run, because for as long
// as it lasts the network may keep the others from getting another copy.
func toleratedBy(mode replication.ReplicationMode, replicas int) faults.Options {
	names := make([]string, replicas)
	for i := range names {
		names[i] = nodeName(i)
	}
	crash := faults.CrashOptions{
		Nodes:  append(slices.Clone(names), "primary"),
		Fates:  []sim.DiskFate{sim.LoseUnsynced, sim.KeepAll},
		AtOnce: max((replicas-1)/2, 1), All: true,
	}
	crash.Losses = least(replicas) - 1
	if mode == replication.SemiSync {
		crash.Losses = acks(replicas)
	}
	if crash.Losses > 0 {
		crash.Fates = append(crash.Fates, sim.LoseAll)
	}
	return faults.Options{
		Crash: crash, Most: 8, Slow: 200 * ms,
		Messages: []string{"Replicate", "ReplicationAck", "Commit", "Heartbeat", "HeartbeatAck", "Join", "Welcome"},
		Clock:    faults.ClockOptions{Nodes: append(names, master), Offset: time.Second, DriftPPM: maxDriftPPM},
	}
}

// survivedBy: a configuration can shrink to its least size, and one of its members
// must be left, so many as are needed for the next.
func survivedBy(mode replication.ReplicationMode, replicas int) int {
	fewest := least(replicas)
	if mode == replication.SemiSync {
		fewest = acks(replicas) + 1
	}
	return max(min(fewest-1, replicas-fewest), 0)
}

// inRole finds the primary of the master's configuration, and those who still take
// themselves for the primary of an earlier one.
func inRole(w *sim.World, c *rashomon.Cluster, role string) (ids []sim.NodeID) {
	latest := latest(w, c)
	if role == "primary" {
		if first, found := latest.First(); found {
			ids = append(ids, first)
		}
		return ids
	}
	for _, id := range c.Nodes {
		if n := primaryBackupNode(w.Node(id)); n != nil && n.Primary() != nil && n.Number() < latest.Number {
			ids = append(ids, id)
		}
	}
	return ids
}

// latest returns the configuration of the master; that of a master that is down has
// no members.
func latest(w *sim.World, c *rashomon.Cluster) (latest replication.Configuration) {
	if m, ok := bare(w.Node(c.Services[0])).(*replication.Master); ok {
		latest = m.Configuration()
	}
	return latest
}

// primaryBackupNode looks through the bug around a node; it is nil for a node that
// is down.
func primaryBackupNode(n sim.Node) *replication.PrimaryBackupNode {
	switch n := n.(type) {
	case *replication.PrimaryBackupNode:
		return n
	case wrapped[*replication.PrimaryBackupNode]:
		return n.node
	}
	return nil
}
