package checker

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/rashomon-go/rashomon/history"
	"github.com/rashomon-go/rashomon/model"
)

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
