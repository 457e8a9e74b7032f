package checker

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/rashomon-go/rashomon/history"
	"github.com/rashomon-go/rashomon/model"
)

// object is what an operation does to a mutex, a counter, a queue, a set or a
// list, said once more and in another way than the models do: all of them are
// lists of numbers here.
type object func(o *history.Op, seen, held []int) (after []int, right bool)

var objects = map[string]object{
	"mutex": func(o *history.Op, _, held []int) ([]int, bool) {
		if o.Kind == model.Acquire {
			return []int{1}, len(held) == 0
		}
		return nil, len(held) == 1
	},
	"counter": func(o *history.Op, seen, held []int) ([]int, bool) {
		sum := 0
		for _, n := range held {
			sum += n
		}
		if o.Kind == model.Read {
			return held, sum == int(o.Seen)
		}
		return append(slices.Clone(held), int(o.Value)), true
	},
	"queue": func(o *history.Op, seen, held []int) ([]int, bool) {
		switch {
		case o.Kind == model.Enqueue:
			return append(slices.Clone(held), int(o.Value)), true
		case len(held) == 0:
			return nil, o.Seen == model.Absent
		}
		return slices.Clone(held[1:]), o.Outcome == history.Unknown || o.Seen == model.Value(held[0])
	},
	"set": func(o *history.Op, seen, held []int) ([]int, bool) {
		if o.Kind == model.Read {
			sorted := slices.Sorted(slices.Values(held))
			return held, slices.Equal(slices.Compact(sorted), seen)
		}
		return append(slices.Clone(held), int(o.Value)), true
	},
	"list": func(o *history.Op, seen, held []int) ([]int, bool) {
		if o.Kind == model.Read {
			return held, slices.Equal(held, seen)
		}
		return append(slices.Clone(held), int(o.Value)), true
	},
}

// someOrderFits tries every order of the operations, and of those with an
// unknown outcome every choice.
func (do object) someOrderFits(ops []history.Op, seen [][]int, done map[int]bool, held []int) bool {
	end := true
	for i := range ops {
		end = end && (done[i] || ops[i].Outcome == history.Unknown)
	}
	if end {
		return true
	}
	for i := range ops {
		if done[i] || slices.ContainsFunc(ops, func(p history.Op) bool { return !done[int(p.Process)] && p.Return < ops[i].Call }) {
			continue
		}
		after, right := do(&ops[i], seen[i], held)
		if !right && ops[i].Outcome == history.OK {
			continue
		}
		if !right {
			after = held // an unknown one that could not be done
		}
		done[i] = true
		ok := do.someOrderFits(ops, seen, done, after)
		done[i] = false
		if ok {
			return true
		}
	}
	return false
}

// fits reports whether some order of the operations of a history fits, or of some of
// them.
func (do object) fits(h *history.History, seen [][]int, some []int) bool {
	var ops []history.Op
	var sights [][]int
	for i, o := range h.Ops {
		if o.Outcome == history.Fail || some != nil && !slices.Contains(some, i) {
			continue
		}
		o.Process = int32(len(ops))
		ops, sights = append(ops, o), append(sights, seen[i])
	}
	return do.someOrderFits(ops, sights, map[int]bool{}, nil)
}

var objectKinds = map[string][2]model.Kind{
	"mutex": {model.Acquire, model.Release}, "counter": {model.Increment, model.Read}, "queue": {model.Enqueue, model.Dequeue},
	"set": {model.Add, model.Read}, "list": {model.Append, model.Read},
}

func TestObjectsAgreeWithOracle(t *testing.T) {
	for name, do := range objects {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m, err := model.ByName(name)
			if err != nil {
				t.Fatal(err)
			}
			r := rand.New(rand.NewPCG(21, 22))
			count := map[Verdict]int{}
			for n := range *histories / 5 {
				h, seen := randomObject(r, name, 4, do)
				got, err := Linearizable(h, m, Options{})
				if err != nil {
					t.Fatalf("history %d: %v\n%s", n, err, show(h))
				}
				count[got.Verdict]++
				if got.Verdict == Unknown {
					continue
				}
				if fits := do.fits(h, seen, nil); fits != (got.Verdict == Valid) {
					t.Fatalf("history %d: %v, the oracle says %v\n%s", n, got.Verdict, fits, show(h))
				}
				if got.Verdict == Invalid && (got.Sentence == "" || Confirm(h, m, got.Witness, 0) != Invalid) {
					t.Fatalf("history %d: %+v\n%s", n, got, show(h))
				}
			}
			t.Log(count)
			if all := count[Valid] + count[Invalid]; count[Invalid] < all/4 || count[Invalid] > 3*all/4 || count[Unknown] > all/10 {
				t.Errorf("the sample says little: %v", count)
			}
		})
	}
}

// randomObject returns a history of an object and, by operation, the numbers that
// a read of a set or a list saw. Answers are those of one legal order, of which
// some are spoilt. Elements, and what a counter is increased by, are from 1 to most.
func randomObject(r *rand.Rand, name string, most int, do object) (*history.History, [][]int) {
	h, kinds := &history.History{Keys: []string{"x"}}, objectKinds[name]
	switch name {
	case "set":
		h.Sets = [][]model.Value{}
	case "list": // the text of a number is its own
		for n := range most + 1 {
			h.Texts = append(h.Texts, fmt.Sprint(n))
		}
	}
	var held []int
	var seen [][]int
	open := [3]int{-1, -1, -1}
	process := [3]int32{0, 1, 2}
	position := int64(0)
	for left := 4 + r.IntN(5); left > 0; {
		c := r.IntN(len(open))
		position++
		if open[c] < 0 {
			o := history.Op{Process: process[c], Kind: kinds[r.IntN(2)], Node: history.NoNode, Call: position, Return: history.Never, Outcome: history.Unknown, Seen: model.Unseen}
			if name == "mutex" && r.IntN(6) > 0 {
				o.Kind = kinds[len(held)]
			}
			if o.Kind != model.Read && o.Kind != model.Dequeue && name != "mutex" {
				o.Value = model.Value(1 + r.IntN(most))
			}
			open[c] = len(h.Ops)
			h.Ops, seen = append(h.Ops, o), append(seen, nil)
			continue
		}
		left--
		i := open[c]
		open[c] = -1
		o := &h.Ops[i]
		outcome := []history.Outcome{history.OK, history.OK, history.OK, history.OK, history.OK, history.OK, history.OK, history.Fail, history.Unknown}[r.IntN(9)]
		happens := outcome == history.OK || outcome == history.Unknown && r.IntN(2) == 0
		before := held
		if after, right := do(o, nil, held); happens && o.Kind != model.Read && (right || o.Kind == model.Dequeue) {
			held = after
		} else if happens && o.Kind != model.Read && r.IntN(3) == 0 {
			outcome = history.Fail // most locks work
		}
		o.Outcome = outcome
		if outcome == history.Unknown {
			process[c] += 3
			continue
		}
		o.Return = position
		if outcome == history.OK {
			seen[i] = tell(r, name, h, o, before)
		}
	}
	return h, seen
}

// tell gives an operation its answer, or a wrong one, and returns the numbers in
// it if they are several.
func tell(r *rand.Rand, name string, h *history.History, o *history.Op, held []int) []int {
	wrong := r.IntN(5) == 0 || o.Kind == model.Read && r.IntN(2) == 0
	switch {
	case o.Kind == model.Dequeue:
		o.Seen = model.Absent
		if len(held) > 0 {
			o.Seen = model.Value(held[0])
		}
		if wrong {
			o.Seen = model.Value(1 + r.IntN(4))
		}
		return nil
	case o.Kind != model.Read:
		return nil
	}
	if wrong && len(held) > 0 {
		held = held[:len(held)-1]
	}
	if name == "counter" {
		sum := 0
		for _, n := range held {
			sum += n
		}
		o.Seen = model.Value(sum)
		return nil
	}
	return tellElements(name, h, o, held)
}

// tellElements gives a read the elements of a list or a set as its answer.
func tellElements(name string, h *history.History, o *history.Op, held []int) []int {
	if name == "list" {
		text := fmt.Sprint(held)
		if i := slices.Index(h.Texts, text); i >= 0 {
			o.Seen = model.Value(i)
		} else {
			o.Seen = model.Value(len(h.Texts))
			h.Texts = append(h.Texts, text)
		}
		return held
	}
	sorted := slices.Compact(slices.Sorted(slices.Values(held)))
	set := make([]model.Value, len(sorted))
	for i, n := range sorted {
		set[i] = model.Value(n)
	}
	o.Seen = model.Value(len(h.Sets))
	h.Sets = append(h.Sets, set)
	return sorted
}
