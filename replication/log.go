package replication

import (
	"fmt"

	"github.com/rashomon-go/rashomon/sim"
)

// Entry is an update in the order that the primary or head has given it. Number
// and Seq name it: entries of the same name are the same, wherever they are
// logged, and so are all entries before them.
type Entry struct {
	Number uint64 // the configuration that it was ordered in; 0 in a fixed group
	Seq    uint64 // from 1, without gaps
	Write  Write
	// Client is where the request came from: a chain's tail answers it.
	Client sim.Addr
}

// sequence is a replica's log: the updates that it has received in order, and
// those that came too early.
type sequence struct {
	chunks [][]slot // chunks[i/chunk][i%chunk].Seq == i+1
	end    uint64
	runs   []Position // the last entry of each configuration, in order
	early  map[uint64]Entry
	latest map[sim.NodeID]uint64 // sequence number of each client's latest request
}

// slot is an entry and what this replica alone knows about it.
type slot struct {
	Entry
	result Written  // once it is applied
	waits  sim.Addr // whom this replica is to answer when the update is committed, or nobody
}

// nobody is an address that no node or process has.
var nobody = sim.Addr{Node: -1}

// chunk is how many slots are allocated at once. A log that was one slice would
// be copied again and again as it grows.
const chunk = 64

func (s *sequence) last() uint64 { return s.end }

func (s *sequence) at(seq uint64) *slot { return &s.chunks[(seq-1)/chunk][(seq-1)%chunk] }

// append adds the next entry to the log and to the disk.
func (s *sequence) append(env *sim.Env, e Entry) {
	s.remember(e)
	env.Append(e)
}

func (s *sequence) remember(e Entry) {
	if e.Seq != s.end+1 {
		panic(fmt.Sprintf("replication: update %d follows %d", e.Seq, s.end))
	}
	if s.end == uint64(len(s.chunks))*chunk {
		s.chunks = append(s.chunks, make([]slot, chunk))
	}
	s.end++
	s.extendRun(e)
	to := s.at(s.end)
	to.Entry, to.waits = e, nobody
	s.index(e)
}

// index makes a request known by its client.
func (s *sequence) index(e Entry) {
	if id := e.Write.Request; id != (RequestID{}) {
		if s.latest == nil {
			s.latest = map[sim.NodeID]uint64{}
		}
		s.latest[id.Client] = e.Seq
	}
}

func (s *sequence) extendRun(e Entry) {
	if n := len(s.runs); n > 0 && s.runs[n-1].Number == e.Number {
		s.runs[n-1].Seq = e.Seq
		return
	}
	s.runs = append(s.runs, Position{e.Number, e.Seq})
}

// cut is what the disk says of entries that were taken back: all after Seq.
type cut struct{ seq uint64 }

// truncate takes back the entries after seq, in the log and on the disk.
func (s *sequence) truncate(env *sim.Env, seq uint64) {
	s.forget(seq)
	env.Append(cut{seq})
}

func (s *sequence) forget(seq uint64) {
	s.end = min(s.end, seq)
	s.latest, s.runs = nil, nil
	for i := uint64(1); i <= s.end; i++ {
		e := s.at(i).Entry
		s.index(e)
		s.extendRun(e)
	}
}

// recover fills the log from a disk.
func (s *sequence) recover(disk *sim.Disk) {
	for _, record := range disk.Records() {
		switch r := record.(type) {
		case Entry:
			s.remember(r)
		case cut:
			s.forget(r.seq)
		}
	}
}

// position returns where the log ends.
func (s *sequence) position() Position {
	if s.end == 0 {
		return Position{}
	}
	return s.runs[len(s.runs)-1]
}

// common returns up to where the log is equal to another one, of which it knows
// the runs.
func (s *sequence) common(theirs []Position) (seq uint64) {
	for i := range min(len(theirs), len(s.runs)) {
		if s.runs[i].Number != theirs[i].Number {
			return seq
		}
		seq = min(s.runs[i].Seq, theirs[i].Seq)
		if s.runs[i].Seq != theirs[i].Seq {
			return seq
		}
	}
	return seq
}

// receive takes an entry that may come early or again, and appends whatever is
// in sequence then. It says whether the log grew.
func (s *sequence) receive(env *sim.Env, e Entry) bool {
	if e.Seq <= s.last() {
		return false
	}
	if e.Seq > s.last()+1 {
		s.keep(e)
		return false
	}
	s.append(env, e)
	s.takeEarly(env)
	return true
}

// keep holds an entry that came early.
func (s *sequence) keep(e Entry) {
	if s.early == nil {
		s.early = map[uint64]Entry{}
	}
	s.early[e.Seq] = e
}

// takeEarly appends early entries that are in sequence now, and says whether the
// log grew.
func (s *sequence) takeEarly(env *sim.Env) (grew bool) {
	for len(s.early) > 0 {
		e, found := s.early[s.last()+1]
		if !found {
			break
		}
		delete(s.early, e.Seq)
		s.append(env, e)
		grew = true
	}
	return grew
}

// find returns the slot of a request if it is its client's latest in the log,
// else nil, and says whether it is older than that: a straggler that nobody
// waits for.
func (s *sequence) find(id RequestID) (found *slot, straggler bool) {
	if id == (RequestID{}) {
		return nil, false
	}
	seq, known := s.latest[id.Client]
	if !known {
		return nil, false
	}
	latest := s.at(seq)
	if latest.Write.Request == id {
		return latest, false
	}
	return nil, latest.Write.Request.Number > id.Number
}
