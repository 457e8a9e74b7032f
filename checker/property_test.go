package checker

import (
	"cmp"
	"errors"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"

	"pgregory.net/rapid"

	"github.com/rashomon-go/rashomon/history"
	"github.com/rashomon-go/rashomon/model"
)

// registerHistory draws a history with the order that makes it valid: an
// operation happens at a moment, and its call and return lie around it. Drawn
// small, it is a sequence of few operations with nothing open.
func registerHistory(t *rapid.T, kinds ...model.Kind) *history.History {
	h := &history.History{Keys: []string{"k0"}}
	held := model.Absent
	type end struct{ moment, op int }
	var ends []end
	for i := range rapid.IntRange(1, 30).Draw(t, "operations") {
		o := history.Op{Process: int32(i), Node: history.NoNode, Outcome: history.OK, Seen: model.Unseen, Value: model.Value(i + 1)}
		o.Kind = rapid.SampledFrom(kinds).Draw(t, "kind")
		ends = append(ends, end{10*i - rapid.IntRange(0, 50).Draw(t, "early"), i}, end{10*i + 1 + rapid.IntRange(0, 50).Draw(t, "late"), ^i})
		happens := true
		if rapid.IntRange(0, 9).Draw(t, "open") == 9 {
			o.Outcome, happens = history.Unknown, rapid.Bool().Draw(t, "happens")
		}
		if o.Kind == model.CAS {
			o.Expect = rapid.SampledFrom([]model.Value{held, 1000}).Draw(t, "expect")
		}
		if happens {
			held = play(&o, held)
		}
		h.Ops = append(h.Ops, o)
	}
	slices.SortStableFunc(ends, func(a, b end) int { return cmp.Compare(a.moment, b.moment) })
	for position, e := range ends {
		switch {
		case e.op >= 0:
			h.Ops[e.op].Call = int64(position + 1)
		case h.Ops[^e.op].Outcome == history.OK:
			h.Ops[^e.op].Return = int64(position + 1)
		default:
			h.Ops[^e.op].Return = history.Never
		}
	}
	slices.SortFunc(h.Ops, func(a, b history.Op) int { return cmp.Compare(a.Call, b.Call) })
	return h
}

// play gives o its answer and returns what the register holds afterwards.
func play(o *history.Op, held model.Value) model.Value {
	known := o.Outcome == history.OK
	switch o.Kind {
	case model.Read:
		if known {
			o.Seen = held
		}
	case model.CAS:
		if held == o.Expect {
			o.Swapped = known
			return o.Value
		}
		if known {
			o.Seen = held
		}
	case model.Write:
		return o.Value
	case model.Delete:
		return model.Absent
	}
	return held
}

func TestWhatHappenedInOrderIsNeverInvalid(t *testing.T) {
	for name, kinds := range map[string][]model.Kind{
		"reads and writes": {model.Read, model.Write},
		"all":              {model.Read, model.Write, model.Delete, model.CAS},
	} {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				h := registerHistory(t, kinds...)
				for _, e := range []Engine{Auto, Porcupine} {
					r, err := Linearizable(h, model.CASRegister(), Options{Engine: e})
					if err != nil || r.Verdict == Invalid {
						t.Fatalf("%v: %v %v\n%s", e, r, err, show(h))
					}
				}
			})
		})
	}
}

// A history that is valid stays so if an interval grows, a read goes away, an
// acknowledgement gets lost, the values are renamed, or the end is cut off.
func TestWhatKeepsAHistoryValid(t *testing.T) {
	for name, kinds := range map[string][]model.Kind{
		"reads and writes": {model.Read, model.Write},
		"compare-and-sets": {model.Read, model.Write, model.CAS},
		"all":              {model.Read, model.Write, model.CAS, model.Delete},
	} {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				h := registerHistory(t, kinds...)
				i := rapid.IntRange(0, len(h.Ops)-1).Draw(t, "operation")
				switch o := &h.Ops[i]; rapid.IntRange(0, 4).Draw(t, "change") {
				case 0:
					o.Return, o.Outcome, o.Swapped = history.Never, history.Unknown, false
				case 1:
					if o.Kind == model.Read {
						h.Ops = slices.Delete(h.Ops, i, i+1)
					}
				case 2:
					spread(h)
				case 3:
					if o.Outcome == history.OK {
						o.Return = 1000
					}
				case 4:
					var ops []history.Op
					for _, p := range h.Ops {
						if p, there := until(p, o.Call); there {
							ops = append(ops, p)
						}
					}
					h.Ops = ops
				}
				for _, e := range []Engine{Auto, Greedy, Window} {
					r, err := Linearizable(h, model.CASRegister(), Options{Engine: e})
					if err != nil && !errors.Is(err, ErrNotApplicable) || r.Verdict == Invalid {
						t.Fatalf("%v: %v %v\n%s", e, r, err, show(h))
					}
				}
			})
		})
	}
}

// spread renames the values so that they lie far apart, and some are negative.
func spread(h *history.History) {
	for i := range h.Ops {
		for _, v := range []*model.Value{&h.Ops[i].Value, &h.Ops[i].Expect, &h.Ops[i].Seen} {
			if *v != model.Absent && *v != model.Unseen {
				*v = (*v - 3) * 1_000_000_007_000
			}
		}
	}
}

// Histories too long for the oracle: every engine that applies is compared with
// porcupine.
func TestEnginesAgreeOnLongHistories(t *testing.T) {
	for name, c := range map[string]struct {
		load    load
		engines []Engine
	}{
		"reads and writes":  {load{}, []Engine{Zones, Blocks, Greedy, Window}},
		"compare-and-sets":  {load{cas: true}, []Engine{Blocks, Greedy, Window}},
		"deletes":           {load{cas: true, deletes: true}, []Engine{Greedy, Window}},
		"silent":            {load{cas: true, silent: true}, []Engine{Window}},
		"duplicates":        {load{values: 3}, []Engine{Window}},
		"all of everything": {load{values: 4, cas: true, silent: true, deletes: true}, []Engine{Window}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(7, 8))
			count := map[Verdict]int{}
			for n := range max(600, *histories/20) {
				c.load.ops, c.load.clients, c.load.keys, c.load.open = 20+r.IntN(60), 2+r.IntN(6), 1+r.IntN(2), 0.06*float64(r.IntN(4))
				h := closedLoop(r, c.load)
				misanswer(r, h)
				search := judge(t, h, model.CASRegister(), Options{Engine: Porcupine, VerdictOnly: true})
				for _, e := range c.engines {
					got := judge(t, h, model.CASRegister(), Options{Engine: e})
					for k := range h.Keys {
						if got.Keys[k].Verdict != search.Keys[k].Verdict && search.Keys[k].Verdict != Unknown {
							t.Fatalf("history %d, key %d: %v %v, porcupine %v\n%s", n, k, e, got.Keys[k], search.Keys[k], show(h))
						}
					}
					if v, missing := unexplained(h, got.Witness); missing {
						t.Fatalf("history %d: %v: nobody in the witness %v wrote %v: %s\n%s", n, e, got.Witness, v, got.Sentence, show(h))
					}
					if e == Zones && got.Anomaly != LostWrite && len(got.Witness) > 6 { // that one shows the reads that miss it
						t.Errorf("history %d: %d operations in a witness of zones", n, len(got.Witness))
					}
				}
				count[search.Verdict]++
			}
			t.Log(count)
			if all := count[Unknown] + count[Valid] + count[Invalid]; 20*count[Unknown] > all || 4*count[Invalid] < all || 4*count[Valid] < all {
				t.Errorf("the sample says little: %v", count)
			}
		})
	}
}

// unexplained returns a value that somebody in the witness saw, and that somebody
// wrote, but nobody in the witness: the witness would be invalid for a reason of
// its own.
func unexplained(h *history.History, witness []int) (model.Value, bool) {
	writes := func(i int, v model.Value, key int32) bool {
		o := &h.Ops[i]
		w, stores := stored(o)
		return stores && w == v && o.Key == key && o.Outcome != history.Fail
	}
	for _, i := range witness {
		v, saw := observed(&h.Ops[i])
		if !saw || v == model.Absent {
			continue
		}
		within := slices.ContainsFunc(witness, func(j int) bool { return writes(j, v, h.Ops[i].Key) })
		for j := range h.Ops {
			if !within && writes(j, v, h.Ops[i].Key) {
				return v, true
			}
		}
	}
	return 0, false
}

// misanswer changes a few answers into others that were given, or may have been.
func misanswer(r *rand.Rand, h *history.History) {
	for range r.IntN(14) {
		o, other := &h.Ops[r.IntN(len(h.Ops))], &h.Ops[r.IntN(len(h.Ops))]
		if o.Outcome != history.OK || o.Key != other.Key {
			continue
		}
		if v, stores := stored(other); stores && o.Kind == model.Read && other.Call < o.Return {
			o.Seen = v
		} else if o.Kind == model.Read && other.Kind == model.Read && other.Outcome == history.OK {
			o.Seen, other.Seen = other.Seen, o.Seen
		}
	}
}

// Appends of several clients; a read that misses one, or sees two in the wrong
// order, is found, and explained by what led to it.
func TestTextsAreJudgedToo(t *testing.T) {
	h := &history.History{Keys: []string{"k0"}}
	add := func(kind model.Kind, text string) {
		o := history.Op{Kind: kind, Process: int32(len(h.Ops)), Node: history.NoNode, Outcome: history.OK, Seen: model.Unseen}
		v := model.Value(slices.Index(h.Texts, text))
		if v < 0 {
			v, h.Texts = model.Value(len(h.Texts)), append(h.Texts, text)
		}
		if o.Value = v; kind == model.Read {
			o.Value, o.Seen = 0, v
		}
		o.Call = int64(2*len(h.Ops) + 1)
		o.Return = o.Call + 1
		h.Ops = append(h.Ops, o)
	}
	add(model.Read, "")
	want := ""
	for i := range 10 {
		add(model.Append, strconv.Itoa(i))
		want += strconv.Itoa(i)
		add(model.Read, want)
	}
	if r := judge(t, h, model.KV(), Options{}); r.Verdict != Valid || r.Keys[0].Engine != Porcupine {
		t.Fatalf("%+v", r)
	}
	h.Texts[slices.Index(h.Texts, "012")] = "021"
	r := judge(t, h, model.KV(), Options{})
	sentence := `no order of these 4 operations on k0 is legal: append k0+="0" by client 1 (event 3..event 4); ` +
		`append k0+="1" by client 3 (event 7..event 8); append k0+="2" by client 5 (event 11..event 12); read k0 -> "021" by client 6 (event 13..event 14)`
	if r.Verdict != Invalid || !slices.Equal(r.Witness, []int{1, 3, 5, 6}) || r.Anomaly != Unordered || r.Sentence != sentence {
		t.Errorf("%+v", r)
	}
}
