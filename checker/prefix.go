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
// a log of some of the writes and compare-and-sets that did not fail, so that
//
//   - what had returned before another one was called stands before it;
//   - a compare-and-set finds the value that it replaced;
//   - each read returns what its key holds after some prefix of the log, in
//     which nothing was called after the read returned;
//   - the prefixes of the reads of one of terms.Sessions do not become shorter.
//
// (Terry, "Replicated Data Consistency Explained through Baseball", CACM
// 56(12), 2013, has the first of the claims about reads as consistent prefix; a
// single read cannot break it, so that it takes sessions to test it.) Writes may
// be missing from the log: that acknowledged ones last is the claim of Durable.
// A compare-and-set that failed and told what was there counts as a read.
//
// With the order of the log not known this is sequential consistency of the
// reads, which is NP-complete even if values are unique (Gibbons and Korach
// 1997); but real time orders most writes. The search goes through sets of
// writes that the log can begin with, which are few if few writes overlap, and
// is exact. If it spends terms.Steps (0 means DefaultSteps) the verdict is
// unknown, as it is if no session read twice.
//
// Values must be unique (ErrNotUnique). A read of Absent tells nothing when the
// key may have been deleted by then, and then the answer errs towards valid.
func PrefixConsistent(h *history.History, terms Terms) (Judgement, error) {
	f, err := gather(h, terms.Sessions)
	if err != nil {
		return Judgement{}, err
	}
	for k := range h.Keys {
		if j, found := f.anyImpossible(k); found {
			return j, nil
		}
	}
	reads, twice := f.readsBySession()
	p := prefixes{facts: f, steps: terms.Steps}
	if p.steps <= 0 {
		p.steps = DefaultSteps
	}
	switch v := p.judge(reads); v {
	case Invalid:
		return p.explain(reads), nil
	case Unknown:
		return unknown(fmt.Sprintf("budget of %d steps spent", p.steps)), nil
	}
	if !twice {
		return unknown("no client read twice"), nil
	}
	return Judgement{Verdict: Valid}, nil
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

// prefixes looks for a log. A write that nobody saw need not be in it, since a
// log stays good without it; what was seen, and what its compare-and-sets
// replaced, must be.
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

func (p *prefixes) judge(reads []int32) Verdict {
	p.prepare(reads)
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

func (p *prefixes) prepare(reads []int32) {
	p.used, p.dead = 0, map[string]bool{}
	p.log = p.log[:0]
	p.at = make([]int32, len(p.h.Ops))
	for i := range p.at {
		p.at[i] = none
	}
	var need func(o *history.Op)
	need = func(o *history.Op) {
		for w := p.asked(o); w >= 0 && p.at[w] == none; w = p.asked(p.op(w)) {
			p.at[w] = 0
			p.log = append(p.log, w)
		}
	}
	bySession := make([][]int32, p.count)
	for _, r := range reads {
		need(p.op(r))
		s := p.facts.sessions[r]
		bySession[s] = append(bySession[s], r)
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
		return none
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

// extend reports whether the log can be completed. Reads are taken as early as
// possible, which never harms.
func (p *prefixes) extend(s *front) bool {
	p.read(s)
	for s.first < len(p.log) && s.placed[s.first] {
		s.first++
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
		if next := s.with(p, int32(n)); p.extend(&next) {
			return true
		}
	}
	p.dead[name] = true
	return false
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

func (s *front) with(p *prefixes, n int32) front {
	next := front{
		first: s.first, placed: slices.Clone(s.placed), held: slices.Clone(s.held),
		next: slices.Clone(s.next), seen: slices.Clone(s.seen),
	}
	if slot := p.slot(p.log[n]); slot != none {
		next.seen[slot]++
	}
	next.placed[n] = true
	next.held[p.op(p.log[n]).Key] = n
	return next
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

// explain leaves out reads as long as the others are invalid, and tells the rest.
func (p *prefixes) explain(reads []int32) Judgement {
	for size := max(1, len(reads)/2); ; size = max(1, size/2) {
		before := len(reads)
		for at := 0; at < len(reads); {
			fewer := slices.Concat(reads[:at], reads[min(at+size, len(reads)):])
			if p.judge(fewer) == Invalid {
				reads = fewer
			} else {
				at += size
			}
		}
		if size == 1 && len(reads) == before {
			break
		}
	}
	p.prepare(reads)
	var told []string
	for _, r := range reads {
		told = append(told, p.words.full(r))
	}
	s := fmt.Sprintf("no order of the writes has a prefix for each of these reads, longer from read to read of a client: %s", strings.Join(told, "; "))
	var writes []string
	for _, w := range p.log {
		writes = append(writes, p.words.full(w))
	}
	if len(writes) > 0 {
		s += "; after " + strings.Join(writes, "; ")
	}
	return invalid(NoPrefix, s, append(slices.Clone(reads), p.log...)...)
}
