package checker

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/rashomon-go/rashomon/history"
	"github.com/rashomon-go/rashomon/model"
)

// load is what clients do in a history made for measuring.
type load struct {
	ops, clients, keys int
	open               float64 // share of unknown outcomes
	deletes            bool
}

// closedLoop returns a valid history: each client calls again when it has its
// answer. Values are running numbers, as simulated workloads write them.
func closedLoop(r *rand.Rand, l load) *history.History {
	h := &history.History{Ops: make([]history.Op, 0, l.ops)}
	for k := range l.keys {
		h.Keys = append(h.Keys, fmt.Sprint("k", k))
	}
	held := make([]model.Value, l.keys)
	for k := range held {
		held[k] = model.Absent
	}
	type client struct {
		op   int // its open operation, or -1
		done bool
		id   int32
	}
	clients := make([]client, l.clients)
	for i := range clients {
		clients[i] = client{op: -1, id: int32(i)}
	}
	next := int32(l.clients)
	happen := func(o *history.Op) { held[o.Key] = play(o, held[o.Key]) }
	for position, returned := int64(1), 0; returned < l.ops; {
		c := &clients[r.IntN(len(clients))]
		switch {
		case c.op < 0 && len(h.Ops) == l.ops:
		case c.op < 0:
			o := history.Op{Process: c.id, Key: int32(r.IntN(l.keys)), Node: history.NoNode, Kind: model.Read, Outcome: history.OK, Seen: model.Unseen, Call: position}
			if r.IntN(2) == 0 {
				o.Kind, o.Value = model.Write, model.Value(len(h.Ops)+1)
				if l.deletes && r.IntN(8) == 0 {
					o.Kind = model.Delete
				}
			}
			c.op, c.done = len(h.Ops), false
			h.Ops = append(h.Ops, o)
			position++
		case r.Float64() < l.open/2:
			o := &h.Ops[c.op]
			o.Outcome, o.Return, o.Seen = history.Unknown, history.Never, model.Unseen
			*c = client{op: -1, id: next}
			next++
			returned++
		case !c.done:
			happen(&h.Ops[c.op])
			c.done = true
		default:
			h.Ops[c.op].Return = position
			c.op = -1
			position++
			returned++
		}
	}
	return h
}

func benchmark(b *testing.B, h *history.History, opts Options, check func(*history.History, Options)) {
	b.ReportAllocs()
	for b.Loop() {
		check(h, opts)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(h.Ops)), "ns/operation")
}

// whole is what a caller pays, with the validation of the history.
func whole(b *testing.B) func(*history.History, Options) {
	return func(h *history.History, opts Options) {
		if r, err := Linearizable(h, model.Register(), opts); err != nil || r.Verdict != Valid {
			b.Fatal(r.Verdict, r.Reason, err)
		}
	}
}

// zonesOnly is the algorithm without the validation.
func zonesOnly(b *testing.B) func(*history.History, Options) {
	var c check
	return func(h *history.History, _ Options) {
		c.group(h)
		for k := range h.Keys {
			if f, ok := c.zones.judge(h.Ops, c.part(k)); !ok || f.broken != 0 {
				b.Fatal(f, ok)
			}
		}
	}
}

func seeded() *rand.Rand { return rand.New(rand.NewPCG(1, 1)) }

func BenchmarkZones100(b *testing.B) {
	h := closedLoop(seeded(), load{ops: 100, clients: 5, keys: 3, open: 0.01})
	b.Run("whole", func(b *testing.B) { benchmark(b, h, Options{Engine: Zones}, whole(b)) })
	b.Run("zones", func(b *testing.B) { benchmark(b, h, Options{}, zonesOnly(b)) })
}

func BenchmarkZones1e6(b *testing.B) {
	for _, keys := range []int{1, 10, 1000} {
		h := closedLoop(seeded(), load{ops: 1e6, clients: 50, keys: keys, open: 0.01})
		b.Run(fmt.Sprintf("whole/keys=%d", keys), func(b *testing.B) { benchmark(b, h, Options{Engine: Zones}, whole(b)) })
		b.Run(fmt.Sprintf("zones/keys=%d", keys), func(b *testing.B) { benchmark(b, h, Options{}, zonesOnly(b)) })
	}
}

func BenchmarkPorcupine(b *testing.B) {
	for _, l := range []load{
		{ops: 100, clients: 5, keys: 3, open: 0.01},
		{ops: 100, clients: 5, keys: 3, open: 0.01, deletes: true},
		{ops: 1000, clients: 5, keys: 1},
		{ops: 10000, clients: 10, keys: 10},
	} {
		h := closedLoop(seeded(), l)
		b.Run(fmt.Sprintf("ops=%d/clients=%d/keys=%d/deletes=%v", l.ops, l.clients, l.keys, l.deletes),
			func(b *testing.B) { benchmark(b, h, Options{Engine: Porcupine}, whole(b)) })
	}
}

func BenchmarkValidate100(b *testing.B) {
	h := closedLoop(seeded(), load{ops: 100, clients: 5, keys: 3, open: 0.01})
	benchmark(b, h, Options{}, func(h *history.History, _ Options) { _ = h.Validate() })
}
