package checker

import "github.com/rashomon-go/rashomon/model"

// valueIndex finds the cluster of a value: by a table if the values lie close
// together, as running numbers do, and else by a map. The zero valueIndex must
// be reset before use; what it allocates it keeps.
type valueIndex struct {
	lo     model.Value
	table  []int32 // table[v-lo] is the number of v's cluster, or 0
	sparse map[model.Value]int32
}

// reset empties the index for n values from lo to hi.
func (x *valueIndex) reset(lo, hi model.Value, n int) {
	if len(x.sparse) > 4096 {
		x.sparse = nil // to clear it again and again would cost more than to make a small one
	}
	clear(x.sparse)
	x.lo, x.table = lo, x.table[:0]
	width := uint64(hi) - uint64(lo) + 1 // hi may be far from lo: no int64
	switch {
	case n == 0:
	case width <= uint64(8*n+64) && width != 0:
		if uint64(cap(x.table)) < width {
			x.table = make([]int32, width)
		}
		x.table = x.table[:width]
		clear(x.table)
	case x.sparse == nil:
		x.sparse = make(map[model.Value]int32, n)
	}
}

// add says that v belongs to cluster c, which is not 0. It reports false if v
// belongs to a cluster already.
func (x *valueIndex) add(v model.Value, c int32) bool {
	if len(x.table) > 0 {
		at := &x.table[v-x.lo]
		if *at != 0 {
			return false
		}
		*at = c
		return true
	}
	if _, twice := x.sparse[v]; twice {
		return false
	}
	x.sparse[v] = c
	return true
}

func (x *valueIndex) find(v model.Value) (c int32, known bool) {
	if len(x.table) > 0 {
		if at := uint64(v) - uint64(x.lo); at < uint64(len(x.table)) {
			c = x.table[at]
		}
		return c, c != 0
	}
	c, known = x.sparse[v]
	return c, known
}
