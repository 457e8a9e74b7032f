package systems

import (
	"time"

	"github.com/rashomon-go/rashomon"
	"github.com/rashomon-go/rashomon/checker"
	"github.com/rashomon-go/rashomon/faults"
	"github.com/rashomon-go/rashomon/model"
	"github.com/rashomon-go/rashomon/replication"
	"github.com/rashomon-go/rashomon/sim"
)

// antiEntropy is how often a leader compares its keys with those of another. It is
// rare enough that leaders differ when the faults have healed, in most runs.
const antiEntropy = 200 * time.Millisecond

// multiLeaderLWW clients write and read at any leader; of concurrent writes the one
// with the latest timestamp stays.
func multiLeaderLWW() *rashomon.System {
	return &rashomon.System{
		Name: "multi-leader-lww", About: "multi-leader: the last writer wins, anti-entropy repairs",
		MinNodes: 2, MaxNodes: 7, Kinds: []model.Kind{model.Read, model.Write, model.Delete},
		Boot: bootLeader(func() replication.LeaderConfig {
			return replication.LeaderConfig{Resolver: replication.LastWriterWins{}, AntiEntropy: antiEntropy}
		}),
		Client: keyValueClient, Longest: keyValueLongest,
		Claims: []rashomon.Claim{
			{Reads: "any", Property: rashomon.Convergent, Rule: checker.LastWriterWins, Pinned: true, Needs: replication.ReachedAntiEntropy},
			{Reads: "any", Property: rashomon.SessionGuarantees, Pinned: true},
			{Reads: "any", Property: rashomon.Live},
			{Reads: "any", Property: rashomon.Linearizable, Refuted: true},
		},
		Tolerates: toleratedByLeaders, Diverges: true, Settle: 4 * time.Second,
		Survives: mostSurvive,
		Features: append(leaderFeatures(), replication.ReachedTombstone),
		Messages: append(leaderMessages(), "Write", "Read", "Value"),
	}
}

// mostSurvive: leaders need nobody, but anti-entropy is slow when most peers that it
// picks are gone.
func mostSurvive(replicas int) int { return (replicas - 1) / 2 }

func leaderFeatures() []string {
	return []string{
		replication.ReachedConflict, replication.ReachedAntiEntropy,
		replication.ReachedRetry, replication.ReachedStraggler,
	}
}

// leaderMessages are those that do not depend on what is stored.
func leaderMessages() []string {
	return []string{"Written", "ReplicateVersions", "Summary", "Repair"}
}

// multiLeaderMerge clients add elements to sets at any leader; concurrent versions
// are merged by union.
func multiLeaderMerge() *rashomon.System {
	return &rashomon.System{
		Name: "multi-leader-merge", About: "multi-leader: concurrent sets are merged, anti-entropy repairs",
		MinNodes: 2, MaxNodes: 7, Kinds: []model.Kind{model.Read, model.Add},
		Boot: bootLeader(func() replication.LeaderConfig {
			return replication.LeaderConfig{Resolver: replication.VectorClockMerge{Merge: replication.Union}, AntiEntropy: antiEntropy}
		}),
		Client: setClient,
		Claims: []rashomon.Claim{
			{Reads: "any", Property: rashomon.SetConverges, Needs: replication.ReachedAntiEntropy},
			{Reads: "any", Property: rashomon.Live},
		},
		Tolerates: toleratedByLeaders, Diverges: true, Settle: 4 * time.Second,
		Survives: mostSurvive,
		Features: leaderFeatures(),
		Messages: append(leaderMessages(), "Add", "ReadSet", "Elements"),
	}
}

// bootLeader boots leaders that agree on a configuration, made anew for every boot:
// what rules remember belongs to one incarnation.
func bootLeader(config func() replication.LeaderConfig) func(*rashomon.Cluster, int) sim.Boot {
	return func(c *rashomon.Cluster, place int) sim.Boot {
		return func(_ sim.NodeID, disk *sim.Disk) sim.Node {
			cfg := config()
			cfg.Leaders = c.Nodes
			return replication.NewLeaderNode(&cfg, place, disk)
		}
	}
}

// toleratedByLeaders: any leaders may crash, as long as they keep what they have
// synced, and clocks may be wrong.
func toleratedByLeaders(replicas int) faults.Options {
	var nodes []string
	for i := range replicas {
		nodes = append(nodes, nodeName(i))
	}
	return faults.Options{
		Classes: faults.All, Messages: []string{"ReplicateVersions", "Summary", "Repair"},
		Crash: faults.CrashOptions{Nodes: nodes, Fates: []sim.DiskFate{sim.LoseUnsynced, sim.KeepAll}, AtOnce: replicas},
		Clock: faults.ClockOptions{Nodes: nodes, Offset: 200 * time.Millisecond, DriftPPM: 100_000},
	}
}

// setClient adds elements to sets and reads them, at the node that the operation
// names and at no other: another leader would not recognise a retry.
func setClient(c *rashomon.Cluster) rashomon.Client {
	var number uint64
	return func(p *sim.Proc, op rashomon.Operation) rashomon.Answer {
		number++
		var request sim.Message = replication.ReadSet{Key: op.Key}
		if op.Kind == model.Add {
			request = replication.Add{
				Request: replication.RequestID{Client: p.Self(), Number: number}, Key: op.Key, Element: int64(op.Value),
			}
		}
		for range c.Attempts {
			reply, err := p.Call(c.Nodes[op.Node], request, op.Timeout)
			if err != nil {
				continue
			}
			if m, ok := reply.(replication.Elements); ok {
				elements := make([]model.Value, len(m.Elements))
				for i, e := range m.Elements {
					elements[i] = model.Value(e)
				}
				return rashomon.GotSet(elements...)
			}
			return rashomon.Ok()
		}
		return rashomon.NotKnown()
	}
}
