package rashomon

import (
	"iter"

	"github.com/rashomon-go/rashomon/checker"
	"github.com/rashomon-go/rashomon/sim"
)

// Replay goes through the run of a scenario event by event and shows the nodes
// meanwhile: for debuggers, and for tests of a moment. The run is the one that Run
// makes, bit for bit. It is not safe for concurrent use, and must be closed.
type Replay struct {
	system   *System
	scenario *Scenario

	run    *run
	resume func() (struct{}, bool)
	stop   func()
	events []sim.Event // from the current one on
	result *Result
}

// NodeState is what a node is at a moment.
type NodeState struct {
	Name string
	Down bool
	// State is empty of a node that is down, or that is not sim.Observable.
	State []sim.Variable
}

// NewReplay returns a replay before the first event. The errors are those of Run.
func NewReplay(s *System, sc *Scenario) (*Replay, error) {
	p := &Replay{system: s, scenario: sc}
	if err := p.begin(); err != nil {
		return nil, err
	}
	return p, nil
}

func (p *Replay) begin() error {
	p.events, p.result = nil, nil
	r, err := prepare(p.system, p.scenario, Options{Trace: func(e sim.Event) { p.events = append(p.events, e) }})
	if err != nil {
		return err
	}
	p.run = r
	p.resume, p.stop = iter.Pull(p.steps)
	return nil
}

// steps yields when the nodes have booted and after every event of the world, of each of
// which none or several of the trace may have come.
func (p *Replay) steps(yield func(struct{}) bool) {
	r := p.run
	r.look = func(*sim.World) {
		if !yield(struct{}{}) {
			r.look, r.left = nil, 0 // nobody is there any more
		}
	}
	r.play()
	if r.look == nil {
		return
	}
	if results, err := r.results([]Property{p.scenario.Claim}, checker.Options{}); err == nil {
		p.result = results[0]
	}
}

// Next goes to the next event, and says whether there is one.
func (p *Replay) Next() bool {
	if len(p.events) > 0 {
		p.events = p.events[1:]
	}
	for len(p.events) == 0 {
		if _, more := p.resume(); !more {
			break
		}
	}
	return len(p.events) > 0
}

// To goes to the event of that number, from 1, as Event.Seq has it: forward, or
// backward, for which the run begins anew; 0 is before the first event. It says whether
// there is such an event. If there is none the run has ended.
func (p *Replay) To(number int) bool {
	if p.result != nil || len(p.events) > 0 && int(p.events[0].Seq) > number {
		p.Close()
		if p.begin() != nil { // never: it has begun before
			return false
		}
	}
	for int(p.Event().Seq) < number && p.Next() {
	}
	return int(p.Event().Seq) == number
}

// Event returns the current event. It is the zero Event before the first and after
// the last one.
func (p *Replay) Event() sim.Event {
	if len(p.events) == 0 {
		return sim.Event{}
	}
	return p.events[0]
}

// States returns what the nodes are, replicas first, then services, by place: when the
// step has ended that the current event belongs to, and nothing before the first event.
// So the receipt of a message is
// shown with what it did, and so is whatever its receiver sent at once.
func (p *Replay) States() (all []NodeState) {
	for i, name := range p.scenario.Names(p.system)[:min(p.scenario.Nodes+len(p.system.Services), p.run.world.Len())] {
		node := p.run.world.Node(sim.NodeID(i))
		all = append(all, NodeState{Name: name, Down: node == nil, State: stateOf(node)})
	}
	return all
}

// Result returns what the run gave, or nil as long as it has not ended: as long as Next
// has not returned false.
func (p *Replay) Result() *Result { return p.result }

// Close ends the replay. Nothing but States may be called after it.
func (p *Replay) Close() {
	p.stop()
	p.run.world.Stop()
}
