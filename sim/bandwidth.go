package sim

import (
	"fmt"
	"math/bits"
	"strconv"
	"strings"
	"time"
)

// Bandwidth is how much a link carries, in bits per second.
type Bandwidth int64

// Sized may be implemented by messages: Size is how many bytes they take on the
// network, headers included. Others take DefaultSize.
type Sized interface{ Size() int }

// DefaultSize is the size of a message that does not tell its own: a small
// request with its headers.
const DefaultSize = 256 // bytes

var bandwidthUnits = []struct {
	name string
	bits Bandwidth
}{{"Gbit/s", 1e9}, {"Mbit/s", 1e6}, {"kbit/s", 1e3}, {"bit/s", 1}}

// String returns the text that ParseBandwidth reads, with the largest unit that
// needs no fraction: "64kbit/s".
func (b Bandwidth) String() string {
	for _, u := range bandwidthUnits {
		if b%u.bits == 0 && b != 0 {
			return strconv.FormatInt(int64(b/u.bits), 10) + u.name
		}
	}
	return "0bit/s"
}

// ParseBandwidth reads what String writes: a positive whole number and one of the
// units bit/s, kbit/s, Mbit/s and Gbit/s.
func ParseBandwidth(s string) (Bandwidth, error) {
	for _, u := range bandwidthUnits {
		number, is := strings.CutSuffix(s, u.name)
		if !is {
			continue
		}
		n, err := strconv.ParseUint(number, 10, 63)
		switch {
		case err != nil: // it may be of another unit
		case n == 0:
			return 0, fmt.Errorf("bandwidth %q: nothing would ever pass, expected more than 0bit/s", s)
		default:
			if hi, lo := bits.Mul64(n, uint64(u.bits)); hi == 0 && lo < 1<<63 {
				return Bandwidth(lo), nil
			}
		}
	}
	return 0, fmt.Errorf(`bandwidth %q: expected a bandwidth such as "64kbit/s" or "10Mbit/s"`, s)
}

// takes returns for how long so many bytes occupy a line, rounded up.
func (b Bandwidth) takes(bytes int) time.Duration {
	hi, lo := bits.Mul64(uint64(max(bytes, 0)), 8*uint64(time.Second))
	lo, carry := bits.Add64(lo, uint64(b-1), 0)
	hi += carry
	if hi >= uint64(b) {
		return never
	}
	if d, _ := bits.Div64(hi, lo, uint64(b)); d < uint64(never) {
		return time.Duration(d)
	}
	return never
}

// line is a queue for bandwidth, first in, first out.
type line struct {
	rate  Bandwidth
	limit time.Duration // of the wait; 0 is none
	free  time.Duration // when all that has joined it so far has left
	by    *overlay      // nil for the link's own
}

// refreshLine gives the link the line that its base asks for. Who waits in it
// already goes on waiting.
func (k *link) refreshLine() {
	if k.base.Bandwidth <= 0 {
		k.line = nil
		return
	}
	if k.line == nil {
		k.line = &line{}
	}
	k.line.rate, k.line.limit = k.base.Bandwidth, k.base.Queue
}

// queue lets a message join the lines of a link, one after the other, and says
// for how long, or that one of them is full.
func (k *link) queue(lines []*line, now time.Duration, m Message) (wait time.Duration, passes bool) {
	size := DefaultSize
	if s, ok := m.(Sized); ok {
		size = s.Size()
	}
	t, waited := now, false
	for _, l := range lines {
		start := max(t, l.free)
		if l.limit > 0 && start-t > l.limit {
			if l.by != nil {
				l.by.hits.Dropped++
			}
			return 0, false
		}
		if start > t {
			waited = true
			if l.by != nil {
				l.by.hits.Delayed++
			}
		}
		t = plus(start, l.rate.takes(size))
		l.free = t
	}
	if waited {
		k.traffic.Queued++
	}
	return t - now, true
}
