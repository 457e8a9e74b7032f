package faults_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rashomon-go/rashomon/faults"
	"github.com/rashomon-go/rashomon/sim"
)

func TestExceeded(t *testing.T) {
	budget := faults.Options{
		Nodes: []string{"n0", "n1", "n2"}, Services: []string{"master"},
		Crash: faults.CrashOptions{
			Nodes: []string{"n0", "n1", "n2", "primary"}, Fates: []sim.DiskFate{sim.LoseUnsynced, sim.KeepAll, sim.LoseAll}, Losses: 1, All: true,
		},
		Clock: faults.ClockOptions{Nodes: []string{"n0", "master"}, Offset: time.Second, DriftPPM: 100},
	}
	for _, c := range []struct {
		faults []string
		want   string
	}{
		{[]string{"10ms..20ms crash n1 keeping synced", "20ms..30ms crash n2 keeping synced"}, ""},
		{[]string{"10ms..21ms crash n1 keeping synced", "20ms..30ms crash n2 keeping synced"}, "n1 and n2 are down at once (at 20ms), and at most 1 of 3 may be"},
		{[]string{"10ms..21ms crash n1 keeping synced", "20ms..30ms crash n1 keeping everything"}, ""},
		{[]string{"10ms..21ms crash n1 keeping synced", "20ms..30ms crash primary keeping synced"}, ""},
		{[]string{"10ms..90ms crash n1 keeping synced every 20ms for 5ms", "16ms..29ms crash n2 keeping synced"}, ""},
		{[]string{"10ms..90ms crash n1 keeping synced every 20ms for 5ms", "16ms..31ms crash n2 keeping synced"}, "n1 and n2 are down at once (at 30ms), and at most 1 of 3 may be"},
		{[]string{"10ms..20ms crash n0 n1 n2 keeping synced"}, ""},
		{[]string{"10ms..20ms crash n0 n1 n2 keeping nothing"}, "disks are lost 3 times, and at most 1 may be"},
		{[]string{"10ms..20ms crash n0 n1 keeping synced rolling"}, ""},
		{[]string{"10ms..20ms crash n0 keeping nothing"}, ""},
		{[]string{"10ms..20ms crash n0 keeping nothing", "30ms..40ms crash n0 keeping nothing"}, "disks are lost 2 times, and at most 1 may be"},
		{[]string{"10ms..20ms crash master keeping synced"}, "master goes down, which it may not"},
		{[]string{"10ms..20ms clock n0 offset 1s", "10ms..20ms partition n0 | n1 n2"}, ""},
		{[]string{"10ms..20ms clock n0 offset -1.1s"}, "the clock of n0 is 1.1s from the right time, and may be 1s"},
		{[]string{"10ms..20ms clock master drift -101ppm"}, "the clock of master drifts by -101 ppm, and may by 100"},
		{[]string{"10ms..20ms clock n1 offset 1ms"}, "the clock of n1 is wrong, which it may not be"},
	} {
		var s faults.Schedule
		for _, text := range c.faults {
			f, err := faults.Parse(text)
			require.NoError(t, err, text)
			s = append(s, f)
		}
		assert.Equal(t, c.want, budget.Exceeded(s), c.faults)
	}
	budget.Crash.Fates = nil
	f, err := faults.Parse("10ms..20ms crash n1 keeping nothing")
	require.NoError(t, err)
	assert.Equal(t, "n1 may go down, but not lose the disk", budget.Exceeded(faults.Schedule{f}))
}
