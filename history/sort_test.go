package history

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/rashomon-go/rashomon/model"
)

// A history whose operations were shuffled, and whose positions were turned into
// moments of a clock, comes back as it was.
func TestSortBringsBack(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for n := range 3000 {
		h := recorded(r)
		if n%100 == 0 { // enough of them to be distributed by digits
			h = long(r, 3000)
		}
		want := slices.Clone(h.Ops)
		clock := make([]int64, 2*len(h.Ops)+1)
		at, step := r.Int64N(math.MaxInt64/4)-math.MaxInt64/8, 1+r.Int64N(1<<r.IntN(40))
		for i := range clock {
			at += 1 + r.Int64N(step)
			clock[i] = at
		}
		for i := range h.Ops {
			o := &h.Ops[i]
			o.Call = clock[o.Call]
			if o.Outcome == Unknown {
				o.Return = at // when the client gave up
			} else {
				o.Return = clock[o.Return]
			}
		}
		if n%3 > 0 {
			r.Shuffle(len(h.Ops), func(i, j int) { h.Ops[i], h.Ops[j] = h.Ops[j], h.Ops[i] })
		}
		if err := h.Sort(); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(h.Ops, want) {
			t.Fatalf("history %d is another one:\n%+v\nexpected\n%+v", n, h.Ops, want)
		}
	}
}

// long returns a recorded history of many operations of four clients.
func long(r *rand.Rand, ops int) *History {
	var rec Recorder
	process := [4]int32{0, 1, 2, 3}
	for len(rec.h.Ops) < ops {
		p := &process[r.IntN(4)]
		i, busy := rec.Open(*p)
		if !busy {
			if _, err := rec.Call(Asked{Process: *p, Kind: model.Read, Key: "k", Node: NoNode}, 0); err != nil {
				panic(err)
			}
			continue
		}
		a := Answered{Outcome: OK, Seen: 7, Node: NoNode}
		if r.IntN(3) == 0 { // fewer returns than operations
			a.Outcome = Unknown
			*p += 4
		}
		if err := rec.Return(i, a, 0); err != nil {
			panic(err)
		}
	}
	return rec.Finish(0)
}

func TestSortOfEqualMoments(t *testing.T) {
	op := func(process int32, call, ret int64) Op {
		return Op{Process: process, Kind: 1, Outcome: OK, Node: NoNode, Call: call, Return: ret}
	}
	for _, c := range []struct {
		name string
		ops  []Op
		want string // calls and returns, or the error
	}{
		{"a call and a return at once are concurrent", []Op{op(2, 20, 30), op(1, 10, 20)}, "1-3 2-4"},
		{"all at once", []Op{op(1, 5, 5), op(2, 5, 5), op(3, 5, 5)}, "1-4 2-5 3-6"},
		{"an operation that takes no time", []Op{op(1, 10, 20), op(2, 15, 15)}, "1-4 2-3"},
		{"one process at once", []Op{op(1, 20, 30), op(1, 10, 20)}, "process 1 returns at 20 and calls at the same moment, expected a clock that tells one from the other"},
		{"one process twice in no time", []Op{op(1, 5, 5), op(1, 5, 5)}, "two operations of process 1 return at 5, expected a clock that tells them apart"},
		{"in no time, then more", []Op{op(1, 5, 9), op(1, 5, 5)}, "process 1 returns at 5 and calls at the same moment, expected a clock that tells one from the other"},
		{"backwards", []Op{op(1, 5, 6), op(2, 9, 8)}, "operation 1 of process 2 returns at 8 before its call at 9"},
		{"far apart", []Op{op(2, math.MaxInt64-2, math.MaxInt64-1), op(1, math.MinInt64, -1)}, "1-2 3-4"},
		{"at the ends of time", []Op{unknown(op(2, math.MaxInt64, math.MaxInt64)), op(1, math.MinInt64, 0)}, fmt.Sprintf("1-2 3-%d", int64(Never))},
		{"nothing", nil, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := &History{Ops: slices.Clone(c.ops), Keys: []string{"k"}}
			if err := h.Sort(); err != nil {
				if err.Error() != c.want {
					t.Errorf("%v, expected %s", err, c.want)
				}
				if !slices.Equal(h.Ops, c.ops) {
					t.Errorf("%v is in another order or has other moments: %v", c.ops, h.Ops)
				}
				return
			}
			var got []string
			for _, o := range h.Ops {
				got = append(got, positions(o))
			}
			if strings.Join(got, " ") != c.want {
				t.Errorf("%v, expected %s", got, c.want)
			}
			if err := h.Validate(); err != nil {
				t.Error(err)
			}
		})
	}
}

func unknown(o Op) Op {
	o.Outcome = Unknown
	return o
}

// Whatever the clock, the events come out in the order of their moments, calls before
// returns, and otherwise as the operations stood.
func TestSortAgainstOneOfEvents(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for n := range 2000 {
		ops := make([]Op, 1+r.IntN(12))
		if n%100 == 0 {
			ops = make([]Op, 5000)
		}
		step := int64(1) << r.IntN(60)
		for i := range ops {
			call := (r.Int64N(int64(2*len(ops))) - int64(len(ops))) * min(step, math.MaxInt64/int64(2*len(ops)))
			ops[i] = Op{ID: int32(i), Process: int32(i), Kind: model.Read, Node: NoNode, Call: call, Return: call + r.Int64N(3*step/2+1)}
			if ops[i].Return < call || r.IntN(10) == 0 {
				ops[i].Outcome, ops[i].Return = Unknown, call
			}
		}
		want := byEvents(ops)
		h := &History{Ops: ops}
		if err := h.Sort(); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(h.Ops, want) {
			t.Fatalf("history %d:\n%+v\nexpected\n%+v", n, h.Ops, want)
		}
	}
}

// byEvents is Sort without any thought about time.
func byEvents(ops []Op) []Op {
	type event struct {
		at  int64
		ret bool
		op  int
	}
	var events []event
	for i, o := range ops {
		events = append(events, event{o.Call, false, i})
		if o.Outcome != Unknown {
			events = append(events, event{o.Return, true, i})
		}
	}
	slices.SortStableFunc(events, func(a, b event) int {
		switch {
		case a.at != b.at:
			return cmp.Compare(a.at, b.at)
		case a.ret == b.ret:
			return 0
		case b.ret:
			return -1
		}
		return 1
	})
	var ordered []Op
	place := map[int]int{}
	for i, e := range events {
		if e.ret {
			ordered[place[e.op]].Return = int64(i + 1)
			continue
		}
		place[e.op] = len(ordered)
		o := ops[e.op]
		o.Call, o.Return = int64(i+1), Never
		ordered = append(ordered, o)
	}
	return ordered
}

func positions(o Op) string { return fmt.Sprintf("%d-%d", o.Call, o.Return) }
