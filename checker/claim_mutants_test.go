package checker

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/rashomon-go/rashomon/history"
	"github.com/rashomon-go/rashomon/model"
)

// roomy returns a copy of h with an unused position behind each one.
func roomy(h *history.History) *history.History {
	c := *h
	c.Ops = append([]history.Op(nil), h.Ops...)
	for i := range c.Ops {
		o := &c.Ops[i]
		o.Call *= 2
		if o.Return != history.Never {
			o.Return *= 2
		}
	}
	return &c
}

// The mistakes that a checker can make with outcomes are those of a right one
// that looks at another history. Each must be seen to differ from the oracle.
var misreadings = map[string]func(o *history.Op, i int){
	"unknown writes never happened": func(o *history.Op, _ int) {
		if o.Outcome == history.Unknown {
			o.Outcome, o.Return = history.Fail, o.Call+1
		}
	},
	"unknown writes happened at once": func(o *history.Op, _ int) {
		if o.Outcome == history.Unknown && o.Kind != model.Read {
			o.Outcome, o.Return, o.Swapped = history.OK, o.Call+1, o.Kind == model.CAS
		}
	},
	"failed writes may have happened": func(o *history.Op, i int) {
		if o.Outcome == history.Fail && o.Kind != model.Read {
			o.Outcome, o.Return, o.Process = history.Unknown, history.Never, o.Process+int32(12000*(i+1))
		}
	},
	"failed compare-and-sets say nothing": func(o *history.Op, _ int) {
		if o.Kind == model.CAS && o.Outcome == history.OK && !o.Swapped {
			o.Seen = model.Unseen
		}
	},
	"compare-and-sets are writes": func(o *history.Op, _ int) {
		if swapped(o) {
			o.Kind, o.Swapped, o.Expect = model.Write, false, 0
		}
	},
	"deletes never happened": func(o *history.Op, _ int) {
		if o.Kind == model.Delete && o.Outcome == history.OK {
			o.Outcome = history.Fail
		}
	},
}

func TestOraclesKillMisreadings(t *testing.T) {
	small := story{ops: 11, clients: 3, keys: 1, nodes: 2, reads: 45, lag: 40, wrong: 40, cas: true, deletes: true, final: true}
	plain := story{ops: 13, clients: 3, keys: 1, nodes: 2, reads: 60, lag: 100, cas: true}
	sessions := func(h *history.History, terms Terms) (Judgement, error) { return Session(h, AllGuarantees, terms) }
	causes := story{ops: 12, clients: 3, keys: 2, nodes: 1, least: 7, reads: 55, lag: 60, cas: true}
	convergence := func(h *history.History, terms Terms) (Judgement, error) { return Causal(h, CausalConvergence, terms) }
	for name, c := range map[string]struct {
		trial
		survive []string // misreadings that change nothing about this claim, with good reason
	}{
		// Causality tells when a compare-and-set happened by who read it; real
		// time and what it replaced tell Durable; reads in between tell neither.
		"convergent": {trial{story: small, claim: Convergent, oracle: converges, terms: Terms{Rule: LastWriterWins}}, nil},
		"durable":    {trial{story: small, claim: Durable, oracle: lasts}, []string{"failed compare-and-sets say nothing"}},
		"causality":  {trial{story: causes, claim: convergence, oracle: keepsCausality(CausalConvergence)}, []string{"deletes never happened"}},
		"sessions":   {trial{story: plain, claim: sessions, oracle: keepsSession(AllGuarantees)}, []string{"deletes never happened"}},
		"prefixes":   {trial{story: plain, claim: PrefixConsistent, oracle: showsPrefixes}, []string{"deletes never happened"}},
	} {
		c.terms.Sessions = PerClient(4)
		for misreading, change := range misreadings {
			t.Run(name+"/"+misreading, func(t *testing.T) {
				t.Parallel()
				if slices.Contains(c.survive, misreading) {
					if c.disagree(t, change, 2000) {
						t.Error("killed, although it should change nothing")
					}
				} else if !c.disagree(t, change, 30_000) {
					t.Error("the mutant survived")
				}
			})
		}
	}
}

// disagree reports whether the claim and the oracle say different things about
// some history.
func (c trial) disagree(t *testing.T, change func(*history.Op, int), histories int) bool {
	r := rand.New(rand.NewPCG(15, 16))
	for n := range histories {
		h, final := c.random(r)
		terms := c.terms
		terms.Final = final
		misread := roomy(h)
		for i := range misread.Ops {
			change(&misread.Ops[i], i)
		}
		got, err := c.claim(misread, terms)
		if err != nil {
			t.Fatalf("history %d: %v\n%s", n, err, show(misread))
		}
		if (got.Verdict == Invalid) == c.oracle(h, terms) {
			return true
		}
	}
	return false
}
