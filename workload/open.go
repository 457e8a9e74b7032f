package workload

import (
	"iter"
	"time"
)

// Open is an open loop: operations begin when their time has come, whether others
// have ended or not, as with clients that know nothing of each other (Schroeder et
// al., NSDI 2006). It asks for as many clients as that takes: one gets its next
// operation only when the one before cannot last any longer. Only when there are
// MaxClients, an operation has to wait for the one before it.
type Open struct {
	Rates []Rate // one after the other; the last one's end is the end of the loop
	// Poisson says that arrivals are a Poisson process, of which the Rates are the
	// intensity. Otherwise they are evenly spaced.
	Poisson bool
	// Longest is how long an operation may last.
	Longest time.Duration
}

// Rate is a stretch of time in which the number of arrivals a second goes evenly
// from one value to another. From 0 to 0 is a pause.
type Rate struct {
	For      time.Duration
	From, To int // per second, 0..1,000,000
}

// Steady is one rate for a while.
func Steady(perSecond int, d time.Duration) Rate { return Rate{d, perSecond, perSecond} }

// Spike is a rate that jumps to a peak after a while, for a while.
func Spike(base, peak int, before, during, after time.Duration) []Rate {
	return []Rate{Steady(base, before), Steady(peak, during), Steady(base, after)}
}

// Duration returns how long the loop lasts.
func (o *Open) Duration() (d time.Duration) {
	for _, r := range o.Rates {
		d += max(r.For, 0)
	}
	return d
}

const (
	tick    = time.Millisecond      // for which a rate is taken to be steady
	grain   = 10 * time.Microsecond // of arrivals, to keep their text short
	arrival = int64(time.Second)    // a rate of r per second gets there in arrival/r nanoseconds
	maxRate = 1_000_000
)

// at returns the rate at a time of the stretch.
func (r Rate) at(t time.Duration) int64 {
	from, to := int64(r.From), int64(r.To)
	if from != to {
		// In microseconds, lest the product overflow.
		from += (to - from) * t.Microseconds() / max(r.For.Microseconds(), 1)
	}
	return min(max(from, 0), maxRate)
}

// arrivals yields the times of arrivals, from the beginning of the loop.
func (o *Open) arrivals(src Source) iter.Seq[time.Duration] {
	return func(yield func(time.Duration) bool) {
		need := int64(0) // until the next arrival
		if o.Poisson {
			need = exponential(src)
		}
		begin := time.Duration(0)
		for _, r := range o.Rates {
			for t := time.Duration(0); t < r.For; t += tick {
				rate, length := r.at(t+tick/2), min(tick, r.For-t)
				has := rate * int64(length)
				for ; need < has; need += o.gap(src) {
					if !yield((begin + t + time.Duration(need/rate)).Truncate(grain)) {
						return
					}
				}
				need -= has
			}
			begin += max(r.For, 0)
		}
	}
}

func (o *Open) gap(src Source) int64 {
	if o.Poisson {
		return exponential(src)
	}
	return arrival
}

// exponential draws from the exponential distribution with the mean arrival, by
// comparing uniform numbers alone (von Neumann 1951): the probability that a falling
// run that begins with x has odd length is e^-x.
func exponential(src Source) int64 {
	const far = 40 // means; e^-40 never happens but with a Source that wants it
	for k := range int64(far) {
		first := src.IntN(int(arrival))
		odd := true
		for last := first; ; odd = !odd {
			next := src.IntN(int(arrival))
			if next >= last {
				break
			}
			last = next
		}
		if odd {
			return k*arrival + int64(first)
		}
	}
	return far * arrival
}

func (p *phase) open() {
	if p.Operations <= 0 {
		return
	}
	var free []*client // by the time from which they are
	for at := range p.Open.arrivals(p.src) {
		start := p.Start + at
		var c *client
		if len(free) > 0 && (free[0].busy < start || p.clients >= MaxClients) {
			c, free = free[0], free[1:]
		} else {
			c = p.arrive()
		}
		c.busy = max(c.busy, start) + p.Open.Longest
		free = append(free, c)
		op := p.next(c)
		op.Start = start
		p.operations = append(p.operations, op)
		if p.done == p.Operations {
			return
		}
	}
}
