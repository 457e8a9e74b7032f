package rashomon_test

import (
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rashomon-go/rashomon"
	"github.com/rashomon-go/rashomon/replication"
	"github.com/rashomon-go/rashomon/sim"
	"github.com/rashomon-go/rashomon/systems"
)

// leaky is a node whose state tells how often nodes have booted in this process.
type leaky struct {
	*replication.ChainNode
	boots *int
}

func (n leaky) State() []sim.Variable {
	return append(n.ChainNode.State(), sim.Variable{Name: "boots", Value: strconv.Itoa(*n.boots)})
}

// probe is a message that nobody acts upon.
type probe struct{ Boots int }

// teller sends a message to itself that tells the count, and takes no notice of it.
type teller struct {
	*replication.ChainNode
	boots *int
}

func (n teller) Start(env *sim.Env) {
	n.ChainNode.Start(env)
	env.Send(env.Self(), probe{*n.boots})
}

func (n teller) Receive(env *sim.Env, from sim.Addr, m sim.Message) {
	if _, ok := m.(probe); !ok {
		n.ChainNode.Receive(env, from, m)
	}
}

// leaking returns a chain whose nodes are wrapped.
func leaking(t *testing.T, wrap func(*replication.ChainNode, *int) sim.Node) *rashomon.System {
	t.Helper()
	s, err := systems.ByName("chain")
	require.NoError(t, err)
	boot, boots := s.Boot, 0
	s.Boot = func(c *rashomon.Cluster, place int) sim.Boot {
		right := boot(c, place)
		return func(self sim.NodeID, disk *sim.Disk) sim.Node {
			boots++
			n := right(self, disk)
			if chain, ok := n.(*replication.ChainNode); ok {
				return wrap(chain, &boots)
			}
			return n
		}
	}
	s.InRole = nil
	return s
}

// Two runs are compared in what messages say and in the final states, also where the
// digests are equal; and both sides are told.
func TestTwice(t *testing.T) {
	right, err := systems.ByName("chain")
	require.NoError(t, err)
	sc := rashomon.FromSeed(4, right, right.Claims[0], 20)
	sc.Faults = nil
	claims := []rashomon.Property{sc.Claim}

	first, again, d, err := rashomon.Twice(right, sc, claims, rashomon.Options{})
	require.NoError(t, err)
	assert.Nil(t, d)
	assert.Equal(t, first[0].Digest, again[0].Digest)

	s := leaking(t, func(n *replication.ChainNode, boots *int) sim.Node { return teller{n, boots} })
	first, again, d, err = rashomon.Twice(s, sc, claims, rashomon.Options{})
	require.NoError(t, err)
	assert.Equal(t, first[0].Digest, again[0].Digest, "the digest does not know what messages say")
	require.NotNil(t, d)
	assert.Regexp(t, `^event \d+ was first "0s send n0 → n0 probe\{Boots:1\}" and then "0s send n0 → n0 probe\{Boots:\d+\}"$`, d.String())

	s = leaking(t, func(n *replication.ChainNode, boots *int) sim.Node { return leaky{n, boots} })
	_, _, d, err = rashomon.Twice(s, sc, claims, rashomon.Options{})
	require.NoError(t, err)
	require.NotNil(t, d)
	assert.Nil(t, d.Event)
	assert.Regexp(t, `^the final state of n0 was first "boots = \d+" and then "boots = \d+"$`, d.String())
}
