package faults

import (
	"fmt"
	"math"
	"time"

	"github.com/rashomon-go/rashomon/sim"
)

// Kind says what a fault does.
type Kind uint8

// The directed kinds concern what the first group of Who sends to the second.
const (
	Partition    Kind = iota + 1 // nothing passes between the groups, in either direction
	Ring                         // every node hears a majority, its neighbours in the order of Who, and no two hear the same
	Cut                          // directed: nothing arrives
	Delay                        // directed: Delay is added to the latency
	Lose                         // directed: Percent of the messages are lost
	Duplicate                    // directed: Percent of them arrive twice
	Reorder                      // directed: Percent of them are held back
	Corrupt                      // directed: Percent of the messages are damaged and dropped by their receiver
	Hold                         // directed: what arrives waits for the end
	Throttle                     // directed: messages queue for Bandwidth
	Crash                        // the nodes go down at once, and their disks keep what Fate says
	CrashSending                 // they go down instead of making one more than Sends sends, even amid a step
	Pause                        // they take no steps; what arrives waits
	Slow                         // each of their steps takes Time longer
	SlowDisk                     // each sync of their disks takes Time longer
	FillDisk                     // their disks are full: a node that writes goes down
	FailDisk                     // their disks fail: a node that writes or syncs goes down
	Clock                        // their clocks run with Clock
	kinds
)

var kindWords = [kinds]string{
	"?", "partition", "ring", "cut", "delay", "lose", "duplicate", "reorder", "corrupt", "hold", "throttle",
	"crash", "crash", "pause", "slow", "slow-disk", "fill-disk", "fail-disk", "clock",
}

// String returns the word that begins the effect of such a fault.
func (k Kind) String() string { return kindWords[min(k, kinds)%kinds] }

// OfLinks says whether such a fault concerns what is sent, and not nodes.
func (k Kind) OfLinks() bool { return k >= Partition && k <= Throttle }

func (k Kind) directed() bool { return k >= Cut && k <= Throttle }

func (k Kind) crashes() bool {
	return k == Crash || k == CrashSending || k == FillDisk || k == FailDisk
}

// Fault is one fault. It is valid if its text is: see Parse and
// Schedule.Validate. Fields that its kind does not speak of are zero.
type Fault struct {
	From, Until time.Duration // true time; Until itself is after the fault
	Kind        Kind

	// Who is whom it befalls, by name: the groups of a Partition, senders and
	// receivers of the directed kinds, one group of nodes for the others.
	Who [][]string

	Delay   sim.Latency   // of Delay
	Percent float64       // of Lose, Duplicate, Reorder and Corrupt: 0..100
	Fate    sim.DiskFate  // of Crash
	Rolling bool          // of Crash: one node after the other, not all at once
	Sends   int           // of CrashSending
	Time    time.Duration // of Slow, for a step, and of SlowDisk, for a sync; positive
	Clock   sim.Clock     // of Clock

	Bandwidth sim.Bandwidth // of Throttle
	Queue     time.Duration // of Throttle: what would wait for longer is dropped; 0 is no limit

	// Only are the types of the messages that a fault of links concerns, by the names
	// that sim.MessageName gives them; nil is all.
	Only []string

	Repeat // zero for a fault that is there all the time
}

// overlaps says whether two windows have a moment in common.
func (f Fault) overlaps(g Fault) bool { return f.From < g.Until && g.From < f.Until }

// Forever is the Until of a fault that never ends.
const Forever = time.Duration(math.MaxInt64)

// Endless says whether the fault never ends.
func (f Fault) Endless() bool { return f.Until == Forever }

// Bounds is what a fault must keep within.
type Bounds struct {
	Nodes    []string      // whom it may name: nodes, and roles, if there are any
	Messages []string      // the types of messages that it may name; none means any
	End      time.Duration // no fault may end later, so that all has healed before the final reads
}

// Validate is Schedule.Validate for one fault.
func (f Fault) Validate(b Bounds) error { return f.validate(&b) }

// Schedule is the faults of a run, in any order.
type Schedule []Fault

// End returns when the last fault ends that does. From then on nothing remains but
// what never ends.
func (s Schedule) End() (end time.Duration) {
	for _, f := range s {
		if !f.Endless() {
			end = max(end, f.Until)
		}
	}
	return end
}

// Validate checks every fault: its text parses back to it, and it keeps within the
// bounds. Columns in the error are those of the fault's text.
func (s Schedule) Validate(b Bounds) error {
	for i, f := range s {
		if err := f.Validate(b); err != nil {
			return fmt.Errorf("fault %d, %q: %w", i+1, f, err)
		}
	}
	return nil
}
