package replication

import (
	"fmt"
	"slices"
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
	// to Seq and knows of commits up to Committed. Boot is when the backup booted,
	// on its own clock: it tells what was sent before a crash from what was sent
	// after.
	ReplicationAck struct {
		Seq, Committed uint64
		Boot           time.Duration
	}
	// Join is what a backup says after a restart: where its log ends, and that it
	// doesn't know any more what is committed.
	Join struct {
		Seq  uint64
		Boot time.Duration
	}
	// Welcome answers the Join of that Boot.
	Welcome struct {
		Committed uint64
		Boot      time.Duration
	}
	// retransmit is the timer of whoever waits for an acknowledgement.
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
	// clock. Zero means 20 ms. If it is shorter than a round trip, everything is
	// sent more than once.
	Retransmit time.Duration
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
	}
	return validateMembers("primary-backup", c.Members)
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
