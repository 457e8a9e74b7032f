package rashomon

import (
	"slices"
	"strings"

	"github.com/rashomon-go/rashomon/faults"
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

	ByKind   [model.Add + 1]Outcomes // operations of each kind
	Features Features
}

// Outcomes counts operations of one kind.
type Outcomes struct {
	OK, Failed, Unknown int
	Faulty              int // of all these, under way while some fault was in force
}

// Feature is something of a protocol that runs may reach or not.
type Feature struct {
	Name  string
	Times int // how often it was reached
	Runs  int // in how many runs
}

// Features are those that a system has, reached or not, in its order, and behind
// them what else its nodes have counted.
type Features []Feature

// declared returns the features that a run of a system may reach.
func (s *System) declared() Features {
	f := make(Features, len(s.Features))
	for i, name := range s.Features {
		f[i].Name = name
	}
	return f
}

// find returns the feature of that name, which it adds if there is none.
func (f *Features) find(name string) *Feature {
	for i := range *f {
		if (*f)[i].Name == name {
			return &(*f)[i]
		}
	}
	*f = append(*f, Feature{Name: name})
	return &(*f)[len(*f)-1]
}

// Reached returns in how many runs a feature was reached.
func (f Features) Reached(name string) int { return f.find(name).Runs }

// Missed returns the features that no run has reached.
func (f Features) Missed() (names []string) {
	for i := range f {
		if f[i].Runs == 0 {
			names = append(names, f[i].Name)
		}
	}
	return names
}

// reach counts a feature, and that it came under load if the system knows of that.
func (r *run) reach(name string) {
	f := r.features.find(name)
	f.Times++
	f.Runs = 1
	if r.waiting > 0 && slices.Contains(r.loaded, name) {
		f = r.features.find(name + UnderLoad)
		f.Times++
		f.Runs = 1
	}
}

// loaded returns the features of which the system tells when they came under load.
func (s *System) loaded() (names []string) {
	for _, name := range s.Features {
		if name, ok := strings.CutSuffix(name, UnderLoad); ok {
			names = append(names, name)
		}
	}
	return names
}

func (r *run) exercise(h *history.History) Exercise {
	e := Exercise{
		LastReads: r.lastCount(), LastMissed: r.lastCount() - r.answered, Faults: len(r.scenario.Faults),
		Traffic: r.world.TotalTraffic(), Features: r.features,
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
		e.ByKind[o.Kind].count(o, r.scenario.Faults)
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

func (c *Outcomes) count(o *history.Op, s faults.Schedule) {
	switch o.Outcome {
	case history.OK:
		c.OK++
	case history.Fail:
		c.Failed++
	default:
		c.Unknown++
	}
	if slices.ContainsFunc(s, func(f faults.Fault) bool { return f.From <= o.ReturnedAt && o.CalledAt < f.Until }) {
		c.Faulty++
	}
}

func (c *Outcomes) add(d Outcomes) {
	c.OK += d.OK
	c.Failed += d.Failed
	c.Unknown += d.Unknown
	c.Faulty += d.Faulty
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
	for i := range e.ByKind {
		e.ByKind[i].add(f.ByKind[i])
	}
	e.Features = slices.Clone(e.Features) // a copy of e keeps its own
	for _, more := range f.Features {
		sum := e.Features.find(more.Name)
		sum.Times += more.Times
		sum.Runs += more.Runs
	}
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
	case 4*e.OK < e.Operations():
		return "fewer than a quarter of the operations ended ok"
	}
	return ""
}

// Conclusive says whether enough runs were conclusive to call a claim kept: half
// of them.
func Conclusive(runs, inconclusive int) bool { return runs > 0 && 2*inconclusive <= runs }
