package history

import (
	"fmt"
	"math"
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
// it returned, and if an operation returns before its call. Then all is as it was.
//
// It takes linear time, and n log n if the moments are further apart than 2^63 / n.
// Until it is done it needs 32 bytes for each operation, or 40 if they are that far
// apart, beside a new slice of them.
func (h *History) Sort() error {
	s, err := newSorting(h.Ops)
	if err != nil {
		return err
	}
	s.calls, s.returns = s.order(s.calls), s.order(s.returns)
	if err := s.number(h.Ops); err != nil {
		return err
	}
	h.Ops = s.moved(h.Ops)
	return nil
}

// sorting has a word for each event: its moment, counted from the first one, and
// below it the number of its operation. A word is a tenth of an operation; so those
// are moved only once, when it is known where to.
type sorting struct {
	calls, returns []uint64
	spare          []uint64
	place          int // bits of the number of an operation
	width          int // bits of a moment

	callAt   []uint32 // positions, in the order of calls
	returnAt []uint32 // by operation, 0 for never
}

func newSorting(ops []Op) (*sorting, error) {
	s := &sorting{place: bits.Len(uint(len(ops)))}
	s.calls, s.returns, s.spare = make([]uint64, len(ops)), make([]uint64, len(ops)), make([]uint64, len(ops))
	least, greatest := int64(math.MaxInt64), int64(math.MinInt64)
	for i := range ops {
		o := &ops[i]
		ret, last := o.Return, o.Return
		if o.Outcome == Unknown {
			ret = Never
		}
		if ret == Never {
			last = o.Call
		}
		if ret < o.Call {
			return nil, fmt.Errorf("operation %d of process %d returns at %d before its call at %d", i, o.Process, o.Return, o.Call)
		}
		s.calls[i], s.returns[i] = uint64(o.Call), uint64(ret)
		least, greatest = min(least, o.Call), max(greatest, last)
	}
	s.width = bits.Len64(uint64(greatest) - uint64(least))
	if s.place+s.width > 64 {
		least = s.rank()
	}
	s.pack(uint64(least))
	return s, nil
}

// rank puts in the place of every moment how many others come before it, so that it
// fits into a word. It returns the first of them.
func (s *sorting) rank() int64 {
	all := make([]int64, 0, 2*len(s.calls))
	for i := range s.calls {
		all = append(all, int64(s.calls[i]), int64(s.returns[i]))
	}
	slices.Sort(all)
	all = slices.Compact(all)
	s.width = bits.Len(uint(len(all)))
	for i := range s.calls {
		call, _ := slices.BinarySearch(all, int64(s.calls[i]))
		s.calls[i] = uint64(call)
		if s.returns[i] != never {
			ret, _ := slices.BinarySearch(all, int64(s.returns[i]))
			s.returns[i] = uint64(ret)
		}
	}
	return 0
}

// never is the moment of a return that does not come.
const never = uint64(Never)

// pack makes words of moments, and leaves out the returns that never come.
func (s *sorting) pack(least uint64) {
	returns := s.returns[:0]
	for i, at := range s.calls {
		s.calls[i] = s.word(at-least, i)
		if at := s.returns[i]; at != never {
			returns = append(returns, s.word(at-least, i))
		}
	}
	s.returns = returns
}

// word, moment and op make a word and take it apart. Less than 64 is what place is
// anyway; the compiler is told, and shifts without asking.
func (s *sorting) word(moment uint64, op int) uint64 { return moment<<(s.place&63) | uint64(op) }
func (s *sorting) moment(word uint64) uint64         { return word >> (s.place & 63) }
func (s *sorting) op(word uint64) int                { return int(word & (1<<(s.place&63) - 1)) }

const digit = 11 // bits of a moment that are looked at together

// order puts words in order, and returns them; what comes at one moment stays in the
// order in which it stood. It distributes many words by one digit after the other, as
// card sorters did.
func (s *sorting) order(words []uint64) []uint64 {
	switch {
	case slices.IsSorted(words):
	case len(words) < 1<<digit:
		slices.Sort(words)
	default:
		for shift := s.place; shift < s.place+s.width; shift += digit {
			other := s.spare[:len(words)]
			distribute(words, other, shift)
			words, s.spare = other, words[:cap(words)]
		}
	}
	return words
}

// distribute puts words into the order of their digit at shift, those with equal
// ones in the order in which they stand.
func distribute(words, ordered []uint64, shift int) {
	var start [1<<digit + 1]int32
	for _, w := range words {
		start[w>>(shift&63)&(1<<digit-1)+1]++
	}
	for d := range 1 << digit {
		start[d+1] += start[d]
	}
	for _, w := range words {
		to := &start[w>>(shift&63)&(1<<digit-1)]
		ordered[*to] = w
		*to++
	}
}

// number gives events their positions: at each moment calls come before returns.
//
// Whether a call or a return is next is as good as random, and a processor that guesses
// wrong loses more time than all else takes; so it is worked out, and every position is
// written for both, until the next one is.
func (s *sorting) number(ops []Op) error {
	s.callAt, s.returnAt = make([]uint32, len(ops)), make([]uint32, len(ops))
	calls, returns := s.calls, s.returns
	tied := never // the last moment with a call and a return
	position := uint32(1)
	call, ret := 0, 0
	for ; call < len(calls) && ret < len(returns); position++ {
		r := returns[ret]
		at, back := s.moment(calls[call]), s.moment(r)
		if at == back && at != tied {
			tied = at
			if err := s.tie(ops, call, ret); err != nil {
				return err
			}
		}
		s.callAt[call], s.returnAt[s.op(r)] = position, position
		returned := int((back - at) >> 63) // 1 if the return is before the call, or 0
		ret += returned
		call += 1 - returned
	}
	for ; ret < len(returns); position++ {
		s.returnAt[s.op(returns[ret])] = position
		ret++
	}
	for ; call < len(calls); position++ {
		s.callAt[call] = position
		call++
	}
	return nil
}

// tie looks for a process that calls at the moment at which it returned: among the
// calls of one moment, from s.calls[call], and its returns, from s.returns[ret].
func (s *sorting) tie(ops []Op, call, ret int) error {
	at := s.moment(s.calls[call])
	returned := map[int32]int{} // by process, the operation
	for _, r := range s.returns[ret:] {
		if s.moment(r) != at {
			break
		}
		o := &ops[s.op(r)]
		if _, twice := returned[o.Process]; twice {
			return fmt.Errorf("two operations of process %d return at %d, expected a clock that tells them apart", o.Process, o.Return)
		}
		returned[o.Process] = s.op(r)
	}
	for _, c := range s.calls[call:] {
		if s.moment(c) != at {
			break
		}
		o := &ops[s.op(c)]
		if i, tied := returned[o.Process]; tied && i != s.op(c) {
			return fmt.Errorf("process %d returns at %d and calls at the same moment, expected a clock that tells one from the other", o.Process, o.Call)
		}
	}
	return nil
}

// moved returns the operations in the order of their calls, with their positions. It
// takes fresh memory for them: within a circle of places that change their operations
// one would wait for the next.
func (s *sorting) moved(ops []Op) []Op {
	ordered := make([]Op, len(ops))
	for i, call := range s.calls {
		from, to := s.op(call), &ordered[i]
		*to = ops[from]
		to.Call, to.Return = int64(s.callAt[i]), int64(s.returnAt[from])
		if to.Return == 0 {
			to.Return = Never
		}
	}
	return ordered
}
