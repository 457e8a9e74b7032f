package checker

import (
	"fmt"

	"github.com/rashomon-go/rashomon/history"
)

// CertificateError says that an engine could not prove its verdict. The verdict
// is then worth nothing, and the checker has a bug.
type CertificateError struct {
	Key     string
	Engine  Engine
	Verdict Verdict          // that the engine gave
	Problem string           // why the proof is none
	History *history.History // the operations on the key
	Proof   []int            // the order that should be legal, or the witness: indices into History.Ops
}

func (e *CertificateError) Error() string {
	return fmt.Sprintf("key %s: %s says %s, but its proof fails: %s", e.Key, e.Engine, e.Verdict, e.Problem)
}

// certify proves that key k is valid. Porcupine's word is taken for it.
func (c *check) certify(k int32, ops []int32, d decision) error {
	order, known := c.linearization(ops, d)
	if !known {
		return nil
	}
	c.verified[k] = true
	if err := c.verifier.verify(k, order); err != nil {
		return c.unproved(int(k), d, err.Error(), order)
	}
	return nil
}

// linearization returns the order that an engine found for a key that is valid, if
// it tells.
func (c *check) linearization(ops []int32, d decision) (order []int32, known bool) {
	switch d.engine {
	case Zones:
		return c.zones.linearization(ops), true
	case Blocks, Greedy:
		return c.blocks.linearization(ops), true
	case Window:
		return c.window.linearization(), true
	}
	return nil, false
}

// complete reports an operation that the orders of all keys together lack.
func (c *check) complete() error {
	if c.opts.VerdictOnly {
		return nil
	}
	if k, err := c.verifier.complete(c.verified); err != nil {
		return c.unproved(k, decision{verdict: Valid}, err.Error(), nil)
	}
	return nil
}

// unproved returns the error about a verdict whose proof fails.
func (c *check) unproved(k int, d decision, problem string, proof []int32) error {
	e := &CertificateError{Key: c.h.Keys[k], Engine: d.engine, Verdict: d.verdict, Problem: problem}
	alone := *c.h
	alone.Ops = nil
	at := map[int32]int{}
	for i := range c.h.Ops {
		if c.h.Ops[i].Key == int32(k) {
			at[int32(i)] = len(alone.Ops)
			alone.Ops = append(alone.Ops, c.h.Ops[i])
		}
	}
	for _, i := range proof {
		e.Proof = append(e.Proof, at[i])
	}
	e.History = &alone
	return e
}
