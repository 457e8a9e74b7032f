package rashomon_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rashomon-go/rashomon"
	"github.com/rashomon-go/rashomon/checker"
	"github.com/rashomon-go/rashomon/history"
	"github.com/rashomon-go/rashomon/model"
)

// A run that is told to stop does so at the first answer that makes its history
// invalid, and only then; until there it is the same run.
func TestRunStopsAtTheFirstOffence(t *testing.T) {
	stopped, judged := 0, 0
	everySystem(func(s *rashomon.System, c rashomon.Claim) {
		if c.Property != rashomon.Linearizable {
			return
		}
		plain := *s
		plain.Kinds = []model.Kind{model.Read, model.Write}
		for seed := range uint64(4) {
			sc := rashomon.FromSeed(seed, &plain, c, 0)
			whole := run(t, &plain, sc, rashomon.Options{})
			short := run(t, &plain, sc, rashomon.Options{Stop: true})
			if whole.Panic != "" {
				continue
			}
			judged++
			if whole.Verdict != checker.Invalid {
				require.Equal(t, whole.Digest, short.Digest, "%s, seed %d", s.Name, seed)
				continue
			}
			require.Equal(t, checker.Invalid, short.Verdict, "%s, seed %d: %s", s.Name, seed, whole.Sentence)
			stopped++
			last := int64(0)
			for i := range short.History.Ops {
				o, p := &short.History.Ops[i], &whole.History.Ops[i]
				require.Equal(t, p.Call, o.Call)
				if o.Return != history.Never {
					require.Equal(t, p.Return, o.Return)
					last = max(last, o.Return)
				}
			}
			before := *short.History
			before.Ops = slices.DeleteFunc(slices.Clone(before.Ops), func(o history.Op) bool { return o.Call > last })
			for i := range before.Ops {
				if o := &before.Ops[i]; o.Return == last {
					o.Return, o.Outcome, o.Seen = history.Never, history.Unknown, model.Unseen
				}
			}
			r, err := checker.Linearizable(&before, model.Register(), checker.Options{})
			require.NoError(t, err)
			require.NotEqual(t, checker.Invalid, r.Verdict, "%s, seed %d: it went on for too long", s.Name, seed)
		}
	})
	t.Logf("%d of %d runs stopped", stopped, judged)
	require.Greater(t, stopped, 20)
}
