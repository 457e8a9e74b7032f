package sim

import (
	"fmt"
	"math/bits"
	"strings"
	"time"
)

// Latency is the distribution of a delay. The zero Latency is no delay at all.
// The delay is Min, plus a uniform part up to Spread, plus an exponential part
// with mean Tail. What is negative counts as 0.
type Latency struct {
	Min    time.Duration // at least this
	Spread time.Duration // plus 0..Spread, uniformly
	Tail   time.Duration // plus an exponential part with this mean
}

// Constant is always d.
func Constant(d time.Duration) Latency { return Latency{Min: d} }

// Uniform lies between low and high.
func Uniform(low, high time.Duration) Latency { return Latency{Min: low, Spread: high - low} }

// Exponential is low plus an exponential part with the given mean.
func Exponential(low, mean time.Duration) Latency { return Latency{Min: low, Tail: mean} }

// draw maps 64 random bits to a delay.
func (l *Latency) draw(u uint64) time.Duration {
	d := max(l.Min, 0)
	if l.Spread > 0 {
		d = plus(d, time.Duration(below(u, uint64(l.Spread)+1)))
	}
	if l.Tail > 0 {
		if l.Spread > 0 {
			u = mix(u)
		}
		d = plus(d, exponential(l.Tail, u))
	}
	return d
}

// exponential maps 64 random bits to an exponential delay. It is at most 45
// times the mean.
func exponential(mean time.Duration, u uint64) time.Duration {
	hi, lo := bits.Mul64(uint64(mean), negLog(u))
	if hi >= 1<<31 {
		return never
	}
	return time.Duration(hi<<32 | lo>>32)
}

// String returns the text that ParseLatency reads: "2ms", "1ms..5ms",
// "1ms+exp(2ms)".
func (l Latency) String() string {
	var b strings.Builder
	b.WriteString(l.Min.String())
	if l.Spread != 0 {
		b.WriteString(".." + (l.Min + l.Spread).String())
	}
	if l.Tail != 0 {
		b.WriteString("+exp(" + l.Tail.String() + ")")
	}
	return b.String()
}

// ParseLatency reads what String writes. Delays must not be negative.
func ParseLatency(s string) (Latency, error) {
	fail := func(why string) (Latency, error) { return Latency{}, fmt.Errorf("latency %q: %s", s, why) }
	malformed := func() (Latency, error) {
		return fail(`expected a latency such as "2ms", "1ms..5ms" or "1ms+exp(2ms)"`)
	}
	rest, tail, exponential := strings.Cut(s, "+exp(")
	low, high, ranged := strings.Cut(rest, "..")
	least, err := time.ParseDuration(low)
	if err != nil {
		return malformed()
	}
	l := Latency{Min: least}
	if ranged {
		most, err := time.ParseDuration(high)
		if err != nil {
			return malformed()
		}
		if most < least {
			return fail(fmt.Sprintf("%v is less than %v", most, least))
		}
		l.Spread = most - least
	}
	if exponential {
		mean, closed := strings.CutSuffix(tail, ")")
		if l.Tail, err = time.ParseDuration(mean); err != nil || !closed {
			return malformed()
		}
	}
	if l.Min < 0 || l.Tail < 0 {
		return fail("a delay must not be negative")
	}
	return l, nil
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
