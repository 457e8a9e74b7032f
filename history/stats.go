package history

import (
	"fmt"
	"strings"

	"github.com/rashomon-go/rashomon/model"
)

// Counts is a number of operations by outcome.
type Counts struct{ OK, Fail, Unknown int }

// Total returns the number of operations.
func (c Counts) Total() int { return c.OK + c.Fail + c.Unknown }

func (c *Counts) add(o Outcome) {
	switch o {
	case OK:
		c.OK++
	case Fail:
		c.Fail++
	default:
		c.Unknown++
	}
}

// Stats says how much happened in a history.
type Stats struct {
	All    Counts
	ByKind map[model.Kind]Counts // only kinds that occur

	// Overlapping is the number of operations during which another operation
	// was open on the same key. A history without any tests little.
	Overlapping int
}

// Stats counts the operations of a valid history.
func (h *History) Stats() Stats {
	s := Stats{ByKind: map[model.Kind]Counts{}}
	for i := range h.Ops {
		o := &h.Ops[i]
		c := s.ByKind[o.Kind]
		c.add(o.Outcome)
		s.ByKind[o.Kind] = c
		s.All.add(o.Outcome)
	}
	s.Overlapping = h.overlapping()
	return s
}

// overlapping looks at each key's operations in the order of their calls: one
// overlaps an earlier one if the latest return so far comes after its call, and
// a later one if the next call comes before its return.
func (h *History) overlapping() int {
	overlaps := make([]bool, len(h.Ops))
	last := make([]int, len(h.Keys)) // one more than the latest operation on each key
	until := make([]int64, len(h.Keys))
	n := 0
	mark := func(i int) {
		if !overlaps[i] {
			overlaps[i] = true
			n++
		}
	}
	for i := range h.Ops {
		o := &h.Ops[i]
		if until[o.Key] > o.Call {
			mark(i)
		}
		if p := last[o.Key] - 1; p >= 0 && h.Ops[p].Return > o.Call {
			mark(p)
		}
		last[o.Key] = i + 1
		until[o.Key] = max(until[o.Key], o.Return)
	}
	return n
}

// String returns a line such as
// "12 operations (10 ok, 1 fail, 1 unknown), 7 overlapping: 8 read, 4 write".
func (s Stats) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d operations (%d ok, %d fail, %d unknown), %d overlapping",
		s.All.Total(), s.All.OK, s.All.Fail, s.All.Unknown, s.Overlapping)
	before := ": "
	for k := model.Read; k <= model.LastKind; k++ {
		if c := s.ByKind[k]; c.Total() > 0 {
			fmt.Fprintf(&b, "%s%d %s", before, c.Total(), k)
			before = ", "
		}
	}
	return b.String()
}
