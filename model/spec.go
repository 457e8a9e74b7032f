package model

import (
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/anishathalye/porcupine"
)

// Spec is a sequential specification of one key, with states of type S. To
// write one, fill in Name, Kinds, Init and Step and call Model:
//
//	var maxRegister = model.Spec[model.Value]{
//		Name:  "max-register",
//		Kinds: []model.Kind{model.Read, model.Write},
//		Init:  model.Absent,
//		Step: func(s model.Value, op model.Op) (model.Value, bool) {
//			if op.Kind == model.Write {
//				return max(s, op.Value), true
//			}
//			return s, op.Open || op.Seen == s
//		},
//	}.Model()
//
// A state must never be changed once it was handed out: a search keeps states
// and returns to them.
type Spec[S any] struct {
	Name  string
	Kinds []Kind // the kinds that Step understands
	Init  S      // the state of a key before its first operation

	// Step reports whether an operation in state s may give the answer it
	// gave, and the state after it. It is asked only about operations of the
	// Kinds; others are never legal. It is pure: the same arguments give the
	// same results, nothing else changes, and it may be called concurrently.
	// A Read leaves the state as it is. Of an operation that is Open the
	// answer is not known and any must be accepted; Step then returns the
	// state in which it leaves the key by its rule (an open compare-and-set
	// stores if and only if s is what it expects). The state is ignored when
	// Step reports false.
	Step func(s S, op Op) (S, bool)

	// Equal may be nil if S is comparable, and then means ==.
	Equal func(a, b S) bool
	// Hash may be nil. Equal states must have equal hashes.
	Hash func(s S) uint64
	// Describe may be nil, and then means fmt.Sprint.
	Describe func(s S) string
	// Strange may be nil. It says what is wrong with an operation of the Kinds that no
	// such object can have, whatever its state, such as "saw 7, expected a list", and
	// otherwise "": a history with a strange operation is of something else, and no
	// verdict is given. Of an operation that is Open it must not look at the answer.
	Strange func(op Op) string
	// Texts says that Step looks at Text and SeenText, and therefore makes
	// sense only for histories that have texts.
	Texts bool
}

// Model is a Spec whose type of states is forgotten, so that models of all
// kinds can stand in one list. The zero Model accepts no operation. A Model is
// immutable and safe for concurrent use.
type Model struct {
	name     string
	accepted uint32 // bit k is set if Kind k is accepted
	builtIn  bool
	texts    bool
	register bool
	// registers says that it is several, and its operations transactions on them.
	registers bool
	init      any
	step      func(state any, op *Op) (any, bool)
	equal     func(a, b any) bool
	hash      func(state any) uint64
	describe  func(state any) string
	strange   func(op Op) string // or nil
}

// Model returns the model that the specification describes. It panics if the
// specification is not complete: no Name, no Step, no Kinds, or no Equal for
// states that == cannot compare.
func (s Spec[S]) Model() Model {
	s.complete()
	m := Model{name: s.Name, texts: s.Texts, init: s.Init, strange: s.Strange}
	for _, k := range s.Kinds {
		m.accepted |= 1 << k
	}
	step, equal := s.Step, s.Equal
	// A state that stays the same keeps its box: reads then allocate nothing.
	accepted := m.accepted
	m.step = func(state any, op *Op) (any, bool) {
		if accepted&(1<<op.Kind) == 0 {
			return state, false
		}
		before := state.(S)
		after, legal := step(before, *op)
		if !legal || equal(before, after) {
			return state, legal
		}
		return after, true
	}
	m.equal = func(a, b any) bool { return equal(a.(S), b.(S)) }
	if hash := s.Hash; hash != nil {
		m.hash = func(state any) uint64 { return hash(state.(S)) }
	}
	m.describe = func(state any) string { return fmt.Sprint(state) }
	if describe := s.Describe; describe != nil {
		m.describe = func(state any) string { return describe(state.(S)) }
	}
	return m
}

func (s *Spec[S]) complete() {
	switch {
	case s.Name == "":
		panic("model: a specification without a name")
	case s.Step == nil:
		panic("model " + s.Name + ": no Step")
	case len(s.Kinds) == 0:
		panic("model " + s.Name + ": no Kinds")
	case s.Equal == nil && !reflect.TypeFor[S]().Comparable():
		panic("model " + s.Name + ": no Equal, and states are not comparable")
	case s.Equal == nil:
		s.Equal = func(a, b S) bool { return any(a) == any(b) }
	}
	for _, k := range s.Kinds {
		if k == 0 || k >= kinds {
			panic(fmt.Sprintf("model %s: no such kind: %v", s.Name, k))
		}
	}
}

// Name returns the name of the model, such as "register".
func (m Model) Name() string { return m.name }

// BuiltIn reports whether the model is one of this package, so that its name says
// which: a model made elsewhere may have any name.
func (m Model) BuiltIn() bool { return m.builtIn }

// Texts reports whether the model looks at the texts of a history.
func (m Model) Texts() bool { return m.texts }

// Register reports whether the model is one register that is Absent at first:
// an operation stores a value or it does not, and answers depend on the stored
// value alone. Faster algorithms than a search then apply. It is true of the
// models register and cas-register, and of no model made outside the package.
func (m Model) Register() bool { return m.register }

// Registers reports whether the model is several registers, each Absent at first,
// that only transactions read and write. It is true of multi-register, and of no
// model made outside the package.
func (m Model) Registers() bool { return m.registers }

// Accepts reports whether the model understands operations of kind k.
func (m Model) Accepts(k Kind) bool { return k < kinds && m.accepted&(1<<k) != 0 }

// Kinds returns the kinds that the model accepts.
func (m Model) Kinds() []Kind {
	var list []Kind
	for k := Read; k < kinds; k++ {
		if m.Accepts(k) {
			list = append(list, k)
		}
	}
	return list
}

// Choosy reports whether Refuse refuses operations of kinds that the model accepts.
func (m Model) Choosy() bool { return m.strange != nil }

// Refuse returns nil if the model can judge an operation, and otherwise an error that
// goes on after its name, such as "is an acquire, expected read or write".
func (m Model) Refuse(op Op) error {
	if m.Accepts(op.Kind) {
		if m.strange == nil {
			return nil
		}
		if why := m.strange(op); why != "" {
			return errors.New(why)
		}
		return nil
	}
	var words []string
	for _, k := range m.Kinds() {
		words = append(words, k.String())
	}
	return fmt.Errorf("is %s, expected %s", article(op.Kind.String()), oneOf(words))
}

func article(word string) string {
	if strings.ContainsRune("aeiou", rune(word[0])) {
		return "an " + word
	}
	return "a " + word
}

func oneOf(words []string) string {
	last := len(words) - 1
	if last < 1 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:last], ", ") + " or " + words[last]
}

// Replay takes the operations one after the other from the initial state. It
// returns a description of the last state, and how many operations were legal:
// len(ops) if all of them were.
func (m Model) Replay(ops ...Op) (state string, legal int) {
	now := m.init
	for i := range ops {
		next, ok := m.step(now, &ops[i])
		if !ok {
			return m.describe(now), i
		}
		now = next
	}
	return m.describe(now), len(ops)
}

// Budget limits the steps of one search. Unlike a timeout it says the same on
// every machine and under every load.
type Budget struct {
	Limit int64 // how many steps may be taken; 0 means any number
	Used  int64 // how many were taken
	Spent bool  // a step was refused because Used had reached Limit
}

func (b *Budget) take() bool {
	if b.Limit > 0 && b.Used >= b.Limit {
		b.Spent = true
		return false
	}
	b.Used++
	return true
}

// Porcupine returns the model for the search of that name. The Input of an
// operation must be a *Op; its Output is not used. Each step counts in b. Once
// b is spent every step is refused, so that the search soon ends and finds
// nothing: its answer is then worthless unless it is porcupine.Ok.
//
// The histories given to the result must be of one key each, since it does not
// partition. It belongs to one search at a time, as b does.
func (m Model) Porcupine(b *Budget) porcupine.Model {
	return porcupine.Model{
		Init: func() any { return m.init },
		Step: func(state, input, _ any) (bool, any) {
			if !b.take() {
				return false, state
			}
			next, ok := m.step(state, input.(*Op))
			return ok, next
		},
		Equal:             m.equal,
		Hash:              m.hash,
		DescribeOperation: func(input, _ any) string { return input.(*Op).String() },
		DescribeState:     m.describe,
	}
}
