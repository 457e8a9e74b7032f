package replication_test

import (
	"fmt"
	"math/bits"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rashomon-go/rashomon/replication"
	"github.com/rashomon-go/rashomon/sim"
)

// roundCost is what the messages between leaders hold, counted at their arrival.
type roundCost struct{ messages, ranges, keys int }

// counted is a leader whose messages are counted.
type counted struct {
	*replication.LeaderNode
	cost *roundCost
}

func (c counted) Receive(env *sim.Env, from sim.Addr, m sim.Message) {
	switch m := m.(type) {
	case replication.Summary:
		c.cost.messages++
		c.cost.ranges += len(m.Ranges)
	case replication.Repair:
		c.cost.messages++
		c.cost.ranges += len(m.Ranges)
		c.cost.keys += len(m.Keys)
	}
	c.LeaderNode.Receive(env, from, m)
}

const pairInterval = time.Hour

// newPair is two leaders with the same keys, some of which one of them has
// overwritten while the other was cut off.
func newPair(keys, differences int, cost *roundCost) (*sim.World, []*replication.LeaderNode) {
	w := sim.New(sim.Config{Link: sim.Link{Latency: sim.Constant(time.Millisecond)}})
	cfg := &replication.LeaderConfig{Leaders: []sim.NodeID{0, 1}, AntiEntropy: pairInterval}
	nodes := make([]*replication.LeaderNode, 2)
	for i := range nodes {
		w.AddNode("L"+strconv.Itoa(i), func(_ sim.NodeID, disk *sim.Disk) sim.Node {
			own := *cfg
			own.AntiEntropy *= time.Duration(1 - i) // one round at a time, begun by leader 0
			nodes[i] = replication.NewLeaderNode(&own, i, disk)
			return counted{nodes[i], cost}
		})
	}
	both := []sim.Pair{{From: 0, To: 1}, {From: 1, To: 0}}
	w.Go("client", func(p *sim.Proc) {
		write := func(i int) {
			if _, err := p.Call(0, replication.Write{Key: fmt.Sprintf("key-%06d", i), Value: int64(p.Now())}, time.Second); err != nil {
				panic(err)
			}
			p.Sleep(time.Microsecond)
		}
		for i := range keys {
			write(i)
		}
		p.Sleep(time.Second)
		laid := w.Impose(sim.Overlay{Cut: true}, both...)
		for i := range differences {
			write(i * (keys / max(differences, 1)))
		}
		w.Lift(laid)
	})
	w.Run(pairInterval - time.Second)
	return w, nodes
}

// TestRoundCostsWhatDiffers: a round sends about as much as there are
// differences, however many keys there are.
func TestRoundCostsWhatDiffers(t *testing.T) {
	const keys = 5000
	for _, differences := range []int{0, 1, 10, 100, 1000} {
		var cost roundCost
		w, nodes := newPair(keys, differences, &cost)
		w.Run(pairInterval + time.Second)
		require.Equal(t, nodes[0].Tree().Root(), nodes[1].Tree().Root())
		require.EqualValues(t, differences, nodes[1].Stats().AntiEntropyKeysRepaired)
		require.LessOrEqual(t, cost.messages, 10+differences/16)
		require.LessOrEqual(t, cost.ranges, 1+differences*20*(bits.Len(keys)/4+1))
		require.LessOrEqual(t, cost.keys, 5*differences)
		t.Logf("%d differences: %+v", differences, cost)
		w.Stop()
	}
}

// TestOneRoundRepairsEverything: whichever keys either leader lacks or has
// otherwise, one round without loss makes them equal, and repairs each key once.
func TestOneRoundRepairsEverything(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := sim.New(sim.Config{Link: sim.Link{Latency: sim.Constant(time.Millisecond)}})
		defer w.Stop()
		cfg := &replication.LeaderConfig{Leaders: []sim.NodeID{0, 1}}
		nodes := make([]*replication.LeaderNode, 2)
		for i := range nodes {
			w.AddNode("L"+strconv.Itoa(i), func(_ sim.NodeID, disk *sim.Disk) sim.Node {
				own := *cfg
				own.AntiEntropy = pairInterval * time.Duration(1-i)
				nodes[i] = replication.NewLeaderNode(&own, i, disk)
				return nodes[i]
			})
		}
		// Runs of keys, of which only leader 0 has a write, only leader 1, or both.
		type stretch struct{ Keys, Who int }
		stretches := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) stretch {
			return stretch{rapid.IntRange(1, 120).Draw(t, "keys"), rapid.IntRange(1, 4).Draw(t, "who")}
		}), 0, 6).Draw(t, "stretches")
		var due uint64 // repairs
		w.Go("client", func(p *sim.Proc) {
			cut := w.Impose(sim.Overlay{Cut: true}, sim.Pair{From: 0, To: 1}, sim.Pair{From: 1, To: 0})
			key := 0
			for _, s := range stretches {
				for range s.Keys {
					key++
					w.Lift(cut)
					if s.Who != 4 { // 4: both have the same
						cut = w.Impose(sim.Overlay{Cut: true}, sim.Pair{From: 0, To: 1}, sim.Pair{From: 1, To: 0})
					}
					for leader := range sim.NodeID(2) {
						if s.Who&(1<<leader) != 0 || s.Who == 4 && leader == 0 {
							_, _ = p.Call(leader, replication.Write{Key: fmt.Sprintf("key-%04d", key), Value: int64(key)}, time.Second)
							due += uint64(1 - s.Who/4)
						}
					}
					p.Sleep(2 * time.Millisecond)
				}
			}
			w.Lift(cut)
		})
		w.Run(pairInterval + time.Second)
		require.Equal(t, nodes[0].State(), nodes[1].State())
		require.EqualValues(t, 1, nodes[0].Stats().AntiEntropySyncs)
		require.Equal(t, due, nodes[0].Stats().AntiEntropyKeysRepaired+nodes[1].Stats().AntiEntropyKeysRepaired)
	})
}

// BenchmarkAntiEntropyRound measures a round between two leaders with 10,000
// keys, trees up to date.
func BenchmarkAntiEntropyRound(b *testing.B) {
	for _, differences := range []int{0, 1, 10, 100, 1000, 10_000} {
		b.Run(fmt.Sprintf("differences=%d", differences), func(b *testing.B) {
			var cost roundCost
			for range b.N {
				b.StopTimer()
				w, nodes := newPair(10_000, differences, &cost)
				for _, n := range nodes {
					n.Tree()
				}
				b.StartTimer()
				w.Run(pairInterval + time.Second)
				b.StopTimer()
				w.Stop()
				b.StartTimer()
			}
			b.ReportMetric(float64(cost.ranges)/float64(b.N), "ranges/round")
			b.ReportMetric(float64(cost.keys)/float64(b.N), "keys/round")
		})
	}
}
