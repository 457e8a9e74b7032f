package rashomon

import (
	"github.com/rashomon-go/rashomon/history"
	"github.com/rashomon-go/rashomon/model"
	"github.com/rashomon-go/rashomon/sim"
)

// Exercise counts what a run exercised: a run in which nothing happened proves
// nothing.
type Exercise struct {
	OK, Failed, Unknown int // operations by outcome
	Reads, Writes, CAS  int // operations by kind, with outcome ok and an answer that says something; Writes are also additions and deletions
	Swapped             int // compare-and-sets that stored their value
	Overlapping         int // operations that began while another one on their key was under way
	LastReads           int // reads at the end, over all keys and nodes
	LastMissed          int // of these, not ok
	Faults              int // windows of the schedule
	Differed            int // runs in which replicas stored different things when everything had healed
	Traffic             sim.Traffic
}

func (r *run) exercise(h *history.History) Exercise {
	e := Exercise{
		LastReads: r.lastCount(), LastMissed: r.lastCount() - r.answered, Faults: len(r.scenario.Faults),
		Traffic: r.world.TotalTraffic(),
	}
	if r.differed {
		e.Differed = 1
	}
	busy := make([]int64, len(h.Keys)) // by key, the latest return so far
	for i := range h.Ops {
		o := &h.Ops[i]
		if o.ID == 0 {
			continue // of the last client
		}
		e.count(o)
		if o.Call < busy[o.Key] {
			e.Overlapping++
		}
		busy[o.Key] = max(busy[o.Key], o.Return)
	}
	return e
}

func (e *Exercise) count(o *history.Op) {
	switch o.Outcome {
	case history.Fail:
		e.Failed++
		return
	case history.Unknown:
		e.Unknown++
		return
	}
	e.OK++
	switch o.Kind {
	case model.Read:
		e.Reads++
	case model.CAS:
		if o.Swapped {
			e.Swapped++
		}
		if o.Swapped || o.Seen != model.Unseen {
			e.CAS++
		}
	default:
		e.Writes++
	}
}

// Operations returns how many operations the clients of the scenario did.
func (e *Exercise) Operations() int { return e.OK + e.Failed + e.Unknown }

// Add adds the counts of another run.
func (e *Exercise) Add(f Exercise) {
	e.OK += f.OK
	e.Failed += f.Failed
	e.Unknown += f.Unknown
	e.Reads += f.Reads
	e.Writes += f.Writes
	e.CAS += f.CAS
	e.Swapped += f.Swapped
	e.Overlapping += f.Overlapping
	e.LastReads += f.LastReads
	e.LastMissed += f.LastMissed
	e.Faults += f.Faults
	e.Differed += f.Differed
	e.Traffic.Add(f.Traffic)
}

// inconclusive says why a valid history of this run would prove nothing, or
// nothing.
func (e *Exercise) inconclusive() string {
	switch {
	case e.Writes+e.Swapped == 0:
		return "no write was acknowledged"
	case e.Reads+e.CAS == 0:
		return "no read was answered"
	case e.LastReads == 0 || e.LastMissed > 0:
		return "reads at the end were not answered, although everything had healed"
	case 2*e.OK < e.Operations():
		return "fewer than half of the operations ended ok"
	}
	return ""
}

// Conclusive says whether enough runs were conclusive to call a claim kept: half
// of them.
func Conclusive(runs, inconclusive int) bool { return runs > 0 && 2*inconclusive <= runs }
