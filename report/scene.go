package report

import (
	"cmp"
	"slices"
	"sort"
	"time"

	"github.com/rashomon-go/rashomon/history"
	"github.com/rashomon-go/rashomon/sim"
)

// What a page shows at most. The witness goes first, then what belongs to it.
const (
	maxWitness    = 100
	maxOps        = 250
	maxMessages   = 900
	maxIdle       = 6 // client lanes that have no part in the witness
	maxNodes      = 32
	maxBands      = 8 // rows of faults above the lanes
	maxRows       = 250
	maxLabel      = 30 // runes of an operation beside its bar
	maxText       = 240
	maxScenario   = 200_000
	screenWidth   = 1300.0 // of the drawing with the lanes' names
	drawnWidthMax = 2400.0
)

// scene is what will be drawn, in the units of the run: operations, messages,
// times. It knows nothing of pixels but the width that the axis divides.
type scene struct {
	page    *Page
	h       *history.History
	journal *journal
	run     span
	axis    axis

	witness []int       // sorted
	rank    map[int]int // operation → its number on the page, from 1

	lanes    []sim.NodeID // those drawn: clients, then nodes
	ops      []int        // sorted
	messages []message    // in the order of their sending
	down     []downtime
	acts     []act
	bands    []Band // those in the drawn time

	inWindow  int // operations
	msgWindow int // messages
	msgTotal  int
	idleLanes int // client lanes not drawn
	actsLeft  int // actions of the drawn time not drawn
}

// newScene chooses what the drawing shows.
func newScene(p *Page) (*scene, error) {
	s, err := newRunScene(p)
	if err != nil {
		return nil, err
	}
	s.journal = read(p.Events, s.run.until, s.asker())
	s.axis = axis{s.chooseTime(s.journal), screenWidth}
	s.chooseBands()
	s.choose(s.journal)
	s.axis.width = s.chooseWidth()
	return s, nil
}

// newRunScene knows the run and chooses nothing.
func newRunScene(p *Page) (*scene, error) {
	w, err := p.checked()
	if err != nil {
		return nil, err
	}
	s := &scene{page: p, h: p.History, witness: w, rank: map[int]int{}}
	if s.h == nil {
		s.h = &history.History{}
	}
	for n, i := range w {
		s.rank[i] = n + 1
	}
	s.run = s.wholeRun()
	return s, nil
}

func (s *scene) wholeRun() span {
	var end time.Duration
	for i := range s.h.Ops {
		end = max(end, s.h.Ops[i].CalledAt, s.h.Ops[i].ReturnedAt)
	}
	if n := len(s.page.Events); n > 0 {
		end = max(end, s.page.Events[n-1].At)
	}
	return span{0, end}
}

// opSpan is the time that a client spent on an operation. One with an unknown
// outcome ends where its client gave up.
func (s *scene) opSpan(i int) span {
	o := &s.h.Ops[i]
	return span{o.CalledAt, max(o.CalledAt, o.ReturnedAt)}
}

// chooseTime takes the time from the first call of the witness to the last return,
// with a margin, and folds what has no part in it: no end of an operation and no
// end of a message that one set off.
func (s *scene) chooseTime(j *journal) []span {
	if p := s.page; p.From != 0 || p.Until != 0 {
		return []span{{p.From, max(p.From, p.Until)}}
	}
	var points []time.Duration
	for _, i := range s.witness {
		points = append(points, s.h.Ops[i].CalledAt)
		if s.h.Ops[i].Outcome != history.Unknown {
			points = append(points, s.opSpan(i).until)
		}
	}
	if points == nil {
		return []span{s.run}
	}
	witness := span{slices.Min(points), slices.Max(points)}
	for i := range j.messages {
		m := &j.messages[i]
		for _, t := range []time.Duration{m.sent, m.ends} {
			if m.op >= 0 && m.ended && witness.touches(span{t, t}) {
				points = append(points, t)
			}
		}
	}
	return around(points, s.run, s.count)
}

// count returns how many events and calls lie in a stretch; both are in order.
func (s *scene) count(t span) int {
	events, ops := s.page.Events, s.h.Ops
	first := sort.Search(len(events), func(i int) bool { return events[i].At >= t.from })
	last := sort.Search(len(events), func(i int) bool { return events[i].At > t.until })
	firstOp := sort.Search(len(ops), func(i int) bool { return ops[i].CalledAt >= t.from })
	lastOp := sort.Search(len(ops), func(i int) bool { return ops[i].CalledAt > t.until })
	return max(last-first, 0) + max(lastOp-firstOp, 0)
}

// asker returns which operation of the witness a client works on at a time, or
// -1. At the instant at which one operation returns and the next is called it is
// the next, for a client sends when it calls.
func (s *scene) asker() func(sim.NodeID, time.Duration) int {
	of := map[sim.NodeID][]int{}
	for _, i := range s.witness {
		lane := s.page.lane(s.h.Ops[i].Process)
		of[lane] = append(of[lane], i)
	}
	return func(client sim.NodeID, at time.Duration) int {
		for _, i := range of[client] {
			if t := s.opSpan(i); t.from == at || t.from < at && at < t.until {
				return i
			}
		}
		return -1
	}
}

func (s *scene) chooseBands() {
	for _, b := range s.page.Faults {
		if !s.axis.touches(span{b.From, max(b.From, b.Until)}) {
			continue
		}
		s.bands = append(s.bands, b)
	}
}

// choose selects lanes, operations and messages for the drawn time, and counts
// what it leaves out.
func (s *scene) choose(j *journal) {
	ops, messages := s.opsInWindow(), s.messagesInWindow(j)
	s.inWindow, s.msgWindow, s.msgTotal = len(ops), len(messages), len(j.messages)
	s.chooseLanes(ops, messages)
	drawn := map[sim.NodeID]bool{}
	for _, id := range s.lanes {
		drawn[id] = true
	}
	s.ops = nearest(ops, maxOps, s.opClass, func(i int) time.Duration { return s.far(s.opSpan(i)) },
		func(i int) bool { return drawn[s.page.lane(s.h.Ops[i].Process)] })
	chosen := nearest(indices(len(messages)), maxMessages,
		func(i int) int { return messageClass(&messages[i]) },
		func(i int) time.Duration { return s.far(messages[i].span()) },
		func(i int) bool { return drawn[messages[i].from] && drawn[messages[i].to] })
	for _, i := range chosen {
		s.messages = append(s.messages, messages[i])
	}
	for _, d := range j.down {
		if drawn[d.node] && s.axis.touches(d.span) {
			s.down = append(s.down, d)
		}
	}
	for _, a := range j.acts {
		switch {
		case !s.axis.touches(span{a.at, a.at}):
		case len(s.acts) < maxRows:
			s.acts = append(s.acts, a)
		default:
			s.actsLeft++
		}
	}
}

func (s *scene) opsInWindow() (in []int) {
	for i := range s.h.Ops {
		if s.axis.touches(s.opSpan(i)) || s.rank[i] > 0 {
			in = append(in, i)
		}
	}
	return in
}

// messagesInWindow returns the messages of the drawn time with their texts. One
// that nobody's operation set off belongs to the witness if it says so.
func (s *scene) messagesInWindow(j *journal) (in []message) {
	about := newMentions(s.h, s.witness[:min(len(s.witness), maxWitness)])
	for i := range j.messages {
		m := &j.messages[i]
		if !s.axis.touches(m.span()) {
			continue
		}
		m.text = sim.DescribeMessage(m.body)
		if m.op < 0 {
			m.op = about.find(m.text)
		}
		in = append(in, *m)
	}
	return in
}

// chooseLanes takes as many nodes as have room, the clients of the witness, and as many other
// clients as are busy and have room.
func (s *scene) chooseLanes(ops []int, messages []message) {
	busy, needed := map[sim.NodeID]bool{}, map[sim.NodeID]bool{}
	for _, i := range ops {
		lane := s.page.lane(s.h.Ops[i].Process)
		busy[lane] = true
		needed[lane] = needed[lane] || s.rank[i] > 0 && s.rank[i] <= maxWitness
	}
	for i := range messages {
		busy[messages[i].from], busy[messages[i].to] = true, true
	}
	var clients []sim.NodeID
	for id := range busy {
		if int(id) >= s.page.Replicas {
			clients = append(clients, id)
		}
	}
	slices.Sort(clients)
	idle := 0
	for _, id := range clients {
		if !needed[id] {
			idle++
		}
		if needed[id] || idle <= maxIdle {
			s.lanes = append(s.lanes, id)
		} else {
			s.idleLanes++
		}
	}
	for id := range min(s.page.Replicas, maxNodes) {
		s.lanes = append(s.lanes, sim.NodeID(id))
	}
}

// opClass orders operations by how much they matter: the witness, its keys, the
// rest.
func (s *scene) opClass(i int) int {
	if s.rank[i] > 0 {
		return 0
	}
	if s.onKey(i) {
		return 1
	}
	return 2
}

func (s *scene) onKey(i int) bool {
	return slices.ContainsFunc(s.witness[:min(len(s.witness), maxWitness)], func(w int) bool {
		return s.h.Ops[w].Key == s.h.Ops[i].Key
	})
}

func messageClass(m *message) int {
	switch {
	case m.op >= 0:
		return 0
	case m.why != sim.NotDropped || m.copied:
		return 1
	}
	return 2
}

// far is how long before or after the last call of the witness something was:
// that is where the contradiction comes to light.
func (s *scene) far(t span) time.Duration {
	if len(s.witness) == 0 {
		return t.from
	}
	at := s.h.Ops[s.witness[len(s.witness)-1]].CalledAt
	return max(t.from-at, at-t.until, 0)
}

// nearest returns at most n of the items that can be drawn, the best classes and
// within a class the nearest, in their old order.
func nearest(items []int, n int, class func(int) int, far func(int) time.Duration, drawn func(int) bool) []int {
	items = slices.DeleteFunc(items, func(i int) bool { return !drawn(i) })
	slices.SortStableFunc(items, func(a, b int) int {
		return cmp.Or(cmp.Compare(class(a), class(b)), cmp.Compare(far(a), far(b)), cmp.Compare(a, b))
	})
	items = items[:min(n, len(items))]
	slices.Sort(items)
	return items
}

func indices(n int) []int {
	is := make([]int, n)
	for i := range is {
		is[i] = i
	}
	return is
}

// chooseWidth makes the drawing wider than a screen if the narrowest operation
// of the witness could not be seen otherwise.
func (s *scene) chooseWidth() float64 {
	const visible = 12.0
	screen := screenWidth - float64(gutter(s))
	width := screen
	for _, i := range s.witness[:min(len(s.witness), maxWitness)] {
		if t := s.opSpan(i); t.length() > 0 && s.h.Ops[i].Outcome != history.Unknown {
			width = max(width, s.axis.width*visible/(s.axis.scale()*float64(t.length())))
		}
	}
	if width > drawnWidthMax { // it would not help
		return screen
	}
	return width
}

// sameKey returns the operations on the witness's keys that touch the drawn
// time, with those that were still open then because nobody knows their end.
func (s *scene) sameKey() (same []int) {
	whole := s.axis.whole()
	for i := range s.h.Ops {
		t := s.opSpan(i)
		open := s.h.Ops[i].Outcome == history.Unknown && t.from <= whole.until
		if (open || s.axis.touches(t)) && s.onKey(i) {
			same = append(same, i)
		}
	}
	return same
}
