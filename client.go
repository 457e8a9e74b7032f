package rashomon

import (
	"fmt"

	"github.com/rashomon-go/rashomon/history"
	"github.com/rashomon-go/rashomon/model"
	"github.com/rashomon-go/rashomon/sim"
)

func perClient(ops []Operation, clients int) [][]Operation {
	many := make([]int, clients)
	for i := range ops {
		many[ops[i].Client]++
	}
	each := make([][]Operation, clients)
	for client := range each {
		each[client] = make([]Operation, 0, many[client])
	}
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
		p.Sleep(max(op.Think, op.Start-p.Now()))
		c.ask(p, op)
	}
}

// lastReads reads every key at every node. Links may still lose messages, so the
// last client is more patient than others.
func (r *run) lastReads(p *sim.Proc) {
	patient := *r.cluster
	patient.Attempts = max(patient.Attempts, 10)
	live := r.scenario.Claim == Live
	if live {
		patient.Attempts = max(patient.Attempts, int(r.system.settle()/patient.Timeout)+1)
	}
	c := asker{run: r, do: r.system.Client(&patient), process: int32(r.clients - 1)}
	if live && len(r.keys) > 0 {
		r.lastWrites(p, &c)
	}
	for i := range r.lastCount() {
		p.Begin(1<<32 + uint64(i))
		op := Operation{Client: r.clients - 1, Kind: model.Read, Key: r.keys[i/len(r.core)], Node: int(r.core[i%len(r.core)])}
		outcome := c.ask(p, op)
		if outcome == history.OK {
			r.answered++
		}
		r.probe(op, outcome)
	}
}

// lastCount returns how many reads the last client has to do.
func (r *run) lastCount() int { return len(r.keys) * len(r.core) }

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
	if op.Timeout == 0 {
		op.Timeout = a.scenario.Timeout
	}
	asked := history.Asked{
		ID: op.ID, Process: a.process, Kind: op.Kind, Key: op.Key,
		Value: op.Value, Expect: op.Expect, Node: int32(op.Node),
	}
	i, err := a.recorder.Call(asked, p.Now())
	if err != nil {
		panic(err)
	}
	a.online.asked(asked, p.Now())
	a.waiting++
	answer := a.do(p, op)
	a.waiting--
	if err := answer.validate(op); err != nil {
		panic(err)
	}
	if answer.Set != nil {
		answer.Value = a.recorder.Set(answer.Set...)
	}
	answered := history.Answered{Outcome: answer.Outcome, Seen: answer.Value, Swapped: answer.Swapped, Node: a.answeredBy(p, answer)}
	if err := a.recorder.Return(i, answered, p.Now()); err != nil {
		panic(err)
	}
	a.online.answered(a.process, answered, p.Now())
	switch {
	case answer.Outcome == history.Unknown:
		a.process += int32(a.clients)
	case answer.Outcome == history.OK:
		a.learn(op, answer)
	}
	return answer.Outcome
}

// validate refuses answers that would make a run look as if it had gone well.
func (a *Answer) validate(op Operation) error {
	switch {
	case a.Outcome == 0:
		return fmt.Errorf("the client returned an empty Answer to %v %s, expected Ok, Got, GotSet, Swapped, NotSwapped, Failed or NotKnown", op.Kind, op.Key)
	case a.Outcome == history.OK && op.Kind == model.Read && a.Set == nil && a.Value == model.Unseen:
		return fmt.Errorf("the client answered a read of %s without a value, expected Got or GotSet", op.Key)
	}
	return nil
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
