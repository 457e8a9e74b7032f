package rashomon

import (
	"slices"
	"time"

	"github.com/rashomon-go/rashomon/model"
	"github.com/rashomon-go/rashomon/workload"
)

// workload draws what clients do, and returns about how long that takes. Most runs
// are hot: some clients, hardly a pause, few keys. That is where operations meet; what
// else workloads can be like are features that some runs have.
func (g *generator) workload(sc *Scenario, operations int) time.Duration {
	l := load{generator: g, sc: sc}
	l.Operations = operations
	l.Clients.Count = pick(g.src, 2, 3, 4, 5, 8)
	l.Keys = l.keys()
	l.Mix = l.mix(pick(g.src, 50, 30, 70))
	l.Think = l.think()
	l.Clients.Stay = l.stay()
	if g.oneIn(6) {
		l.comeAndGo()
	}
	if g.oneIn(4) {
		l.timeouts()
	}
	if g.oneIn(6) && l.fitOpen() {
		l.open()
	}
	phases := []workload.Workload{l.Workload}
	if g.oneIn(6) {
		phases = l.halves()
	}
	sc.Operations = workload.Generate(g.src, sc.Nodes, phases...)
	return max(l.span(), 20*time.Millisecond)
}

// load is a workload being drawn.
type load struct {
	*generator
	workload.Workload
	sc *Scenario
}

func (l *load) keys() workload.Keys {
	few := pick(l.src, 1, 1, 2, 3, 5)
	switch l.src.IntN(8) {
	case 5:
		return workload.NewZipf(4 * few)
	case 6:
		return workload.HotSpot{Count: 4 * few, Hot: 1, Percent: 80}
	case 7:
		return workload.HotSpot{Count: 4 * few, Hot: 1, Percent: 90, Move: pick(l.src, 20, 10, 40)}
	}
	return workload.Uniform(few)
}

// mix draws which kinds of operations there are, beside so many reads in a hundred.
func (l *load) mix(reads int) workload.Mix {
	kinds, rest := l.system.kinds(), 100-reads
	mix := workload.Mix{{Kind: model.Read, Weight: reads}}
	for _, k := range []struct {
		model.Kind
		share int
	}{{model.CAS, 20}, {model.Delete, 10}} {
		if slices.Contains(kinds, k.Kind) && l.oneIn(4) {
			mix = append(mix, workload.Share{Kind: k.Kind, Weight: k.share})
			rest -= k.share
		}
	}
	return append(mix, workload.Share{Kind: l.system.store(), Weight: rest})
}

// think draws a pause. It takes a while until a failure is noticed and repaired, and
// clients must be there to see it. Replicas that diverge answer at once: without pauses
// everything would happen at one moment.
func (l *load) think() time.Duration {
	switch {
	case len(l.system.Services) > 0:
		return milliseconds(l.src, 5, 2, 20, 50)
	case l.system.Diverges:
		return milliseconds(l.src, 1, 1, 5, 20)
	}
	return milliseconds(l.src, 0, 1, 5, 20)
}

func (l *load) stay() int {
	switch l.src.IntN(8) {
	case 4, 5, 6:
		return 1
	case 7:
		return pick(l.src, 3, 8)
	}
	return 0
}

// comeAndGo lets a client leave after some operations, at about which time the next
// one arrives.
func (l *load) comeAndGo() {
	l.Clients.Lifetime = pick(l.src, 10, 5, 2)
	l.Clients.Every = (l.each() * time.Duration(l.Clients.Lifetime) / time.Duration(l.Clients.Count)).Round(time.Millisecond)
}

// timeouts makes some clients less patient than others, so much that replies come
// too late.
func (l *load) timeouts() {
	short := l.trip() * pick(l.src, time.Duration(5), 3, 4, 10)
	l.Timeouts.Choices = []time.Duration{0, max(short.Round(time.Millisecond), time.Millisecond)}
	l.Timeouts.PerOperation = l.oneIn(2)
}

// fitOpen says whether an open loop can show anything. Its clients have one operation
// each, in most runs: too little for a claim about sessions. And of compare-and-sets
// that all wait for the end of a failure there are too many orders to search.
func (l *load) fitOpen() bool {
	for _, c := range l.system.Claims {
		if c.Reads == l.sc.Reads && c.aboutSessions() {
			return false
		}
	}
	return !slices.ContainsFunc(l.Mix, func(s workload.Share) bool { return s.Kind == model.CAS })
}

// open makes operations begin when they will, at the rate that so many clients in a
// closed loop come to.
func (l *load) open() {
	d := l.span().Round(time.Millisecond)
	rate := max(int(time.Duration(l.Operations)*time.Second/d), 1)
	o := &workload.Open{Poisson: l.oneIn(2)}
	steady, part := workload.Steady(rate, d), d/4
	switch l.src.IntN(4) {
	case 0:
		o.Rates = []workload.Rate{steady}
	case 1:
		o.Rates = []workload.Rate{{For: d, From: 0, To: 2 * rate}}
	case 2:
		o.Rates = workload.Spike(max(rate/2, 1), 3*rate, part, part, 2*part)
	case 3:
		o.Rates = []workload.Rate{workload.Steady(2*rate, part), workload.Steady(0, 2*part), steady}
	}
	o.Rates = append(o.Rates, workload.Steady(rate, time.Minute)) // for those that are left
	cluster := newCluster(l.system, l.sc)
	cluster.Timeout = max(cluster.Timeout, slices.Max(append(l.Timeouts.Choices, 0)))
	o.Longest = l.system.longest(cluster)
	l.Open = o
}

// halves makes two phases: a second one of other kinds of operations, at another pace.
func (l *load) halves() []workload.Workload {
	first, second := l.Workload, l.Workload
	first.Operations /= 2
	second.Operations -= first.Operations
	second.Mix = l.mix(pick(l.src, 80, 10))
	second.Think = pick(l.src, 0, 2*l.Think)
	if l.Open != nil {
		second.Open, second.Start = nil, l.span()/2
	}
	return []workload.Workload{first, second}
}

// trip is about how long a message takes.
func (l *load) trip() time.Duration {
	link, access := &l.sc.Links.Latency, &l.sc.Access.Latency
	return link.Min + link.Spread/2 + link.Tail + 2*access.Min
}

// each is about how long a client takes for an operation, and the pause before it.
func (l *load) each() time.Duration {
	trips := time.Duration(l.sc.Nodes)
	if l.system.Diverges {
		trips = 0
	}
	return l.Think + trips*l.trip() + time.Millisecond
}

// span is about how long a closed loop takes.
func (l *load) span() time.Duration {
	return l.each() * time.Duration(l.Operations/l.Clients.Count+1)
}
