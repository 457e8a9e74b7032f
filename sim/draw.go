package sim

import (
	"math/bits"
	"sort"
	"time"
)

// percentiles are where the parts of Latency.Percentiles end, as shares of 2⁶⁴;
// the last part ends at all of it.
var percentiles = [...]uint64{1 << 63, 1 << 63 / 5 * 9, 1 << 63 / 50 * 99, 1 << 63 / 500 * 999, 1<<64 - 1}

// spread draws the part of a latency between Min and Min + Spread.
func (l *Latency) spread(u uint64) time.Duration {
	if !l.shaped() {
		return time.Duration(below(u, uint64(l.Spread)+1))
	}
	var from time.Duration
	var low uint64
	for i, high := range percentiles {
		to := l.Spread
		if i < len(l.Percentiles) {
			to = min(max(l.Percentiles[i], from), l.Spread)
		}
		if u <= high {
			hi, lo := bits.Mul64(uint64(to-from), u-low)
			part, _ := bits.Div64(hi, lo, high-low)
			return from + time.Duration(part)
		}
		from, low = to, high
	}
	return from
}

// logNormal maps 64 random bits to a lognormal delay.
func logNormal(median time.Duration, sigma int, u uint64) time.Duration {
	const log2e = 387270501 // log₂ e in units of 2⁻²⁸
	sigma = min(max(sigma, 0), MaxSigma)
	exponent := normal(u) * int64(sigma) / 100 * log2e >> 24 // in units of 2⁻³²
	whole, fraction := exponent>>32, uint64(exponent)&(1<<32-1)
	hi, lo := bits.Mul64(uint64(median), exp2(fraction))
	if hi >= 1<<31 {
		return never
	}
	d := hi<<32 | lo>>32
	switch {
	case whole < 0:
		return time.Duration(d >> -whole)
	case bits.Len64(d)+int(whole) > 63:
		return never
	}
	return time.Duration(d << whole)
}

// normal maps 64 random bits to a normal variate in units of 2⁻²⁸, by the polar
// method (Marsaglia and Bray, 1964). It is less than ten standard deviations.
func normal(u uint64) int64 {
	for {
		x, y := int64(int32(u)), int64(int32(u>>32)) // in units of 2⁻³¹
		square := uint64(x*x) + uint64(y*y)          // in units of 2⁻⁶²
		if square != 0 && square < 1<<62 {
			return x * int64(root(2*negLog(square<<2)<<24)) / int64(root(square))
		}
		u = Key(u, 0)
	}
}

// root returns the square root, rounded down.
func root(n uint64) (r uint64) {
	for bit := uint64(1) << 31; bit > 0; bit >>= 1 {
		if r += bit; r*r > n {
			r -= bit
		}
	}
	return r
}

// exp2 returns 2^x for x in units of 2⁻³², less than 1, in units of 2⁻³², with an
// error below 2⁻¹⁷ of it.
func exp2(x uint64) uint64 {
	i := sort.Search(256, func(i int) bool { return log2Table[i+1] > x })
	a, b := log2Table[i], log2Table[i+1]
	return uint64(256+i)<<24 + (x-a)<<24/(b-a)
}
