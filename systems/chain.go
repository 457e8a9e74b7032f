package systems

import (
	"slices"
	"strconv"
	"time"

	"github.com/rashomon-go/rashomon"
	"github.com/rashomon-go/rashomon/checker"
	"github.com/rashomon-go/rashomon/faults"
	"github.com/rashomon-go/rashomon/replication"
	"github.com/rashomon-go/rashomon/sim"
)

// chain clients read at the tail, or at any node, which then answers with what
// may not be committed yet.
func chain() *rashomon.System {
	return chainSystem("chain", "chain replication, repaired by a master: updates enter at the head, the tail commits them", false, []rashomon.Claim{
		{Reads: "tail", Property: rashomon.Linearizable},
		{Reads: "tail", Property: rashomon.Convergent},
		{Reads: "tail", Property: rashomon.Live, KeepsDisks: true},
		{Reads: "any", Property: rashomon.Convergent, Rule: checker.AnyWriteWins}, // reads are dirty
		{Reads: "any", Property: rashomon.Linearizable, Refuted: true},
	})
}

// craq clients read at any node of the chain, which answers with what is
// committed.
func craq() *rashomon.System {
	return chainSystem("craq", "chain replication with apportioned queries: every node answers reads of what is committed", true, []rashomon.Claim{
		{Reads: "any", Property: rashomon.Linearizable},
		{Reads: "any", Property: rashomon.Convergent, Rule: checker.LastWriterWins},
		{Reads: "any", Property: rashomon.Live, KeepsDisks: true},
	})
}

func chainSystem(name, about string, apportioned bool, claims []rashomon.Claim) *rashomon.System {
	return &rashomon.System{
		Name: name, About: about, Claims: claims,
		MinNodes: 2, MaxNodes: 7, Kinds: everyKind,
		Services:  []string{master},
		Boot:      bootChain(apportioned, func(*replication.ChainConfig) {}),
		Client:    chainClient,
		Longest:   chainLongest,
		Tolerates: chainTolerates,
		Roles:     []string{"head", "middle", "tail", "deposed", master},
		Falls:     []string{"head", "tail"},
		InRole:    chainRole,
		Survives:  func(replicas int) int { return max(replicas-2, 0) },
		Settle:    4 * time.Second,
		Features:  chainFeatures(apportioned),
		Messages:  chainMessages(),
	}
}

func chainFeatures(apportioned bool) []string {
	features := masterFeatures()
	if apportioned {
		features = append(features, replication.ReachedDirtyRead)
	}
	return features
}

// chainMessages has those of apportioned queries for both kinds of chain: generated
// faults name them for both.
func chainMessages() []string {
	return append(masterMessages(), "Propagate", "WriteAck", "Connect", "Connected", "CatchUp", "Missing", "VersionQuery", "VersionReply")
}

// bootChain boots the nodes, and the master at the place behind them, after a change of
// their configuration.
func bootChain(apportioned bool, change func(*replication.ChainConfig)) func(*rashomon.Cluster, int) sim.Boot {
	return func(c *rashomon.Cluster, place int) sim.Boot { return chainBoot(c, place, apportioned, change) }
}

func chainBoot(c *rashomon.Cluster, place int, apportioned bool, change func(*replication.ChainConfig)) sim.Boot {
	failover := replication.FailoverConfig{Master: c.Services[0], DriftPPM: maxDriftPPM}
	if place == len(c.Nodes) {
		cfg := &replication.MasterConfig{FailoverConfig: failover, Nodes: c.Nodes, Succession: replication.ChainSuccession{}}
		return func(_ sim.NodeID, disk *sim.Disk) sim.Node { return replication.NewMaster(cfg, disk) }
	}
	cfg := &replication.ChainConfig{
		Members: c.Nodes, Failover: &failover,
		CRAQ: apportioned, ReadAnywhere: !apportioned && c.Reads == "any",
	}
	change(cfg)
	return func(_ sim.NodeID, disk *sim.Disk) sim.Node { return replication.NewChainNode(cfg, place, disk) }
}

// chainTolerates: every member of a chain has whatever was committed, so that all
// but one may crash at once; or all, if they keep their disks. Disks may be lost as
// long as one member of every configuration keeps its own; beyond that a chain stops:
// replicas that were out of it differ for ever, and no other claim is broken. Two
// members are not counted on, because the network may part them from the others, which
// go on without them. (It may part more, and leave a chain of one, which stops when it
// loses its disk: 2 of 40,000 runs came to that. They serve nobody at the end and are
// inconclusive.) A node counts as down until it has caught up. The middle, as a role,
// does not crash: that is all nodes between head and tail at once.
func chainTolerates(replicas int) faults.Options {
	names := make([]string, replicas)
	for i := range names {
		names[i] = nodeName(i)
	}
	crash := faults.CrashOptions{
		Nodes:  append(slices.Clone(names), "head", "tail"),
		Fates:  []sim.DiskFate{sim.LoseUnsynced, sim.KeepAll},
		AtOnce: replicas - 1, All: true, Losses: max(replicas-3, 0), Recovery: 300 * time.Millisecond,
	}
	if crash.Losses > 0 {
		crash.Fates = append(crash.Fates, sim.LoseAll)
	}
	return faults.Options{
		Most: 6, Crash: crash,
		Messages: []string{"Propagate", "WriteAck", "Connect", "Connected", "CatchUp", "Missing", "VersionQuery", "VersionReply", "Heartbeat", "HeartbeatAck"},
		Clock:    faults.ClockOptions{Nodes: append(names, master), Offset: time.Second, DriftPPM: maxDriftPPM},
	}
}

// chainRole: a deposed node is one that takes itself for a member while the master
// has gone on.
func chainRole(w *sim.World, c *rashomon.Cluster, role string) (ids []sim.NodeID) {
	latest := latest(w, c)
	for _, id := range c.Nodes {
		n, ok := bare(w.Node(id)).(*replication.ChainNode)
		if !ok {
			continue
		}
		plays := n.Role().String()
		if n.Role() != replication.RoleOutside && n.Configuration().Number < latest.Number {
			plays = "deposed"
		}
		if plays == role {
			ids = append(ids, id)
		}
	}
	return ids
}

// bare returns the node inside the wrapping of a bug.
func bare(n sim.Node) sim.Node {
	if w, ok := n.(interface{ unwrap() sim.Node }); ok {
		return w.unwrap()
	}
	return n
}

// maxRefusals bounds how often a client asks again while the chain is being
// repaired.
const maxRefusals = 25

// chainClient asks the node that the operation names, follows redirects, and tries
// again under the same request number when no reply comes. When it gets nowhere it
// asks the master for the present chain.
func chainClient(c *rashomon.Cluster) rashomon.Client {
	var number uint64
	return func(p *sim.Proc, op rashomon.Operation) rashomon.Answer {
		number++
		request := message(op, replication.RequestID{Client: p.Self(), Number: number})
		return chainCall{c, p, op, request}.ask()
	}
}

// chainLongest: so many replies may not come, or refuse after redirects, and the
// master is asked after each.
func chainLongest(c *rashomon.Cluster) time.Duration {
	wait := chainWait(c, c.Timeout)
	return time.Duration(c.Attempts)*(wait+c.Timeout) + maxRefusals*(refusedPause+c.Timeout+wait) + maxRedirects*wait
}

// chainWait is how long a client waits for the reply to a write, which passes all of
// the chain.
func chainWait(c *rashomon.Cluster, timeout time.Duration) time.Duration {
	return timeout * time.Duration(1+len(c.Nodes)/2)
}

// chainCall is one operation under way.
type chainCall struct {
	cluster *rashomon.Cluster
	p       *sim.Proc
	op      rashomon.Operation
	request sim.Message
}

func (a chainCall) ask() rashomon.Answer {
	node := a.cluster.Nodes[a.op.Node]
	lost := false // a request whose fate is not known
	redirects, refusals := 0, 0
	wait := a.op.Timeout
	if _, write := a.request.(replication.Write); write {
		wait = chainWait(a.cluster, wait)
	}
	for attempt := 0; attempt < a.cluster.Attempts && refusals < maxRefusals; {
		reply, err := a.p.Call(node, a.request, wait)
		if err != nil {
			lost = true
			attempt++
			node = a.consult(node, attempt+refusals)
			continue
		}
		switch m := reply.(type) {
		case replication.Redirect:
			if node = m.To; redirects < maxRedirects {
				redirects++
				continue
			}
			redirects = 0
		case replication.Refused:
		default:
			return answer(a.request, m)
		}
		refusals++
		a.p.Sleep(refusedPause)
		node = a.consult(node, attempt+refusals)
	}
	// The network may deliver a refused write again, when it can be served.
	if _, read := a.request.(replication.Read); lost || !read {
		return rashomon.NotKnown()
	}
	return rashomon.Failed()
}

// consult asks the master whom to ask, and otherwise tries another node. Reads at any
// node are for the node that they name; they go elsewhere only now and then, in case
// that it is gone for long.
func (a chainCall) consult(node sim.NodeID, tries int) sim.NodeID {
	if _, read := a.request.(replication.Read); read && a.cluster.Reads == "any" && tries%4 != 0 {
		return a.cluster.Nodes[a.op.Node]
	}
	reply, err := a.p.Call(a.cluster.Services[0], replication.GetConfiguration{}, a.op.Timeout)
	chain, ok := reply.(replication.Configuration)
	if err != nil || !ok || len(chain.Members) == 0 {
		return a.cluster.Nodes[(slices.Index(a.cluster.Nodes, node)+1)%len(a.cluster.Nodes)]
	}
	if _, read := a.request.(replication.Read); !read {
		return chain.Members[0]
	}
	if a.cluster.Reads == "any" {
		return chain.Members[(a.op.Node+1)%len(chain.Members)]
	}
	return chain.Members[len(chain.Members)-1]
}

func nodeName(place int) string { return "n" + strconv.Itoa(place) }
