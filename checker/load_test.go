package checker

import (
	"fmt"
	"math/rand/v2"

	"github.com/rashomon-go/rashomon/history"
	"github.com/rashomon-go/rashomon/model"
)

// load is what clients do in a history made for measuring.
type load struct {
	ops, clients, keys int
	open               float64 // share of unknown outcomes
	deletes, cas       bool
	silent             bool // compare-and-sets that failed do not tell what they saw
	values             int  // how many different ones; 0: every write has its own
}

func seeded() *rand.Rand { return rand.New(rand.NewPCG(1, 1)) }

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
	happen := func(o *history.Op) {
		held[o.Key] = play(o, held[o.Key])
		if l.silent && o.Kind == model.CAS {
			o.Seen = model.Unseen
		}
	}
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
				} else if l.cas && r.IntN(3) == 0 {
					o.Kind, o.Expect = model.CAS, held[o.Key]
				}
				if l.values > 0 {
					o.Value = model.Value(1 + r.IntN(l.values))
				}
			}
			c.op, c.done = len(h.Ops), false
			h.Ops = append(h.Ops, o)
			position++
		case r.Float64() < l.open/2:
			o := &h.Ops[c.op]
			o.Outcome, o.Return, o.Seen, o.Swapped = history.Unknown, history.Never, model.Unseen, false
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
