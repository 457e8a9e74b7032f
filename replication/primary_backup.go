package replication

import (
	"fmt"
	"slices"
	"time"

	"github.com/rashomon-go/rashomon/sim"
)

// Messages between the primary and its backups. Number is the configuration that
// the sender works in: receivers that have promised another one refuse them. In a
// fixed group it is 0.
type (
	// Replicate carries an update to a backup, and how far updates are
	// committed.
	Replicate struct {
		Number    uint64
		Entry     Entry
		Committed uint64
	}
	// Commit tells a backup how far updates are committed, and asks it where it
	// stands.
	Commit struct{ Number, Committed uint64 }
	// ReplicationAck tells the primary that a backup has synced every update up
	// to Seq and knows of commits up to Committed. Boot is when the backup booted,
	// on its own clock: it tells what was sent before a crash from what was sent
	// after.
	ReplicationAck struct {
		Number         uint64
		Seq, Committed uint64
		Boot           time.Duration
	}
	// Join is what a backup says that has restarted or that works in a new
	// configuration: Runs are the last entries of each configuration in its log.
	// Until it is Matched its log may hold what the primary's does not.
	Join struct {
		Number  uint64
		Runs    []Position
		Matched bool
		Boot    time.Duration
	}
	// Welcome answers the Join of that Boot: the logs are equal up to Common, and
	// what follows in the backup's is to be taken back. Established says that
	// Committed is all that was ever committed; otherwise the primary doesn't know.
	Welcome struct {
		Number      uint64
		Common      uint64
		Committed   uint64
		Established bool
		Boot        time.Duration
	}
	// Newer refuses a message of an older configuration.
	Newer struct{ Number uint64 }
	// retransmit is the timer of whoever waits for an acknowledgement.
	retransmit struct{ number uint64 }
)

// numberOf returns the configuration that a message belongs to, if it belongs to
// one.
func numberOf(m sim.Message) (number uint64, found bool) {
	switch m := m.(type) {
	case Replicate:
		return m.Number, true
	case Commit:
		return m.Number, true
	case ReplicationAck:
		return m.Number, true
	case Join:
		return m.Number, true
	case Welcome:
		return m.Number, true
	case Newer:
		return m.Number, true
	case retransmit:
		return m.number, true
	}
	return 0, false
}

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
	// Members are the nodes; the first one is the primary, for ever in a fixed
	// group and at first in one with failover.
	Members []sim.NodeID
	// ServeReads lets backups answer reads from their committed prefix. Otherwise
	// they redirect them to the primary.
	ServeReads bool
	// Retransmit is how long a sender waits for an acknowledgement, on its own
	// clock. Zero means 20 ms. If it is shorter than a round trip, everything is
	// sent more than once.
	Retransmit time.Duration
	// Failover names the configuration master of a group whose nodes are
	// PrimaryBackupNodes. Nil is for a fixed group.
	Failover *FailoverConfig
	// Least is the fewest members that a configuration may shrink to: disks of so
	// many less one may be lost, one by one, and no update with them. Zero means
	// 1, or K+1 for SemiSync, which can't commit with fewer.
	Least int
	// Store is that of every node. A capacity loses what was acknowledged.
	Store KVStoreConfig
	// Rules are the protocol's decisions. Nil means the right ones.
	Rules *PrimaryBackupRules
}

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
	case c.Least < 0 || c.Least > len(c.Members):
		return fmt.Errorf("primary-backup: Least is %d, expected 0..%d, the number of Members", c.Least, len(c.Members))
	}
	if c.Failover != nil {
		if err := c.Failover.Validate(); err != nil {
			return err
		}
	}
	if err := c.Store.Validate(); err != nil {
		return fmt.Errorf("primary-backup: %w", err)
	}
	return validateMembers("primary-backup", c.Members)
}

func (c *PrimaryBackupConfig) rules() *PrimaryBackupRules {
	if c.Rules == nil {
		return &rightRules
	}
	return c.Rules
}

func validateMembers(protocol string, members []sim.NodeID) error {
	for i, m := range members {
		if slices.Contains(members[:i], m) {
			return fmt.Errorf("%s: Members has node %d twice", protocol, m)
		}
	}
	return nil
}

// must keeps a node from being built on a configuration that is impossible: what
// it did then would be nobody's protocol.
func must(err error) {
	if err != nil {
		panic(err)
	}
}
