package checker

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rashomon-go/rashomon/history"
	"github.com/rashomon-go/rashomon/model"
)

// Guarantee is a set of session guarantees, each about single keys.
type Guarantee uint8

const (
	// ReadYourWrites: a read returns nothing older than what its session wrote
	// before.
	ReadYourWrites Guarantee = 1 << iota
	// MonotonicReads: a read returns nothing older than what its session read
	// before.
	MonotonicReads
	// MonotonicWrites: writes of a session take effect in their order. That can
	// only be seen broken by who reads twice, so reads must be monotonic, too.
	MonotonicWrites
	// WritesFollowReads: a write takes effect after what its session read
	// before. Reads must be monotonic, too, for the same reason.
	WritesFollowReads

	// AllGuarantees together say that there is one order for all of them.
	AllGuarantees = ReadYourWrites | MonotonicReads | MonotonicWrites | WritesFollowReads
)

var guaranteeWords = map[Guarantee]struct {
	anomaly         Anomaly
	name, idle, not string
	with            Guarantee // what is demanded besides
}{
	ReadYourWrites:    {OwnWriteMissed, "read-your-writes", "no client read a key that it had written", "a client does not read its own writes", 0},
	MonotonicReads:    {ReadsWentBack, "monotonic-reads", "no client read a key twice", "the reads of a client go back", 0},
	MonotonicWrites:   {WritesReordered, "monotonic-writes", "no client wrote a key twice", "the writes of a client change their order", MonotonicReads},
	WritesFollowReads: {WriteBeforeRead, "writes-follow-reads", "no client wrote a key that it had read", "a write comes before what its client had read", MonotonicReads},
	AllGuarantees:     {SessionsDisagree, "session-guarantees", "no client used a key twice", "sessions contradict each other", 0},
}

// String returns the name, such as read-your-writes.
func (g Guarantee) String() string {
	if w, known := guaranteeWords[g]; known {
		return w.name
	}
	return fmt.Sprintf("guarantee(%d)", uint8(g))
}

// Session decides whether, on each key, the writes can be put in one order that
// begins with the key being absent and in which the guarantees g hold: that for
// all clients the value written or read earlier is not newer than the one read
// or written later (Terry et al., "Session Guarantees for Weakly Consistent
// Replicated Data", PDIS 1994; with one order for all as in Viotti and Vukolic,
// "Consistency in Non-Transactional Distributed Storage Systems", ACM CSUR
// 49(1), 2016). Several guarantees together demand one order for all of them,
// which is more than each by itself. A value that nobody wrote, or that was
// written only later, is invalid whatever the guarantee.
//
// Values must be unique (ErrNotUnique). terms.Sessions says what a session is.
// An operation with an unknown outcome may take effect after everything that
// its client does later, so nothing follows it. Reads of Absent are as with Causal.
// The verdict is unknown if no session did two things that the guarantee relates, or
// if the search for deletes spends its budget. A judgement takes time proportional to
// the operations.
func Session(h *history.History, g Guarantee, terms Terms) (Judgement, error) {
	words, known := guaranteeWords[g]
	if !known {
		return Judgement{}, fmt.Errorf("checker: guarantee %d, expected one of them or all", uint8(g))
	}
	f, err := gather(h, terms.Sessions)
	if err != nil {
		return Judgement{}, err
	}
	return f.decide(terms.Steps, func() Judgement {
		s := sessions{facts: f, want: g | words.with, states: make([]session, f.count), own: make([]int32, len(h.Ops)), nodes: make([]int32, len(h.Ops))}
		return s.judgeAll(g, words.with)
	}), nil
}

func (s *sessions) judgeAll(parts ...Guarantee) Judgement {
	for k := range s.h.Keys {
		if j := s.judge(k); j.Verdict == Invalid {
			return j
		}
	}
	for _, one := range parts {
		if one != 0 && s.exercised&one == 0 {
			return unknown(guaranteeWords[one].idle)
		}
	}
	return Judgement{Verdict: Valid}
}

// sessions builds the order that the sessions demand on one key after the other.
// Its nodes are values, each named by the operation that wrote it.
type sessions struct {
	*facts
	want   Guarantee
	order  order
	values []int32 // by node, who wrote the value, or none for other nodes
	nodes  []int32 // by operation that writes, its node
	own    []int32 // by operation that writes, which write of its session it is
	states []session
	// exercised are the guarantees that relate two operations.
	exercised Guarantee
}

// session is what one session did so far on the key.
type session struct {
	key    int32 // one more than the key that all this is about
	read   event
	write  event
	writes []event // acknowledged
	chain  []int32 // chain[i] comes after the first i+1 writes
	top    int32   // the write that was read last after others, or none; it is newer than all before upto
	upto   int32
}

// event is an operation with the node of its value.
type event struct{ op, node int32 }

func (s *sessions) judge(k int) Judgement {
	s.order.reset()
	s.values = s.values[:0]
	root := s.value(initial)
	part := s.parts.part(k)
	for _, i := range part {
		if _, stores := stored(s.op(i)); stores {
			s.nodes[i] = s.value(i)
		}
	}
	clusters := s.order.latest[:]
	for _, i := range part {
		s.visit(i, int32(k))
	}
	for n := 1; n < len(clusters); n++ {
		s.order.demand(root, int32(n), none, none, 0)
	}
	if circle := s.order.circle(); circle != nil {
		return s.explain(s.shortest(circle))
	}
	return Judgement{Verdict: Valid}
}

func (s *sessions) value(writer int32) int32 {
	s.values = append(s.values, writer)
	return s.order.node()
}

func (s *sessions) past() int32 { return s.value(none) }

func (s *sessions) visit(i, k int32) {
	if s.sessions[i] == none {
		return
	}
	at := &s.states[s.sessions[i]]
	if at.key != k+1 {
		*at = session{
			key: k + 1, read: event{none, none}, write: event{none, none}, writes: at.writes[:0], chain: at.chain[:0],
			top: none,
		}
	}
	o := s.op(i)
	if w := s.from(o); w != none {
		node := int32(0)
		if w != initial {
			node = s.nodes[w]
		}
		s.reads(at, event{i, node}, w)
	}
	if _, stores := stored(o); stores {
		s.writes(at, event{i, s.nodes[i]}, o.Outcome == history.OK)
	}
}

// reads adds what follows from a read of the value that w wrote.
func (s *sessions) reads(at *session, r event, w int32) {
	if s.want&MonotonicReads != 0 && at.read.op != none {
		s.exercised |= MonotonicReads
		if at.read.node != r.node {
			s.order.demand(at.read.node, r.node, at.read.op, r.op, MonotonicReads)
		}
	}
	at.read = r
	if s.want&ReadYourWrites != 0 && len(at.writes) > 0 {
		s.exercised |= ReadYourWrites
		s.readAfterWrites(at, r, w)
	}
}

// readAfterWrites demands that all writes of the session come before what was
// read now, but for what was read itself. That is more than a constant number
// of demands only if an own write was read after later ones: but each later one
// is then older for good, and no other own write may ever be read without a
// contradiction, unless it is a still later one.
func (s *sessions) readAfterWrites(at *session, r event, w int32) {
	n := int32(len(at.writes))
	if w == initial || s.sessions[w] != s.sessions[r.op] || s.op(w).Outcome != history.OK || s.op(w).Call > s.op(r.op).Call {
		s.order.demand(at.chain[n-1], r.node, none, r.op, ReadYourWrites)
		return
	}
	i := s.own[w]
	if i > 0 {
		s.order.demand(at.chain[i-1], r.node, none, r.op, ReadYourWrites)
	}
	from := i + 1
	if at.top != none && i < at.upto {
		if at.top != i {
			newer := at.writes[at.top]
			s.order.demand(newer.node, r.node, newer.op, r.op, ReadYourWrites)
		}
		from = max(from, at.upto)
	}
	for _, later := range at.writes[min(from, n):] {
		s.order.demand(later.node, r.node, later.op, r.op, ReadYourWrites)
	}
	at.top, at.upto = i, n
}

// writes adds what follows from a write. If its outcome is unknown it comes
// after what was before, but nothing follows it.
func (s *sessions) writes(at *session, w event, certain bool) {
	if s.want&MonotonicWrites != 0 && at.write.op != none {
		s.exercised |= MonotonicWrites
		s.order.demand(at.write.node, w.node, at.write.op, w.op, MonotonicWrites)
	}
	if s.want&WritesFollowReads != 0 && at.read.op != none { // reads before that one are older, for reads are monotonic
		s.exercised |= WritesFollowReads
		s.order.demand(at.read.node, w.node, at.read.op, w.op, WritesFollowReads)
	}
	if !certain {
		return
	}
	at.write = w
	s.own[w.op] = int32(len(at.writes))
	at.writes = append(at.writes, w)
	if s.want&ReadYourWrites == 0 {
		return
	}
	after := s.past()
	s.order.demand(w.node, after, w.op, none, ReadYourWrites)
	if n := len(at.chain); n > 0 {
		s.order.demand(at.chain[n-1], after, none, none, ReadYourWrites)
	}
	at.chain = append(at.chain, after)
}

// shortest returns the demands of a short circle, which begins at a value.
func (s *sessions) shortest(circle []int32) (best []int32, start int32) {
	const most = 64 // of a long circle, looking at some nodes must do
	tried := 0
	for _, n := range circle {
		if s.values[n] == none || tried == most {
			continue
		}
		tried++
		if list := s.order.around(n); best == nil || len(list) < len(best) {
			best, start = list, n
		}
	}
	return best, start
}

// step is a reason why the value of one node came before that of another: a
// client did one operation before the other.
type step struct{ from, to, before, after int32 }

// explain tells a circle of demands.
func (s *sessions) explain(list []int32, start int32) Judgement {
	var witness []int32
	var steps []step
	from, before, why := start, none, Guarantee(0)
	first, earliest := 0, history.Never // where the telling begins
	for _, n := range list {
		e := &s.order.edges[n]
		why |= e.why
		if e.before != none {
			before = e.before
		}
		if s.values[e.to] == none {
			continue
		}
		switch {
		case before == none: // nil is told first
			first, earliest = len(steps), 0
		case s.op(e.after).Call < earliest:
			first, earliest = len(steps), s.op(e.after).Call
		}
		steps = append(steps, step{from, e.to, before, e.after})
		witness = append(witness, before, e.after)
		if w := s.values[e.to]; w != initial {
			witness = append(witness, w)
		}
		from, before = e.to, none
	}
	steps = slices.Concat(steps[first:], steps[:first])
	witness = s.words.withExpected(s.facts, witness)
	words, known := guaranteeWords[why]
	if why &^= MonotonicReads; !known {
		if words, known = guaranteeWords[why]; !known {
			words = guaranteeWords[AllGuarantees]
		}
	}
	sentence := s.words.tell(func() string {
		var told []string
		for _, x := range steps {
			told = append(told, s.tell(x))
		}
		last := len(told) - 1
		return words.not + ": " + strings.Join(told[:last], ", ") + ", but " + told[last]
	})
	return invalid(words.anomaly, sentence, witness...)
}

func (s *sessions) tell(x step) string {
	if x.before == none {
		return "nil was there first"
	}
	if x.before == x.after {
		return fmt.Sprintf("%s replaced %s", s.words.full(x.after), s.name(x.from))
	}
	return fmt.Sprintf("%s had finished before the same client's %s began (%s), so %s came before %s",
		s.words.full(x.before), s.words.bare(x.after), s.words.called(x.after), s.name(x.from), s.name(x.to))
}

func (s *sessions) name(node int32) string {
	w := s.values[node]
	if w == initial {
		return "nil"
	}
	if s.op(w).Kind == model.Delete {
		return s.words.by(w)
	}
	return s.h.ValueString(s.op(w).Value)
}

// withExpected adds to a witness the writes that its operations saw, so that
// they are possible by themselves.
func (e *explanation) withExpected(f *facts, witness []int32) []int32 {
	witness = append([]int32(nil), witness...)
	in := map[int32]bool{}
	for _, i := range witness {
		in[i] = true
	}
	for at := 0; at < len(witness); at++ {
		if witness[at] < 0 {
			continue
		}
		if w := f.from(f.op(witness[at])); w >= 0 && !in[w] {
			in[w] = true
			witness = append(witness, w)
		}
	}
	return witness
}
