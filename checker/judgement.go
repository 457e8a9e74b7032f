package checker

import (
	"errors"
	"slices"

	"github.com/rashomon-go/rashomon/history"
)

// Judgement is the answer of a check.
type Judgement struct {
	Verdict Verdict
	Reason  string // why the verdict is unknown, or says little although it is valid

	// Of an invalid history:
	Witness  []int   // few operations that are invalid by themselves, in the order of their calls
	Anomaly  Anomaly // what is wrong with them
	Sentence string  // the same for people, with clients, values and times
}

// ErrNotUnique says that a check needs to know which write a read returned, and
// does not, because some value was written twice on one key.
var ErrNotUnique = errors.New("values are not unique")

// add joins the answer about a part of the history: what is invalid outweighs
// what is unknown, and of several the first is told.
func (j *Judgement) add(k Judgement) {
	v := j.Verdict.And(k.Verdict)
	if v == k.Verdict && v != j.Verdict {
		*j = k
	}
}

func unknown(reason string) Judgement { return Judgement{Verdict: Unknown, Reason: reason} }

func invalid(a Anomaly, sentence string, witness ...int32) Judgement {
	return Judgement{Verdict: Invalid, Anomaly: a, Sentence: sentence, Witness: indices(union(slices.Clone(witness)...))}
}

// Terms are what a claim is about, beside the history. Claims ignore the terms
// that they have no use for.
type Terms struct {
	// Final are the operations (indices into History.Ops) that were done at the
	// end: when everything had healed and nothing changed any more. Those that
	// are no reads are not looked at.
	Final []int
	// Idle, if not empty, is the reason why the end says nothing about
	// convergence, such as "replicas did not differ at the heal".
	Idle string
	// Rule is how the system resolves conflicts.
	Rule ConflictRule
	// Lossy says that acknowledged writes may be missing from the log of a
	// primary, as after the failover of asynchronous replication.
	Lossy bool
	// Sessions says which operations belong to one session. Nil means that
	// every process is a session by itself.
	Sessions Sessions
	// Steps limits searches, as in Options.
	Steps int64
}

// ConflictRule says what may become of writes that did not know each other.
type ConflictRule uint8

const (
	// NoRule: none of them may be lost.
	NoRule ConflictRule = iota
	// LastWriterWins: one of them survives.
	LastWriterWins
	// AnyWriteWins: nothing is said about which write survives, not even of those
	// that knew each other. It is for systems whose reads are dirty: clients know of
	// writes that never were.
	AnyWriteWins
)

// Sessions says to which session an operation belongs, or NoSession. Operations
// of one session follow each other: each returned before the next was called,
// but for those with an unknown outcome.
type Sessions func(o *history.Op) int64

// NoSession is the session of an operation that belongs to none.
const NoSession int64 = -1

// PerClient says that process p is client p modulo n: a client goes on under a
// fresh process after an unknown outcome, and is still the same client. If n is 0,
// every process is a client by itself.
func PerClient(n int) Sessions {
	return func(o *history.Op) int64 { return clientOf(o, n) }
}

// clientOf returns the number of the client of o, which is never NoSession.
func clientOf(o *history.Op, n int) int64 {
	if n == 0 {
		return int64(uint32(o.Process))
	}
	c := int64(o.Process) % int64(n)
	if c < 0 {
		c += int64(n)
	}
	return c
}

// PerClientAndNode says that what one of n clients, or of all processes if n is 0,
// does at one node is a session: a guarantee for clients that stay at a node says nothing about those
// who move. An operation with an unknown outcome belongs to no session, since
// nobody knows which node it reached.
func PerClientAndNode(n int) Sessions {
	return func(o *history.Op) int64 {
		if o.Node == history.NoNode || o.Outcome == history.Unknown {
			return NoSession
		}
		return int64(o.Node)<<32 | clientOf(o, n)
	}
}
