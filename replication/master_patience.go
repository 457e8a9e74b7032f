package replication

import (
	"time"

	"github.com/rashomon-go/rashomon/sim"
)

// mostPatience bounds, in units of Patience, what the master learns to bear: an
// interruption that is longer is worth a failover.
const mostPatience = 4

// bear has the master learn from interruptions that were no failures. On a network
// that is slow and loses much it would else remove and take back members for ever,
// and the group would get nothing done (Chandra & Toueg 1996: who
// suspects wrongly waits longer from then on).
func (m *Master) bear(env *sim.Env, p *peer, h Heartbeat) {
	if !p.known || h.Answered > p.last.Sent {
		return // it has restarted
	}
	silent, deaf := env.Now()-p.heard, p.last.deaf()
	if h.deaf() >= deaf {
		deaf = 0 // it is not over
	}
	if most := mostPatience * m.cfg.Patience; max(silent, deaf) <= most {
		p.patience = min(max(p.patience, 2*silent, 2*deaf), most)
	}
}

// deaf returns for how long the replica had heard nothing.
func (h Heartbeat) deaf() time.Duration { return h.Sent - h.Answered }

// forgive takes nobody's silence for a failure if all were silent: it was the
// master that was cut off.
func (m *Master) forgive(env *sim.Env) {
	for i := range m.peers {
		if env.Now()-m.peers[i].heard <= m.cfg.Patience {
			return
		}
	}
	for i := range m.peers {
		m.peers[i].heard = env.Now()
	}
}
