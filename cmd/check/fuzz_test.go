package main

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rashomon-go/rashomon"
	"github.com/rashomon-go/rashomon/campaign"
	"github.com/rashomon-go/rashomon/campaign/store"
	"github.com/rashomon-go/rashomon/campaign/verdict"
	"github.com/rashomon-go/rashomon/sim"
	"github.com/rashomon-go/rashomon/systems"
)

// fuzzed carries out a campaign over rows of one system, and returns what it
// prints.
func fuzzed(t *testing.T, s *rashomon.System, plan campaign.Plan) (status, string, fuzzReport) {
	t.Helper()
	for _, reads := range []string{"tail", "any"} {
		c, err := s.Claim(reads, rashomon.Linearizable)
		require.NoError(t, err)
		plan.Cells = append(plan.Cells, campaign.Cell{System: s, Claim: c})
	}
	require.True(t, plan.Cells[1].Claim.Refuted)
	var out, errs strings.Builder
	a := &app{out: &out, err: &errs}
	f := &fuzzFlags{plan: plan, dir: t.TempDir()}
	require.NoError(t, a.campaign(context.Background(), f))
	assert.Empty(t, errs.String())
	text := out.String()
	out.Reset()
	f.json = true
	require.NoError(t, a.campaign(context.Background(), f))
	var r fuzzReport
	require.NoError(t, json.Unmarshal([]byte(out.String()), &r))
	return a.status, text, r
}

func chainWith(t *testing.T, client func(rashomon.Client) rashomon.Client) *rashomon.System {
	t.Helper()
	s, err := systems.ByName("chain")
	require.NoError(t, err)
	right := s.Client
	s.Client = func(c *rashomon.Cluster) rashomon.Client { return client(right(c)) }
	return s
}

// A panic is a finding of its own, and refutes nothing.
func TestFuzzReportsPanics(t *testing.T) {
	s := chainWith(t, func(do rashomon.Client) rashomon.Client {
		return func(p *sim.Proc, op rashomon.Operation) rashomon.Answer {
			if op.ID == 7 {
				panic("seven is too many")
			}
			return do(p, op)
		}
	})
	status, text, r := fuzzed(t, s, campaign.Plan{Runs: 3, Operations: 20})
	assert.Equal(t, statusInvalid, status)
	assert.Regexp(t, `(?m)^chain +any +not linearizable +PANICKED +3 +0 +0$`, text)
	assert.Regexp(t, `(?m)^chain, not linearizable with reads at any: panicked in 3 of 3 runs \(seed 0, shrunk to 1 operation and 0 faults\):$`, text)
	assert.Contains(t, text, "seven is too many")
	for _, c := range r.Cells {
		assert.False(t, c.Kept)
		assert.Equal(t, 3, c.Panics)
		require.NotNil(t, c.Panicked)
		assert.FileExists(t, c.Panicked.Scenario)
		assert.FileExists(t, c.Panicked.Page)
		assert.Nil(t, c.Found)
	}
}

// restlessChain is a chain whose clients remember something from run to run.
func restlessChain(t *testing.T) *rashomon.System {
	t.Helper()
	var made time.Duration
	return chainWith(t, func(do rashomon.Client) rashomon.Client {
		made++
		wait := made * time.Microsecond
		return func(p *sim.Proc, op rashomon.Operation) rashomon.Answer {
			p.Sleep(wait)
			return do(p, op)
		}
	})
}

// What is not deterministic is found by running twice, and named.
func TestFuzzFindsNonDeterminism(t *testing.T) {
	s := restlessChain(t)
	plan := campaign.Plan{Runs: 3, Workers: 1}
	status, text, r := fuzzed(t, s, plan)
	assert.Equal(t, statusBroken, status)
	assert.Regexp(t, `(?m)^chain +tail +linearizable +NOT DETERMINISTIC `, text)
	assert.Regexp(t, `chain, linearizable with reads at tail: not deterministic \(seed 0\):
two runs of one scenario gave the digests [0-9a-f]{16} and [0-9a-f]{16}: something is not deterministic; event \d+ was first ".*" and then ".*"\n`, text)
	for _, c := range r.Cells {
		require.NotNil(t, c.Differs)
		assert.FileExists(t, c.Differs.Scenario)
		assert.Nil(t, c.Found, "there is nothing to be relied on")
	}

	// The second run of what was found is another run, too.
	plan.Twice = -1
	plan.Runs = 30
	status, _, r = fuzzed(t, s, plan)
	assert.Equal(t, statusBroken, status)
	assert.Zero(t, r.Cells[1].RanTwice)
	assert.NotNil(t, r.Cells[1].Differs)
}

// What differs only after all runs, when what was found is shrunk, is kept: whoever reads the
// campaign later comes to what fuzz came to.
func TestFuzzKeepsLateNonDeterminism(t *testing.T) {
	bug, err := systems.BugByName("chain-ack-at-middle")
	require.NoError(t, err)
	system := bug.Variant()
	row, err := system.Claim(bug.Reads, bug.Claim)
	require.NoError(t, err)
	made, calm := 0, math.MaxInt
	right := system.Client
	system.Client = func(c *rashomon.Cluster) rashomon.Client {
		made++
		wait := time.Duration(max(0, made-calm)) * time.Microsecond
		do := right(c)
		return func(p *sim.Proc, op rashomon.Operation) rashomon.Answer {
			p.Sleep(wait)
			return do(p, op)
		}
	}
	plan := campaign.Plan{Cells: []campaign.Cell{{System: system, Claim: row}}, Runs: 20, Workers: 1, Twice: -1, Rejudge: -1, StopAtFirst: true}
	first := plan
	first.Keep = func(*campaign.Batch) error { return nil }
	require.NoError(t, campaign.Run(context.Background(), first, nil).Err)
	made, calm = 0, made

	var out strings.Builder
	a, f := &app{out: &out, err: &out}, &fuzzFlags{plan: plan, dir: t.TempDir()}
	require.NoError(t, a.campaign(context.Background(), f))
	assert.Equal(t, statusBroken, a.status)
	assert.Contains(t, out.String(), " NOT DETERMINISTIC ")
	require.NoError(t, inDirectory(f.dir, func(s *store.Store) error {
		info, err := s.Find(0)
		require.NoError(t, err)
		e, err := verdict.Read(s, info, plan.Cells)
		require.NoError(t, err)
		assert.Equal(t, verdict.Unreliable, e.Conclude().Grade)
		assert.Equal(t, "NOT DETERMINISTIC", e.Rows[0].Word())
		return nil
	}))
}

// A replay is run twice, too, and so is what is to be minimised.
func TestReplayFindsNonDeterminism(t *testing.T) {
	s := restlessChain(t)
	sc := rashomon.FromSeed(1, s, s.Claims[0], 10)
	r, err := rashomon.Run(s, sc, rashomon.Options{})
	require.NoError(t, err)
	err = repeat(s, sc, r.Digest)
	assert.ErrorAs(t, err, &brokenError{})
	assert.ErrorContains(t, err, "something is not deterministic; of two more runs, event ")
	err = (&app{}).minimize("f.yaml", s, sc, minimize{})
	assert.ErrorAs(t, err, &brokenError{})
	assert.ErrorContains(t, err, "something is not deterministic; of two more runs, event ")

	right, err := systems.ByName("chain")
	require.NoError(t, err)
	r, err = rashomon.Run(right, sc, rashomon.Options{})
	require.NoError(t, err)
	assert.NoError(t, repeat(right, sc, r.Digest))
}

// Only builds of a commit without changes have a version.
func TestVersion(t *testing.T) {
	stamps := func(revision, modified string) []debug.BuildSetting {
		return []debug.BuildSetting{{Key: "vcs.revision", Value: revision}, {Key: "vcs.modified", Value: modified}}
	}
	for want, info := range map[string]debug.BuildInfo{
		"0123456789ab": {Main: debug.Module{Version: "v0.0.0-2026-0123456789ab"}, Settings: stamps("0123456789abcdef", "false")},
		"v1.2.3":       {Main: debug.Module{Version: "v1.2.3"}},
	} {
		assert.Equal(t, want, versionOf(&info))
	}
	for _, info := range []debug.BuildInfo{
		{}, {Main: debug.Module{Version: "(devel)"}}, {Main: debug.Module{Version: "v1.2.3+dirty"}},
		{Main: debug.Module{Version: "v1.2.3+dirty"}, Settings: stamps("0123456789abcdef", "true")},
	} {
		assert.Equal(t, unversioned, versionOf(&info))
	}
}

func TestProvenance(t *testing.T) {
	settings := []debug.BuildSetting{{Key: "vcs.revision", Value: "0123456789abcdef"}, {Key: "vcs.time", Value: "2026-01-02T03:04:05Z"},
		{Key: "vcs.modified", Value: "true"}, {Key: "GOOS", Value: "linux"}, {Key: "GOARCH", Value: "arm64"}}
	p := provenanceOf(&debug.BuildInfo{GoVersion: "go1.26.1", Main: debug.Module{Version: "v1.2.3+dirty"}, Settings: settings})
	assert.Equal(t, provenance{
		Version: unversioned, Module: "v1.2.3+dirty", Revision: "0123456789abcdef", Time: "2026-01-02T03:04:05Z", Modified: true, Go: "go1.26.1", Platform: "linux/arm64",
	}, p)
	var b strings.Builder
	require.NoError(t, p.print(&b))
	assert.Equal(t, "check version unversioned build\nmodule:   v1.2.3+dirty\nrevision: 0123456789abcdef of 2026-01-02T03:04:05Z, with changes\ngo:       go1.26.1 linux/arm64\n", b.String())
}

func TestWhoWroteAFile(t *testing.T) {
	for _, tt := range []struct {
		program, ours, who string
		same               bool
	}{
		{"", "v1", "does not say", false},
		{"(devel)", "(devel)", "by an unversioned build", false},
		{unversioned, unversioned, "by an unversioned build", false},
		{"0123456789ab+changes", "0123456789ab+changes", "by an unversioned build", false},
		{"v1", unversioned, "by version v1, and this is an unversioned build", false},
		{"v1", "v2", "by version v1, and this is v2", false},
		{"v1", "v1", "by this version, v1", true},
	} {
		who, same := wrote(tt.program, tt.ours)
		assert.Contains(t, who, tt.who)
		assert.Equal(t, tt.same, same, who)
	}
}

// Only what the files themselves refuse has to do with the flag that names them.
func TestNotWritten(t *testing.T) {
	_, err := os.Create(filepath.Join(t.TempDir(), "nowhere", "f"))
	assert.EqualError(t, notWritten("--out", "found/x", err), "--out: found/x: "+syscall.ENOENT.Error())
	assert.EqualError(t, notWritten("--out", "found/x", errors.New("the page is impossible")), "found/x could not be written: the page is impossible")
}
