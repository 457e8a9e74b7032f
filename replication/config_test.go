package replication_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	. "github.com/rashomon-go/rashomon/replication"
	"github.com/rashomon-go/rashomon/sim"
)

func TestImpossibleConfigurations(t *testing.T) {
	three := []sim.NodeID{0, 1, 2}
	for _, c := range []struct {
		config interface{ Validate() error }
		want   string
	}{
		{&PrimaryBackupConfig{Members: three, Mode: 3},
			"primary-backup: Mode is 3, expected Async, SemiSync or Sync"},
		{&PrimaryBackupConfig{Members: three[:1]},
			"primary-backup: 1 Members, expected a primary and at least one backup"},
		{&PrimaryBackupConfig{},
			"primary-backup: 0 Members, expected a primary and at least one backup"},
		{&PrimaryBackupConfig{Members: three, Mode: SemiSync},
			"primary-backup: Acks is 0, expected 1..2, the number of backups"},
		{&PrimaryBackupConfig{Members: three, Mode: SemiSync, Acks: 3},
			"primary-backup: Acks is 3, expected 1..2, the number of backups"},
		{&PrimaryBackupConfig{Members: three, Retransmit: -time.Second},
			"primary-backup: Retransmit is -1s, expected a duration that is not negative"},
		{&PrimaryBackupConfig{Members: []sim.NodeID{0, 1, 0}},
			"primary-backup: Members has node 0 twice"},
		{&ChainConfig{Members: three[:1]},
			"chain: 1 Members, expected a head and a tail at least"},
		{&ChainConfig{Members: three, Retransmit: -1},
			"chain: Retransmit is -1ns, expected a duration that is not negative"},
		{&ChainConfig{Members: three, Patience: -1},
			"chain: Patience is -1ns, expected a duration that is not negative"},
		{&ChainConfig{Members: three, CRAQ: true, ReadAnywhere: true},
			"chain: CRAQ and ReadAnywhere, expected one of them at most"},
		{&ChainConfig{Members: three, Failover: &FailoverConfig{HeartbeatEvery: -1}},
			"failover: HeartbeatEvery is -1ns and Lease 60ms, expected durations that are not negative"},
		{&PrimaryBackupConfig{Members: three, Store: KVStoreConfig{ReadLatency: -ms}},
			"primary-backup: store: ReadLatency is -1ms, expected a duration that is not negative"},
		{&ChainConfig{Members: three, Store: KVStoreConfig{WriteLatency: -ms}},
			"chain: store: WriteLatency is -1ms, expected a duration that is not negative"},
		{&LeaderConfig{Leaders: three, Store: KVStoreConfig{Capacity: -1}},
			"multi-leader: store: Capacity is -1, expected a number of keys, or 0 for no limit"},
		{KVStoreConfig{DeleteLatency: -1},
			"store: DeleteLatency is -1ns, expected a duration that is not negative"},
		{&ChainConfig{Members: []sim.NodeID{4, 4}},
			"chain: Members has node 4 twice"},
	} {
		assert.EqualError(t, c.config.Validate(), c.want)
	}
	assert.NoError(t, (&PrimaryBackupConfig{Members: three}).Validate())
	assert.NoError(t, (&PrimaryBackupConfig{Members: three, Mode: SemiSync, Acks: 2}).Validate())
	assert.NoError(t, (&ChainConfig{Members: three[:2]}).Validate())
}

// A node on an impossible configuration is not built: SemiSync with 0 Acks, say,
// would be Async under another name.
func TestImpossibleNodes(t *testing.T) {
	bad := &PrimaryBackupConfig{Members: []sim.NodeID{0, 1}, Mode: SemiSync}
	assert.Panics(t, func() { NewPrimaryNode(bad, new(sim.Disk)) })
	assert.Panics(t, func() { NewBackupNode(bad, new(sim.Disk)) })
	assert.Panics(t, func() { NewChainNode(&ChainConfig{}, 0, new(sim.Disk)) })
	good := &ChainConfig{Members: []sim.NodeID{0, 1}}
	assert.PanicsWithValue(t, "chain: no place 2 in a chain of 2", func() { NewChainNode(good, 2, new(sim.Disk)) })
	assert.Panics(t, func() { NewChainNode(good, -1, new(sim.Disk)) })
}

func TestBuildChain(t *testing.T) {
	w := sim.New(sim.Config{})
	defer w.Stop()
	for _, names := range [][]string{nil, {"a"}} {
		_, err := BuildChain(w, ChainConfig{}, names...)
		assert.EqualError(t, err, fmt.Sprintf("chain: %d Members, expected a head and a tail at least", len(names)))
	}
	_, err := BuildChain(w, ChainConfig{}, "a", "b", "a")
	assert.EqualError(t, err, `chain: two nodes are named "a"`)
	_, err = BuildChain(w, ChainConfig{Retransmit: -1}, "a", "b")
	assert.ErrorContains(t, err, "Retransmit")
	assert.Zero(t, w.Len(), "what is refused adds nothing to the world")

	w.AddNode("other", func(sim.NodeID, *sim.Disk) sim.Node { return NewBackupNode(pair, new(sim.Disk)) })
	members, err := BuildChain(w, ChainConfig{Members: []sim.NodeID{7}}, "a", "b", "c")
	require.NoError(t, err)
	assert.Equal(t, []sim.NodeID{1, 2, 3}, members)
	for i, role := range []ChainNodeRole{RoleHead, RoleMiddle, RoleTail} {
		assert.Equal(t, role, w.Node(members[i]).(*ChainNode).Role())
	}
}

var pair = &PrimaryBackupConfig{Members: []sim.NodeID{0, 1}}

func TestNames(t *testing.T) {
	assert.Equal(t, "async semi-sync sync mode(3)", fmt.Sprint(Async, " ", SemiSync, " ", Sync, " ", ReplicationMode(3)))
	assert.Equal(t, "head middle tail outside role(4)", fmt.Sprint(RoleHead, " ", RoleMiddle, " ", RoleTail, " ", RoleOutside, " ", ChainNodeRole(4)))
	assert.Equal(t, "put cas delete no-op kind(4)", fmt.Sprint(Put, " ", CompareAndSet, " ", Delete, " ", NoOp, " ", WriteKind(4)))
}
