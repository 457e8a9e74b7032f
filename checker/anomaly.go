package checker

import "fmt"

// Anomaly says what is wrong with an invalid history. The zero Anomaly means
// that nothing is.
type Anomaly uint8

const (
	NoAnomaly Anomaly = iota
	// StaleRead: a value was read although another had certainly taken its
	// place before.
	StaleRead
	// LostWrite: a write that succeeded was never seen, and every one of
	// several reads after it returned what was there before.
	LostWrite
	// LostUpdate: two compare-and-sets replaced one value.
	LostUpdate
	// ReadInversion: two reads tell two values in contradictory order.
	ReadInversion
	// FutureRead: a value was read before the operation that stores it was called.
	FutureRead
	// FailedRead: a value was read that only a failed operation asked to store.
	FailedRead
	// PhantomRead: a value was read that nobody ever asked to store.
	PhantomRead
	// Unordered: no order of the operations is legal, for none of the reasons
	// above.
	Unordered
	// Divergence: replicas answer differently, although everything had healed.
	Divergence
	// Resurrection: what was deleted came back.
	Resurrection
	// LostAcknowledged: at the end a write is missing that had succeeded, and
	// nothing that came later explains it.
	LostAcknowledged
	// OwnWriteMissed: a client did not read what it had written itself.
	OwnWriteMissed
	// ReadsWentBack: the reads of a client went back in time.
	ReadsWentBack
	// WritesReordered: the writes of a client took effect in another order.
	WritesReordered
	// WriteBeforeRead: a write took effect before a value that its client had
	// read when it wrote.
	WriteBeforeRead
	// SessionsDisagree: the sessions of clients contradict each other about the
	// order of values.
	SessionsDisagree
	// NoPrefix: the reads of a client are no prefixes of one order of writes.
	NoPrefix
	// LostElement: a set, a list or a queue lacks what was put there successfully.
	LostElement
	// Stuck: the system does not go on, although everything has healed. That shows at
	// the end of a run, and in no history.
	Stuck
	// CausallyStale: a read missed a write that came causally before it.
	CausallyStale
	// CausalCircle: an operation comes causally before itself.
	CausalCircle
	// ConflictCircle: what clients knew and saw demands an order of writes that is
	// a circle.
	ConflictCircle
	// FracturedRead: a transaction saw a part of what another one wrote, and not
	// the rest.
	FracturedRead
	// HeldTwice: a lock was acquired while it was held.
	HeldTwice
	// ReleasedTwice: a lock was released while it was free.
	ReleasedTwice
	// WrongCount: a counter was read as a number that the increments don't give.
	WrongCount
	// Duplicate: a queue gave, or a list has, an element more often than it was put
	// there.
	Duplicate
	// Disorder: a queue or a list has elements in another order than that in which
	// they were put there.
	Disorder
	anomalies
)

var anomalyNames = [anomalies]string{
	"none", "stale-read", "lost-write", "lost-update", "read-inversion", "future-read", "failed-read", "phantom-read", "unordered",
	"divergence", "resurrection", "lost-acknowledged", "own-write-missed", "reads-went-back", "writes-reordered", "write-before-read",
	"sessions-disagree", "no-prefix", "lost-element", "stuck",
	"causally-stale", "causal-circle", "conflict-circle", "fractured-read",
	"held-twice", "released-twice", "wrong-count", "duplicate", "disorder",
}

// String returns the name of the anomaly, such as stale-read.
func (a Anomaly) String() string {
	if a < anomalies {
		return anomalyNames[a]
	}
	return fmt.Sprintf("anomaly(%d)", uint8(a))
}
