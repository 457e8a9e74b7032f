package checker

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/rashomon-go/rashomon/history"
	"github.com/rashomon-go/rashomon/model"
)

// A lock, a counter, a queue, a set and a list have reasons of their own. Each is
// a proof, as those of registers are. Who is blamed is looked for in the witness;
// who could excuse them, among all operations on the key.

// mostBlamed is how many operations a witness may have of which pairs are compared.
const mostBlamed = 4000

// objectOf returns the name of m if it says what m is.
func objectOf(m model.Model) string {
	if m.BuiltIn() {
		return m.Name()
	}
	return ""
}

func (e *explanation) unlikeObject() bool {
	if len(e.witness) > mostBlamed {
		return false
	}
	switch e.object {
	case "mutex":
		return e.heldTwice()
	case "counter":
		return e.wrongCount() || e.wrongDifference()
	case "queue":
		return e.unlikeQueue()
	case "set", "list":
		return e.unlikeElements()
	}
	return false
}

// ofKind returns those of the operations that are of a kind.
func (e *explanation) ofKind(ops []int32, k model.Kind) (list []int32) {
	for _, i := range ops {
		if e.op(i).Kind == k {
			list = append(list, i)
		}
	}
	return list
}

// answered returns those of the operations that are of a kind and succeeded, in
// the order of their returns.
func (e *explanation) answered(ops []int32, k model.Kind) []int32 {
	list := slices.DeleteFunc(e.ofKind(ops, k), func(i int32) bool { return e.op(i).Outcome != history.OK })
	slices.SortFunc(list, func(i, j int32) int { return cmp.Compare(e.op(i).Return, e.op(j).Return) })
	return list
}

// done reports whether i has certainly happened when j is called.
func (e *explanation) done(i, j int32) bool { return e.op(i).Outcome == history.OK && e.before(i, j) }

// calledBefore returns those of the operations that were called before i returned.
func (e *explanation) calledBefore(ops []int32, i int32) (list []int32) {
	for _, j := range ops {
		if !e.before(i, j) {
			list = append(list, j)
		}
	}
	return list
}

// times says how often something happened.
func times(n int) string {
	switch n {
	case 1:
		return "once"
	case 2:
		return "twice"
	}
	return fmt.Sprintf("%d times", n)
}
