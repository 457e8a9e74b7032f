package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rashomon-go/rashomon/campaign"
	"github.com/rashomon-go/rashomon/campaign/store"
)

// crashed returns a directory with a campaign of which one run has crashed.
func crashed(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	f := &fuzzFlags{choice: choice{systems: []string{"chain"}, reads: "tail", claim: "linearizable"}, dir: dir}
	f.plan.Operations, f.plan.Twice = 10, -1
	plan, err := f.stored()
	require.NoError(t, err)
	require.NoError(t, f.restore(store.Info{Plan: plan}))
	s, err := store.Open(dir)
	require.NoError(t, err)
	c, err := s.Begin(plan, build())
	require.NoError(t, err)
	b, err := f.plan.Crashed(campaign.Crash{Family: "chain, reads at tail", Seed: 3, How: "fatal error: stack overflow", Where: "chain.loop (loop.go:7)"})
	require.NoError(t, err)
	require.NoError(t, c.Keep(b))
	require.NoError(t, s.Close())
	return dir
}

// A crash fails the campaign as a violation does, unless it is muted. Its scenario is there
// to be replayed, and nobody runs it.
func TestFuzzReportsCrashes(t *testing.T) {
	dir := crashed(t)
	fuzz := func() (status, string) {
		var out, errs strings.Builder
		s := run([]string{"fuzz", "--resume", "--runs", "6", "--dir", dir}, strings.NewReader(""), &out, &errs)
		assert.Empty(t, errs.String())
		return s, out.String()
	}
	s, text := fuzz()
	assert.Equal(t, statusInvalid, s)
	assert.Regexp(t, `(?m)^chain +tail +linearizable +CRASHED +6 +0 +0$`, text)
	assert.Contains(t, text, "chain, linearizable with reads at tail: crashed in 1 of 6 runs (seed 3):\n"+
		"the run ended its process: fatal error: stack overflow, in chain.loop (loop.go:7)\n  replay: ")
	assert.Regexp(t, `(?m)^[0-9a-f]{8} +1 +166667 +3 +10 operations, . faults? +chain, reads at tail: not linearizable: crash: fatal error: stack overflow$`, text)
	scenario := filepath.Join(dir, "chain-tail-linearizable-crash.yaml")
	_, _, err := readScenario(nil, scenario)
	require.NoError(t, err)
	assert.NoDirExists(t, filepath.Join(dir, "corpus"), "it would crash every campaign")

	st, err := store.Open(dir)
	require.NoError(t, err)
	groups, err := st.Groups(1)
	require.NoError(t, err)
	require.Len(t, groups, 1)
	require.NoError(t, st.Mute(groups[0].ID(), "known"))
	require.NoError(t, st.Close())
	s, _ = fuzz()
	assert.Equal(t, statusValid, s)
}

// The command that makes runs for another process tells it how far it has come.
func TestTryRuns(t *testing.T) {
	f := &fuzzFlags{choice: choice{systems: []string{"chain"}}}
	f.plan.Operations = 5
	plan, err := f.stored()
	require.NoError(t, err)
	var out, errs strings.Builder
	ask := `{"Family": "chain, reads at tail", "From": 7, "Until": 9}`
	require.Equal(t, statusValid, run([]string{tryWord, string(plan)}, strings.NewReader(ask), &out, &errs), errs.String())
	assert.Equal(t, "\nrashomon begins 7\n\nrashomon begins 8\n\nrashomon has ended\n", out.String())

	for plan, ask := range map[string]string{string(plan): `{"Family": "another"}`, "{": ask, `{"systems": ["none"]}`: ask, `{"shard": "2"}`: ask} {
		assert.NotEqual(t, statusValid, run([]string{tryWord, plan}, strings.NewReader(ask), &out, &errs))
	}
	assert.NotEqual(t, statusValid, run([]string{tryWord, string(plan)}, strings.NewReader("?"), &out, &errs))
	_, err = os.Stat("rashomon-out")
	assert.Error(t, err)
}
