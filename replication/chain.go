package replication

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/rashomon-go/rashomon/sim"
)

// Messages along the chain. Each carries the number of the configuration that its
// sender is in; who is in another one refuses it.
type (
	// Propagate carries an update from the head towards the tail.
	Propagate struct {
		Number uint64
		Entry  Entry
	}
	// WriteAck carries back that the tail has every update up to Seq.
	WriteAck struct{ Number, Seq uint64 }
)

// ChainNodeRole is a node's place in the chain.
type ChainNodeRole uint8

const (
	RoleHead    ChainNodeRole = iota // orders updates; of a chain of one, commits them, too
	RoleMiddle                       // passes them on
	RoleTail                         // commits them, and answers
	RoleOutside                      // is not in the chain, or does not know that it is
)

// String returns head, middle, tail or outside.
func (r ChainNodeRole) String() string {
	switch r {
	case RoleHead:
		return "head"
	case RoleMiddle:
		return "middle"
	case RoleTail:
		return "tail"
	case RoleOutside:
		return "outside"
	}
	return fmt.Sprintf("role(%d)", uint8(r))
}

// ChainConfig is what all nodes of a chain agree on.
type ChainConfig struct {
	// Members are all nodes, from head to tail when the world begins, at least two.
	Members []sim.NodeID
	// Failover, if not nil, says how a master decides who is in the chain. Otherwise
	// the chain is fixed: it waits for members that are down.
	Failover *FailoverConfig
	// CRAQ lets every node of the chain answer reads, of what is committed only.
	CRAQ bool
	// ReadAnywhere lets every node answer reads from its own store, committed or
	// not. Without it and without CRAQ only the tail does, and the others redirect.
	ReadAnywhere bool
	// Retransmit is how long a node waits for an acknowledgement, on its own
	// clock. Zero means 20 ms. If it is shorter than a round trip along the chain,
	// everything is sent more than once.
	Retransmit time.Duration
	// Patience is how long a read that needs the tail waits for it, on the node's
	// own clock, before it is refused. Zero means 50 ms.
	Patience time.Duration
	// Store is that of every node. A capacity loses what was acknowledged.
	Store KVStoreConfig
}

// Validate names the field that makes the configuration impossible.
func (c *ChainConfig) Validate() error {
	if len(c.Members) < 2 {
		return fmt.Errorf("chain: %d Members, expected a head and a tail at least", len(c.Members))
	}
	if c.Retransmit < 0 {
		return fmt.Errorf("chain: Retransmit is %v, expected a duration that is not negative", c.Retransmit)
	}
	if c.Patience < 0 {
		return fmt.Errorf("chain: Patience is %v, expected a duration that is not negative", c.Patience)
	}
	if c.CRAQ && c.ReadAnywhere {
		return errors.New("chain: CRAQ and ReadAnywhere, expected one of them at most")
	}
	if c.Failover != nil {
		if err := c.Failover.Validate(); err != nil {
			return err
		}
	}
	if err := c.Store.Validate(); err != nil {
		return fmt.Errorf("chain: %w", err)
	}
	return validateMembers("chain", c.Members)
}

func (c *ChainConfig) patience() time.Duration { return cmp.Or(c.Patience, 50*time.Millisecond) }

// BuildChain adds the nodes of a chain to a world, from head to tail, and returns
// their numbers. It needs two names at least, all different. cfg.Members is set
// to the new nodes.
func BuildChain(w *sim.World, cfg ChainConfig, names ...string) ([]sim.NodeID, error) {
	first := sim.NodeID(w.Len())
	cfg.Members = nil
	for i, name := range names {
		if slices.Contains(names[:i], name) {
			return nil, fmt.Errorf("chain: two nodes are named %q", name)
		}
		cfg.Members = append(cfg.Members, first+sim.NodeID(i))
	}
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	for i, name := range names {
		w.AddNode(name, func(_ sim.NodeID, disk *sim.Disk) sim.Node { return NewChainNode(&cfg, i, disk) })
	}
	return slices.Clone(cfg.Members), nil
}
