package history

import (
	"cmp"
	"fmt"
	"math/bits"
	"slices"
)

// Sort makes a history of operations that stand in any order, as they do when what
// several recorders wrote is put together. Before, Call and Return are moments of
// one clock, in any unit; they may be far apart, negative and equal. Sort puts the
// operations in the order of their calls, and turns moments into positions 1, 2, 3
// and so on. An operation with an unknown outcome never returns, whatever its
// Return. All else stays; Validate has still to be asked.
//
// What is called at the moment at which something else returns is concurrent with
// it, so that a clock which is too coarse makes no history invalid. But one process
// does one thing after the other: it is an error if it calls at the moment at which
// it returned. Then the operations stand in the order of their calls, with their
// moments. It is an error as well if an operation returns before its call; then
// they stand as they did.
//
// It takes linear time, and n log n if the moments are further apart than 2^63 / n.
func (h *History) Sort() error {
	for i := range h.Ops {
		o := &h.Ops[i]
		if o.Outcome == Unknown {
			o.Return = Never
		}
		if o.Return < o.Call {
			return fmt.Errorf("operation %d of process %d returns at %d before its call at %d", i, o.Process, o.Return, o.Call)
		}
	}
	var s sorting
	h.Ops = s.byCall(h.Ops)
	n := numbering{ops: h.Ops, returns: s.byReturn(h.Ops)}
	if err := n.check(); err != nil {
		return err
	}
	n.assign()
	return nil
}

// moment is an event of an operation.
type moment struct {
	at int64
	op int32
}

// numbering walks through the events of operations in the order of their calls: at
// each moment calls come before returns.
type numbering struct {
	ops     []Op
	returns []moment // in their order
}

// check looks for a process that calls at the moment at which it returned.
func (n *numbering) check() error {
	next := 0
	for i := 0; i < len(n.ops); {
		at := n.ops[i].Call
		for next < len(n.returns) && n.returns[next].at < at {
			next++
		}
		calls := i
		for i++; i < len(n.ops) && n.ops[i].Call == at; {
			i++
		}
		if next < len(n.returns) && n.returns[next].at == at {
			if err := n.tie(calls, i, next); err != nil {
				return err
			}
		}
	}
	return nil
}

// tie checks the operations called at one moment, n.ops[from:to], against those
// that return at it, n.returns[first] and the next ones.
func (n *numbering) tie(from, to, first int) error {
	at := n.returns[first].at
	returned := map[int32]int32{} // by process, the operation
	for _, r := range n.returns[first:] {
		if r.at != at {
			break
		}
		p := n.ops[r.op].Process
		if _, twice := returned[p]; twice {
			return fmt.Errorf("two operations of process %d return at %d, expected a clock that tells them apart", p, at)
		}
		returned[p] = r.op
	}
	for i := from; i < to; i++ {
		if j, tied := returned[n.ops[i].Process]; tied && j != int32(i) {
			return fmt.Errorf("process %d returns at %d and calls at the same moment, expected a clock that tells one from the other", n.ops[i].Process, at)
		}
	}
	return nil
}

// assign turns moments into positions.
func (n *numbering) assign() {
	position, next := int64(0), 0
	for i := range n.ops {
		for ; next < len(n.returns) && n.returns[next].at < n.ops[i].Call; next++ {
			position++
			n.ops[n.returns[next].op].Return = position
		}
		position++
		n.ops[i].Call = position
	}
	for ; next < len(n.returns); next++ {
		position++
		n.ops[n.returns[next].op].Return = position
	}
}

// sorting keeps its memory from one sort to the next.
type sorting struct {
	list         []moment
	words, other []uint64
}

// byCall returns the operations in the order of their calls.
func (s *sorting) byCall(ops []Op) []Op {
	s.list = slices.Grow(s.list, len(ops))
	for i := range ops {
		s.list = append(s.list, moment{ops[i].Call, int32(i)})
	}
	if s.sort(len(ops)) {
		return ops
	}
	sorted := make([]Op, len(ops)) // not in place: that would wait for one operation after the other
	for i := range sorted {
		sorted[i] = ops[s.list[i].op]
	}
	return sorted
}

// byReturn returns the returns in their order.
func (s *sorting) byReturn(ops []Op) []moment {
	s.list = s.list[:0]
	for i := range ops {
		if r := ops[i].Return; r != Never {
			s.list = append(s.list, moment{r, int32(i)})
		}
	}
	s.sort(len(ops))
	return s.list
}

const digit = 11 // bits of a moment that are looked at together

// sort puts the list in order; what is equal stays in the order in which it stood.
// It reports whether all was in order already. A moment since the first one and the
// number of an operation, of so many, fit into one word, unless the run took hours
// and the clock counts nanoseconds; so it distributes words by one digit after the
// other, as card sorters did.
func (s *sorting) sort(ops int) (already bool) {
	least, greatest, already := s.span()
	if already {
		return true
	}
	place := bits.Len(uint(ops))
	width := bits.Len64(uint64(greatest) - uint64(least))
	if len(s.list) < 1<<digit || width+place > 64 {
		slices.SortStableFunc(s.list, func(a, b moment) int { return cmp.Compare(a.at, b.at) })
		return false
	}
	s.words, s.other = slices.Grow(s.words[:0], len(s.list))[:len(s.list)], slices.Grow(s.other[:0], len(s.list))[:len(s.list)]
	for i := range s.list {
		s.words[i] = (uint64(s.list[i].at)-uint64(least))<<place | uint64(s.list[i].op)
	}
	for shift := place; shift < place+width; shift += digit {
		s.distribute(shift)
	}
	for i, w := range s.words {
		s.list[i] = moment{int64(w>>place + uint64(least)), int32(w & (1<<place - 1))}
	}
	return false
}

// distribute puts the words in the order of their digit at shift, those with equal
// ones in the order in which they stood.
func (s *sorting) distribute(shift int) {
	var start [1<<digit + 1]int32
	for _, w := range s.words {
		start[w>>shift&(1<<digit-1)+1]++
	}
	for d := range 1 << digit {
		start[d+1] += start[d]
	}
	for _, w := range s.words {
		to := &start[w>>shift&(1<<digit-1)]
		s.other[*to] = w
		*to++
	}
	s.words, s.other = s.other, s.words
}

// span returns the least and the greatest moment, and whether all are in order.
func (s *sorting) span() (least, greatest int64, inOrder bool) {
	inOrder = true
	for i := range s.list {
		if i == 0 {
			least, greatest = s.list[0].at, s.list[0].at
			continue
		}
		inOrder = inOrder && s.list[i].at >= s.list[i-1].at
		least, greatest = min(least, s.list[i].at), max(greatest, s.list[i].at)
	}
	return least, greatest, inOrder
}
