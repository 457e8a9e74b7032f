package workload

import "sort"

// Keys says which keys operations are about. Key returns the number of the key of
// operation i (from 0) of a workload; the name of key 3 is k3.
type Keys interface {
	Key(src Source, i int) int
}

// Uniform is so many keys, each as likely as the others.
type Uniform int

// Key draws one of them.
func (u Uniform) Key(src Source, _ int) int {
	if u <= 1 {
		return 0
	}
	return src.IntN(int(u))
}

// Zipf is keys of which number k (from 0) is asked for 1/(k+1) times as often as the
// first (Zipf's law with exponent 1). NewZipf makes one.
type Zipf struct{ sums []int } // of the weights of keys 0..k

// NewZipf returns so many keys, 1 at least.
func NewZipf(keys int) Zipf {
	const first = 1 << 24 // the weight of key 0
	z := Zipf{make([]int, max(keys, 1))}
	sum := 0
	for k := range z.sums {
		sum += max(first/(k+1), 1)
		z.sums[k] = sum
	}
	return z
}

// Key draws one of them.
func (z Zipf) Key(src Source, _ int) int {
	if len(z.sums) <= 1 {
		return 0
	}
	return sort.SearchInts(z.sums, src.IntN(z.sums[len(z.sums)-1])+1)
}

// HotSpot is Count keys, Hot of which get Percent of all operations. Which they are
// changes after every Move operations, so that all have been hot in turn; 0 means
// that they stay. The operations that are not about hot keys are about any key.
type HotSpot struct{ Count, Hot, Percent, Move int }

// Key draws one of them.
func (h HotSpot) Key(src Source, i int) int {
	count := max(h.Count, 1)
	hot := min(max(h.Hot, 1), count)
	if src.IntN(100) >= h.Percent {
		return src.IntN(count)
	}
	key := src.IntN(hot)
	if h.Move > 0 {
		key += i / h.Move * hot
	}
	return key % count
}
