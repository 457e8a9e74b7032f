package rashomon

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/rashomon-go/rashomon/checker"
	"github.com/rashomon-go/rashomon/faults"
	"github.com/rashomon-go/rashomon/history"
	"github.com/rashomon-go/rashomon/model"
	"github.com/rashomon-go/rashomon/sim"
)

// searchSteps bounds the search of the checker in one run, unless Options say
// otherwise: it is for histories with compare-and-sets only, and what needs more is
// not worth the time of a campaign.
const searchSteps = 200_000

// outcome ends the recording and returns what happened, not yet judged.
func (r *run) outcome() *Result {
	w := r.world
	result := &Result{
		History: r.recorder.Finish(w.Now()), Clients: r.clients, End: w.Now(),
		Panic: r.panicked, cause: r.cause, States: r.states,
		Names: r.scenario.Names(r.system), firstClient: r.scenario.Nodes + len(r.system.Services), cast: r.cast,
	}
	result.Exercise = r.exercise(result.History)
	if r.effects != nil { // or it panicked before there were any
		result.Effects = r.effects()
		result.History.Faults = r.faulted(result.Effects)
	}
	result.Digest = digestOf(w.Digest(), result)
	return result
}

// faulted tells the faults of the scenario to the history.
func (r *run) faulted(effects []faults.Effect) (all []history.Fault) {
	for i, f := range r.scenario.Faults {
		told := history.Fault{From: f.From, Until: f.Until, Text: f.String(), Hits: effects[i].Total()}
		if f.Endless() {
			told.Until = history.Endless
		}
		all = append(all, told)
	}
	return all
}

// judge decides what the history says of a row.
func (r *run) judge(result *Result, row Claim, opt checker.Options) error {
	switch {
	case r.panicked != "":
		result.Verdict, result.Sentence = checker.Invalid, "the system panicked: "+r.panicked
		return nil
	case r.left <= 0:
		result.Verdict, result.Reason = checker.Unknown, fmt.Sprintf("the run did not end within %d events; it had come to %v", maxEvents(r.scenario), r.world.Now())
		return nil
	}
	if err := r.check(result, row, opt); err != nil {
		return err
	}
	if why := inconclusive(&result.Exercise, row); result.Verdict == checker.Valid && why != "" {
		result.Verdict, result.Reason = checker.Unknown, why
	}
	if result.Verdict != checker.Invalid || row.Refuted || row.Property == Live { // that looks at them first
		return nil
	}
	if why := r.scenario.beyond(r.system, row); why != "" {
		result.beyond = true
		result.Sentence += "; but the faults are more than " + r.system.Name + " promises to survive: " + why
	}
	return nil
}

// beyond says in what the faults of a scenario are more than the system promises to survive
// in a row, or nothing. What breaks then is no defect.
func (sc *Scenario) beyond(s *System, row Claim) string {
	budget := bearable(s.promised(sc.Nodes), row)
	budget.Nodes, budget.Services = nodeNames(sc.Nodes), s.Services
	return budget.Exceeded(sc.Faults)
}

// inconclusive says why a valid history of this run would prove nothing of a row, or
// nothing.
func inconclusive(e *Exercise, row Claim) string {
	if row.Needs != "" && e.Features.Reached(row.Needs) == 0 {
		return "it needs " + row.Needs + ", which did not happen"
	}
	if row.Property == Live {
		return "" // it came to the end
	}
	return e.inconclusive()
}

// check judges the property of a row.
func (r *run) check(result *Result, row Claim, opt checker.Options) (err error) {
	if opt.Steps == 0 {
		opt.Steps = searchSteps
	}
	if row.Property == Live {
		result.Judgement = r.lively(row)
		return nil
	}
	if row.Property == Linearizable {
		check, err := checker.Linearizable(result.History, model.CASRegister(), opt)
		result.Judgement, result.Keys = check.Judgement, check.Keys
		if err == nil && r.online.stopped && result.Verdict != checker.Invalid {
			return errNotInvalid
		}
		return err
	}
	terms := r.terms(row, result.History, opt)
	if row.Property == Convergent || row.Property == SetConverges {
		// Where a system does not serve at the end, it has not come to an end.
		if difference := disagreement(result); difference != "" && r.answered == r.lastCount() {
			result.Judgement = checker.Judgement{Verdict: checker.Invalid, Anomaly: checker.Divergence, Sentence: difference}
			return nil
		}
		if row.Reads != everywhere {
			result.Judgement = agreed(result, terms.Idle)
			return nil
		}
	}
	claim, _ := checker.ClaimNamed(string(row.Property)) // Validate has seen to it
	result.Judgement, err = claim.Judge(result.History, terms)
	return err
}

// agreed judges replicas of which clients see one only, and which do not differ in
// what they show of what they store.
func agreed(r *Result, idle string) checker.Judgement {
	shown := r.readNothing() // empty replicas have nothing to show
	for _, state := range r.States {
		shown = shown && len(state) > 0 || len(stored(state)) > 0
	}
	switch {
	case !shown:
		return checker.Judgement{Reason: "nobody can see what the replicas store: clients read at one of them, and none shows variables that begin with store"}
	case idle != "":
		return checker.Judgement{Reason: idle}
	}
	return checker.Judgement{Verdict: checker.Valid}
}

// readNothing says whether every read at the end that was answered found its key
// absent.
func (r *Result) readNothing() bool {
	for i := range r.History.Ops {
		if o := &r.History.Ops[i]; o.ID == 0 && o.Outcome == history.OK && o.Seen != model.Absent {
			return false
		}
	}
	return true
}

// everywhere as Claim.Reads means that each read is answered by the node that was
// asked. Convergence is then what the last client sees; elsewhere it is judged by
// what replicas store at the end.
const everywhere = "any"

// terms says what the row is about.
func (r *run) terms(row Claim, h *history.History, opt checker.Options) checker.Terms {
	terms := checker.Terms{Rule: row.Rule, Lossy: row.Lossy, Sessions: checker.PerClient(r.clients), Steps: opt.Steps}
	if row.Pinned {
		terms.Sessions = checker.PerClientAndNode(r.clients)
	}
	terms.Final = (&Result{History: h}).final()
	if r.system.Diverges && !r.differed {
		terms.Idle = "the replicas did not differ when the faults had healed"
	}
	return terms
}

// disagreement says in words in what two replicas differ at the end, or nothing if they
// do not, as differ says.
func disagreement(r *Result) string {
	if !differ(r.States) {
		return ""
	}
	for _, name := range r.storedNames() {
		for i := 1; i < len(r.States); i++ {
			if a, b := held(r.States[0], name), held(r.States[i], name); a != b {
				return fmt.Sprintf("the replicas differ at the end, although everything had healed: %s holds %s, and %s holds %s",
					r.Names[0], holding(name, a), r.Names[i], holding(name, b))
			}
		}
	}
	return "the replicas differ at the end, although everything had healed, in how they name or order what they store"
}

// held returns what a replica stores under a name, or "" for nothing.
func held(state []sim.Variable, name string) string {
	for _, v := range stored(state) {
		if storedName(v.Name) == name {
			return cmp.Or(v.Value, emptyText)
		}
	}
	return ""
}

// emptyText is how a value looks that is an empty text.
const emptyText = `""`

func holding(name, value string) string {
	if value == "" {
		return "no " + name
	}
	return name + " = " + value
}

func variable(state []sim.Variable, i int) string {
	if i >= len(state) {
		return "nothing more"
	}
	return state[i].Name + " = " + state[i].Value
}

// storePrefix begins the names of the variables that are about what a replica stores.
const storePrefix = "store"

// stored returns the variables that are about what a replica stores.
func stored(state []sim.Variable) []sim.Variable {
	return slices.DeleteFunc(slices.Clone(state), func(v sim.Variable) bool { return !strings.HasPrefix(v.Name, storePrefix) })
}
