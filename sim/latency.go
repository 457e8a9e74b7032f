package sim

import (
	"math/bits"
	"time"
)

// Latency is the distribution of a delay. The zero Latency is no delay at all.
// The delay is Min, plus a uniform part up to Spread, plus an exponential part
// with mean Tail, plus a lognormal part with median Median. What is negative
// counts as 0. All draws are made of integers alone, so that they are the same on
// every machine.
type Latency struct {
	Min    time.Duration // at least this
	Spread time.Duration // plus 0..Spread, uniformly
	Tail   time.Duration // plus an exponential part with this mean
	// Median is that of a lognormal part, and Sigma the standard deviation of its
	// logarithm in hundredths, 0..MaxSigma.
	Median time.Duration
	Sigma  int
	// Percentiles, if not zero, say how the part up to Spread is distributed: these are
	// its percentiles 50, 90, 99 and 99.9, ascending, with straight lines between them.
	Percentiles [4]time.Duration
}

// MaxSigma is the largest Sigma: e³, which is twenty times more or less.
const MaxSigma = 300

// Constant is always d.
func Constant(d time.Duration) Latency { return Latency{Min: d} }

// Uniform lies between low and high.
func Uniform(low, high time.Duration) Latency { return Latency{Min: low, Spread: high - low} }

// Exponential is low plus an exponential part with the given mean.
func Exponential(low, mean time.Duration) Latency { return Latency{Min: low, Tail: mean} }

// LogNormal is low plus a lognormal part with the given median, whose logarithm
// has a standard deviation of sigma hundredths, 0..MaxSigma.
func LogNormal(low, median time.Duration, sigma int) Latency {
	return Latency{Min: low, Median: median, Sigma: sigma}
}

// Measured has the percentiles that somebody measured, and straight lines between
// them. They must ascend.
func Measured(least, p50, p90, p99, p999, most time.Duration) Latency {
	return Latency{
		Min: least, Spread: most - least,
		Percentiles: [4]time.Duration{p50 - least, p90 - least, p99 - least, p999 - least},
	}
}

// Draw maps 64 random bits to a delay.
func (l *Latency) Draw(u uint64) time.Duration {
	d := max(l.Min, 0)
	if l.Spread > 0 {
		d = plus(d, l.spread(u))
	}
	if l.Tail > 0 {
		if l.Spread > 0 {
			u = mix(u)
		}
		d = plus(d, exponential(l.Tail, u))
	}
	if l.Median > 0 {
		d = plus(d, logNormal(l.Median, l.Sigma, mix(u+forLogNormal)))
	}
	return d
}

// key is the identity of a distribution.
func (l *Latency) key() uint64 {
	key := Key(forOverlay, uint64(l.Min))
	key = Key(key, uint64(l.Spread))
	key = Key(key, uint64(l.Tail))
	if l.Median != 0 {
		key = Key(Key(key, uint64(l.Median)), uint64(l.Sigma))
	}
	if l.shaped() {
		for _, p := range l.Percentiles {
			key = Key(key, uint64(p))
		}
	}
	return key
}

func (l *Latency) shaped() bool { return l.Percentiles != [4]time.Duration{} }

// exponential maps 64 random bits to an exponential delay. It is at most 45
// times the mean.
func exponential(mean time.Duration, u uint64) time.Duration {
	hi, lo := bits.Mul64(uint64(mean), negLog(u))
	if hi >= 1<<31 {
		return never
	}
	return time.Duration(hi<<32 | lo>>32)
}

// log2Table holds log2(1 + i/256) in units of 2⁻³², computed with integers
// alone, so that every machine has the same table.
var log2Table = func() (t [257]uint64) {
	for i := range t {
		t[i] = log2Fixed(uint64(256+i) << 32 / 256)
	}
	return t
}()

// log2Fixed returns log2(x/2³²) in units of 2⁻³² for x in [2³², 2³³], one bit at
// a time: squaring doubles the logarithm.
func log2Fixed(x uint64) (log uint64) {
	if x >= 1<<33 {
		return 1 << 32
	}
	for bit := uint64(1) << 31; bit > 0; bit >>= 1 {
		hi, lo := bits.Mul64(x, x)
		x = hi<<32 | lo>>32
		if x >= 1<<33 {
			x >>= 1
			log |= bit
		}
	}
	return log
}

// negLog returns -ln(u/2⁶⁴) in units of 2⁻³², with an error below 2⁻¹⁷.
func negLog(u uint64) uint64 {
	if u == 0 {
		u = 1
	}
	zeros := bits.LeadingZeros64(u)
	m := u << zeros // in [2⁶³, 2⁶⁴)
	i := m << 1 >> 56
	frac := m << 9 >> 32 // 32 bits between two entries
	a, b := log2Table[i], log2Table[i+1]
	log2 := uint64(zeros+1)<<32 - (a + (b-a)*frac>>32)
	const ln2 = 2977044472 // ln 2 in units of 2⁻³²
	hi, lo := bits.Mul64(log2, ln2)
	return hi<<32 | lo>>32
}
