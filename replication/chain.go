package replication

import (
	"fmt"
	"slices"
	"time"

	"github.com/rashomon-go/rashomon/sim"
)

// Messages along the chain.
type (
	// Propagate carries an update from the head towards the tail.
	Propagate struct{ Entry Entry }
	// WriteAck carries back that the tail has every update up to Seq.
	WriteAck struct{ Seq uint64 }
)

// ChainNodeRole is a node's place in the chain.
type ChainNodeRole uint8

const (
	RoleHead   ChainNodeRole = iota // orders updates
	RoleMiddle                      // passes them on
	RoleTail                        // commits them, and answers
)

// String returns head, middle or tail.
func (r ChainNodeRole) String() string {
	switch r {
	case RoleHead:
		return "head"
	case RoleMiddle:
		return "middle"
	case RoleTail:
		return "tail"
	}
	return fmt.Sprintf("role(%d)", uint8(r))
}

// ChainConfig is what all nodes of a chain agree on.
type ChainConfig struct {
	// Members are the nodes from head to tail, at least two.
	Members []sim.NodeID
	// ReadAnywhere lets every node answer reads from its own store, committed or
	// not. Otherwise only the tail does, and the others redirect.
	ReadAnywhere bool
	// Retransmit is how long a node waits for an acknowledgement, on its own
	// clock. Zero means 20 ms. If it is shorter than a round trip along the chain,
	// everything is sent more than once.
	Retransmit time.Duration
}

// Validate names the field that makes the configuration impossible.
func (c *ChainConfig) Validate() error {
	if len(c.Members) < 2 {
		return fmt.Errorf("chain: %d Members, expected a head and a tail at least", len(c.Members))
	}
	if c.Retransmit < 0 {
		return fmt.Errorf("chain: Retransmit is %v, expected a duration that is not negative", c.Retransmit)
	}
	return validateMembers("chain", c.Members)
}

func (c *ChainConfig) head() sim.NodeID { return c.Members[0] }
func (c *ChainConfig) tail() sim.NodeID { return c.Members[len(c.Members)-1] }

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
