package report

import (
	"slices"
	"sort"
	"time"

	"github.com/rashomon-go/rashomon/history"
	"github.com/rashomon-go/rashomon/sim"
)

// placing tells where among the events, in the units of seqScale, operations were
// called and returned: a call comes just before what the client sends because of
// it, and a return just after the answer. Times alone would not do, for much may
// happen in one instant.
type placing struct {
	scene *scene
	sent  map[sim.NodeID][]instant // by client
	came  map[sim.NodeID][]instant
}

type instant struct {
	at  time.Duration
	seq uint64
}

func newPlaces(s *scene, ops []int) [][2]int64 {
	if len(s.page.Events) == 0 {
		return placesByPosition(s.h, ops)
	}
	p := &placing{s, map[sim.NodeID][]instant{}, map[sim.NodeID][]instant{}}
	for i := range s.page.Events {
		switch e := &s.page.Events[i]; {
		case e.Kind == sim.Sent && int(e.From) >= s.page.Replicas:
			p.sent[e.From] = append(p.sent[e.From], instant{e.At, e.Seq})
		case e.Kind == sim.Delivered && int(e.To) >= s.page.Replicas:
			p.came[e.To] = append(p.came[e.To], instant{e.At, e.Seq})
		}
	}
	all := make([][2]int64, len(ops))
	next := map[sim.NodeID]uint64{} // where the client's operation before ended
	for n, i := range ops {
		lane, t := s.page.lane(s.h.Ops[i].Process), s.opSpan(i)
		first, last := p.first(lane, t, next[lane])
		all[n] = [2]int64{first, max(last, first+1)}
		next[lane] = uint64(all[n][1]) / seqScale
	}
	return all
}

// first and last places of an operation of a client that lasted for t.
func (p *placing) first(lane sim.NodeID, t span, after uint64) (first, last int64) {
	first = p.before(t.from)
	for _, e := range from(p.sent[lane], t.from) {
		if e.seq > after {
			if e.at <= t.until {
				first = int64(e.seq)*seqScale - 1
			}
			break
		}
	}
	last = p.before(t.until)
	for _, e := range from(p.came[lane], t.until) {
		if e.at != t.until {
			break
		}
		if int64(e.seq)*seqScale > first {
			last = int64(e.seq)*seqScale + 1
			break
		}
	}
	return first, last
}

func from(list []instant, at time.Duration) []instant {
	return list[sort.Search(len(list), func(i int) bool { return list[i].at >= at }):]
}

// before is the place before all events of a time.
func (p *placing) before(t time.Duration) int64 {
	events := p.scene.page.Events
	n := sort.Search(len(events), func(i int) bool { return events[i].At >= t })
	if n == len(events) {
		return int64(events[n-1].Seq)*seqScale + 2
	}
	return int64(events[n].Seq)*seqScale - 2
}

// placesByPosition numbers the positions of a history that has no events.
func placesByPosition(h *history.History, ops []int) [][2]int64 {
	var positions []int64
	for _, i := range ops {
		positions = append(positions, h.Ops[i].Call, h.Ops[i].Return)
	}
	slices.Sort(positions)
	positions = slices.Compact(positions)
	place := func(p int64) int64 {
		n, _ := slices.BinarySearch(positions, p)
		return int64(n+1) * seqScale
	}
	all := make([][2]int64, len(ops))
	for n, i := range ops {
		all[n] = [2]int64{place(h.Ops[i].Call), place(h.Ops[i].Return)}
	}
	return all
}
