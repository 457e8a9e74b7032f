package faults

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rashomon-go/rashomon/sim"
)

// recorder writes and syncs with every tick.
type recorder struct{ ticker }

func (r recorder) Receive(env *sim.Env, from sim.Addr, m sim.Message) {
	if from.Node == env.Self() {
		env.Append("tick")
		env.Sync()
	}
	r.ticker.Receive(env, from, m)
}

func TestEffects(t *testing.T) {
	for line, want := range map[string]uint64{
		"1ms..4ms crash n0 n1 keeping synced":     2,
		"1ms..7ms crash * keeping synced rolling": 3,
		"3ms..4ms crash n2 keeping synced":        0, // it is down already
		"1ms..4ms crash n0 after 3 sends":         1,
		"1ms..4ms crash n0 after 90 sends":        0,
		"1ms..4ms pause n0 n2":                    4,
		"0s..4ms fail-disk n0 n1":                 2,
		"0s..4ms fill-disk n0":                    1,
		"0s..4ms fill-disk n2":                    0,
		"500us..3500us slow-disk n0 n1 by 1us":    6,
		"500us..1500us slow n0 by 1us":            3, // its tick and those of the others
		"1ms..4ms clock n0 n1 offset 1ms":         2,
		"1ms..4ms crash nobody keeping synced":    0,
	} {
		w := sim.New(sim.Config{})
		ids := make([]sim.NodeID, 3)
		for i := range ids {
			ids[i] = w.AddNode([]string{"n0", "n1", "n2"}[i], func(sim.NodeID, *sim.Disk) sim.Node { return recorder{} })
		}
		s := schedule(t, line)
		idle := line == "3ms..4ms crash n2 keeping synced" || line == "1ms..4ms pause n0 n2" || line == "0s..4ms fill-disk n2"
		if idle {
			s = append(s, schedule(t, "0s..9ms crash n2 keeping synced")...)
		}
		effects := s.Apply(w, ids, func(string) []sim.NodeID { return nil })
		require.Zero(t, effects()[0], "it has not begun")
		w.Run(10 * ms)
		require.Equal(t, want, effects()[0].Hits, line)
		require.Equal(t, !strings.Contains(line, "nobody"), effects()[0].Befell > 0, line)
	}
}
