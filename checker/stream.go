package checker

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/rashomon-go/rashomon/history"
	"github.com/rashomon-go/rashomon/model"
)

// Stream judges a history of registers while it grows: it says at which event it
// stopped being linearizable. It takes reads and writes, with unknown outcomes, in
// which no value is written twice on a key while the earlier write may still be
// read. The zero Stream is ready to use. It is not safe for concurrent use.
//
// It is the decision of Zones, taken as soon as it is due. A response in the
// cluster v sets v.first, if it is the first one, and raises v.last to its call;
// so v comes into conflict exactly with the clusters whose first lies between
// the old and the new v.last, and which must last longer than v.first.
//
// What it remembers does not depend on the length of the history, but for writes
// with an unknown outcome that nobody has read. Let oldest be the earliest call
// under way: no response to come was called before. A cluster B is dead if another
// one C has C.first < oldest and B.first < C.last: the next
// response in B would be a conflict with C. If B.first < oldest as well, B is
// forgotten, and who reads its value is wrong. Nothing else is lost with B: it is
// not in conflict with C, so B.last <= C.first < oldest; hence a cluster that must
// come before B, X.first < B.last, is dead because of B, and forgotten with it.
// Of the clusters that are left with first < oldest no one precedes another, so
// they were all under way at one moment. So what is remembered are clusters
// within the concurrency, those written while the slowest operation is under way,
// and writes with an unknown outcome that nobody read so far.
type Stream struct {
	// Clients, if there are any, name the clients, as in history.History.
	Clients []string

	position  int64
	now       time.Duration
	clients   map[int32]*client // by process
	busy      int               // of the clients
	keys      map[string]*streamKey
	forgotten []*streamZone // a ring of the latest ones, to tell what a stale read missed
	next      int           // in forgotten
	spare     []*streamZone
	over      bool
	few       int // look through so many zones; 0 means fewZones
}

// Offence is the end of a history that was linearizable so far. Its witness are
// all operations of a small history.
type Offence struct {
	Judgement
	History *history.History
}

// client is a process with the operation that it has under way.
type client struct {
	busy bool
	key  *streamKey
	zone *streamZone // of a write, which stands there
	read history.Op

	earlier, later *client // those with calls on the same key under way
}

func (c *client) op() *history.Op {
	if c.zone != nil {
		return &c.zone.write
	}
	return &c.read
}

// streamKey is what is remembered of a key.
type streamKey struct {
	name   string
	oldest *client // of those with a call under way
	latest *client
	values map[model.Value]*streamZone // those that may be read
	open   map[model.Value]openWrite   // values that may be read, too, and were not so far
	zones  []*streamZone               // those with a response, the earliest first
	limit  int                         // look for dead ones when there are so many zones
	forgot bool                        // something
}

// openWrite is what must be known of a write that ended with an unknown outcome,
// should somebody read its value after all. These are all that a stream cannot
// forget, so they are small.
type openWrite struct {
	call        int64
	from, to    time.Duration
	process, id int32
}

// streamZone is a cluster with the operations that prove its limits: first and last
// are those of the write where early and late are missing.
type streamZone struct {
	key                *streamKey
	value              model.Value
	first, last        int64
	write, early, late history.Op // missing ones have no Call; the write of Absent is
}

const (
	fewZones   = 32  // of a key are not looked through
	remembered = 256 // dead zones, for explanations
)

// Call says that a process calls an operation at time at. It fails, and nothing
// has happened, if the process has an operation under way, if time runs
// backwards, if the operation is neither a read nor the write of a value
// (ErrNotApplicable), or writes one that was written before and may still be
// read (ErrNotUnique).
func (s *Stream) Call(a history.Asked, at time.Duration) error {
	k := s.key(a.Key)
	c := s.clients[a.Process]
	if err := s.mayCall(a, c, k, at); err != nil {
		return fmt.Errorf("checker: %w", err)
	}
	if c == nil {
		c = s.enter(a.Process)
	}
	s.busy++
	s.position++
	s.now = at
	c.busy, c.key, c.zone = true, k, nil
	v := model.Value(0)
	if a.Kind == model.Write {
		v = a.Value
		c.zone = s.fresh(k, v, s.position)
	}
	*c.op() = history.Op{
		Call: s.position, Return: history.Never, CalledAt: at, Value: v, Seen: model.Unseen, ID: a.ID,
		Process: a.Process, Node: history.NoNode, Kind: a.Kind, Outcome: history.Unknown,
	}
	k.join(c)
	return nil
}

// join adds c, whose call is the latest, to those with a call under way.
func (k *streamKey) join(c *client) {
	c.earlier, c.later = k.latest, nil
	if k.latest != nil {
		k.latest.later = c
	} else {
		k.oldest = c
	}
	k.latest = c
}

func (k *streamKey) leave(c *client) {
	if c.earlier != nil {
		c.earlier.later = c.later
	} else {
		k.oldest = c.later
	}
	if c.later != nil {
		c.later.earlier = c.earlier
	} else {
		k.latest = c.earlier
	}
	c.earlier, c.later = nil, nil
}

// enter makes room for a process. Those that have nothing under way are forgotten
// when they are many.
func (s *Stream) enter(process int32) *client {
	if len(s.clients) > 2*s.busy+64 {
		for p, c := range s.clients {
			if !c.busy {
				delete(s.clients, p)
			}
		}
	}
	c := new(client)
	s.clients[process] = c
	return c
}

func (s *Stream) mayCall(a history.Asked, c *client, k *streamKey, at time.Duration) error {
	switch {
	case s.over:
		return fmt.Errorf("process %d calls after the history was found invalid", a.Process)
	case at < s.now:
		return fmt.Errorf("process %d calls at %v, after an event at %v", a.Process, at, s.now)
	case a.Kind != model.Read && a.Kind != model.Write:
		return fmt.Errorf("key %s: %w: a stream judges reads and writes, not a %s", a.Key, ErrNotApplicable, a.Kind)
	}
	if c != nil && c.busy {
		return fmt.Errorf("process %d calls before its operation of event %d has returned", a.Process, c.op().Call)
	}
	if a.Kind == model.Read {
		return nil
	}
	if a.Value == model.Absent || a.Value == model.Unseen {
		return fmt.Errorf("key %s: process %d writes no value, expected one", a.Key, a.Process)
	}
	_, twice := k.values[a.Value]
	if !twice {
		_, twice = k.open[a.Value]
	}
	if twice {
		return fmt.Errorf("key %s: %w: %v is written again", a.Key, ErrNotUnique, a.Value)
	}
	return nil
}

// Return says how the operation of a process ended at time at. It returns an
// offence if the history is not linearizable any more, and nil otherwise; after an
// offence the stream is over. An operation that ended with an unknown outcome is
// no longer under way, but its value may be read for ever; its process must do
// nothing more. It fails, and nothing has happened, if the process has no operation
// under way, if time runs backwards, or if there is no outcome. A
// *CertificateError says that the stream could not prove the offence.
func (s *Stream) Return(process int32, a history.Answered, at time.Duration) (*Offence, error) {
	c := s.clients[process]
	switch {
	case c == nil || !c.busy:
		return nil, fmt.Errorf("checker: process %d ends an operation but has none under way", process)
	case at < s.now:
		return nil, fmt.Errorf("checker: process %d ends an operation at %v, after an event at %v", process, at, s.now)
	case a.Outcome < history.OK || a.Outcome > history.Unknown:
		return nil, fmt.Errorf("checker: process %d ends an operation with %v, expected ok, fail or unknown", process, a.Outcome)
	}
	c.busy = false
	s.busy--
	s.now = at
	o, k := c.op(), c.key
	o.Outcome, o.ReturnedAt = a.Outcome, at
	k.leave(c)
	if a.Outcome != history.Unknown {
		s.position++
		o.Return = s.position
	}
	switch {
	case o.Kind == model.Write:
		return s.written(c.zone)
	case a.Outcome != history.OK || a.Seen == model.Unseen:
		return nil, nil
	}
	o.Seen = a.Seen
	z, known := k.values[a.Seen]
	if !known {
		z, known = s.surface(k, a.Seen)
	}
	if !known {
		return s.gone(k, o)
	}
	return s.respond(z, o)
}

// submerge keeps as little as possible of a write with an unknown outcome that
// nobody has read.
func (s *Stream) submerge(z *streamZone) {
	k, o := z.key, &z.write
	if k.open == nil {
		k.open = map[model.Value]openWrite{}
	}
	k.open[z.value] = openWrite{call: o.Call, from: o.CalledAt, to: o.ReturnedAt, process: o.Process, id: o.ID}
	delete(k.values, z.value)
	s.spare = append(s.spare, z)
}

// surface makes a zone again of such a write, if v is what it wrote.
func (s *Stream) surface(k *streamKey, v model.Value) (*streamZone, bool) {
	w, known := k.open[v]
	if !known {
		return nil, false
	}
	delete(k.open, v)
	z := s.fresh(k, v, w.call)
	z.write = history.Op{
		Call: w.call, Return: history.Never, CalledAt: w.from, ReturnedAt: w.to, Value: v, Seen: model.Unseen, ID: w.id,
		Process: w.process, Node: history.NoNode, Kind: model.Write, Outcome: history.Unknown,
	}
	return z, true
}

// written takes the end of a write.
func (s *Stream) written(z *streamZone) (*Offence, error) {
	switch z.write.Outcome {
	case history.OK:
		return s.respond(z, &z.write)
	case history.Unknown:
		if z.first == history.Never {
			s.submerge(z)
		}
	case history.Fail:
		delete(z.key.values, z.value)
		if z.first != history.Never {
			return s.offend(z.key, z.write, z.early)
		}
		s.bury(z)
	}
	return nil, nil
}

// respond takes the answer of an operation in zone z.
func (s *Stream) respond(z *streamZone, o *history.Op) (*Offence, error) {
	k, from := z.key, z.last
	fresh := z.first == history.Never
	if fresh {
		z.first = o.Return
		if o != &z.write {
			z.early = *o
		}
		k.zones = append(k.zones, z)
	}
	if o.Call > from { // it is a read
		z.last, z.late = o.Call, *o
	}
	if !fresh && z.last > from { // nothing lasts beyond its first response yet
		if other := k.conflict(z, from); other != nil {
			return s.offend(k, append(z.operations(), other.operations()...)...)
		}
	}
	if len(k.zones) > k.limit {
		s.forget(k)
	}
	return nil, nil
}

// conflict returns a zone in conflict with z, of which last was raised from a
// position.
func (k *streamKey) conflict(z *streamZone, from int64) *streamZone {
	at, _ := slices.BinarySearchFunc(k.zones, from, func(x *streamZone, p int64) int { return cmp.Compare(x.first, p) })
	for _, x := range k.zones[at:] {
		if x.first >= z.last {
			return nil
		}
		if x != z && x.last > z.first {
			return x
		}
	}
	return nil
}

// forget drops what is dead on a key.
func (s *Stream) forget(k *streamKey) {
	oldest := int64(math.MaxInt64)
	if k.oldest != nil {
		oldest = k.oldest.op().Call
	}
	past, _ := slices.BinarySearchFunc(k.zones, oldest, func(x *streamZone, p int64) int { return cmp.Compare(x.first, p) })
	var longest *streamZone // of those
	second := int64(math.MinInt64)
	for _, z := range k.zones[:past] {
		switch {
		case longest == nil:
			longest = z
		case z.last > longest.last:
			longest, second = z, longest.last
		default:
			second = max(second, z.last)
		}
	}
	kept := k.zones[:0]
	for i, z := range k.zones {
		others := second
		if z != longest && longest != nil {
			others = longest.last
		}
		if i >= past || z.first >= others {
			kept = append(kept, z)
			continue
		}
		delete(k.values, z.value)
		k.forgot = true
		s.bury(z)
	}
	clear(k.zones[len(kept):])
	k.zones, k.limit = kept, max(cmp.Or(s.few, fewZones), 2*len(kept))
}

// bury puts a dead zone where the oldest one was.
func (s *Stream) bury(z *streamZone) {
	if len(s.forgotten) < remembered {
		s.forgotten = append(s.forgotten, z)
		return
	}
	s.spare = append(s.spare, s.forgotten[s.next])
	s.forgotten[s.next] = z
	s.next = (s.next + 1) % remembered
}

// fresh makes a zone that nobody has responded in, for the write of v, which the
// caller adds.
func (s *Stream) fresh(k *streamKey, v model.Value, call int64) *streamZone {
	var z *streamZone
	if n := len(s.spare); n > 0 {
		z = s.spare[n-1]
		s.spare = s.spare[:n-1]
	} else {
		z = new(streamZone)
	}
	z.key, z.value, z.first, z.last = k, v, history.Never, call
	z.early.Call, z.late.Call = 0, 0
	k.values[v] = z
	return z
}

func (s *Stream) key(name string) *streamKey {
	if k := s.keys[name]; k != nil {
		return k
	}
	if s.keys == nil {
		s.keys, s.clients = map[string]*streamKey{}, map[int32]*client{}
	}
	k := &streamKey{name: name, limit: cmp.Or(s.few, fewZones)}
	initial := &streamZone{key: k, value: model.Absent, first: math.MinInt64, last: math.MinInt64}
	k.values, k.zones = map[model.Value]*streamZone{model.Absent: initial}, []*streamZone{initial}
	s.keys[name] = k
	return k
}

// gone takes a read of a value that nobody may read.
func (s *Stream) gone(k *streamKey, o *history.Op) (*Offence, error) {
	for _, z := range s.forgotten {
		if z.key != k || z.value != o.Seen {
			continue
		}
		if z.write.Outcome == history.Fail {
			return s.offend(k, z.write, *o)
		}
		stale := *z
		stale.last, stale.late = o.Call, *o
		for _, x := range slices.Concat(s.forgotten, k.zones) {
			if x.key == k && x.value != z.value && x.first < stale.last && stale.first < x.last {
				return s.offend(k, append(stale.operations(), x.operations()...)...)
			}
		}
	}
	f, err := s.offend(k, *o)
	if err != nil || !k.forgot && f.Anomaly == PhantomRead && o.Seen != model.Absent {
		return f, err
	}
	e := explanation{h: f.History, ops: []int32{0}}
	f.Anomaly, f.Sentence = StaleRead, e.tell(func() string {
		return fmt.Sprintf("%s saw a value that nobody had written by then, or that had been replaced long before it began", e.full(0))
	})
	return f, nil
}

// operations returns the operations that prove the limits of a zone.
func (z *streamZone) operations() []history.Op { return []history.Op{z.write, z.early, z.late} }

// offend ends the stream: the operations given are not linearizable. That is
// judged again from the beginning, with all proofs.
func (s *Stream) offend(k *streamKey, ops ...history.Op) (*Offence, error) {
	s.over = true
	ops = slices.DeleteFunc(ops, func(o history.Op) bool { return o.Call == 0 })
	// Of an operation that was noted twice, the later note knows more.
	slices.SortFunc(ops, func(a, b history.Op) int { return cmp.Or(cmp.Compare(a.Call, b.Call), cmp.Compare(a.Return, b.Return)) })
	ops = slices.CompactFunc(ops, func(a, b history.Op) bool { return a.Call == b.Call })
	h := &history.History{Ops: ops, Keys: []string{k.name}, Clients: s.Clients}
	r, err := Linearizable(h, model.Register(), Options{Engine: Zones})
	if err != nil {
		return nil, err
	}
	f := &Offence{Judgement: r.Judgement, History: h}
	if r.Verdict != Invalid {
		e := &CertificateError{Key: k.name, Engine: Zones, Verdict: Invalid, History: h, Problem: "the operations that should be in conflict are " + r.Verdict.String()}
		for i := range ops {
			e.Proof = append(e.Proof, i)
		}
		return nil, fmt.Errorf("checker: %w", e)
	}
	return f, nil
}
