package checker

import (
	"github.com/rashomon-go/rashomon/history"
	"github.com/rashomon-go/rashomon/model"
)

// Claim is something that a system promises about the histories of its clients.
type Claim struct {
	Name     string
	Judge    func(h *history.History, terms Terms) (Judgement, error)
	Sessions bool // it matters what terms.Sessions says
	Final    bool // it is about what the reads in terms.Final return
}

// Claims returns all claims that can be judged, each under its name.
func Claims() []Claim {
	list := []Claim{
		{Name: "linearizable", Judge: linearizableRegister},
		{Name: "convergent", Judge: Convergent, Sessions: true, Final: true},
		{Name: "durable", Judge: Durable, Final: true},
		{Name: "set-converges", Judge: SetConverges, Final: true},
		{Name: "prefix-consistent", Judge: PrefixConsistent, Sessions: true},
		{Name: "staleness", Judge: bounded},
		{Name: "sequential-per-key", Judge: SequentialPerKey, Sessions: true},
	}
	for _, g := range []Guarantee{ReadYourWrites, MonotonicReads, MonotonicWrites, WritesFollowReads, AllGuarantees} {
		list = append(list, Claim{Name: g.String(), Sessions: true, Judge: func(h *history.History, terms Terms) (Judgement, error) {
			return Session(h, g, terms)
		}})
	}
	for _, level := range []Causality{CausalConsistency, CausalConvergence} {
		list = append(list, Claim{Name: level.String(), Sessions: true, Judge: func(h *history.History, terms Terms) (Judgement, error) {
			return Causal(h, level, terms)
		}})
	}
	return list
}

// ClaimNamed returns the claim of that name.
func ClaimNamed(name string) (Claim, bool) {
	for _, c := range Claims() {
		if c.Name == name {
			return c, true
		}
	}
	return Claim{}, false
}

func linearizableRegister(h *history.History, terms Terms) (Judgement, error) {
	r, err := Linearizable(h, model.CASRegister(), Options{Steps: terms.Steps})
	return r.Judgement, ofClaim(err)
}

// bounded asks of staleness only that there is a bound.
func bounded(h *history.History, terms Terms) (Judgement, error) {
	lag, err := Staleness(h, terms)
	return lag.Judgement, err
}
