package report

import (
	"cmp"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/rashomon-go/rashomon/history"
	"github.com/rashomon-go/rashomon/model"
	"github.com/rashomon-go/rashomon/sim"
)

// The messages of the hand-made chain.
type (
	Put    struct{ Key, Value string }
	Get    struct{ Key string }
	Update struct {
		Seq        int
		Key, Value string
	}
	Ack    struct{ Seq int }
	Answer struct{ Value string }
	Beat   struct{ Config int }
)

const (
	head3 sim.NodeID = iota
	middle
	tail
	client0
	client1
	client2
)

func us(n int) time.Duration { return time.Duration(n) * time.Microsecond }

// tale builds a page by hand, one message at a time.
type tale struct {
	page Page
	id   uint64
}

func (t *tale) event(at int, e sim.Event) {
	e.At = us(at)
	t.page.Events = append(t.page.Events, e)
}

// send tells of a message that leaves and ends; why is 0 if it arrives. It
// returns the message's identity.
func (t *tale) send(at, ends int, from, to sim.NodeID, m sim.Message, cause uint64, why sim.DropCause) uint64 {
	t.id++
	t.event(at, sim.Event{Kind: sim.Sent, From: from, To: to, ID: t.id, Cause: cause, Message: m})
	kind := sim.Delivered
	if why != sim.NotDropped {
		kind = sim.Dropped
	}
	t.event(ends, sim.Event{Kind: kind, From: from, To: to, ID: t.id, Cause: cause, Why: why, Message: m})
	return t.id
}

// twice tells of a copy of a message.
func (t *tale) twice(at, ends int, from, to sim.NodeID, m sim.Message, original uint64) {
	t.id++
	t.event(at, sim.Event{Kind: sim.Duplicated, From: from, To: to, ID: t.id, Cause: original, Message: m})
	t.event(ends, sim.Event{Kind: sim.Delivered, From: from, To: to, ID: t.id, Message: m})
}

func (t *tale) op(o history.Op, called, returned int) {
	o.CalledAt, o.ReturnedAt = us(called), us(returned)
	t.page.History.Ops = append(t.page.History.Ops, o)
}

// number gives the operations their positions and the events their order.
func (t *tale) number() *Page {
	h := t.page.History
	slices.SortStableFunc(h.Ops, func(a, b history.Op) int { return cmp.Compare(a.CalledAt, b.CalledAt) })
	for i := range h.Ops {
		h.Ops[i].Call, h.Ops[i].Return = int64(h.Ops[i].CalledAt)*2+1, int64(h.Ops[i].ReturnedAt)*2
		if h.Ops[i].Outcome == history.Unknown {
			h.Ops[i].Return = history.Never
		}
	}
	events := t.page.Events
	slices.SortStableFunc(events, func(a, b sim.Event) int { return cmp.Compare(a.At, b.At) })
	for i := range events {
		events[i].Seq = uint64(i + 1)
	}
	return &t.page
}

// staleRead is a chain whose middle node has been cut off and does not know that
// it is no longer a member: it answers a read with the old value after the new
// one has been acknowledged.
func staleRead() *Page {
	t := staleTale()
	h := t.page.History
	for i := range 12 {
		t.op(history.Op{Process: int32(i % 3), Key: 1, Kind: model.Read, Seen: model.Absent, Outcome: history.OK, Node: int32(i % 3)}, i*1000, i*1000+700)
	}
	// The value 3 goes down the whole chain.
	t.op(history.Op{Process: 0, Kind: model.Write, Value: 3, Outcome: history.OK}, 12_100, 16_100)
	m := t.send(12_100, 12_300, client0, head3, Put{"k0", "3"}, 0, 0)
	m = t.send(12_300, 13_300, head3, middle, Update{1, "k0", "3"}, m, 0)
	m = t.send(13_300, 14_700, middle, tail, Update{1, "k0", "3"}, m, 0)
	t.send(14_700, 16_100, tail, client0, Ack{1}, m, 0)
	// The master has dropped the middle from the chain. It does not hear of it.
	t.op(history.Op{Process: 0, Kind: model.Write, Value: 7, Outcome: history.OK}, 20_000, 29_400)
	put := t.send(20_000, 20_300, client0, head3, Put{"k0", "7"}, 0, 0)
	t.send(20_300, 20_300, head3, middle, Update{2, "k0", "7"}, put, sim.CutAtSend)
	m = t.send(24_900, 27_900, head3, tail, Update{2, "k0", "7"}, put, 0)
	t.twice(24_900, 31_800, head3, tail, Update{2, "k0", "7"}, m)
	t.send(27_900, 29_400, tail, client0, Ack{2}, m, 0)
	// Others.
	t.op(history.Op{Process: 1, Key: 1, Kind: model.Write, Value: 8, Outcome: history.Unknown, Node: 1}, 19_000, 29_000)
	lost := t.send(19_000, 19_300, client1, middle, Put{"k1", "8"}, 0, 0)
	t.send(19_300, 21_000, middle, tail, Update{1, "k1", "8"}, lost, sim.CutInFlight)
	t.send(23_300, 23_300, middle, tail, Update{1, "k1", "8"}, lost, sim.CutAtSend)
	t.op(history.Op{Process: 2, Key: 0, Kind: model.CAS, Expect: 4, Value: 5, Outcome: history.Fail, Node: 2}, 21_000, 26_000)
	cas := t.send(21_000, 21_300, client2, tail, Put{"k0", "5"}, 0, 0)
	t.send(25_600, 26_000, tail, client2, Answer{"refused"}, cas, 0)
	t.op(history.Op{Process: 4, Key: 1, Kind: model.Read, Seen: 8, Outcome: history.OK, Node: 0}, 30_500, 32_300)
	get := t.send(30_500, 31_000, client1, head3, Get{"k1"}, 0, 0)
	t.send(31_000, 32_300, head3, client1, Answer{"8"}, get, 0)
	t.op(history.Op{Process: 2, Kind: model.Read, Seen: 3, Outcome: history.OK, Node: 1}, 32_400, 36_200)
	m = t.send(32_400, 33_900, client2, middle, Get{"k0"}, 0, 0)
	t.send(33_900, 36_200, middle, client2, Answer{"3"}, m, 0)
	t.send(26_500, 33_500, tail, client1, Answer{"8"}, 0, sim.PortClosed)
	t.event(37_000, sim.Event{Kind: sim.Crashed, From: tail, To: tail})
	t.event(60_000, sim.Event{Kind: sim.Restarted, From: tail, To: tail})
	t.op(history.Op{Process: 0, Kind: model.Read, Seen: 7, Outcome: history.OK, Node: 0}, 37_400, 38_600)
	for i := range 12 {
		t.op(history.Op{Process: []int32{0, 4, 2}[i%3], Key: int32(i % 2), Kind: model.Read, Seen: 7, Outcome: history.OK, Node: int32(i % 3)}, 61_000+i*5000, 62_700+i*5000)
	}
	for at := 1000; at < 118_000; at += 4000 {
		t.send(at, at+900, head3, middle, Beat{1}, 0, cutBetween(at, at+900))
		t.send(at+600, at+1700, middle, tail, Beat{1}, 0, cutBetween(at+600, at+1700))
		t.send(at+1300, at+2100, tail, head3, Beat{1}, 0, downBetween(at+1300))
	}
	p := t.number()
	for i := range h.Ops {
		if o := &h.Ops[i]; o.Key == 0 && (o.Value == 3 || o.Value == 7 || o.Seen == 3) {
			p.Witness = append(p.Witness, i)
		}
	}
	return p
}

// staleTale is who takes part in it, and the faults.
func staleTale() *tale {
	t := &tale{page: Page{
		Title: "chain, any node, seed 0x2a", Verdict: "invalid",
		Sentence: "write k0=7 finished before a read began that returned 3, which had been overwritten.",
		System:   "chain of 3, reads at any node", Claim: "linearizable, as long as clocks drift by less than 1 %",
		Seed: "42", Digest: "9f3a61c07be2d514", Replay: "check run --system chain/any --seed 42 --trace --page stale.html",
		History:  &history.History{Keys: []string{"k0", "k1"}, Nodes: []string{"n0 head", "n1 middle", "n2 tail"}},
		Names:    []string{"n0 head", "n1 middle", "n2 tail", "client 0", "client 1", "client 2"},
		Replicas: 3,
		Scenario: "cluster: {system: chain, nodes: 3}\nworkload:\n  - {at: 2ms, client: 0, write: k0, value: 3}\n  - {at: 20ms, client: 0, write: k0, value: 7}\n  - {at: 34ms, client: 2, read: k0, at: n1}\nfaults:\n  - partition n1 from n0 n2 at 14ms for 30ms\n",
		Facts: []Fact{
			{"operations ok", "27"}, {"operations failed", "1"}, {"operations unknown", "2"}, {"messages", "161"}, {"dropped", "9"},
			{"duplicated", "1"}, {"crashes", "1"}, {"failovers", "1"}, {"dirty reads", "0"},
		},
	}}
	t.page.Faults = []Band{
		{us(14_000), us(44_000), "partition", "partition n1 from n0 n2 at 14ms for 30ms", []sim.NodeID{middle}},
		{us(25_500), us(25_500), "duplicate", "copy next n0 → n2", nil},
		{us(37_000), us(60_000), "crash", "crash n2 at 37ms for 23ms, disk kept", []sim.NodeID{tail}},
		{us(90_000), us(110_000), "clock", "skew n0 by +40ms at 90ms for 20ms", []sim.NodeID{head3}},
	}
	return t
}

func cutBetween(at, ends int) sim.DropCause {
	switch {
	case at >= 14_000 && at < 44_000:
		return sim.CutAtSend
	case ends >= 14_000 && ends < 44_000:
		return sim.CutInFlight
	}
	return downBetween(ends)
}

func downBetween(at int) sim.DropCause {
	if at >= 37_000 && at < 60_000 {
		return sim.NodeDown
	}
	return sim.NotDropped
}

// TestExample writes the hand-made page, to the file that REPORT_EXAMPLE names for who
// wants to look at it.
func TestExample(t *testing.T) {
	p := staleRead()
	if err := p.History.Validate(); err != nil {
		t.Fatal(err)
	}
	path := cmp.Or(os.Getenv("REPORT_EXAMPLE"), filepath.Join(t.TempDir(), "example.html"))
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := p.Write(f); err != nil {
		t.Fatal(err)
	}
}
