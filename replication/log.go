package replication

import (
	"fmt"

	"github.com/rashomon-go/rashomon/sim"
)

// Entry is an update in the order that the primary or head has given it. Once
// logged it never changes, so that all logs are equal.
type Entry struct {
	Seq    uint64 // from 1, without gaps
	Number uint64 // of the configuration in which it was ordered
	Write  Write
	// Client is where the request came from: a chain's tail answers it.
	Client sim.Addr
}

// sequence is a replica's log: the updates that it has received in order, and
// those that came too early.
type sequence struct {
	chunks [][]slot // chunks[i/chunk][i%chunk].Seq == i+1
	end    uint64
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
	if s.end%chunk == 0 {
		s.chunks = append(s.chunks, make([]slot, chunk))
	}
	s.end++
	to := s.at(s.end)
	to.Entry, to.waits = e, nobody
	if id := e.Write.Request; id != (RequestID{}) {
		if s.latest == nil {
			s.latest = map[sim.NodeID]uint64{}
		}
		s.latest[id.Client] = e.Seq
	}
}

// cutoff is a record of a disk: of the entries before it, those after Seq are
// taken back.
type cutoff struct{ Seq uint64 }

// recover fills the log from a disk.
func (s *sequence) recover(disk *sim.Disk) {
	for _, record := range disk.Records() {
		switch r := record.(type) {
		case Entry:
			s.remember(r)
		case cutoff:
			s.forget(r.Seq)
		}
	}
}

// truncate takes back the entries after seq, in the log and on the disk.
func (s *sequence) truncate(env *sim.Env, seq uint64) {
	s.forget(seq)
	env.Append(cutoff{seq})
}

// forget builds the log anew from its first entries, so that what is remembered
// of clients is right again.
func (s *sequence) forget(after uint64) {
	old := *s
	*s = sequence{}
	for seq := uint64(1); seq <= after; seq++ {
		s.remember(old.at(seq).Entry)
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
	s.append(env, e)
	for len(s.early) > 0 {
		e, found := s.early[s.last()+1]
		if !found {
			break
		}
		delete(s.early, e.Seq)
		s.append(env, e)
	}
	return true
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
