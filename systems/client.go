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
	refusedPause = 10 * time.Millisecond // before asking again a node that couldn't serve
)

// keyValueClient asks the node that the operation names, follows redirects, and
// tries again under the same request number when no reply comes: servers
// recognise a write that they have already got.
func keyValueClient(c *rashomon.Cluster) rashomon.Client {
	var number uint64
	return func(p *sim.Proc, op rashomon.Operation) rashomon.Answer {
		number++
		request := message(op, replication.RequestID{Client: p.Self(), Number: number})
		return ask(c, p, c.Nodes[op.Node], request)
	}
}

func ask(c *rashomon.Cluster, p *sim.Proc, node sim.NodeID, request sim.Message) rashomon.Answer {
	lost := false // a request whose fate is not known
	redirects := 0
	for attempt := 0; attempt < c.Attempts; {
		reply, err := p.Call(node, request, c.Timeout)
		if err != nil {
			lost = true
			attempt++
			continue
		}
		switch m := reply.(type) {
		case replication.Redirect:
			node = m.To
			if redirects++; redirects > maxRedirects {
				attempt = c.Attempts
			}
		case replication.Refused:
			attempt++
			p.Sleep(refusedPause)
		default:
			return answer(request, m)
		}
	}
	if lost {
		return rashomon.NotKnown()
	}
	return rashomon.Failed()
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
