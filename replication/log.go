package replication

import "github.com/rashomon-go/rashomon/sim"

// Entry is an update in the order that the primary or head has given it.
type Entry struct {
	Seq   uint64 // from 1, without gaps
	Write Write
	// Client is who waits for the answer.
	Client sim.Addr
}

// sequence is a replica's log: the updates that it has received in order, and
// those that came too early.
type sequence struct {
	entries []Entry // entries[i].Seq == i+1
	early   map[uint64]Entry
	latest  map[sim.NodeID]request // of each client
}

// request is where a client's latest request stands in the log.
type request struct {
	number, seq uint64
	result      Written // once it is applied
}

func (s *sequence) last() uint64 { return uint64(len(s.entries)) }

func (s *sequence) at(seq uint64) *Entry { return &s.entries[seq-1] }

// append adds the next entry to the log and to the disk.
func (s *sequence) append(env *sim.Env, e Entry) {
	s.remember(e)
	env.Append(e)
}

func (s *sequence) remember(e Entry) {
	s.entries = append(s.entries, e)
	if id := e.Write.Request; id != (RequestID{}) {
		if s.latest == nil {
			s.latest = map[sim.NodeID]request{}
		}
		s.latest[id.Client] = request{number: id.Number, seq: e.Seq}
	}
}

// recover fills the log from a disk.
func (s *sequence) recover(disk *sim.Disk) {
	for _, record := range disk.Records() {
		s.remember(record.(Entry))
	}
}

// receive takes an entry that may come early or again, and appends whatever is
// in sequence then. It says whether the log grew.
func (s *sequence) receive(env *sim.Env, e Entry) bool {
	switch {
	case e.Seq <= s.last():
		return false
	case e.Seq > s.last()+1:
		if s.early == nil {
			s.early = map[uint64]Entry{}
		}
		s.early[e.Seq] = e
		return false
	}
	for next := true; next; e, next = s.early[s.last()+1] {
		delete(s.early, e.Seq)
		s.append(env, e)
	}
	return true
}

// find returns the client's request if it is the latest in the log, and says
// whether the request is older than that: a straggler that nobody waits for.
func (s *sequence) find(id RequestID) (r request, found, straggler bool) {
	if id == (RequestID{}) {
		return request{}, false, false
	}
	r, found = s.latest[id.Client]
	return r, found && r.number == id.Number, found && r.number > id.Number
}

// applied keeps the result of an entry for a client that asks again.
func (s *sequence) applied(e *Entry, result Written) {
	if r := s.latest[e.Write.Request.Client]; r.seq == e.Seq {
		r.result = result
		s.latest[e.Write.Request.Client] = r
	}
}
