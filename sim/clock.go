package sim

import (
	"fmt"
	"math/bits"
	"time"
)

// Clock says how a node's clocks run against true time. The zero Clock is
// right: it shows true time, but for what earlier settings have left behind on
// the monotonic clock, which never jumps.
type Clock struct {
	// Offset is how far the wall clock is ahead; it may change at any moment
	// (the clock jumps). The monotonic clock is not concerned.
	Offset time.Duration
	// DriftPPM is how much faster than true time both clocks run, in parts per
	// million; above -1,000,000.
	DriftPPM int64
}

// clock is the state of a node's clocks: local is what the monotonic clock
// showed at true time since, and it has run with the drift of set ever after.
type clock struct {
	set          Clock
	since, local time.Duration
}

const million = 1_000_000

// monotonic returns what the node's monotonic clock shows at true time now.
func (c *clock) monotonic(now time.Duration) time.Duration {
	d := now - c.since
	if c.set.DriftPPM != 0 {
		d = scale(d, million+c.set.DriftPPM, million, 0)
	}
	return plus(c.local, d)
}

// wait returns the true time that passes from now until the node's clock has run
// for d: the shortest after which it shows that much more.
// A change of the drift in the meantime does not move timers already set.
func (c *clock) wait(d, now time.Duration) time.Duration {
	if c.set.DriftPPM == 0 || d <= 0 {
		return max(d, 0)
	}
	until := plus(c.monotonic(now)-c.local, d) // on the clock, since c.since
	rate := million + c.set.DriftPPM
	return scale(until, million, rate, rate-1) - (now - c.since)
}

// change lets the clocks run on with other settings from true time now.
func (c *clock) change(set Clock, now time.Duration) {
	if set.DriftPPM <= -million {
		panic(fmt.Sprintf("sim: a clock with a drift of %d ppm does not run forwards", set.DriftPPM))
	}
	c.local = c.monotonic(now)
	c.since, c.set = now, set
}

// scale returns (d*n+extra)/m, rounded down, or never if that is too long. No
// argument may be negative.
func scale(d time.Duration, n, m, extra int64) time.Duration {
	hi, lo := bits.Mul64(uint64(d), uint64(n))
	lo, carry := bits.Add64(lo, uint64(extra), 0)
	hi += carry
	if hi >= uint64(m) {
		return never
	}
	q, _ := bits.Div64(hi, lo, uint64(m))
	return time.Duration(min(q, uint64(never)))
}
