package rashomon

import (
	"fmt"
	"slices"
	"time"

	"github.com/rashomon-go/rashomon/checker"
	"github.com/rashomon-go/rashomon/faults"
	"github.com/rashomon-go/rashomon/history"
	"github.com/rashomon-go/rashomon/sim"
)

// Result is what a run gave. The judgement's witness are operations of the
// history.
type Result struct {
	checker.Judgement
	// Panic is the text of a panic of the system, which is a finding of its own:
	// the verdict is then invalid, and there is no witness.
	Panic string

	Digest   uint64
	History  *history.History
	Keys     []checker.KeyResult // of a check for linearizability
	Exercise Exercise
	// Effects are what the faults of the scenario did, by their places in it.
	Effects []faults.Effect
	// States are the replicas' final states, by place, as far as they are
	// sim.Observable.
	States [][]sim.Variable
	// Names are the names of all nodes and processes, by number, replicas first.
	Names []string
	// Clients is how many clients there were; process p of the history is client
	// p modulo Clients. Clients includes the one that reads at the end, the last.
	Clients int
	// End is the simulated time at which the run ended.
	End time.Duration

	firstClient int       // index of client 0 in Names
	cause       string    // of Panic, without the time
	beyond      bool      // invalid under faults that are more than the system promises to survive
	cast        []casting // who played the roles that faults name
}

// DescribeOp prints operation i of the history in one line, with its client and
// its times.
func (r *Result) DescribeOp(i int) string {
	o := &r.History.Ops[i]
	return fmt.Sprintf("%s %s (%v..%v)", r.Names[r.firstClient+int(o.Process)%r.Clients], r.History.OpString(i), roundTime(o.CalledAt), roundTime(o.ReturnedAt))
}

// casting is who played a role when a fault asked for it.
type casting struct {
	at      time.Duration
	role    string
	players []sim.NodeID
}

// Staleness says how old the reads of the run were; those of the last client must
// not be old at all.
func (r *Result) Staleness() (checker.Lag, error) {
	return checker.Staleness(r.History, checker.Terms{Final: r.final(), Steps: searchSteps})
}

// final returns the operations of the last client.
func (r *Result) final() (list []int) {
	for i := range r.History.Ops {
		if r.History.Ops[i].ID == 0 {
			list = append(list, i)
		}
	}
	return list
}

// Options say how to run a scenario. The zero Options are the usual ones.
type Options struct {
	// Trace, if not nil, is called for every event; it changes nothing.
	Trace func(sim.Event)
	// Look, if not nil, is called when the nodes have booted and after every step, with
	// the world between two steps. It must change nothing.
	Look func(*sim.World)
	// Check says how to judge the history.
	Check checker.Options
	// Stop ends the run at the first answer after which the history is not
	// linearizable, if that is all that is to be judged. Then nothing heals, and
	// nobody reads at the end. It has no effect where clients do more than to read
	// and write.
	Stop bool
}

// patience is how long clients may take, beyond the faults, to end.
const patience = maxTime

// maxEvents bounds a run, so that a component for which time does not pass ends in
// a verdict and not in a program that hangs.
func maxEvents(sc *Scenario) int { return 1_000_000 + 10_000*len(sc.Operations) }

// Run runs a scenario on a system and judges what the clients saw. The error says
// that the scenario makes no sense for the system, or is for another one; what
// goes wrong in the system is in the result. The result depends on the scenario
// and the system alone.
//
// The clients work through their operations while the faults come and go. When
// all have ended, and every fault has healed, a last client reads every key at
// every node.
func Run(s *System, sc *Scenario, opt Options) (*Result, error) {
	results, err := RunClaims(s, sc, []Property{sc.Claim}, opt)
	if err != nil {
		return nil, err
	}
	return results[0], nil
}

// RunClaims runs a scenario once, as Run does, and judges it for several rows of
// the table of claims: those of the scenario's Reads with the properties given. The
// results, in the order of the properties, differ in their judgement only; they
// share the history and everything else.
func RunClaims(s *System, sc *Scenario, claims []Property, opt Options) ([]*Result, error) {
	r, err := prepare(s, sc, opt)
	if err != nil {
		return nil, err
	}
	defer r.world.Stop()
	r.online.on = opt.Stop && !slices.ContainsFunc(claims, func(p Property) bool { return p != Linearizable })
	r.play()
	return r.results(claims, opt.Check)
}

// prepare returns a run that has not begun. The scenario must make sense for the
// system.
func prepare(s *System, sc *Scenario, opt Options) (*run, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	if sc.System != s.Name {
		return nil, fmt.Errorf("rashomon: the scenario is for system %s, not for %s", sc.System, s.Name)
	}
	if sc.Bug != s.Bug {
		return nil, fmt.Errorf("rashomon: the scenario is for the planted bug %q, and system %s has %q", sc.Bug, s.Name, s.Bug)
	}
	if err := sc.Validate(s); err != nil {
		return nil, err
	}
	return newRun(s, sc, opt), nil
}

// results judges a run that has ended.
func (r *run) results(claims []Property, opt checker.Options) ([]*Result, error) {
	outcome := r.outcome()
	results := make([]*Result, len(claims))
	for i, property := range claims {
		row, err := r.system.Claim(r.scenario.Reads, property)
		if err != nil {
			return nil, err
		}
		one := *outcome
		results[i] = &one
		if err := r.judge(&one, row, opt); err != nil {
			return nil, fmt.Errorf("system %s: %w", r.system.Name, err)
		}
	}
	return results, nil
}

// run is a scenario being run.
type run struct {
	system   *System
	scenario *Scenario
	world    *sim.World
	cluster  *Cluster
	recorder history.Recorder
	online   online
	keys     []string
	clients  int
	running  []sim.NodeID     // the clients, by number
	left     int              // events that may still happen
	answered int              // of the last client's reads, ok
	differed bool             // what replicas stored, when the last fault ended or the last client did
	states   [][]sim.Variable // at the end
	core     []sim.NodeID     // the replicas that are not gone for good
	stuck    string           // the first request of the last client that was not served, in words
	features Features
	loaded   []string // of the features, those that count under load too
	waiting  int      // clients that wait for an answer
	effects  func() []faults.Effect
	cast     []casting
	look     func(*sim.World)
	panicked string // what the system panicked with, and
	cause    string // the same without the time
}

func newRun(s *System, sc *Scenario, opt Options) *run {
	r := &run{system: s, scenario: sc, keys: sc.keys(), clients: sc.clients() + 1, left: maxEvents(sc), look: opt.Look}
	r.features, r.loaded = s.declared(), s.loaded()
	r.world = sim.New(sim.Config{Seed: sc.Seed, Link: sc.Links, Client: sc.Access, Trace: opt.Trace, Count: r.reach})
	r.cluster = newCluster(s, sc)
	for i, frozen := range sc.frozen() {
		if !frozen {
			r.core = append(r.core, sim.NodeID(i))
		}
	}
	r.recorder.Nodes(nodeNames(sc.Nodes))
	r.recorder.Clients(sc.Names(s)[sc.Nodes+len(s.Services):])
	return r
}

func newCluster(s *System, sc *Scenario) *Cluster {
	c := &Cluster{Reads: sc.Reads, Timeout: sc.Timeout, Attempts: sc.Attempts}
	for i := range sc.Nodes {
		c.Nodes = append(c.Nodes, sim.NodeID(i))
	}
	for i := range s.Services {
		c.Services = append(c.Services, sim.NodeID(sc.Nodes+i))
	}
	return c
}

// play lets everything happen. A panic of the system ends it.
func (r *run) play() {
	defer func() {
		switch p := recover().(type) {
		case nil:
		case *sim.Panic:
			r.panicked, r.cause = p.Brief(), fmt.Sprintf("%s: %v", p.Who, p.Value)
		default:
			r.panicked = fmt.Sprint(p)
			r.cause = r.panicked
		}
	}()
	w, sc := r.world, r.scenario
	for i := range sc.Nodes {
		w.AddNode(nodeName(i), r.system.Boot(r.cluster, i))
	}
	for i, name := range r.system.Services {
		w.AddNode(name, r.system.Boot(r.cluster, sc.Nodes+i))
	}
	r.seen()
	healed := sc.Faults.End()
	w.At(healed, "the last fault ends", func() { r.differed = differ(r.coreStates()) })
	r.effects = sc.Faults.Apply(w, slices.Concat(r.cluster.Nodes, r.cluster.Services), r.inRole)
	for i, ops := range perClient(sc.Operations, r.clients-1) {
		r.running = append(r.running, w.Go(clientName(i), func(p *sim.Proc) { r.story(p, i, ops) }))
	}
	r.finish(healed + patience)
	r.pass(max(w.Now(), healed))
	r.differed = r.differed || differ(r.coreStates())
	r.pass(w.Now() + breath)
	r.settle()
	w.Go(lastName, r.lastReads)
	r.finish(w.Now() + patience)
	r.settle()
	for _, id := range r.cluster.Nodes {
		r.states = append(r.states, stateOf(w.Node(id)))
	}
}

// inRole returns who plays a role, and remembers it for the page.
func (r *run) inRole(name string) (players []sim.NodeID) {
	switch {
	case name == faults.Clients:
		players = r.running
	case r.system.InRole != nil:
		players = r.system.InRole(r.world, r.cluster, name)
	}
	r.cast = append(r.cast, casting{r.world.Now(), name, players})
	return players
}

// goesOn reports whether anything may still happen.
func (r *run) goesOn() bool { return r.left > 0 && !r.online.stopped }

// finish lets events happen until every client has ended.
func (r *run) finish(limit time.Duration) {
	for r.world.Live() > 0 && r.step(limit) {
	}
}

// step lets the next event happen, if there is one until then.
func (r *run) step(until time.Duration) bool {
	if !r.goesOn() || !r.world.Step(until) {
		return false
	}
	r.left--
	r.seen()
	return true
}

// seen lets whoever follows the run look at the world.
func (r *run) seen() {
	if r.look != nil {
		r.look(r.world)
	}
}

// pass lets time pass.
func (r *run) pass(until time.Duration) {
	for r.step(until) {
	}
	if r.goesOn() {
		r.world.Run(until)
	}
}

// breath is how long everything is left alone before anybody asks whether replicas
// agree.
const breath = 100 * time.Millisecond

// settle lets time pass until every request has arrived, replicas agree and nothing
// is pending at any, but no longer than the system's Settle. If nobody can look
// inside them, it is all of that.
func (r *run) settle() {
	end := r.world.Now() + r.system.settle()
	for r.goesOn() && r.world.Now() < end && !r.atRest() {
		r.pass(min(r.world.Now()+breath, end))
	}
}

func (r *run) atRest() bool {
	if r.world.Now() < r.world.Asked() {
		return false
	}
	for _, id := range r.core {
		if _, ok := r.world.Node(id).(sim.Observable); !ok {
			return false
		}
	}
	states := r.coreStates()
	for _, state := range states {
		if slices.ContainsFunc(state, func(v sim.Variable) bool { return restless(v.Name) }) {
			return false
		}
	}
	return !differ(states)
}

// coreStates returns what the replicas show that are not gone for good.
func (r *run) coreStates() (states [][]sim.Variable) {
	for _, id := range r.core {
		states = append(states, stateOf(r.world.Node(id)))
	}
	return states
}

// differ says whether replicas with these states store different things.
func differ(states [][]sim.Variable) bool {
	if len(states) == 0 {
		return false
	}
	first := stored(states[0])
	return slices.ContainsFunc(states[1:], func(state []sim.Variable) bool { return !slices.Equal(stored(state), first) })
}

func stateOf(n sim.Node) []sim.Variable {
	if o, ok := n.(sim.Observable); ok {
		return o.State()
	}
	return nil
}
