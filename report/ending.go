package report

import (
	"fmt"

	"github.com/rashomon-go/rashomon/internal/english"
	"github.com/rashomon-go/rashomon/sim"
)

// Ending is what the replicas held of one thing, such as a key, when the run ended.
type Ending struct {
	Name   string
	Held   []string // by replica; "" stands for nothing
	Writes []int    // positions in the history of the operations that may have put something there
}

// differs says whether the replicas did not hold the same.
func (e *Ending) differs() bool {
	for _, held := range e.Held {
		if held != e.Held[0] {
			return true
		}
	}
	return false
}

// endingRow is an Ending in words.
type endingRow struct {
	Name    string
	Differs bool
	Held    []endingCell
	Writes  []row
	Left    string // of the writes
}

type endingCell struct {
	Value string
	Odd   bool // not what more than half of the replicas hold
}

// mostWriters is how many writes of a key are told beside what became of them, the last
// ones.
const mostWriters = 8

// endings returns what replicas held at the end, first that in which they differ.
func (s *scene) endings() (rows []endingRow, left string) {
	var same []endingRow
	for i := range s.page.Endings {
		e := &s.page.Endings[i]
		if r := s.endingRow(e); r.Differs {
			rows = append(rows, r)
		} else {
			same = append(same, r)
		}
	}
	rows = append(rows, same...)
	return rows[:min(len(rows), maxRows)], leftOut(len(rows), maxRows, "things that replicas hold")
}

func (s *scene) endingRow(e *Ending) endingRow {
	r := endingRow{Name: clip(oneLine(e.Name), maxText), Differs: e.differs()}
	count := map[string]int{}
	most := ""
	for _, held := range e.Held {
		if count[held]++; count[held] > count[most] {
			most = held
		}
	}
	for _, held := range e.Held {
		r.Held = append(r.Held, endingCell{clip(oneLine(held), maxText), held != most && 2*count[most] > len(e.Held)})
	}
	writes := e.Writes
	if !r.Differs { // nobody asks who wrote
		r.Left = english.Plural(len(writes), "write")
		return r
	}
	if n := len(writes) - mostWriters; n > 0 {
		writes = writes[n:]
		r.Left = fmt.Sprintf("and %d earlier", n)
	}
	r.Writes, _ = s.rows(writes, "")
	return r
}

// holders are the names of the replicas that endings are about.
func (s *scene) holders() (names []string) {
	for place := range s.page.Endings[0].Held {
		names = append(names, clip(s.page.name(sim.NodeID(place)), maxText))
	}
	return names
}
