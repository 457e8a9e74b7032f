package model

import (
	"reflect"
	"testing"
)

// world is every operation over a few values, and what a model makes of them.
func world(m Model) []Op {
	if m.Registers() {
		return transactions()
	}
	values := []Value{Absent, Unseen, 0, 1, 2}
	texts := []string{"", "a", "ab"}
	if !m.Texts() {
		texts = texts[:1]
	}
	var ops []Op
	for _, k := range m.Kinds() {
		for bits := range 4 {
			for _, v := range values {
				for _, expect := range values {
					for _, seen := range values {
						for _, text := range texts {
							for _, seenText := range texts {
								ops = append(ops, Op{Kind: k, Open: bits&1 != 0, Swapped: bits&2 != 0,
									Value: v, Expect: expect, Seen: seen, Text: text, SeenText: seenText})
							}
						}
					}
				}
			}
		}
	}
	return ops
}

// transactions are those of up to two steps on two registers.
func transactions() []Op {
	steps := []Micro{}
	for _, register := range []string{"a", "b"} {
		for _, v := range []Value{Absent, Unseen, 1, 2} {
			steps = append(steps, Micro{Read, register, v})
			if v > Unseen {
				steps = append(steps, Micro{Write, register, v})
			}
		}
	}
	ops := []Op{{Kind: Txn}}
	for _, x := range steps {
		ops = append(ops, Op{Kind: Txn, Txn: []Micro{x}})
		for _, y := range steps {
			ops = append(ops, Op{Kind: Txn, Txn: []Micro{x, y}}, Op{Kind: Txn, Open: true, Txn: []Micro{x, y}})
		}
	}
	return ops
}

// Every model keeps its contract on every operation of a small world, from
// every state that two operations lead to.
func TestModelsKeepTheContract(t *testing.T) {
	for _, m := range All() {
		t.Run(m.Name(), func(t *testing.T) {
			ops := world(m)
			states := reachable(m, ops, 2)
			t.Logf("%d operations, %d states", len(ops), len(states))
			for _, s := range states {
				for i := range ops {
					contract(t, m, s, ops[i])
				}
			}
			for _, a := range states {
				for _, b := range states {
					if m.equal(a, b) != reflect.DeepEqual(a, b) || m.equal(a, b) != m.equal(b, a) {
						t.Errorf("Equal(%v, %v) = %v", a, b, m.equal(a, b))
					}
					if m.equal(a, b) != (m.hash(a) == m.hash(b)) { // few states: a collision would be a poor hash
						t.Errorf("states %v and %v: equal %v, hashes %x and %x", a, b, m.equal(a, b), m.hash(a), m.hash(b))
					}
					if m.equal(a, b) != (m.describe(a) == m.describe(b)) && a != any(Unseen) && b != any(Unseen) {
						t.Errorf("states %v and %v: descriptions %s and %s", a, b, m.describe(a), m.describe(b))
					}
				}
			}
		})
	}
}

func reachable(m Model, ops []Op, depth int) []any {
	states := []any{m.init}
	from := 0
	for range depth {
		to := len(states)
		for _, s := range states[from:to] {
		next:
			for i := range ops {
				after, ok := m.step(s, &ops[i])
				if !ok {
					continue
				}
				for _, known := range states {
					if m.equal(after, known) {
						continue next
					}
				}
				states = append(states, after)
			}
		}
		from = to
	}
	return states
}

func contract(t *testing.T, m Model, s any, op Op) {
	t.Helper()
	before, asked := m.describe(s), op
	after, legal := m.step(s, &op)
	again, legalAgain := m.step(s, &op)
	closed := op
	closed.Open = true
	open, accepted := m.step(s, &closed)
	switch {
	case legal != legalAgain || !m.equal(after, again):
		t.Errorf("%v in state %s: not the same twice", op, before)
	case m.describe(s) != before || !reflect.DeepEqual(op, asked):
		t.Errorf("%v changed state %s, or itself", op, before)
	case op.Looks() && !m.equal(after, s):
		t.Errorf("%v changed state %s to %s", op, before, m.describe(after))
	case !accepted:
		t.Errorf("%v in state %s: not accepted although open", op, before)
	case legal && !m.equal(open, after):
		t.Errorf("%v in state %s: an open one leads to %s, this one to %s", op, before, m.describe(open), m.describe(after))
	case !legal && !m.equal(after, s):
		t.Errorf("%v in state %s: refused, and changed to %s", op, before, m.describe(after))
	}
}
