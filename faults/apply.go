package faults

import (
	"fmt"
	"slices"
	"time"

	"github.com/rashomon-go/rashomon/sim"
)

// Roles tells who plays a role at this moment: several nodes, one, or none, in
// which case the fault befalls nobody. The faults of links may befall processes
// too, if Roles resolves their names.
type Roles func(name string) []sim.NodeID

// Apply lets the faults happen to a world, each from From until Until. The nodes
// are the replicas, which faults call by their names in the world; roles resolves
// all other names and may be nil if there are none. The schedule must be valid.
//
// Apply may be called once per world. From then on the crashes and the clocks of
// the nodes belong to the schedule: it takes the clocks to be right while no fault
// concerns them. A crash leaves a node that is down already, and its disk, as they
// are. A CrashSending concerns a node that is up, which crashes before the end of its
// window or not at all.
//
// In the trace, "begin" and "end", followed by the fault, are the names of the two
// actions, and "down" and "up", followed by the node, those of a rolling crash. Where
// one fault ends and another begins at the same time, the beginning comes first: two
// windows that touch are one.
//
// Apply returns a function that tells what the faults have done so far.
func (s Schedule) Apply(w *sim.World, nodes []sim.NodeID, roles Roles) (effects func() []Effect) {
	c := newCast(w, nodes, roles)
	deeds := make([]deed, len(s))
	var ends []func()
	for i, f := range s {
		name := f.String()
		for _, g := range f.each() {
			var end func()
			w.At(g.From, "begin "+name, func() { end = c.begin(g, &deeds[i]) })
			if !g.Endless() {
				ends = append(ends, func() { w.At(g.Until, "end "+name, func() { end() }) })
			}
		}
	}
	for _, end := range ends {
		end()
	}
	return func() []Effect { return c.effects(deeds) }
}

// cast is the nodes of a world and what the faults have done to them.
type cast struct {
	world  *sim.World
	nodes  []sim.NodeID
	named  map[string]sim.NodeID
	roles  Roles
	downs  map[sim.NodeID]int       // crashes whose windows lie over a node
	clocks map[sim.NodeID]sim.Clock // sums of the clock faults in force
}

func newCast(w *sim.World, nodes []sim.NodeID, roles Roles) *cast {
	c := &cast{
		world: w, nodes: nodes, roles: roles,
		named:  make(map[string]sim.NodeID, len(nodes)),
		downs:  make(map[sim.NodeID]int),
		clocks: make(map[sim.NodeID]sim.Clock),
	}
	for _, id := range nodes {
		c.named[w.Name(id)] = id
	}
	return c
}

// begin brings a fault into force and returns what ends it. Whom a role means is
// decided here, so that the end concerns the same nodes.
func (c *cast) begin(f Fault, d *deed) (end func()) {
	if f.Kind.OfLinks() {
		pairs := c.links(f)
		id := c.world.Impose(f.overlay(), pairs...)
		d.befell += len(pairs)
		d.overlays = append(d.overlays, id)
		return func() { c.world.Lift(id) }
	}
	victims := c.resolve(f.Who[0])
	d.befell += len(victims)
	switch {
	case f.Kind == Clock:
		d.hits += uint64(len(victims))
		return c.skew(f.Clock, victims)
	case f.Rolling:
		return c.roll(f, victims, d)
	case f.Kind == Crash || f.Kind == CrashSending:
		return c.crash(f, victims, d)
	}
	return c.strain(f, victims, d)
}

func (f Fault) overlay() sim.Overlay {
	o := sim.Overlay{Only: f.Only}
	share := f.Percent / 100
	switch f.Kind {
	case Partition, Ring, Cut:
		o.Cut = true
	case Delay:
		o.Delay = f.Delay
	case Lose:
		o.Loss = share
	case Duplicate:
		o.Duplicate = share
	case Reorder:
		o.Reorder = share
	case Corrupt:
		o.Corrupt = share
	case Hold:
		o.Hold = true
	case Throttle:
		o.Bandwidth, o.Queue = f.Bandwidth, f.Queue
	}
	return o
}

func (c *cast) crash(f Fault, victims []sim.NodeID, d *deed) (end func()) {
	ups := make([]func(), len(victims))
	for i, id := range victims {
		ups[i] = c.takeDown(f, id, d)
	}
	return func() {
		for _, up := range ups {
			up()
		}
	}
}

// takeDown crashes a node, or has it crash, and returns what brings it up again.
func (c *cast) takeDown(f Fault, id sim.NodeID, d *deed) (up func()) {
	c.downs[id]++
	callOff := func() (crashed bool) { return false }
	switch {
	case f.Kind == CrashSending:
		callOff = c.world.CrashAfterSends(id, f.Sends)
	case c.world.Node(id) != nil:
		c.world.Crash(id, f.Fate)
		d.hits++
	}
	return func() {
		if callOff() {
			d.hits++
		}
		c.downs[id]--
		c.revive(id)
	}
}

// revive brings a node up unless a crash holds it down.
func (c *cast) revive(id sim.NodeID) {
	if c.downs[id] == 0 {
		c.world.Restart(id)
	}
}

// roll lets nodes take turns.
func (c *cast) roll(f Fault, nodes []sim.NodeID, d *deed) (end func()) {
	up, over := func() {}, false
	turn := f.turn(len(nodes))
	for i, id := range nodes {
		start := c.world.Now() + time.Duration(i)*turn
		c.world.At(start, "down "+c.world.Name(id), func() {
			if !over {
				up = c.takeDown(f, id, d)
			}
		})
		c.world.At(start+turn/2, "up "+c.world.Name(id), func() {
			up()
			up = func() {}
		})
	}
	return func() {
		over = true
		up()
		up = func() {}
	}
}

// turn is how much of the window of a rolling crash each of so many nodes has.
func (f Fault) turn(nodes int) time.Duration {
	return (f.Until - f.From) / time.Duration(max(nodes, 1))
}

// strain restarts nodes when it ends, since their disks may have stopped them.
func (c *cast) strain(f Fault, nodes []sim.NodeID, d *deed) (end func()) {
	id := c.world.Strain(f.strain(), nodes...)
	d.strains = append(d.strains, id)
	return func() {
		c.world.Relieve(id)
		if f.Kind.crashes() {
			for _, node := range nodes {
				c.revive(node)
			}
		}
	}
}

func (f Fault) strain() sim.Strain {
	switch f.Kind {
	case Pause:
		return sim.Strain{Pause: true}
	case Slow:
		return sim.Strain{Step: f.Time}
	case SlowDisk:
		return sim.Strain{Sync: f.Time}
	case FillDisk:
		return sim.Strain{Disk: sim.DiskFull}
	}
	return sim.Strain{Disk: sim.DiskFailing}
}

func (c *cast) skew(by sim.Clock, nodes []sim.NodeID) (end func()) {
	c.adjust(nodes, by)
	return func() { c.adjust(nodes, sim.Clock{Offset: -by.Offset, DriftPPM: -by.DriftPPM}) }
}

// adjust adds to the clocks of nodes. Integers add up without a trace of the
// order, so a sum from which everything was taken away is zero.
func (c *cast) adjust(nodes []sim.NodeID, by sim.Clock) {
	const slowest = 1 - fastest // a clock that stands still is none
	for _, id := range nodes {
		sum := c.clocks[id]
		sum.Offset += by.Offset
		sum.DriftPPM += by.DriftPPM
		c.clocks[id] = sum
		sum.DriftPPM = max(sum.DriftPPM, slowest)
		c.world.SetClock(id, sum)
	}
}

// resolve returns the nodes that names stand for, each once: a node may be named
// and play a role too.
func (c *cast) resolve(names []string) (ids []sim.NodeID) {
	if names[0] == everyone {
		return c.nodes
	}
	for _, name := range names {
		for _, id := range c.who(name) {
			if !slices.Contains(ids, id) {
				ids = append(ids, id)
			}
		}
	}
	return ids
}

func (c *cast) who(name string) []sim.NodeID {
	if id, ok := c.named[name]; ok {
		return []sim.NodeID{id}
	}
	if c.roles == nil {
		panic(fmt.Sprintf("faults: no node is called %q", name))
	}
	return c.roles(name)
}

// links returns the directed links that a fault lies over.
func (c *cast) links(f Fault) []sim.Pair {
	switch f.Kind {
	case Partition, Ring, Cut:
		return c.grudge(f).pairs()
	}
	return join(nil, c.resolve(f.Who[0]), c.resolve(f.Who[1]))
}

// groups resolves the groups of a partition so that nobody is in two of them: a
// role may be played by a node that is named elsewhere, and then the group that
// comes first has it. "*" gets who is left.
func (c *cast) groups(who [][]string) [][]sim.NodeID {
	var taken []sim.NodeID
	groups := make([][]sim.NodeID, len(who))
	take := func(i int) {
		for _, id := range c.resolve(who[i]) {
			if !slices.Contains(taken, id) {
				taken = append(taken, id)
				groups[i] = append(groups[i], id)
			}
		}
	}
	rest := -1
	for i, names := range who {
		if names[0] == everyone {
			rest = i
			continue
		}
		take(i)
	}
	if rest >= 0 {
		take(rest)
	}
	return groups
}

// join appends the links from one group to another. Nothing ever happens to the
// way from a node to itself.
func join(pairs []sim.Pair, from, to []sim.NodeID) []sim.Pair {
	for _, a := range from {
		for _, b := range to {
			if a != b {
				pairs = append(pairs, sim.Pair{From: a, To: b})
			}
		}
	}
	return pairs
}
