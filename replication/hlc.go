package replication

import (
	"cmp"
	"fmt"
	"time"

	"github.com/rashomon-go/rashomon/sim"
)

// HLCTimestamp is a moment of a HybridLogicalClock. Timestamps of different
// events differ: of one node because its clock moves on, of two by Node.
type HLCTimestamp struct {
	Physical time.Duration // the latest wall clock that the node has heard of
	Logical  uint32        // counts events while Physical stands still
	Node     sim.NodeID    // whose clock it was
}

// Compare orders timestamps totally, and as causality does.
func (t HLCTimestamp) Compare(u HLCTimestamp) int {
	return cmp.Or(cmp.Compare(t.Physical, u.Physical), cmp.Compare(t.Logical, u.Logical), cmp.Compare(t.Node, u.Node))
}

// String returns physical time, logical count and node: "1.5s+2@n0".
func (t HLCTimestamp) String() string { return fmt.Sprintf("%v+%d@n%d", t.Physical, t.Logical, t.Node) }

// HybridLogicalClock is a wall clock that never runs backwards and never behind
// what it has heard of (Kulkarni, Demirbas, Madappa, Avva and Leone, "Logical
// Physical Clocks", OPODIS 2014, figure 5). It is at most as far ahead of true
// time as the fastest wall clock among the nodes that it hears from.
type HybridLogicalClock struct{ last HLCTimestamp }

// NewHybridLogicalClock returns the clock of a node. What the node has on its
// disk must be observed again before the clock is used.
func NewHybridLogicalClock(node sim.NodeID) HybridLogicalClock {
	return HybridLogicalClock{HLCTimestamp{Node: node}}
}

// Last returns the latest timestamp that Now has returned or could have: the
// least that the next one is greater than.
func (c *HybridLogicalClock) Last() HLCTimestamp { return c.last }

// Now returns the timestamp of a local event, greater than all before it.
func (c *HybridLogicalClock) Now(wall time.Duration) HLCTimestamp {
	if wall > c.last.Physical {
		c.last.Physical, c.last.Logical = wall, 0
	} else {
		c.tick()
	}
	return c.last
}

// Observe makes later timestamps greater than t. It is the paper's receive
// without an event of its own: a replica that stores what it was sent gives it
// no new timestamp.
func (c *HybridLogicalClock) Observe(t HLCTimestamp) {
	if cmp.Or(cmp.Compare(t.Physical, c.last.Physical), cmp.Compare(t.Logical, c.last.Logical)) > 0 {
		c.last.Physical, c.last.Logical = t.Physical, t.Logical
	}
}

// tick moves the clock on while wall time does not.
func (c *HybridLogicalClock) tick() {
	c.last.Logical++
	if c.last.Logical == 0 { // the counter is full: borrow a nanosecond
		c.last.Physical++
	}
}
