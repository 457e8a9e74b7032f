package report

import (
	"math"
	"slices"
	"time"
)

// span is a stretch of time, both ends included.
type span struct{ from, until time.Duration }

func (s span) touches(o span) bool { return o.from <= s.until && o.until >= s.from }

func (s span) length() time.Duration { return s.until - s.from }

// folding decides which stretches between the points of a witness are not worth
// their room. A lost write and the read that misses it may lie a second apart,
// with thousands of messages between them that explain nothing.
type folding struct {
	points []time.Duration // sorted, distinct
	count  func(span) int  // how much there is to draw in a stretch
	folded map[int]bool    // the gap that begins at points[i]
}

const (
	maxFolds    = 3
	dominates   = 3   // a gap this many times longer than the rest squeezes it
	crowded     = 500 // more things than this and a drawing is hard to read
	foldable    = 60  // between two instants, less than this is not in the way
	marginShare = 7   // a margin of one seventh on each side
)

func (f *folding) gap(i int) span { return span{f.points[i], f.points[i+1]} }

// shown returns how much time is drawn and how much is to draw in it.
func (f *folding) shown() (length time.Duration, things int) {
	for i := range len(f.points) - 1 {
		if !f.folded[i] {
			length += f.gap(i).length()
			things += f.count(f.gap(i))
		}
	}
	return length, things
}

// fold folds the longest gap that is left, if that helps.
func (f *folding) fold() bool {
	longest := -1
	for i := range len(f.points) - 1 {
		if !f.folded[i] && (longest < 0 || f.gap(i).length() > f.gap(longest).length()) {
			longest = i
		}
	}
	if longest < 0 {
		return false
	}
	g := f.gap(longest)
	length, things := f.shown()
	rest := length - g.length()
	squeezes := g.length() > dominates*rest
	crowds := things > crowded && g.length() > 2*rest
	f.folded[longest] = (squeezes || crowds) && (rest > 0 || f.count(g) >= foldable)
	return f.folded[longest]
}

// around returns the time to draw: the points with a margin, in one stretch or
// in several with folds between them.
func around(points []time.Duration, run span, count func(span) int) []span {
	points = slices.Sorted(slices.Values(points))
	f := folding{points: slices.Compact(points), count: count, folded: map[int]bool{}}
	for range maxFolds {
		if !f.fold() {
			break
		}
	}
	length, _ := f.shown()
	margin := length / marginShare
	if margin == 0 {
		margin = max(run.length()/200, time.Microsecond)
	}
	round := roundUp(float64(margin) / 8)
	spans := []span{{f.points[0], f.points[0]}}
	for i, t := range f.points[1:] {
		if f.folded[i] {
			spans = append(spans, span{t, t})
		}
		spans[len(spans)-1].until = t
	}
	return widen(spans, margin, round, run)
}

// widen adds the margin, goes out to round times, and joins what then touches.
// There may be a margin after the end of the run: the last operation needs room.
func widen(spans []span, margin, round time.Duration, run span) []span {
	var out []span
	for _, s := range spans {
		from, until := (s.from-margin)/round*round, (s.until+margin+round-1)/round*round
		s.from, s.until = max(from, run.from), until
		if n := len(out); n > 0 && out[n-1].touches(s) {
			out[n-1].until = s.until
			continue
		}
		out = append(out, s)
	}
	return out
}

// foldWidth is how wide a fold is drawn, whatever its length.
const foldWidth = 48.0

// axis maps time to the horizontal. Within a stretch, and before the first and
// after the last, it is linear with one scale for all.
type axis struct {
	spans []span
	width float64
}

// scale returns pixels per nanosecond.
func (a *axis) scale() float64 {
	var total time.Duration
	for _, s := range a.spans {
		total += s.length()
	}
	folds := float64(len(a.spans) - 1)
	return (a.width - folds*foldWidth) / float64(max(total, 1))
}

func (a *axis) x(t time.Duration) float64 {
	k, at := a.scale(), 0.0
	for i, s := range a.spans {
		if t <= s.until || i == len(a.spans)-1 {
			return at + k*float64(t-s.from)
		}
		at += k * float64(s.length())
		if next := a.spans[i+1]; t < next.from {
			return at + foldWidth*float64(t-s.until)/float64(next.from-s.until)
		}
		at += foldWidth
	}
	return at
}

// touches tells whether something of o is drawn outside the folds.
func (a *axis) touches(o span) bool {
	return slices.ContainsFunc(a.spans, func(s span) bool { return s.touches(o) })
}

// whole is from the first stretch to the last, folds included.
func (a *axis) whole() span { return span{a.spans[0].from, a.spans[len(a.spans)-1].until} }

// ticks returns round times, at least minimum pixels apart, and their step.
func (a *axis) ticks(minimum float64) (at []time.Duration, step time.Duration) {
	step = roundUp(minimum / a.scale())
	for _, s := range a.spans {
		for t := (s.from + step - 1) / step * step; t <= s.until && len(at) < 200; t += step {
			at = append(at, t)
		}
	}
	return at, step
}

// roundUp returns the least 1, 2 or 5 times a power of ten that is not below ns.
func roundUp(ns float64) time.Duration {
	power := math.Pow(10, math.Floor(math.Log10(max(ns, 1))))
	for _, m := range []float64{1, 2, 5} {
		if m*power >= ns {
			return time.Duration(m * power)
		}
	}
	return time.Duration(10 * power)
}
