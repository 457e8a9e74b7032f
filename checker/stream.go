package checker

import (
	"fmt"
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
