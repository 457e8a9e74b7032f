package checker

import (
	"slices"

	"github.com/rashomon-go/rashomon/history"
)

// causal is the order in which operations can have known of each other, as far
// as clients can tell: an operation comes after what its session did before, and
// after the write that it saw, and so on (Lamport 1978; for registers, Ahamad et
// al., "Causal Memory", Distributed Computing 9, 1995). What replicas tell about
// themselves is left out on purpose.
//
// After an operation with an unknown outcome comes only who saw its value: it
// may take effect after everything else that its session did.
type causal struct {
	*facts
	before [2][]int32 // by operation, the last of its session, and the write it saw, or none
	starts []int32    // by operation, where its part of after begins
	after  []int32
	by     []int32 // by operation, the next one on the way of the latest search, unreached or an end
	queue  []int32
}

const (
	unreached int32 = -3
	theEnd    int32 = -4
)

func newCausal(f *facts) *causal {
	n := len(f.h.Ops)
	c := &causal{facts: f, by: make([]int32, n), starts: make([]int32, n+2)}
	c.before = [2][]int32{make([]int32, n), make([]int32, n)}
	last := make([]int32, f.count)
	for s := range last {
		last[s] = none
	}
	for i := range f.h.Ops {
		o := &f.h.Ops[i]
		c.before[0][i], c.before[1][i] = none, max(f.asked(o), none)
		if s := f.sessions[i]; s != none {
			c.before[0][i] = last[s]
			if o.Outcome == history.OK {
				last[s] = int32(i)
			}
		}
	}
	c.index()
	return c
}

// asked returns who wrote what o saw, or would have seen if it happened.
func (f *facts) asked(o *history.Op) int32 {
	w := f.from(o)
	if o.Outcome == history.Unknown {
		if v, expects := expected(o); expects {
			if x, known := f.writers[place{o.Key, v}]; known {
				w = x
			}
		}
	}
	if w >= 0 && f.h.Ops[w].Call > o.Return {
		return none // from the future; who judges reads will say so
	}
	return w
}

// index lists by each operation what comes directly after it.
func (c *causal) index() {
	for _, before := range c.before {
		for _, p := range before {
			if p != none {
				c.starts[p+2]++
			}
		}
	}
	for i := 2; i < len(c.starts); i++ {
		c.starts[i] += c.starts[i-1]
	}
	c.after = make([]int32, c.starts[len(c.starts)-1])
	for _, before := range c.before {
		for i, p := range before {
			if p != none {
				c.after[c.starts[p+1]] = int32(i)
				c.starts[p+1]++
			}
		}
	}
}

// following goes through what comes after w, the nearest first, until stop says
// so, and returns the operation where it stopped, or none.
func (c *causal) following(w int32, stop func(int32) bool) int32 {
	c.begin(w)
	for ; len(c.queue) > 0; c.queue = c.queue[1:] {
		x := c.queue[0]
		if x != w && stop(x) {
			return x
		}
		for _, y := range c.after[c.starts[x]:c.starts[x+1]] {
			c.reach(y, x)
		}
	}
	return none
}

// precede marks all that comes before some of ws, and these.
func (c *causal) precede(ws ...int32) {
	c.begin(ws...)
	for ; len(c.queue) > 0; c.queue = c.queue[1:] {
		for _, before := range c.before {
			if y := before[c.queue[0]]; y != none {
				c.reach(y, c.queue[0])
			}
		}
	}
}

func (c *causal) begin(ws ...int32) {
	for i := range c.by {
		c.by[i] = unreached
	}
	c.queue = nil
	for _, w := range ws {
		c.reach(w, theEnd)
	}
}

func (c *causal) reach(x, by int32) {
	if c.by[x] == unreached {
		c.by[x] = by
		c.queue = append(c.queue, x)
	}
}

func (c *causal) reached(x int32) bool { return c.by[x] != unreached }

// way returns the operations through which the latest search reached x.
func (c *causal) way(x int32) (list []int32) {
	for ; x != theEnd; x = c.by[x] {
		list = append(list, x)
	}
	slices.Reverse(list)
	return list
}
