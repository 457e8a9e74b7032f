package rashomon

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/rashomon-go/rashomon/faults"
	"github.com/rashomon-go/rashomon/sim"
)

// A message has no name that survives a change of the scenario, but it has a sender, a
// receiver, a type and a time, of which a fault can speak: of one link, "only" one type,
// for a moment. So what chance does to messages can be replaced by faults of single
// messages. Most of them do not matter.

const (
	// What links do by chance is worth so many faults of single messages.
	pinsOfLinks = 3
	// What a fault does by chance is worth one.
	pinsOfFault = 1
	// More than so many are not tried.
	maxPins = 400
)

// messages puts faults of single messages in the place of chance.
func (k *shrinker) messages() (shrunk bool) {
	for _, side := range linkSides {
		for _, p := range chances {
			if share := *p.of(side.of(k.scenario)); share != 0 {
				what := fmt.Sprintf("%s %v of %s", p.name, share, side.name)
				shrunk = k.pin(what, pinsOfLinks, func(sc *Scenario) { *p.of(side.of(sc)) = 0 }) || shrunk
			}
		}
		if latency := side.of(k.scenario).Latency; latency != sim.Constant(latency.Min) {
			what := fmt.Sprintf("latency %v of %s", latency, side.name)
			shrunk = k.pin(what, pinsOfLinks, func(sc *Scenario) { side.of(sc).Latency = side.plain }) || shrunk
		}
	}
	for i := len(k.scenario.Faults) - 1; i >= 0; i-- {
		if f := k.scenario.Faults[i]; byChance(f) {
			shrunk = k.pin(f.String(), pinsOfFault, func(sc *Scenario) { sc.Faults = slices.Delete(sc.Faults, i, i+1) }) || shrunk
		}
	}
	return shrunk
}

// byChance says whether chance decides which messages a fault concerns, or how.
func byChance(f faults.Fault) bool {
	switch f.Kind {
	case faults.Lose, faults.Duplicate, faults.Reorder, faults.Corrupt:
		return f.Percent < 100
	case faults.Delay:
		return f.Delay != sim.Constant(f.Delay.Min)
	}
	return false
}

// pin removes a reason for what befalls messages, and lets the same befall as few
// single messages as it takes. It changes nothing if it takes more than most.
func (k *shrinker) pin(what string, most int, remove func(*Scenario)) bool {
	trial := *k
	trial.opt.Kept, trial.steps = nil, nil
	defer func() { k.left, k.runs = trial.left, trial.runs }()
	before := k.scenario.clone()
	remove(before)
	for _, grain := range []time.Duration{time.Millisecond, time.Microsecond} {
		pins := trial.pins(before, grain)
		if len(pins) == 0 || len(pins) > maxPins {
			return false
		}
		if !trial.try("", func(sc *Scenario) { remove(sc); sc.Faults = slices.Concat(sc.Faults, pins) }) {
			continue
		}
		trial.fewerPins(len(before.Faults))
		if pinned := trial.scenario.Faults[len(before.Faults):]; len(pinned) <= most {
			k.keep(pinsText(pinned)+" in place of "+what, trial.scenario, trial.result)
			return true
		}
		trial.scenario, trial.result = k.scenario, k.result
	}
	return false
}

func pinsText(pins faults.Schedule) string {
	if len(pins) == 0 {
		return "nothing"
	}
	return strings.ReplaceAll(pins.String(), "\n", "; ")
}

// fewerPins takes out faults from a place of the schedule on.
func (k *shrinker) fewerPins(from int) {
	takeOut(func() int { return len(k.scenario.Faults) - from }, func(start, end int) bool {
		return k.try("", func(sc *Scenario) { sc.Faults = slices.Delete(sc.Faults, from+start, from+end) })
	})
}

// pins returns faults that do to single messages what befell them in the run, in
// windows that begin and end at multiples of the grain, for a scenario that is as the
// shrinker's but for one reason.
func (k *shrinker) pins(without *Scenario, grain time.Duration) faults.Schedule {
	p := &pinner{
		scenario: without, names: k.scenario.Names(k.system), nodes: k.scenario.Nodes + len(k.system.Services),
		grain: grain, left: map[uint64]time.Duration{}, known: map[string]bool{},
	}
	if _, err := Run(k.system, k.scenario, Options{Trace: p.see}); err != nil {
		return nil // never: it has run before
	}
	return p.pins
}

// pinner writes down what befalls the messages of a run.
type pinner struct {
	scenario *Scenario // whose links need the pins
	names    []string
	nodes    int // of the names; clients come behind them
	grain    time.Duration
	left     map[uint64]time.Duration // when messages on the network left, by identity
	known    map[string]bool
	pins     faults.Schedule
}

func (p *pinner) see(e sim.Event) {
	if e.From == e.To {
		return // no network
	}
	switch e.Kind {
	case sim.Sent:
		p.left[e.ID] = e.At
	case sim.Duplicated:
		p.left[e.ID] = e.At
		p.pin(e, faults.Fault{Kind: faults.Duplicate, Percent: 100})
	case sim.Dropped:
		if e.Why != sim.NodeDown && e.Why != sim.PortClosed {
			p.pin(e, faults.Fault{Kind: faults.Lose, Percent: 100})
		}
	case sim.Delivered:
		if late := (e.At - p.left[e.ID] - p.least(e)).Truncate(p.grain); late > 0 {
			p.pin(e, faults.Fault{Kind: faults.Delay, Delay: sim.Constant(late)})
		}
	}
}

// least returns how long a message is on its way at least.
func (p *pinner) least(e sim.Event) time.Duration {
	if int(max(e.From, e.To)) >= p.nodes {
		return p.scenario.Access.Latency.Min
	}
	return p.scenario.Links.Latency.Min
}

// pin adds a fault of the message of an event, once.
func (p *pinner) pin(e sim.Event, f faults.Fault) {
	f.From = p.left[e.ID].Truncate(p.grain)
	f.Until = f.From + p.grain
	f.Who = [][]string{{p.name(e.From)}, {p.name(e.To)}}
	f.Only = []string{sim.MessageName(e.Message)}
	if text := f.String(); !p.known[text] {
		p.known[text] = true
		p.pins = append(p.pins, f)
	}
}

func (p *pinner) name(id sim.NodeID) string {
	if int(id) < p.nodes {
		return p.names[id]
	}
	return faults.Clients
}
