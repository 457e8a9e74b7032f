package replication

import "slices"

// LamportClock orders events along causality (Lamport, "Time, Clocks, and the
// Ordering of Events in a Distributed System", CACM 1978): if a happened before
// b, the time of a is less. The zero LamportClock is ready.
type LamportClock struct{ time uint64 }

// Tick returns the time of a local event, such as sending a message (rule IR1).
func (c *LamportClock) Tick() uint64 {
	c.time++
	return c.time
}

// Observe returns the time of receiving a message that was sent at time t (rule
// IR2).
func (c *LamportClock) Observe(t uint64) uint64 {
	c.time = max(c.time, t)
	return c.Tick()
}

// Order is how two elements of a partial order stand to each other.
type Order uint8

const (
	Equal Order = iota
	Before
	After
	Concurrent
)

// String returns equal, before, after or concurrent.
func (o Order) String() string { return [...]string{"equal", "before", "after", "concurrent"}[o] }

// Dot names one write of one key: the Counter-th, from 1, that this leader made.
// The zero Dot names none.
type Dot struct {
	Replica int // place among the leaders
	Counter uint64
}

func (d Dot) compare(e Dot) int {
	if d.Replica != e.Replica {
		return d.Replica - e.Replica
	}
	if d.Counter < e.Counter {
		return -1
	}
	if d.Counter > e.Counter {
		return 1
	}
	return 0
}

// VectorClock stands for a set of dots without gaps: of replica i, the first
// VectorClock[i] (Fidge 1988; Mattern 1989; as version vector: Parker et al.
// 1983). What is missing at its end counts as 0, so nil is the empty set. A
// VectorClock that is part of a version or a message never changes.
type VectorClock []uint64

// At returns the entry of a replica.
func (c VectorClock) At(replica int) uint64 {
	if replica < len(c) {
		return c[replica]
	}
	return 0
}

// Covers says whether a dot is in the set.
func (c VectorClock) Covers(d Dot) bool { return d.Counter <= c.At(d.Replica) }

// Compare compares by inclusion: Before is a proper subset.
func (c VectorClock) Compare(d VectorClock) Order {
	less, more := false, false
	for i := range max(len(c), len(d)) {
		less = less || c.At(i) < d.At(i)
		more = more || c.At(i) > d.At(i)
	}
	switch {
	case less && more:
		return Concurrent
	case less:
		return Before
	case more:
		return After
	}
	return Equal
}

// Join returns the union, the least clock that is not before either. It changes
// neither.
func (c VectorClock) Join(d VectorClock) VectorClock {
	joined := slices.Clone(c)
	joined.add(d)
	return joined
}

// Tick returns the clock with one more event of a replica. It does not change c.
func (c VectorClock) Tick(replica int) VectorClock {
	ticked := slices.Clone(c)
	ticked.include(Dot{replica, c.At(replica) + 1})
	return ticked
}

// add joins d into a clock that nobody else has yet.
func (c *VectorClock) add(d VectorClock) {
	c.grow(len(d))
	for i, n := range d {
		(*c)[i] = max((*c)[i], n)
	}
}

// include adds a dot, and those before it, to a clock that nobody else has yet.
func (c *VectorClock) include(d Dot) {
	c.grow(d.Replica + 1)
	(*c)[d.Replica] = max((*c)[d.Replica], d.Counter)
}

func (c *VectorClock) grow(length int) {
	if n := length - len(*c); n > 0 {
		*c = append(*c, make(VectorClock, n)...)
	}
}
