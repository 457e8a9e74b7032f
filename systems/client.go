package systems

import (
	"time"

	"github.com/rashomon-go/rashomon"
	"github.com/rashomon-go/rashomon/model"
	"github.com/rashomon-go/rashomon/replication"
	"github.com/rashomon-go/rashomon/sim"
)

// Limits of one operation of a client.
const (
	maxRedirects = 8
	refusedPause = 10 * time.Millisecond // before asking again when a node couldn't serve
	askMaster    = 20 * time.Millisecond // how long to wait for the master's answer
)

// keyValueClient asks the node that the operation names, follows redirects, and
// tries again under the same request number when no reply comes: servers
// recognise a write that they have already got. When a node does not answer or
// can't serve, and there is a configuration master, it asks that who is first now.
// Its view may be stale; that is for the servers to notice.
func keyValueClient(c *rashomon.Cluster) rashomon.Client {
	var number uint64
	return func(p *sim.Proc, op rashomon.Operation) rashomon.Answer {
		number++
		k := asker{cluster: c, node: c.Nodes[op.Node], timeout: op.Timeout, until: p.Now() + op.Timeout*time.Duration(c.Attempts)}
		k.request = message(op, replication.RequestID{Client: p.Self(), Number: number})
		_, k.read = k.request.(replication.Read)
		return k.ask(p)
	}
}

// keyValueLongest: until the deadline at most; then so many more replies may not come,
// or be redirects, until one refuses.
func keyValueLongest(c *rashomon.Cluster) time.Duration {
	more := time.Duration(c.Attempts + maxRedirects + 1)
	return c.Timeout*time.Duration(c.Attempts) + more*(c.Timeout+refusedPause+askMaster)
}

// asker is one operation of a client.
type asker struct {
	cluster   *rashomon.Cluster
	node      sim.NodeID    // whom to ask next
	timeout   time.Duration // how long to wait for a reply
	until     time.Duration
	request   sim.Message
	read      bool
	redirects int
}

func (k *asker) ask(p *sim.Proc) rashomon.Answer {
	sent := false
	for attempt := 0; attempt < k.cluster.Attempts; {
		reply, err := p.Call(k.node, k.request, k.timeout)
		if err != nil {
			sent = true
			if attempt++; attempt < k.cluster.Attempts {
				k.refresh(p)
			}
			continue
		}
		switch m := reply.(type) {
		case replication.Redirect:
			k.node = m.To
			if k.redirects++; k.redirects <= maxRedirects {
				continue
			}
			k.redirects = 0
		case replication.Refused:
		default:
			return answer(k.request, m)
		}
		if p.Now() >= k.until {
			break
		}
		p.Sleep(refusedPause)
		k.refresh(p)
	}
	// A write that was refused did not happen, but where roles change the network may
	// deliver it again to a node that can serve it by then.
	if sent || !k.read && k.cluster.Services != nil {
		return rashomon.NotKnown()
	}
	return rashomon.Failed()
}

// refresh asks the master whom to ask. Reads at any node stay where they are.
func (k *asker) refresh(p *sim.Proc) {
	if k.cluster.Services == nil || k.read && k.cluster.Reads == "any" {
		return
	}
	reply, err := p.Call(k.cluster.Services[0], replication.GetConfiguration{}, askMaster)
	if err != nil {
		return
	}
	if first, found := reply.(replication.Configuration).First(); found {
		k.node = first
	}
}

// message puts an operation into the words of the protocols.
func message(op rashomon.Operation, id replication.RequestID) sim.Message {
	w := replication.Write{Request: id, Key: op.Key, Value: int64(op.Value)}
	switch op.Kind {
	case model.Read:
		return replication.Read{Key: op.Key}
	case model.CAS:
		w.Kind, w.Expect = replication.CompareAndSet, int64(op.Expect)
	case model.Delete:
		w.Kind = replication.Delete
	}
	return w
}

// answer puts a reply into the words of histories.
func answer(request, reply sim.Message) rashomon.Answer {
	switch m := reply.(type) {
	case replication.Value:
		return rashomon.Got(model.Value(m.Value))
	case replication.Written:
		switch w := request.(replication.Write); {
		case w.Kind != replication.CompareAndSet:
			return rashomon.Ok()
		case m.Swapped:
			return rashomon.Swapped()
		}
		return rashomon.NotSwapped(model.Value(m.Seen))
	}
	panic("systems: a client got " + sim.DescribeMessage(reply))
}
