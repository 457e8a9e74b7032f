package checker

import "github.com/rashomon-go/rashomon/model"

// valueIndex finds the cluster of a value on the key that is being judged: by a
// table if the values of the history lie close together, as running numbers do,
// and else by a map. What it allocates it keeps. All entries are empty between
// two keys, for which whoever added values must remove them.
type valueIndex struct {
	lo     model.Value
	table  []int32 // table[v-lo] is the number of v's cluster, or 0
	sparse map[model.Value]int32
}

// prepare makes the index ready for the values written in a history of so many
// operations: those from lo to hi, none if hi is less.
func (x *valueIndex) prepare(lo, hi model.Value, operations int) {
	if len(x.sparse) > 0 {
		x.sparse = nil
	}
	x.lo, x.table = lo, x.table[:0]
	width := uint64(hi) - uint64(lo) + 1 // hi may be far from lo: no int64
	switch {
	case hi < lo:
		x.sparse = nil
	case width > uint64(4*operations+64) || width == 0:
		if x.sparse == nil {
			x.sparse = map[model.Value]int32{}
		}
	case uint64(cap(x.table)) < width:
		x.table = make([]int32, width)
	default:
		x.table = x.table[:width]
	}
}

// clear forgets all values if that is cheaper than to remove so many of them, and
// reports whether it did.
func (x *valueIndex) clear(values int) bool {
	if len(x.table) == 0 || values < len(x.table)/16 {
		return false
	}
	clear(x.table)
	return true
}

// add says that v belongs to cluster c, which is not 0. It reports false if v
// belongs to a cluster already.
func (x *valueIndex) add(v model.Value, c int32) bool {
	return x.find(v) == 0 && x.put(v, c)
}

// put says that v, which belongs to no cluster so far, belongs to c. It reports
// false if v is none of the values that the index was prepared for.
func (x *valueIndex) put(v model.Value, c int32) bool {
	if len(x.table) == 0 {
		if x.sparse != nil {
			x.sparse[v] = c
		}
		return x.sparse != nil
	}
	at := uint64(v) - uint64(x.lo)
	if at >= uint64(len(x.table)) {
		return false
	}
	x.table[at] = c
	return true
}

// remove forgets v, which was added.
func (x *valueIndex) remove(v model.Value) {
	if len(x.table) > 0 {
		x.table[v-x.lo] = 0
		return
	}
	delete(x.sparse, v)
}

// find returns the cluster that v belongs to, or 0.
func (x *valueIndex) find(v model.Value) int32 {
	if len(x.table) == 0 {
		return x.sparse[v]
	}
	if at := uint64(v) - uint64(x.lo); at < uint64(len(x.table)) {
		return x.table[at]
	}
	return 0
}
