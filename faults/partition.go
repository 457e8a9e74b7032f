package faults

import (
	"slices"

	"github.com/rashomon-go/rashomon/sim"
)

// grudge is what every partition comes to, whatever its shape: which nodes drop
// the messages of which senders.
type grudge []deaf

// deaf is a node and the senders that it does not hear.
type deaf struct {
	node    sim.NodeID
	senders []sim.NodeID
}

// drop has a node drop what a sender sends. Nothing ever comes between a node and
// itself.
func (g *grudge) drop(node, sender sim.NodeID) {
	if node == sender {
		return
	}
	i := slices.IndexFunc(*g, func(d deaf) bool { return d.node == node })
	if i < 0 {
		i = len(*g)
		*g = append(*g, deaf{node: node})
	}
	if d := &(*g)[i]; !slices.Contains(d.senders, sender) {
		d.senders = append(d.senders, sender)
	}
}

// pairs returns the links that are cut.
func (g grudge) pairs() (pairs []sim.Pair) {
	for _, d := range g {
		pairs = join(pairs, d.senders, []sim.NodeID{d.node})
	}
	return pairs
}

// grudge resolves a partition of any shape: halves, a majority and a minority, one
// node and the rest, two groups and a bridge that is in neither, a ring, one way.
func (c *cast) grudge(f Fault) grudge {
	switch f.Kind {
	case Ring:
		return ring(c.resolve(f.Who[0]))
	case Cut:
		return oneWay(c.resolve(f.Who[0]), c.resolve(f.Who[1]))
	}
	return between(c.groups(f.Who))
}

// between parts groups from each other.
func between(groups [][]sim.NodeID) (g grudge) {
	for i, senders := range groups {
		for j, nodes := range groups {
			if i != j {
				g = append(g, oneWay(senders, nodes)...)
			}
		}
	}
	return g
}

func oneWay(senders, nodes []sim.NodeID) (g grudge) {
	for _, node := range nodes {
		for _, sender := range senders {
			g.drop(node, sender)
		}
	}
	return g
}

// ring leaves every node of a circle a majority, itself in the middle. No two hear
// the same nodes, so that no majority is common ground. Of an even number that is
// a majority, there is one more before a node than behind it.
func ring(circle []sim.NodeID) (g grudge) {
	n := len(circle)
	majority := n/2 + 1
	for i, node := range circle {
		first := i - majority/2
		for k := majority; k < n; k++ {
			g.drop(node, circle[(first+k+n)%n])
		}
	}
	return g
}

// ring reads the nodes of a ring.
func (p *parser) ring() [][]string {
	w := p.peek()
	names := p.nodes()
	if p.err == nil && len(names) < 3 && names[0] != everyone {
		p.failf(w.column, "a ring of %d, expected three nodes at least", len(names))
	}
	return [][]string{names}
}
