package replication

import "time"

const defaultRetransmit = 20 * time.Millisecond

// burst bounds how many updates are sent again at once to one node. If it was
// cut off for long, the next burst waits until this one is acknowledged.
const burst = 16

func orDefault(d time.Duration) time.Duration {
	if d == 0 {
		return defaultRetransmit
	}
	return d
}

// overdue says which updates to send again.
type overdue struct {
	armed  bool   // the timer is set
	ticked uint64 // end of the log when it was set: what was sent since may yet be acknowledged
}

// arm says whether the timer has to be set, and takes it for set. The caller has
// found that something is unacknowledged.
func (o *overdue) arm(last uint64) bool {
	if o.armed {
		return false
	}
	o.armed, o.ticked = true, last
	return true
}

// span returns the end of what to send again to a node that has acknowledged
// everything up to acked, and the acknowledgement upon which to go on, or 0 if
// nothing is left then.
func (o *overdue) span(acked uint64) (end, more uint64) {
	if end = acked + burst; end < o.ticked {
		return end, end
	}
	return o.ticked, 0
}
