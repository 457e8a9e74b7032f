package checker

import (
	"testing"

	"github.com/rashomon-go/rashomon/history"
	"github.com/rashomon-go/rashomon/model"
)

// The operations on a key decide who judges it, and an engine that is asked for
// declines what it cannot judge.
func TestWhatEngineJudges(t *testing.T) {
	const null, unseen = model.Absent, model.Unseen
	w, r := at(1, 10, 20, write(1)), at(1, 30, 40, read(1))
	for name, c := range map[string]struct {
		want Engine
		ops  []history.Op
	}{
		"reads and writes":                {Zones, []history.Op{w, r}},
		"a compare-and-set":               {Blocks, []history.Op{w, r, at(1, 50, 60, cas(1, 2))}},
		"one that failed and tells why":   {Blocks, []history.Op{w, r, at(1, 50, 60, casFailed(2, 3, 1))}},
		"one that does not":               {Window, []history.Op{w, r, at(1, 50, 60, casFailed(2, 3, unseen))}},
		"one that changes nothing":        {Blocks, []history.Op{w, r, at(1, 50, 60, cas(1, 1))}},
		"one of nothing":                  {Blocks, []history.Op{at(1, 50, 60, cas(null, 1))}},
		"a delete":                        {Greedy, []history.Op{w, r, at(1, 50, 60, erase())}},
		"a compare-and-delete":            {Greedy, []history.Op{w, r, at(1, 50, 60, cas(1, null))}},
		"one of unknown outcome":          {Window, []history.Op{w, r, at(1, 50, never, cas(1, null))}},
		"one of what nobody wrote":        {Greedy, []history.Op{w, r, at(1, 50, never, cas(9, null))}},
		"a value written twice":           {Window, []history.Op{w, r, at(1, 50, 60, write(1))}},
		"a value written twice by a swap": {Window, []history.Op{w, at(1, 50, 60, write(2)), at(1, 70, 80, cas(2, 1))}},
	} {
		t.Run(name, func(t *testing.T) {
			h := record(c.ops...)
			if got := judge(t, h, model.CASRegister(), Options{}); got.Verdict != Valid || got.Keys[0].Engine != c.want {
				t.Errorf("%+v, expected %v", got, c.want)
			}
			for e := Zones; e < engines; e++ {
				got, err := Linearizable(h, model.CASRegister(), Options{Engine: e})
				if applies := e >= c.want; (err == nil) != applies || applies && (got.Verdict != Valid || got.Keys[0].Engine != e) {
					t.Errorf("%v: %+v %v", e, got, err)
				}
			}
		})
	}
}
