package report

import (
	"slices"
	"sort"
	"time"

	"github.com/rashomon-go/rashomon/history"
	"github.com/rashomon-go/rashomon/sim"
)

// What a page holds at most. A run with more is cut to the time around the
// witness.
const (
	keptOps      = 5_000
	keptMessages = 50_000
)

// Window returns the time that the page holds: all of the run, or, if that is too
// much, the time around the calls and returns of the witness. States outside of it
// are not looked at. The stretches are in order and apart from each other.
func (p *Page) Window() ([]Span, error) {
	s, err := newRunScene(p)
	if err != nil {
		return nil, err
	}
	var spans []Span
	for _, t := range s.kept() {
		spans = append(spans, Span{t.from, t.until})
	}
	return spans, nil
}

// Span is a stretch of time, both ends included.
type Span struct{ From, Until time.Duration }

// kept chooses the time that a page holds: as much as fits of what is near to the
// calls and the returns of the witness, and equally much around each.
func (s *scene) kept() []span {
	sent := s.sendings()
	fits := func(spans []span) bool {
		messages, ops := 0, 0
		for _, t := range spans {
			messages += between(sent, t)
			ops += s.opsBetween(t)
		}
		return messages <= keptMessages && ops <= keptOps
	}
	if all := []span{s.run}; fits(all) {
		return all
	}
	points := s.turningPoints()
	reach := sort.Search(int(s.run.length()), func(r int) bool {
		return !fits(stretches(points, time.Duration(r), s.run))
	})
	return stretches(points, max(time.Duration(reach-1), 0), s.run)
}

// turningPoints are the times that the witness is about. Without a witness it is
// the end of a run that failed, and the beginning of another.
func (s *scene) turningPoints() (points []time.Duration) {
	for _, i := range s.witness[:min(len(s.witness), maxWitness)] {
		t := s.opSpan(i)
		points = append(points, t.from)
		if s.h.Ops[i].Outcome != history.Unknown {
			points = append(points, t.until)
		}
	}
	switch {
	case points != nil:
		slices.Sort(points)
		return slices.Compact(points)
	case s.page.Verdict == "invalid":
		return []time.Duration{s.run.until}
	}
	return []time.Duration{s.run.from}
}

// stretches returns the time within reach of points, which are in order.
func stretches(points []time.Duration, reach time.Duration, run span) (spans []span) {
	for _, t := range points {
		next := span{max(t-reach, run.from), min(t+reach, run.until)}
		if n := len(spans); n > 0 && next.from <= spans[n-1].until {
			spans[n-1].until = next.until
			continue
		}
		spans = append(spans, next)
	}
	return spans
}

// sendings returns when messages were sent, in order.
func (s *scene) sendings() (at []time.Duration) {
	for i := range s.page.Events {
		if e := &s.page.Events[i]; e.Kind == sim.Sent || e.Kind == sim.Duplicated {
			at = append(at, e.At)
		}
	}
	return at
}

func between(at []time.Duration, t span) int {
	first := sort.Search(len(at), func(i int) bool { return at[i] >= t.from })
	last := sort.Search(len(at), func(i int) bool { return at[i] > t.until })
	return max(last-first, 0)
}

func (s *scene) opsBetween(t span) int {
	first := sort.Search(len(s.h.Ops), func(i int) bool { return s.h.Ops[i].CalledAt >= t.from })
	last := sort.Search(len(s.h.Ops), func(i int) bool { return s.h.Ops[i].CalledAt > t.until })
	return max(last-first, 0)
}

// within tells whether something of t lies in one of the spans, which are in
// order.
func within(spans []span, t span) bool {
	i := sort.Search(len(spans), func(i int) bool { return spans[i].until >= t.from })
	return i < len(spans) && spans[i].from <= t.until
}
