package rashomon

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/rashomon-go/rashomon/sim"
)

// Replicas agree if they store the same variables in the same order, whatever these look
// like in a sentence.
func TestDisagreement(t *testing.T) {
	for _, c := range []struct {
		name string
		a, b []sim.Variable
		want string
	}{
		{"equal", []sim.Variable{{Name: "store k", Value: "1"}, {Name: "clock", Value: "3"}}, []sim.Variable{{Name: "clock", Value: "4"}, {Name: "store k", Value: "1"}}, ""},
		{"another value", []sim.Variable{{Name: "store k", Value: "1"}}, []sim.Variable{{Name: "store k", Value: "2"}}, ": n0 holds k = 1, and n1 holds k = 2"},
		{"missing", nil, []sim.Variable{{Name: "store k", Value: "2"}}, ": n0 holds no k, and n1 holds k = 2"},
		{"an empty text", []sim.Variable{{Name: "store k"}}, nil, `: n0 holds k = "", and n1 holds no k`},
		{"the second of a name", []sim.Variable{{Name: "store k", Value: "1"}, {Name: "store k", Value: "2"}}, []sim.Variable{{Name: "store k", Value: "1"}, {Name: "store k", Value: "3"}}, ", in how they name or order what they store"},
		{"another name", []sim.Variable{{Name: "store k", Value: "1"}}, []sim.Variable{{Name: "storek", Value: "1"}}, ", in how they name or order what they store"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := &Result{States: [][]sim.Variable{c.a, c.b}, Names: []string{"n0", "n1"}}
			if c.want != "" {
				c.want = "the replicas differ at the end, although everything had healed" + c.want
			}
			assert.Equal(t, c.want, disagreement(r))
			assert.Equal(t, c.want != "", differ(r.States))
		})
	}
}
