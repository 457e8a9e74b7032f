package checker

import (
	"fmt"

	"github.com/rashomon-go/rashomon/history"
	"github.com/rashomon-go/rashomon/model"
)

// count is what a counter can have been increased by in a span of time.
type count struct {
	certain   int64 // by what certainly happened then
	lo, hi    int64 // with what may have
	uncertain int   // how many those are
	finished  bool  // something certainly happened
}

func (c *count) add(n int64, certain bool) {
	switch {
	case certain:
		c.certain, c.finished = c.certain+n, true
		c.lo, c.hi = c.lo+n, c.hi+n
	case n < 0:
		c.lo += n
		c.uncertain++
	default:
		c.hi += n
		c.uncertain++
	}
}

func (c *count) allows(n int64) bool { return c.lo <= n && n <= c.hi }

// far is a number so large that with it sums might not be what they seem.
const far = 1 << 40

// increments returns the increments, or false if their sums might be too large.
func (e *explanation) increments() ([]int32, bool) {
	all := e.ofKind(e.ops, model.Increment)
	for _, i := range all {
		if v := e.op(i).Value; v > far || v < -far {
			return nil, false
		}
	}
	return all, len(all) < 1<<20
}

// counted returns the reads of the witness that tell a number.
func (e *explanation) counted() (list []int32) {
	for _, r := range e.answered(e.witness, model.Read) {
		if v := e.op(r).Seen; v != model.Unseen && -1<<61 < v && v < 1<<61 {
			list = append(list, r)
		}
	}
	return list
}

// wrongCount looks for a read of a number that is greater than all increments that
// can have happened come to, or less.
func (e *explanation) wrongCount() bool {
	all, sure := e.increments()
	if !sure {
		return false
	}
	for _, r := range e.counted() {
		var c count
		for _, i := range e.calledBefore(all, r) {
			c.add(int64(e.op(i).Value), e.done(i, r))
		}
		if n := int64(e.op(r).Seen); !c.allows(n) {
			return e.is(WrongCount, func() string {
				return fmt.Sprintf("%s is too %s: %s", e.full(r), which(n < c.lo, "low", "high"), c.before())
			}, append(e.calledBefore(all, r), r)...)
		}
	}
	return false
}

// before says what increments came to when a read was answered, and meanwhile what they
// came to between two of them.
func (c *count) before() string {
	return c.sentence("no increment had finished before it began", "the increments that had finished before it began", "by then",
		", and no other had begun before it ended")
}

func (c *count) meanwhile() string {
	return c.sentence("no increment happened in between", "the increments in between", "then", "")
}

func (c *count) sentence(none, some, when, certain string) string {
	s := none
	if c.finished {
		s = fmt.Sprintf("%s come to %d", some, c.certain)
	}
	if c.uncertain == 0 {
		return s + certain
	}
	return s + fmt.Sprintf(", and with those that may have happened %s it is between %d and %d", when, c.lo, c.hi)
}

// wrongDifference looks for two reads, one after the other, of numbers whose
// difference the increments in between cannot come to.
func (e *explanation) wrongDifference() bool {
	all, sure := e.increments()
	reads := e.counted()
	if !sure || len(reads)*len(reads)*len(all) > 1<<24 {
		return false
	}
	for _, r := range reads {
		for _, past := range reads {
			if !e.before(past, r) {
				continue
			}
			c := e.between(all, past, r)
			if d := int64(e.op(r).Seen) - int64(e.op(past).Seen); !c.allows(d) {
				return e.is(WrongCount, func() string {
					return fmt.Sprintf("%s contradicts %s by %s, which had finished (%s) before it began: the difference is %d, but %s",
						e.full(r), e.bare(past), e.client(past), e.returned(past), d, c.meanwhile())
				}, append(e.calledBefore(all, r), past, r)...)
			}
		}
	}
	return false
}

// between returns what the counter can have been increased by between two reads.
func (e *explanation) between(all []int32, past, r int32) (c count) {
	for _, i := range e.within(all, past, r) {
		o := e.op(i)
		c.add(int64(o.Value), o.Outcome == history.OK && e.before(past, i) && e.before(i, r))
	}
	return c
}

func which(first bool, a, b string) string {
	if first {
		return a
	}
	return b
}
