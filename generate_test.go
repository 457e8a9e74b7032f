package rashomon_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rashomon-go/rashomon"
	"github.com/rashomon-go/rashomon/checker"
	"github.com/rashomon-go/rashomon/systems"
)

// Operations of an open loop begin when their time has come, whatever befalls others.
func TestOpenLoopsNeverWait(t *testing.T) {
	for _, s := range systems.All() {
		claim := s.Claims[0]
		open := 0
		for seed := uint64(0); open < 5 && seed < 500; seed++ {
			sc := rashomon.FromSeed(seed, s, claim, 0)
			starts := map[int32]time.Duration{}
			for _, op := range sc.Operations {
				if op.Start > 0 && op.Think == 0 {
					starts[op.ID] = op.Start
				}
			}
			if len(starts) < len(sc.Operations)/2 {
				continue
			}
			open++
			r := run(t, s, sc, rashomon.Options{Check: checker.Options{VerdictOnly: true}})
			for i := range r.History.Ops {
				if op := &r.History.Ops[i]; starts[op.ID] > 0 {
					require.Equal(t, starts[op.ID], op.CalledAt, "%s seed %d: %s", s.Name, seed, r.DescribeOp(i))
				}
			}
		}
		sessions := slices.ContainsFunc(s.Claims, func(c rashomon.Claim) bool { return c.Pinned && c.Reads == claim.Reads })
		assert.True(t, open == 5 || sessions && open == 0, "%s: %d open loops", s.Name, open)
	}
}
