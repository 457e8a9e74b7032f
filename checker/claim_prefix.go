package checker

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"

	"github.com/rashomon-go/rashomon/history"
	"github.com/rashomon-go/rashomon/model"
)

// PrefixConsistent decides whether what clients read, on all keys together, can
// be what replicas show that apply the log of a single primary: whether there is
// a log of all acknowledged writes, deletes and compare-and-sets, and of some
// with an unknown outcome, so that
//
//   - what had returned before another one was called stands before it;
//   - a compare-and-set finds the value that it replaced;
//   - each read returns what its key holds after some prefix of the log, in
//     which nothing was called after the read returned;
//   - the prefixes of the reads of one of terms.Sessions do not become shorter.
//
// (Terry, "Replicated Data Consistency Explained through Baseball", CACM
// 56(12), 2013, has the first of the claims about reads as consistent prefix; a
// single read cannot break it, so that it takes sessions to test it.) With
// terms.Lossy acknowledged writes may be missing from the log as well. A
// compare-and-set that failed and told what was there counts as a read.
//
// With the order of the log not known this is sequential consistency of the
// reads, which is NP-complete even if values are unique (Gibbons and Korach
// 1997); but real time orders most writes. The search goes through sets of
// writes that the log can begin with, which are few if few writes overlap, and
// is exact. If it spends terms.Steps (0 means DefaultSteps) the verdict is
// unknown, as it is if no session read twice, or if the log has more than
// some thousand writes.
//
// Values must be unique (ErrNotUnique). Reads of Absent are as with Causal.
func PrefixConsistent(h *history.History, terms Terms) (Judgement, error) {
	f, err := gather(h, terms.Sessions)
	if err != nil {
		return Judgement{}, err
	}
	steps := terms.Steps
	if steps <= 0 {
		steps = DefaultSteps
	}
	left := steps
	return f.decide(steps, func() Judgement {
		p := prefixes{facts: f, steps: left}
		reads, twice := f.readsBySession()
		items := reads
		if !terms.Lossy {
			items = f.withAcknowledged(reads)
		}
		v := p.judge(items)
		left -= p.used
		switch {
		case v == Invalid:
			return p.explain(items)
		case v == Unknown && len(p.log) > longestLog:
			return unknown(fmt.Sprintf("a log of %d writes, expected at most %d", len(p.log), longestLog))
		case v == Unknown:
			return unknown(fmt.Sprintf("budget of %d steps spent", steps))
		case !twice:
			return unknown("no client read twice")
		}
		return Judgement{Verdict: Valid}
	}), nil
}

// readsBySession returns the reads that tell something, and whether some session
// did two.
func (f *facts) readsBySession() (reads []int32, twice bool) {
	times := make([]int, f.count)
	for i := range f.h.Ops {
		o := &f.h.Ops[i]
		if f.sessions[i] == none || swapped(o) || f.from(o) == none {
			continue
		}
		reads = append(reads, int32(i))
		times[f.sessions[i]]++
		twice = twice || times[f.sessions[i]] > 1
	}
	return reads, twice
}

// withAcknowledged returns the operations given and all that were acknowledged
// to have changed something.
func (f *facts) withAcknowledged(reads []int32) []int32 {
	items := slices.Clone(reads)
	for i := range f.h.Ops {
		if acknowledged(f.op(int32(i))) {
			items = append(items, int32(i))
		}
	}
	slices.Sort(items)
	return slices.Compact(items)
}

// longestLog bounds the memory of the search.
const longestLog = 4000

// prefixes looks for a log that has the writes given, and a prefix for each of
// the reads given. Other writes need not be in it, since a log stays good
// without what nobody saw; what was seen, and what its compare-and-sets replaced,
// must be.
type prefixes struct {
	*facts
	steps, used int64

	log      []int32   // writes that must be in the log, in the order of their calls
	at       []int32   // by operation, its number in log
	sessions [][]int32 // the reads of each session
	wanted   []int32   // by number in log, then by key for what was there first: how often it is seen
	dead     map[string]bool
}

// front is how far the log and the reads have come.
type front struct {
	first  int     // all writes before this one are in the log
	placed []bool  // by number in log
	held   []int32 // by key, the write that it holds, or none
	next   []int32 // by session, its next read
	seen   []int32 // as wanted: how often it was seen
}

func (p *prefixes) judge(items []int32) Verdict {
	p.prepare(items)
	if len(p.log) > longestLog {
		return Unknown
	}
	s := front{
		placed: make([]bool, len(p.log)), held: make([]int32, len(p.h.Keys)),
		next: make([]int32, len(p.sessions)), seen: make([]int32, len(p.wanted)),
	}
	for k := range s.held {
		s.held[k] = none
	}
	switch {
	case p.extend(&s):
		return Valid
	case p.used >= p.steps:
		return Unknown
	}
	return Invalid
}

func (p *prefixes) prepare(items []int32) {
	p.used, p.dead = 0, map[string]bool{}
	p.log = p.log[:0]
	p.at = make([]int32, len(p.h.Ops))
	for i := range p.at {
		p.at[i] = none
	}
	bySession := make([][]int32, p.count)
	var reads []int32
	for _, i := range items {
		w := i
		if _, stores := stored(p.op(i)); !stores {
			reads = append(reads, i)
			s := p.facts.sessions[i]
			bySession[s] = append(bySession[s], i)
			w = p.asked(p.op(i))
		}
		for ; w >= 0 && p.at[w] == none; w = p.replaces(w) {
			p.at[w] = 0
			p.log = append(p.log, w)
		}
	}
	p.sessions = slices.DeleteFunc(bySession, func(list []int32) bool { return len(list) == 0 })
	slices.Sort(p.log)
	for n, w := range p.log {
		p.at[w] = int32(n)
	}
	p.wanted = make([]int32, len(p.log)+len(p.h.Keys)+1)
	for _, r := range reads {
		p.wanted[p.slot(r)]++
	}
	for _, w := range p.log {
		if n := p.slot(w); n != none {
			p.wanted[n]++
		}
	}
}

// slot returns where what i saw, or replaced, stands in wanted, or none.
func (p *prefixes) slot(i int32) int32 {
	switch w := p.replaces(i); w {
	case none:
		return none
	case nowhere:
		return int32(len(p.log) + len(p.h.Keys))
	case initial:
		return int32(len(p.log)) + p.op(i).Key
	default:
		return p.at[w]
	}
}

// nowhere stands for the write of a value that nobody can have written.
const nowhere int32 = -5

// replaces returns whose value i saw, or replaced.
func (p *prefixes) replaces(i int32) int32 {
	o := p.op(i)
	if o.Kind == model.CAS && o.Outcome == history.Unknown && o.Expect == model.Absent {
		if p.deleted[o.Key] == history.Never {
			return initial
		}
		return p.assumedOrigin(o)
	}
	w := p.asked(o)
	if _, expects := expected(o); expects && w == none {
		return nowhere
	}
	return w
}

// holds returns the slot of what key k holds.
func (p *prefixes) holds(s *front, k int32) int32 {
	if s.held[k] == none {
		return int32(len(p.log)) + k
	}
	return s.held[k]
}

// extend reports whether the log can be completed. It changes s. Reads are taken
// as early as possible, which never harms; and so are writes that nobody saw, if
// nobody waits for what they replace.
func (p *prefixes) extend(s *front) bool {
	for next := int32(0); next != none; {
		p.read(s)
		for s.first < len(p.log) && s.placed[s.first] {
			s.first++
		}
		if next = p.harmless(s); next != none {
			p.place(s, next)
		}
	}
	if s.first == len(p.log) {
		for n, list := range p.sessions {
			if int(s.next[n]) < len(list) {
				return false
			}
		}
		return true
	}
	name := s.name()
	if p.used++; p.used >= p.steps || p.dead[name] {
		return false
	}
	limit := p.horizon(s)
	for n := s.first; n < len(p.log) && p.op(p.log[n]).Call < limit; n++ {
		if s.placed[n] || !p.may(s, int32(n)) {
			continue
		}
		next := s.clone()
		p.place(&next, int32(n))
		if p.extend(&next) {
			return true
		}
	}
	p.dead[name] = true
	return false
}

// harmless returns a write that can be the next one and that nobody saw, or none.
func (p *prefixes) harmless(s *front) int32 {
	limit := p.horizon(s)
	for n := s.first; n < len(p.log) && p.op(p.log[n]).Call < limit; n++ {
		if !s.placed[n] && p.wanted[n] == 0 && p.may(s, int32(n)) {
			return int32(n)
		}
	}
	return none
}

// read takes all reads that see what is there.
func (p *prefixes) read(s *front) {
	for again := true; again; {
		again = false
		for n, list := range p.sessions {
			for int(s.next[n]) < len(list) {
				r := list[s.next[n]]
				slot := p.slot(r)
				if slot != p.holds(s, p.op(r).Key) {
					break
				}
				s.next[n]++
				s.seen[slot]++
				again = true
			}
		}
	}
}

// horizon returns the position before which the next write in the log must have
// been called: everything else that is missing returned later.
func (p *prefixes) horizon(s *front) int64 {
	limit := history.Never
	for n := s.first; n < len(p.log) && p.op(p.log[n]).Call < limit; n++ {
		if !s.placed[n] {
			limit = min(limit, p.op(p.log[n]).Return)
		}
	}
	for n, list := range p.sessions {
		if int(s.next[n]) < len(list) {
			limit = min(limit, p.op(list[s.next[n]]).Return)
		}
	}
	return limit
}

// may reports whether write n can be the next one: nobody must still want to see
// what it replaces, but itself, and it must replace that.
func (p *prefixes) may(s *front, n int32) bool {
	k := p.op(p.log[n]).Key
	held := p.holds(s, k)
	left := p.wanted[held] - s.seen[held]
	if slot := p.slot(p.log[n]); slot != none {
		if slot != held {
			return false
		}
		left--
	}
	return left == 0
}

// place puts write n at the end of the log.
func (p *prefixes) place(s *front, n int32) {
	if slot := p.slot(p.log[n]); slot != none {
		s.seen[slot]++
	}
	s.placed[n] = true
	s.held[p.op(p.log[n]).Key] = n
}

func (s *front) clone() front {
	return front{
		first: s.first, placed: slices.Clone(s.placed), held: slices.Clone(s.held),
		next: slices.Clone(s.next), seen: slices.Clone(s.seen),
	}
}

// name tells fronts apart.
func (s *front) name() string {
	b := binary.AppendUvarint(nil, uint64(s.first))
	for n := s.first; n < len(s.placed); n++ {
		if s.placed[n] {
			b = binary.AppendUvarint(b, uint64(n-s.first))
		}
	}
	for _, list := range [][]int32{s.held, s.next} {
		b = append(b, 0)
		for _, x := range list {
			b = binary.AppendVarint(b, int64(x))
		}
	}
	return string(b)
}

// explain leaves out reads and writes as long as the others are invalid, and
// tells the rest.
func (p *prefixes) explain(items []int32) Judgement {
	for size := max(1, len(items)/2); ; size = max(1, size/2) {
		before := len(items)
		for at := 0; at < len(items); {
			fewer := slices.Concat(items[:at], items[min(at+size, len(items)):])
			if p.judge(fewer) == Invalid {
				items = fewer
			} else {
				at += size
			}
		}
		if size == 1 && len(items) == before {
			break
		}
	}
	p.prepare(items)
	s := p.words.tell(func() string {
		var told, writes []string
		for _, w := range p.log {
			writes = append(writes, p.words.full(w))
		}
		for _, i := range items {
			if _, stores := stored(p.op(i)); !stores {
				told = append(told, p.words.full(i))
			}
		}
		return "no order of " + strings.Join(writes, "; ") + " has a prefix for each of " + strings.Join(told, "; ") + ", longer from read to read of a client"
	})
	return invalid(NoPrefix, s, append(slices.Clone(items), p.log...)...)
}
