package sim

import "math/bits"

// Purposes keep the random numbers of one identity apart.
const (
	forLatency uint64 = iota + 1
	forLoss
	forDuplicate
	forReorder
	forReorderDelay
	forOverlay
	forNode
	forSend
	forTimer
	forCopy
	forStart
	forStory
	forPart
	forNamesake
	forCorrupt
	forLogNormal
)

// mix is the finalizer of SplitMix64 (Steele, Lea, Flood, OOPSLA 2014): a
// bijection in which every input bit changes every output bit.
func mix(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// Key derives an identity from another one and a number. It is not symmetric.
func Key(id, n uint64) uint64 { return mix(id + 0x9e3779b97f4a7c15*(n+1)) }

// Draws is a stream of random numbers that depends on nothing but the key that
// it starts from. The zero Draws is the stream of key 0.
type Draws struct{ state uint64 }

// NewDraws returns the stream of a key.
func NewDraws(key uint64) Draws { return Draws{mix(key)} }

// Uint64 returns 64 random bits.
func (d *Draws) Uint64() uint64 {
	d.state += 0x9e3779b97f4a7c15
	return mix(d.state)
}

// IntN returns a number in 0..n-1. It panics unless n is positive. Its bias is
// below n/2⁶⁴.
func (d *Draws) IntN(n int) int {
	if n <= 0 {
		panic("sim: IntN of a number that is not positive")
	}
	return int(below(d.Uint64(), uint64(n)))
}

// below scales 64 random bits to 0..n-1.
func below(u, n uint64) uint64 {
	hi, _ := bits.Mul64(u, n)
	return hi
}

// nameKey derives an identity from a name (FNV-1a, mixed).
func nameKey(name string) uint64 {
	h := uint64(0xcbf29ce484222325)
	for i := range len(name) {
		h = (h ^ uint64(name[i])) * 0x100000001b3
	}
	return mix(h)
}

// chance turns a probability into a threshold for 64 random bits: an event
// happens if the bits are below it. 1 becomes the largest threshold, which
// misses one draw in 2⁶⁴.
func chance(p float64) uint64 {
	switch {
	case p >= 1:
		return 1<<64 - 1
	case p > 0:
		return uint64(p * (1 << 32) * (1 << 32)) //tidy:float multiplying by a power of two is exact
	}
	return 0 // NaN too
}

// either returns the threshold for "one or the other" of two independent
// chances. It uses integers alone: products of floats may be rounded
// differently on different machines.
func either(a, b uint64) uint64 {
	if a == 0 {
		return b
	}
	hi, _ := bits.Mul64(^a, b)
	return a + hi
}
