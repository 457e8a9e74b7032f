package checker

import (
	"slices"

	"github.com/rashomon-go/rashomon/history"
	"github.com/rashomon-go/rashomon/model"
)

// chooseFirst chooses for each read what its session makes likely; but on keys that
// are linearizable what was there in such an order, which is right then.
func (s *origins) chooseFirst() {
	s.guessBySessions()
	for k := range s.deletes {
		s.linearize(int(k))
	}
}

// guessBySessions chooses for each read the last delete that had returned when it was
// called, among those between what its session saw or wrote before and after it: so
// it follows a client that sees what was there a while ago.
func (s *origins) guessBySessions() {
	type client struct {
		session int64
		key     int32
	}
	near := func(latest map[client]int64, i int32, otherwise int64) (at int64) {
		o := s.f.op(i)
		c := client{int64(s.f.sessions[i]), o.Key}
		if c.session == int64(none) {
			return otherwise
		}
		at, known := latest[c]
		if !known {
			at = otherwise
		}
		if _, stores := stored(o); stores {
			latest[c] = o.Call
		} else if w := s.f.from(o); w >= 0 {
			latest[c] = s.f.op(w).Call
		}
		return at
	}
	from := make([]int64, len(s.f.h.Ops))
	latest := map[client]int64{}
	for i := range s.f.h.Ops {
		from[i] = near(latest, int32(i), 0)
	}
	clear(latest)
	for i := int32(len(from)) - 1; i >= 0; i-- {
		until := near(latest, i, history.Never)
		if r, doubtful := s.number[i]; doubtful {
			s.choice[r] = s.likely(i, from[i], until)
		}
	}
}

// likely returns the last delete that was called in a span of time and had returned
// when r was called, or else the last in that span, or else the beginning.
func (s *origins) likely(r int32, from, until int64) (likely int) {
	deletes := s.deletes[s.f.op(r).Key]
	for d := s.candidates(r) - 1; d > 0; d-- {
		switch o := s.f.op(deletes[d-1]); {
		case o.Call <= from:
			return likely
		case o.Call > until:
		case o.Return < s.f.op(r).Call:
			return d
		default:
			likely = max(likely, d)
		}
	}
	return likely
}

// linearizeSteps is what a search for a linearization may take on a key.
const linearizeSteps = 100_000

// linearize chooses for the reads of key k as a linearization does, if there is one.
func (s *origins) linearize(k int) {
	c := &s.f.parts
	c.h, c.m, c.opts = s.f.h, model.CASRegister(), Options{Steps: linearizeSteps}.withDefaults()
	d, err := c.decide(c.part(k), "")
	if err != nil || d.verdict != Valid {
		return
	}
	order, _ := c.linearization(c.part(k), d)
	last := 0
	for _, i := range order {
		if at, deletes := slices.BinarySearch(s.deletes[int32(k)], i); deletes {
			last = at + 1
		}
		if r, doubtful := s.number[i]; doubtful {
			s.choice[r] = last
		}
	}
}
