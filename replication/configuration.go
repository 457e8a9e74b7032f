package replication

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/rashomon-go/rashomon/sim"
)

// Configuration is a group of replicas that serves until the next one is made. It
// never changes, so that copies may share Members.
type Configuration struct {
	Number  uint64       // from 1; whoever has promised a higher one refuses messages of this one
	Members []sim.NodeID // the first is the primary, or the head
}

// First returns the primary or head, or false if there is no configuration yet.
func (c Configuration) First() (id sim.NodeID, found bool) {
	if len(c.Members) == 0 {
		return 0, false
	}
	return c.Members[0], true
}

// Has says whether a node is a member.
func (c Configuration) Has(id sim.NodeID) bool { return slices.Contains(c.Members, id) }

// Position is a place in a log: an update of configuration Number, at Seq. Two
// logs that hold the same position are equal up to there, because a configuration
// has one node that orders updates.
type Position struct{ Number, Seq uint64 }

// Compare orders positions: a log that ends later holds all that was committed
// when a log that ends earlier does (Oki & Liskov 1988: the latest
// viewstamp).
func (p Position) Compare(q Position) int {
	return cmp.Or(cmp.Compare(p.Number, q.Number), cmp.Compare(p.Seq, q.Seq))
}

// Messages between the configuration master, the replicas and clients.
type (
	// Heartbeat says that a replica is up, what it has promised, and what it has.
	Heartbeat struct {
		Number      uint64        // it refuses messages of configurations before this one, and always will
		Sent        time.Duration // on its own clock, which a crash does not stop
		Answered    time.Duration // when it sent the latest heartbeat that it knows to be answered, or booted
		Last        Position      // end of its log, synced
		CaughtUp    bool          // it is no member of configuration Number, but has what the members have
		Established uint64        // the latest configuration of which it knows that its start is committed
	}
	// HeartbeatAck answers the Heartbeat that was Sent, or comes unasked and then
	// counts for nothing but Fence.
	HeartbeatAck struct {
		Sent          time.Duration
		Configuration Configuration // the latest that was made
		Fence         uint64        // promise this number; 0 if no configuration is being made
		Lease         time.Duration // for how long from Sent the replica may serve; 0 is not at all
	}
	// GetConfiguration is a client's question; the answer is a Configuration.
	GetConfiguration struct{}
)

// FailoverConfig is what a master, its replicas and the protocol agree on about
// time. Zero fields stand for the values in parentheses, which suit simulated
// networks of a few milliseconds.
type FailoverConfig struct {
	// Master is the node that makes configurations.
	Master sim.NodeID
	// HeartbeatEvery is the time between heartbeats (10 ms).
	HeartbeatEvery time.Duration
	// Lease is how long a replica may serve without hearing from the master, in
	// true time (60 ms): its own clock stops it earlier if that may be slow.
	Lease time.Duration
	// Patience is how long, on the master's clock, a replica may be silent before
	// the master takes it for failed, and its lease for run out (100 ms).
	Patience time.Duration
	// DriftPPM is how much faster or slower than true time any of the clocks may
	// run, in parts per million (200,000). Offsets of wall clocks are of no concern.
	DriftPPM int64
}

func (c FailoverConfig) withDefaults() FailoverConfig {
	c.HeartbeatEvery = cmp.Or(c.HeartbeatEvery, 10*time.Millisecond)
	c.Lease = cmp.Or(c.Lease, 60*time.Millisecond)
	c.Patience = cmp.Or(c.Patience, 100*time.Millisecond)
	c.DriftPPM = cmp.Or(c.DriftPPM, 200_000)
	return c
}

const million = 1_000_000

// Validate names the field that makes the configuration impossible. A master
// whose clock is fast must not lose its patience while a lease is running (Gray &
// Cheriton 1989).
func (c FailoverConfig) Validate() error {
	c = c.withDefaults()
	switch {
	case c.HeartbeatEvery < 0 || c.Lease < 0:
		return fmt.Errorf("failover: HeartbeatEvery is %v and Lease %v, expected durations that are not negative", c.HeartbeatEvery, c.Lease)
	case c.DriftPPM < 0 || c.DriftPPM >= million:
		return fmt.Errorf("failover: DriftPPM is %d, expected 0..999999", c.DriftPPM)
	case c.Patience <= scaled(c.Lease, million+c.DriftPPM):
		return fmt.Errorf("failover: Patience is %v, expected more than %v, which is what a clock that is %d ppm fast shows after a Lease of %v",
			c.Patience, scaled(c.Lease, million+c.DriftPPM), c.DriftPPM, c.Lease)
	}
	return nil
}

// ownLease is what a replica's own clock must not exceed: slow as it may be, no
// more than the lease has passed then.
func (c FailoverConfig) ownLease(lease time.Duration) time.Duration {
	return scaled(lease, million-c.DriftPPM)
}

// scaled returns d times ppm parts per million, for durations of less than an
// hour.
func scaled(d time.Duration, ppm int64) time.Duration {
	return d / 1000 * time.Duration(ppm) / 1000
}
