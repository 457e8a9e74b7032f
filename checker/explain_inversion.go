package checker

import (
	"fmt"
	"slices"

	"github.com/rashomon-go/rashomon/model"
)

// inverted looks for two values, each written by one operation at most, whose
// operations demand contradictory orders.
func (e *explanation) inverted() bool {
	clusters := e.valuesOfWitness()
	for i, a := range clusters {
		for _, b := range clusters[:i] {
			if x, y, ok := e.demand(a, b); ok {
				if p, q, ok := e.demand(b, a); ok {
					return e.inversion(a, b, [4]int32{x, y, p, q})
				}
			}
		}
	}
	return false
}

// group is what the witness has to do with one value.
type group struct {
	value model.Value
	write int32 // or none, for what was there from the beginning
	ops   []int32
}

func (e *explanation) valuesOfWitness() []group {
	var list []group
	at := map[model.Value]int{}
	for _, i := range e.witness {
		v, saw := observed(e.op(i))
		if !saw || e.op(i).Kind != model.Read {
			continue
		}
		g, known := at[v]
		if !known {
			writers := e.writers(v)
			if len(writers) > 1 || v == model.Absent && len(writers) > 0 {
				continue
			}
			g, at[v] = len(list), len(list)
			list = append(list, group{value: v, write: none})
			if len(writers) == 1 {
				list[g].write, list[g].ops = writers[0], writers
			}
		}
		list[g].ops = append(list[g].ops, i)
	}
	return list
}

// demand returns an operation of a that returned before one of b was called, so
// that a came before b.
func (e *explanation) demand(a, b group) (x, y int32, ok bool) {
	if a.write == none {
		return none, b.ops[0], true
	}
	for _, x := range a.ops {
		for _, y := range b.ops {
			if e.before(x, y) {
				return x, y, true
			}
		}
	}
	return none, none, false
}

// inversion explains that x of a preceded y of b, and p of b preceded q of a.
func (e *explanation) inversion(a, b group, d [4]int32) bool {
	one, other := e.readOf(a, d), e.readOf(b, d)
	if one > other {
		one, other = other, one
	}
	return e.is(ReadInversion, func() string {
		return fmt.Sprintf("%s and %s contradict each other: %s, but %s", e.full(one), e.full(other),
			e.demandSentence(d[0], d[1], a, b), e.demandSentence(d[2], d[3], b, a))
	}, append([]int32{a.write, b.write, one, other}, d[:]...)...)
}

// readOf returns a read of the value of g, one of d if possible.
func (e *explanation) readOf(g group, d [4]int32) int32 {
	for _, i := range d {
		if i != none && i != g.write && slices.Contains(g.ops, i) {
			return i
		}
	}
	return g.ops[len(g.ops)-1]
}

func (e *explanation) demandSentence(x, y int32, a, b group) string {
	first, second := e.h.ValueString(a.value), e.h.ValueString(b.value)
	if x == none {
		return fmt.Sprintf("%s was there first", first)
	}
	return fmt.Sprintf("%s had finished (%s) before %s began (%s), so %s came before %s",
		e.by(x), e.returned(x), e.by(y), e.called(y), first, second)
}
