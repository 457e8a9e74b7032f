package faults

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rashomon-go/rashomon/sim"
)

// TestSimplerIsValidAndEnds follows random paths of simpler schedules down to
// the empty one.
func TestSimplerIsValidAndEnds(t *testing.T) {
	nodes := append(names(5), "primary")
	rapid.Check(t, func(t *rapid.T) {
		src := sim.NewDraws(rapid.Uint64().Draw(t, "seed"))
		s := Generate(&src, everything())
		for steps := 0; len(s) > 0; steps++ {
			require.NoError(t, s.Validate(Bounds{Nodes: nodes, End: 2 * time.Second}))
			require.Less(t, steps, 2_000, "%v", s)
			before := s.String()
			var all []Schedule
			for simpler := range s.Simpler() {
				all = append(all, simpler)
			}
			require.Equal(t, before, s.String(), "Simpler changed what it began with")
			// Mostly the last: it changes least.
			s = all[len(all)-1-src.IntN(min(len(all), 3))]
		}
	})
}

func TestSimplerFaults(t *testing.T) {
	for line, want := range map[string][]string{
		"0s..4ms partition n0 n1 | n2 | *": {
			"0s..4ms partition n2 | *",
			"0s..4ms partition n1 | n2 | *",
			"0s..4ms partition n0 | n2 | *",
			"0s..4ms partition n0 n1 | *",
			"0s..4ms partition n0 n1 | n2",
			"0s..2ms partition n0 n1 | n2 | *",
			"2ms..4ms partition n0 n1 | n2 | *",
		},
		"0s..1ms cut n0 n1 -> n0":                      {"0s..1ms cut n1 -> n0"},
		"0s..1ms crash n0 after 2 sends":               {"0s..1ms crash n0 keeping synced", "0s..1ms crash n0 after 1 send"},
		"0s..1ms crash n0 keeping nothing":             {"0s..1ms crash n0 keeping synced"},
		"0s..1ms crash n0 keeping synced":              {"0s..1ms crash n0 keeping everything"},
		"0s..1ms crash n0 keeping everything":          nil,
		"0s..1ms delay n0 -> n1 by 5ms..10ms+exp(1ms)": {"0s..1ms delay n0 -> n1 by 5ms..10ms", "0s..1ms delay n0 -> n1 by 5ms+exp(1ms)", "0s..1ms delay n0 -> n1 by 2ms..7ms+exp(1ms)"},
		"0s..1ms slow n0 by 200ms":                     {"0s..1ms slow n0 by 100ms"},
		"0s..1ms fail-disk n0":                         {"0s..1ms crash n0 keeping synced"},
		"0s..1ms fill-disk n0 n1":                      {"0s..1ms crash n0 n1 keeping synced", "0s..1ms fill-disk n1", "0s..1ms fill-disk n0"},
		"0s..8ms crash n0 n1 keeping everything rolling": {
			"0s..2ms crash n0 keeping everything",
			"4ms..6ms crash n1 keeping everything",
			"0s..8ms crash n1 keeping everything rolling",
			"0s..8ms crash n0 keeping everything rolling",
			"0s..4ms crash n0 n1 keeping everything rolling",
			"4ms..8ms crash n0 n1 keeping everything rolling",
		},
		"0s..1ms ring n0 n1 n2 n3": {
			"0s..1ms partition n0 n1 | n2 n3",
			"0s..1ms ring n1 n2 n3", "0s..1ms ring n0 n2 n3", "0s..1ms ring n0 n1 n3", "0s..1ms ring n0 n1 n2",
		},
		"0s..1ms ring n0 n1 n2":                            {"0s..1ms partition n0 | n1 n2"},
		"0s..1ms corrupt 5% of n0 -> n1":                   {"0s..1ms lose 5% of n0 -> n1"},
		"0s..1ms hold n0 -> n1 only A B":                   {"0s..1ms hold n0 -> n1", "0s..1ms hold n0 -> n1 only B", "0s..1ms hold n0 -> n1 only A"},
		"0s..1ms hold n0 -> n1 only A":                     {"0s..1ms hold n0 -> n1"},
		"0s..1ms throttle n0 -> n1 to 1bit/s queue 5ms":    {"0s..1ms throttle n0 -> n1 to 1bit/s"},
		"0s..1ms pause n0 every 400µs for 300µs":           {"0s..300µs pause n0", "800µs..1ms pause n0", "0s..1ms pause n0"},
		"0s..1ms delay n0 -> n1 by 1ms+lognormal(2ms,50%)": {"0s..1ms delay n0 -> n1 by 1ms"},
		"235ms..428.5ms pause n0": {
			"235ms..331ms pause n0", "332.5ms..428.5ms pause n0",
			"300ms..400ms pause n0", "200ms..393.5ms pause n0",
			"240ms..420ms pause n0", "230ms..423.5ms pause n0",
			"235ms..428ms pause n0",
		},
		"30ms.. pause n0":                          {"100ms.. pause n0", "0s.. pause n0"},
		"0s..1ms delay n0 -> n1 by 2.6ms":          {"0s..1ms delay n0 -> n1 by 1ms", "0s..1ms delay n0 -> n1 by 3ms"},
		"0s..1ms clock n0 offset 5ms drift 100ppm": {"0s..1ms clock n0 drift 100ppm", "0s..1ms clock n0 offset 5ms"},
	} {
		var got []string
		for f := range schedule(t, line)[0].Simpler() {
			got = append(got, f.String())
		}
		require.Equal(t, want, got, line)
	}
}

// Who is gone takes along the faults that concern nobody else.
func TestRename(t *testing.T) {
	names := map[string]string{"n1": "", "n2": "n1"}
	for line, want := range map[string]string{
		"0s..1ms partition n0 n1 | n2":       "0s..1ms partition n0 | n1",
		"0s..1ms partition n0 | n1 | n2":     "0s..1ms partition n0 | n1",
		"0s..1ms partition n0 | n1":          "",
		"0s..1ms cut n1 -> *":                "",
		"0s..1ms cut * -> n2 primary":        "0s..1ms cut * -> n1 primary",
		"0s..1ms crash n1 n2 keeping synced": "0s..1ms crash n1 keeping synced",
		"0s..1ms pause n1":                   "",
	} {
		before := schedule(t, line)
		require.Equal(t, want, before.Rename(names).String(), line)
		require.Equal(t, line, before.String())
	}
}
