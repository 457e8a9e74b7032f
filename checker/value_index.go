package checker

import "github.com/rashomon-go/rashomon/model"

// valueIndex finds the cluster of a value on the key that is being judged: by a
// table if the values of the history lie close together, as running numbers do,
// and else by a map. What it allocates it keeps. All entries are empty between
// two keys, for which whoever added values must remove them.
type valueIndex struct {
	lo     model.Value
	table  []int32               // table[v-lo] is the number of v's cluster, or 0
	sparse map[model.Value]int32 // v's place in slots; nil if there is a table
	slots  []int32
}

// prepare makes the index ready for the values written in a history of so many
// operations: those from lo to hi, none if hi is less.
func (x *valueIndex) prepare(lo, hi model.Value, operations int) {
	x.lo, x.table, x.sparse, x.slots = lo, x.table[:0], nil, x.slots[:0]
	width := uint64(hi) - uint64(lo) + 1 // hi may be far from lo: no int64
	switch {
	case hi < lo:
	case width > uint64(4*operations+64) || width == 0:
		x.sparse = map[model.Value]int32{}
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

// slot returns where the cluster of v stands, or 0 until somebody puts it there.
// It returns nil if v is none of the values that the index was prepared for. A
// slot is good until the next one is asked for.
func (x *valueIndex) slot(v model.Value) *int32 {
	if at := uint64(v) - uint64(x.lo); at < uint64(len(x.table)) {
		return &x.table[at]
	}
	return x.sparseSlot(v)
}

func (x *valueIndex) sparseSlot(v model.Value) *int32 {
	if x.sparse == nil {
		return nil
	}
	at, known := x.sparse[v]
	if !known {
		at = int32(len(x.slots))
		x.sparse[v] = at
		x.slots = append(x.slots, 0)
	}
	return &x.slots[at]
}

// add says that v belongs to cluster c, which is not 0. It reports false if v
// belongs to a cluster already.
func (x *valueIndex) add(v model.Value, c int32) bool {
	at := x.slot(v)
	if *at != 0 {
		return false
	}
	*at = c
	return true
}

// remove forgets v, which was added.
func (x *valueIndex) remove(v model.Value) {
	*x.slot(v) = 0
}

// find returns the cluster that v belongs to, or 0.
func (x *valueIndex) find(v model.Value) int32 {
	if at := uint64(v) - uint64(x.lo); at < uint64(len(x.table)) {
		return x.table[at]
	}
	if at, known := x.sparse[v]; known {
		return x.slots[at]
	}
	return 0
}
