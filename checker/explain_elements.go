package checker

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/rashomon-go/rashomon/model"
)

// sighting is a read of a whole set or list.
type sighting struct {
	op       int32
	elements []string
	times    map[string]int
}

// elements are what was put into a set or a list, and the reads that saw it.
type elements struct {
	*explanation
	put   model.Kind         // Add or Append
	puts  map[string][]int32 // by element, in the order of their calls
	all   []string           // elements in the order of their first puts
	reads []sighting         // of the witness
}

// mostSeen is how many elements the reads of a witness may have seen together.
const mostSeen = 1 << 20

func (e *explanation) unlikeElements() bool {
	x := elements{explanation: e, put: model.Add, puts: map[string][]int32{}}
	if e.object == "list" {
		x.put = model.Append
	}
	for _, i := range e.ofKind(e.ops, x.put) {
		name := x.name(i)
		if x.puts[name] == nil {
			x.all = append(x.all, name)
		}
		x.puts[name] = append(x.puts[name], i)
	}
	seen := 0
	for _, r := range e.answered(e.witness, model.Read) {
		if e.op(r).Seen == model.Unseen {
			continue
		}
		s := x.sighting(r)
		if seen += len(s.elements) + len(x.all); seen > mostSeen {
			return false
		}
		x.reads = append(x.reads, s)
	}
	for _, s := range x.reads {
		if x.tooMany(s) || x.tooFew(s) || x.gap(s) || x.disorder(s) {
			return true
		}
	}
	return x.contradiction()
}

// name returns the element that an operation puts there.
func (x *elements) name(i int32) string {
	if x.put == model.Append {
		return x.h.ModelOp(int(i)).Text
	}
	return x.op(i).Value.String()
}

func (x *elements) sighting(r int32) sighting {
	s := sighting{op: r, times: map[string]int{}}
	if text := x.h.ModelOp(int(r)).SeenText; len(text) > 2 {
		s.elements = strings.Fields(text[1 : len(text)-1])
	}
	for _, name := range s.elements {
		s.times[name]++
	}
	return s
}

// backed returns the operations, and those that put there what the reads saw.
func (x *elements) backed(ops []int32, reads ...sighting) []int32 {
	ops = slices.Clone(ops)
	for _, s := range reads {
		ops = append(ops, s.op)
		for _, name := range s.elements {
			ops = append(ops, x.calledBefore(x.puts[name], s.op)...)
		}
	}
	return ops
}

func (x *elements) done(ops []int32, r int32) []int32 {
	return slices.DeleteFunc(slices.Clone(ops), func(i int32) bool { return !x.explanation.done(i, r) })
}

// did says what was done to an element that was put there.
func (x *elements) did() string { return which(x.put == model.Add, "added", "appended") }

// tooMany looks for an element that is there more often than it can have been put
// there, which may be never.
func (x *elements) tooMany(s sighting) bool {
	for _, name := range s.elements {
		puts := x.calledBefore(x.puts[name], s.op)
		switch {
		case len(puts) >= s.times[name]:
		case len(puts) > 0:
			return x.is(Duplicate, func() string {
				return fmt.Sprintf("%s has %s %s, but it was %s only %s before that: %s",
					x.full(s.op), name, times(s.times[name]), x.did(), times(len(puts)), x.each(puts))
			}, x.backed(nil, s)...)
		case len(x.puts[name]) > 0:
			first := x.puts[name][0]
			return x.is(FutureRead, func() string {
				return fmt.Sprintf("%s has %s from the future: %s by %s began only afterwards (%s)", x.full(s.op), name, x.bare(first), x.client(first), x.called(first))
			}, s.op, first)
		default:
			return x.neverPut(s.op, name)
		}
	}
	return false
}

// neverPut says that a read has an element that nobody put there by an operation
// that may have happened.
func (x *elements) neverPut(r int32, name string) bool {
	return x.nobodyPut(r, x.put, func(i int32) bool { return x.name(i) == name }, "has "+name+", which", x.did())
}

// tooFew looks for an element that is there less often than it certainly had been
// put there.
func (x *elements) tooFew(s sighting) bool {
	for _, name := range x.all {
		puts := x.done(x.puts[name], s.op)
		if x.put == model.Add && len(puts) > 1 {
			puts = puts[:1]
		}
		if len(puts) <= s.times[name] {
			continue
		}
		return x.is(LostElement, func() string {
			if s.times[name] == 0 {
				return fmt.Sprintf("%s lacks %s, although %s by %s had finished (%s) before it began", x.full(s.op), name, x.bare(puts[0]), x.client(puts[0]), x.returned(puts[0]))
			}
			return fmt.Sprintf("%s has %s only %s, although it had been %s %s before it began: %s", x.full(s.op), name, times(s.times[name]), x.did(), times(len(puts)), x.each(puts))
		}, x.backed(puts, s)...)
	}
	return false
}

// gap looks for an element that is not there although one is that was put there
// only afterwards.
func (x *elements) gap(s sighting) bool {
	last := "" // of those that are there the one that was put there last
	for _, name := range s.elements {
		if last == "" || x.op(x.puts[name][0]).Call > x.op(x.puts[last][0]).Call {
			last = name
		}
	}
	if last == "" {
		return false
	}
	later := x.puts[last][0]
	for _, name := range x.all {
		for _, i := range x.puts[name] {
			if s.times[name] == 0 && x.explanation.done(i, later) {
				return x.is(LostElement, func() string {
					return fmt.Sprintf("%s has %s, but not %s, although %s by %s had finished (%s) before %s by %s began (%s)",
						x.full(s.op), last, name, x.bare(i), x.client(i), x.returned(i), x.bare(later), x.client(later), x.called(later))
				}, x.backed([]int32{i}, s)...)
			}
		}
	}
	return false
}

// disorder looks for two elements of a list in an order that is not the one in which
// they were appended. Both were appended only once.
func (x *elements) disorder(s sighting) bool {
	if x.put != model.Append {
		return false
	}
	last := none
	for _, name := range s.elements {
		if len(x.puts[name]) != 1 {
			continue
		}
		i := x.puts[name][0]
		if last != none && x.explanation.done(i, last) {
			return x.is(Disorder, func() string {
				return fmt.Sprintf("%s has %s before %s, although %s by %s had finished (%s) before %s by %s began (%s)", x.full(s.op),
					x.name(last), name, x.bare(i), x.client(i), x.returned(i), x.bare(last), x.client(last), x.called(last))
			}, x.backed(nil, s)...)
		}
		if last == none || x.op(i).Call > x.op(last).Call {
			last = i
		}
	}
	return false
}

// contradiction looks for two reads of which none can have come first, or the one that
// did not.
func (x *elements) contradiction() bool {
	bySize := slices.Clone(x.reads)
	slices.SortStableFunc(bySize, func(a, b sighting) int { return cmp.Compare(len(a.elements), len(b.elements)) })
	for n := range bySize {
		if n == 0 {
			continue
		}
		a, b := bySize[n-1], bySize[n]
		if why, differ := x.differ(a, b); differ {
			return x.is(ReadInversion, func() string {
				return fmt.Sprintf("%s and %s contradict each other: %s", x.full(a.op), x.full(b.op), why)
			}, x.backed(nil, a, b)...)
		}
	}
	for n, b := range bySize { // each is a part of those that are larger
		for _, a := range bySize[:n] {
			if len(a.elements) == len(b.elements) || !x.before(b.op, a.op) {
				continue
			}
			gone := b.elements[slices.IndexFunc(b.elements, func(name string) bool { return a.times[name] < b.times[name] })]
			return x.is(LostElement, func() string {
				return fmt.Sprintf("%s lacks %s, which %s by %s had seen: that one had finished (%s) before it began",
					x.full(a.op), gone, x.bare(b.op), x.client(b.op), x.returned(b.op))
			}, x.backed(nil, a, b)...)
		}
	}
	return false
}

// differ says in what a, which is not larger, is no part of b.
func (x *elements) differ(a, b sighting) (why string, differ bool) {
	if x.put == model.Append {
		for n, name := range a.elements {
			if name != b.elements[n] {
				return fmt.Sprintf("element %d is %s in one and %s in the other", n+1, name, b.elements[n]), true
			}
		}
		return "", false
	}
	for _, name := range a.elements {
		if b.times[name] == 0 {
			other := b.elements[slices.IndexFunc(b.elements, func(name string) bool { return a.times[name] == 0 })]
			return fmt.Sprintf("one has %s and not %s, the other %s and not %s", name, other, other, name), true
		}
	}
	return "", false
}
