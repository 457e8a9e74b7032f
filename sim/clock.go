package sim

import "time"

// Clock says how a node's clocks run against true time. The zero Clock is
// right.
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
		d += scale(d, c.set.DriftPPM, million)
	}
	return c.local + d
}

// wait returns the true time that passes while the node's clock runs for d.
// A change of the drift in the meantime does not move timers already set.
func (c *clock) wait(d time.Duration) time.Duration {
	if c.set.DriftPPM == 0 {
		return d
	}
	return d - scale(d, c.set.DriftPPM, million+c.set.DriftPPM)
}

// change lets the clocks run on with other settings from true time now.
func (c *clock) change(set Clock, now time.Duration) {
	c.local = c.monotonic(now)
	c.since, c.set = now, set
}

// scale returns d*n/m without overflow for any d that lasts less than 292
// years and n, m of some millions.
func scale(d time.Duration, n, m int64) time.Duration {
	q, r := int64(d)/m, int64(d)%m
	return time.Duration(q*n + r*n/m)
}
