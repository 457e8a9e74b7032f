package rashomon

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/rashomon-go/rashomon/checker"
	"github.com/rashomon-go/rashomon/history"
	"github.com/rashomon-go/rashomon/model"
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

	firstClient int // index of client 0 in Names
}

// DescribeOp prints operation i of the history in one line, with its client and
// its times.
func (r *Result) DescribeOp(i int) string {
	o := &r.History.Ops[i]
	return fmt.Sprintf("%s %s (%v..%v)", r.Names[r.firstClient+int(o.Process)%r.Clients], r.History.OpString(i), roundTime(o.CalledAt), roundTime(o.ReturnedAt))
}

// Options say how to run a scenario. The zero Options are the usual ones.
type Options struct {
	// Trace, if not nil, is called for every event; it changes nothing.
	Trace func(sim.Event)
	// Check says how to judge the history.
	Check checker.Options
}

// patience is how long clients may take, beyond the faults, to end.
const patience = maxTime

// searchSteps bounds the search of the checker in one run, unless Options say
// otherwise: it is for histories with compare-and-sets only, and what needs more is
// not worth the time of a campaign.
const searchSteps = 200_000

// Run runs a scenario on a system and judges what the clients saw. The error says
// that the scenario makes no sense for the system; what goes wrong in the system
// is in the result. The result depends on the scenario and the system alone.
//
// The clients work through their operations while the faults come and go. When
// all have ended, and every fault has healed, a last client reads every key at
// every node.
func Run(s *System, sc *Scenario, opt Options) (*Result, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	if err := sc.Validate(s); err != nil {
		return nil, err
	}
	r := newRun(s, sc, opt)
	defer r.world.Stop()
	r.panicked = r.play()
	return r.judge(opt)
}

// run is a scenario being run.
type run struct {
	system   *System
	scenario *Scenario
	world    *sim.World
	cluster  *Cluster
	recorder history.Recorder
	keys     []string
	clients  int
	finals   int  // operations of the last client
	missed   int  // of these, not ok
	differed bool // what replicas stored, when everything had healed
	panicked string
}

func newRun(s *System, sc *Scenario, opt Options) *run {
	r := &run{system: s, scenario: sc, keys: sc.keys(), clients: sc.clients() + 1}
	r.world = sim.New(sim.Config{Seed: sc.Seed, Link: sc.Links, Client: sc.Access, Trace: opt.Trace})
	r.cluster = &Cluster{Reads: sc.Reads, Timeout: sc.Timeout, Attempts: sc.Attempts}
	for i := range sc.Nodes {
		r.cluster.Nodes = append(r.cluster.Nodes, sim.NodeID(i))
	}
	for i := range s.Services {
		r.cluster.Services = append(r.cluster.Services, sim.NodeID(sc.Nodes+i))
	}
	r.recorder.Nodes(nodeNames(sc.Nodes))
	return r
}

// play lets everything happen, and returns the text of a panic of the system.
func (r *run) play() (panicked string) {
	defer func() {
		switch p := recover().(type) {
		case nil:
		case *sim.Panic:
			panicked = p.Brief()
		default:
			panicked = fmt.Sprint(p)
		}
	}()
	w, sc := r.world, r.scenario
	for i := range sc.Nodes {
		w.AddNode(nodeName(i), r.system.Boot(r.cluster, i))
	}
	for i, name := range r.system.Services {
		w.AddNode(name, r.system.Boot(r.cluster, sc.Nodes+i))
	}
	sc.Faults.Apply(w, append(slices.Clone(r.cluster.Nodes), r.cluster.Services...), r.inRole)
	for i, ops := range perClient(sc.Operations, r.clients-1) {
		w.Go(clientName(i), func(p *sim.Proc) { r.story(p, i, ops) })
	}
	healed := sc.Faults.End()
	r.finish(healed + patience)
	w.Run(max(w.Now(), healed))
	r.differed = r.differ()
	w.Run(w.Now() + r.system.settle())
	w.Go("last", r.lastReads)
	r.finish(w.Now() + patience)
	w.Run(w.Now() + r.system.settle())
	return ""
}

func (r *run) inRole(name string) []sim.NodeID {
	if r.system.InRole == nil {
		return nil
	}
	return r.system.InRole(r.world, r.cluster, name)
}

// finish lets events happen until every client has ended.
func (r *run) finish(limit time.Duration) {
	for r.world.Live() > 0 && r.world.Step(limit) {
	}
}

func perClient(ops []Operation, clients int) [][]Operation {
	each := make([][]Operation, clients)
	for _, op := range ops {
		each[op.Client] = append(each[op.Client], op)
	}
	return each
}

// story is what a client does.
func (r *run) story(p *sim.Proc, client int, ops []Operation) {
	c := asker{run: r, do: r.system.Client(r.cluster), process: int32(client)}
	for _, op := range ops {
		p.Begin(uint64(op.ID))
		p.Sleep(op.Think)
		c.ask(p, op)
	}
}

// lastReads reads every key at every node. Links may still lose messages, so the
// last client is more patient than others.
func (r *run) lastReads(p *sim.Proc) {
	patient := *r.cluster
	patient.Attempts = max(patient.Attempts, 10)
	c := asker{run: r, do: r.system.Client(&patient), process: int32(r.clients - 1)}
	for _, key := range r.keys {
		for node := range r.scenario.Nodes {
			r.finals++
			p.Begin(1<<32 + uint64(r.finals))
			if c.ask(p, Operation{Client: r.clients - 1, Kind: model.Read, Key: key, Node: node}) != history.OK {
				r.missed++
			}
		}
	}
}

// asker is a client at work.
type asker struct {
	*run
	do      Client
	process int32
	seen    map[string]model.Value // by key, what the client saw last
}

// ask does one operation and records it.
func (a *asker) ask(p *sim.Proc, op Operation) history.Outcome {
	if op.Kind == model.CAS && op.Expect == LastSeen {
		op.Expect = a.last(op.Key)
	}
	i, err := a.recorder.Call(history.Asked{
		ID: op.ID, Process: a.process, Kind: op.Kind, Key: op.Key,
		Value: op.Value, Expect: op.Expect, Node: int32(op.Node),
	}, p.Now())
	if err != nil {
		panic(err)
	}
	answer := a.do(p, op)
	if answer.Set != nil {
		answer.Value = a.recorder.Set(answer.Set...)
	}
	err = a.recorder.Return(i, history.Answered{
		Outcome: answer.Outcome, Seen: answer.Value, Swapped: answer.Swapped, Node: a.answeredBy(p, answer),
	}, p.Now())
	if err != nil {
		panic(err)
	}
	switch {
	case answer.Outcome == history.Unknown:
		a.process += int32(a.clients)
	case answer.Outcome == history.OK:
		a.learn(op, answer)
	}
	return answer.Outcome
}

func (a *asker) answeredBy(p *sim.Proc, answer Answer) int32 {
	if from := p.From(); answer.Outcome == history.OK && int(from) < a.scenario.Nodes {
		return int32(from)
	}
	return history.NoNode
}

func (a *asker) last(key string) model.Value {
	if v, known := a.seen[key]; known {
		return v
	}
	return model.Absent
}

func (a *asker) learn(op Operation, answer Answer) {
	if a.seen == nil {
		a.seen = map[string]model.Value{}
	}
	switch {
	case op.Kind == model.Delete:
		a.seen[op.Key] = model.Absent
	case op.Kind == model.Write || answer.Swapped:
		a.seen[op.Key] = op.Value
	case answer.Value != model.Unseen:
		a.seen[op.Key] = answer.Value
	}
}

// judge ends the recording and decides what the history says.
func (r *run) judge(opt Options) (*Result, error) {
	w := r.world
	result := &Result{
		History: r.recorder.Finish(w.Now()), Clients: r.clients, End: w.Now(), Panic: r.panicked,
		firstClient: r.scenario.Nodes + len(r.system.Services),
	}
	for i := range w.Len() {
		result.Names = append(result.Names, w.Name(sim.NodeID(i)))
	}
	for _, id := range r.cluster.Nodes[:min(r.scenario.Nodes, w.Len())] {
		result.States = append(result.States, stateOf(w.Node(id)))
	}
	result.Exercise = r.exercise(result.History)
	result.Digest = digestOf(w.Digest(), result)
	if r.panicked != "" {
		result.Verdict, result.Sentence = checker.Invalid, "the system panicked: "+r.panicked
		return result, nil
	}
	if err := r.check(result, opt.Check); err != nil {
		return nil, fmt.Errorf("system %s: %w", r.system.Name, err)
	}
	if why := result.Exercise.inconclusive(); result.Verdict == checker.Valid && why != "" {
		result.Verdict, result.Reason = checker.Unknown, why
	}
	return result, nil
}

// check judges the property that the scenario is about.
func (r *run) check(result *Result, opt checker.Options) error {
	if opt.Steps == 0 {
		opt.Steps = searchSteps
	}
	if r.scenario.Claim == Linearizable {
		check, err := checker.Linearizable(result.History, model.CASRegister(), opt)
		result.Judgement, result.Keys = check.Judgement, check.Keys
		return err
	}
	row, err := r.system.Claim(r.scenario.Reads, r.scenario.Claim)
	if err != nil {
		return err
	}
	terms := checker.Terms{Rule: row.Rule, Sessions: checker.PerClient(r.clients), Steps: opt.Steps}
	if row.Pinned {
		terms.Sessions = checker.PerClientAndNode(r.clients)
	}
	for i := range result.History.Ops {
		if result.History.Ops[i].ID == 0 {
			terms.Final = append(terms.Final, i)
		}
	}
	if r.system.Diverges && !r.differed {
		terms.Idle = "the replicas did not differ when the faults had healed"
	}
	claim, _ := checker.ClaimNamed(string(r.scenario.Claim)) // Validate has seen to it
	result.Judgement, err = claim.Judge(result.History, terms)
	return err
}

// differ says whether replicas store different things at the moment. What they
// store are the variables of their states that begin with "store".
func (r *run) differ() bool {
	var first []sim.Variable
	for i, id := range r.cluster.Nodes {
		stored := slices.DeleteFunc(stateOf(r.world.Node(id)), func(v sim.Variable) bool { return !strings.HasPrefix(v.Name, "store") })
		if i > 0 && !slices.Equal(first, stored) {
			return true
		}
		first = stored
	}
	return false
}

func stateOf(n sim.Node) []sim.Variable {
	if o, ok := n.(sim.Observable); ok {
		return o.State()
	}
	return nil
}

// digestOf folds what clients saw and the final states into the digest of the
// events.
func digestOf(d uint64, r *Result) uint64 {
	for i := range r.History.Ops {
		o := &r.History.Ops[i]
		d = sim.Key(d, uint64(o.Call)^uint64(o.Kind)<<40^uint64(o.Outcome)<<48^uint64(o.Process)<<16)
		d = sim.Key(d, uint64(o.Return)^uint64(o.ReturnedAt)<<8)
		d = sim.Key(d, uint64(o.Value)^uint64(o.Expect)<<21^uint64(o.Seen)<<42^uint64(o.Seen)>>22)
	}
	for _, set := range r.History.Sets {
		for _, v := range set {
			d = sim.Key(d, uint64(v))
		}
		d = sim.Key(d, uint64(len(set)))
	}
	for _, state := range r.States {
		for _, v := range state {
			d = foldText(foldText(d, v.Name), v.Value)
		}
		d = sim.Key(d, uint64(len(state)))
	}
	return d
}

func foldText(d uint64, s string) uint64 {
	for len(s) >= 8 {
		d = sim.Key(d, uint64(s[0])|uint64(s[1])<<8|uint64(s[2])<<16|uint64(s[3])<<24|uint64(s[4])<<32|uint64(s[5])<<40|uint64(s[6])<<48|uint64(s[7])<<56)
		s = s[8:]
	}
	last := uint64(len(s))
	for i := range len(s) {
		last = last<<8 | uint64(s[i])
	}
	return sim.Key(d, last)
}
