package faults

// Tally tells how often the faults of a schedule have hit something: what never
// did has tested nothing.
type Tally struct{ hits []func() uint64 } // nil before the fault begins

// Hits returns what the fault at a place of the schedule has hit up to now: of a
// crash, nodes that were up; of a pause, messages and timers that waited; of what slows
// a node or a disk, steps and syncs; of a disk that is full or fails, writes and syncs
// that failed; of a clock, nodes. Faults of the network are not counted.
func (t *Tally) Hits(place int) uint64 {
	if t.hits[place] == nil {
		return 0
	}
	return t.hits[place]()
}

type counter uint64

func (n *counter) get() uint64 { return uint64(*n) }
