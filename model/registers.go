package model

import (
	"slices"
	"strings"
)

// Micro is one step of a transaction: it reads a register of the object, or it
// writes one.
type Micro struct {
	Kind     Kind   // Read or Write
	Register string // its name
	Value    Value  // Write: what to store; Read: what the answer told, or Unseen
}

// MultiRegister returns the model of an object of several registers, each of them
// Absent at first. Its operations are transactions (Txn) that read and write some
// of the registers, step by step and all at one moment: a step sees what earlier
// ones of its transaction wrote.
func MultiRegister() Model { return multiRegister }

var multiRegister = newMultiRegister()

func newMultiRegister() Model {
	m := builtIn(Spec[[]held]{
		Name:     "multi-register",
		Kinds:    []Kind{Txn},
		Step:     stepMultiRegister,
		Equal:    slices.Equal[[]held],
		Hash:     hashRegisters,
		Describe: describeRegisters,
	}.Model())
	m.registers = true
	return m
}

// held is a register that was written. States list them by their names.
type held struct {
	register string
	value    Value
}

func stepMultiRegister(state []held, op Op) ([]held, bool) {
	after, own := state, false
	for _, m := range op.Txn {
		at, written := slices.BinarySearchFunc(after, m.Register, func(h held, name string) int { return strings.Compare(h.register, name) })
		if m.Kind == Write {
			if !own { // the state belongs to others
				after, own = slices.Clone(after), true
			}
			if written {
				after[at].value = m.Value
			} else {
				after = slices.Insert(after, at, held{m.Register, m.Value})
			}
			continue
		}
		now := Absent
		if written {
			now = after[at].value
		}
		if !op.Open && m.Value != Unseen && m.Value != now {
			return state, false
		}
	}
	return after, true
}

func hashRegisters(state []held) uint64 {
	h := uint64(len(state))
	for _, r := range state {
		h = hashValue(Value(h*31 + hashText(r.register)))
		h = hashValue(Value(h*31 + uint64(r.value)))
	}
	return h
}

func describeRegisters(state []held) string {
	words := make([]string, len(state))
	for i, r := range state {
		words[i] = r.register + "=" + r.value.String()
	}
	return "{" + strings.Join(words, " ") + "}"
}

// TxnString returns the steps of a transaction, such as "a=1, b -> 2", or "a=1, read b"
// if it was not answered. value says how values are written.
func TxnString(steps []Micro, answered bool, value func(Value) string) string {
	words := make([]string, len(steps))
	for i, m := range steps {
		switch {
		case m.Kind == Write:
			words[i] = m.Register + "=" + value(m.Value)
		case answered:
			words[i] = m.Register + " -> " + value(m.Value)
		default:
			words[i] = "read " + m.Register
		}
	}
	return strings.Join(words, ", ")
}
