package replication

import (
	"fmt"
	"slices"
	"time"

	"github.com/rashomon-go/rashomon/sim"
)

// LeaderConfig is what all leaders of a group agree on.
type LeaderConfig struct {
	// Leaders are the nodes, two or more. A leader's place among them is its
	// number in vector clocks.
	Leaders []sim.NodeID
	// Resolver makes one value of concurrent versions. Nil means LastWriterWins.
	Resolver ConflictResolver
	// AntiEntropy is how often, on its own clock, a leader compares its keys with
	// those of another. Zero means never: then what is lost stays lost.
	AntiEntropy time.Duration
	// Store is that of every leader. A capacity counts tombstones, too, and leaders
	// insert in different orders: they evict different keys, and anti-entropy brings
	// these back at the expense of others.
	Store KVStoreConfig
	// Rules replaces decisions of the protocol; the zero LeaderRules none.
	Rules LeaderRules
}

// Validate names the field that makes the configuration impossible.
func (c *LeaderConfig) Validate() error {
	switch {
	case len(c.Leaders) < 2:
		return fmt.Errorf("multi-leader: %d Leaders, expected two at least", len(c.Leaders))
	case c.AntiEntropy < 0:
		return fmt.Errorf("multi-leader: AntiEntropy is %v, expected a duration that is not negative", c.AntiEntropy)
	}
	for i, l := range c.Leaders {
		if slices.Contains(c.Leaders[:i], l) {
			return fmt.Errorf("multi-leader: Leaders has node %d twice", l)
		}
	}
	if err := c.Store.Validate(); err != nil {
		return fmt.Errorf("multi-leader: %w", err)
	}
	return nil
}

// Place returns the place of a node among the leaders.
func (c *LeaderConfig) Place(node sim.NodeID) (int, error) {
	if i := slices.Index(c.Leaders, node); i >= 0 {
		return i, nil
	}
	return 0, fmt.Errorf("multi-leader: Leaders %v lacks node %d", c.Leaders, node)
}

func (c *LeaderConfig) resolver() ConflictResolver {
	if c.Resolver == nil {
		return LastWriterWins{}
	}
	return c.Resolver
}
