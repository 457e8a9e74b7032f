package rashomon_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rashomon-go/rashomon"
	"github.com/rashomon-go/rashomon/checker"
	"github.com/rashomon-go/rashomon/model"
	"github.com/rashomon-go/rashomon/sim"
	"github.com/rashomon-go/rashomon/systems"
)

// Check passes a correct system, says how many runs it took, and insists that
// what is not claimed is refuted.
func TestCheckPasses(t *testing.T) {
	s, err := systems.ByName("chain")
	require.NoError(t, err)
	rec := &recordingTB{name: t.Name()}
	rashomon.Check(rec, s)
	assert.Empty(t, rec.fatal)
	assert.Empty(t, rec.errors)
	assert.Contains(t, rec.log, "chain, reads at tail: linearizable: kept in 200 runs")
}

// A property that is not claimed and not refuted either is an error: somebody is
// blind.
func TestCheckWantsRefutation(t *testing.T) {
	s, err := systems.ByName("chain")
	require.NoError(t, err)
	s.Claims = []rashomon.Claim{{Reads: "tail", Property: rashomon.Linearizable, Refuted: true}}
	rec := &recordingTB{name: t.Name()}
	rashomon.Check(rec, s)
	assert.Contains(t, rec.errors, "no violation in 200 runs")
}

// A system that never answers does not pass for a correct one.
func TestCheckWantsConclusiveRuns(t *testing.T) {
	s := *lazySystem
	s.Boot = func(*rashomon.Cluster, int) sim.Boot {
		return func(sim.NodeID, *sim.Disk) sim.Node { return mute{} }
	}
	rec := &recordingTB{name: t.Name()}
	rashomon.Check(rec, &s)
	assert.Contains(t, rec.errors, "200 of 200 runs were inconclusive")
}

// Bad descriptions and files end the test with a reason.
func TestCheckOfNonsense(t *testing.T) {
	rec := &recordingTB{name: t.Name()}
	rashomon.Check(rec, &rashomon.System{Name: "empty"})
	assert.Contains(t, rec.fatal, "Boot and Client must both be set")

	t.Setenv("RASHOMON_REPLAY", filepath.Join(t.TempDir(), "missing.yaml"))
	rec = &recordingTB{name: t.Name()}
	rashomon.Check(rec, lazySystem)
	assert.Contains(t, rec.fatal, "missing.yaml")

	file := filepath.Join(t.TempDir(), "other.yaml")
	s, err := systems.ByName("chain")
	require.NoError(t, err)
	saveScenario(t, file, rashomon.FromSeed(1, s, s.Claims[0], 5))
	t.Setenv("RASHOMON_REPLAY", file)
	rec = &recordingTB{name: t.Name()}
	rashomon.Check(rec, lazySystem)
	assert.Contains(t, rec.fatal, "the scenario is for system chain, not for lazy-register")
}

func saveScenario(t *testing.T, name string, sc *rashomon.Scenario) {
	t.Helper()
	f, err := os.Create(name)
	require.NoError(t, err)
	require.NoError(t, rashomon.WriteScenario(f, sc))
	require.NoError(t, f.Close())
}

// A finding that cannot be written is still reported as one.
func TestCheckWithUnwritableDirectory(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	t.Setenv("RASHOMON_OUT", filepath.Join(file, "below"))
	rec := &recordingTB{name: t.Name()}
	rashomon.Check(rec, lazySystem)
	assert.Contains(t, rec.fatal, "the scenario and the page could not be written")
}

// Every field that makes a system impossible is named.
func TestSystemValidate(t *testing.T) {
	for want, change := range map[string]func(*rashomon.System){
		"without a Name":    func(s *rashomon.System) { s.Name = "" },
		"Boot and Client":   func(s *rashomon.System) { s.Client = nil },
		"MinNodes is 4 and": func(s *rashomon.System) { s.MinNodes, s.MaxNodes = 4, 3 },
		"no Claims":         func(s *rashomon.System) { s.Claims = nil },
		`unknown property "sequent", expected one of [linearizable convergent`: func(s *rashomon.System) { s.Claims = []rashomon.Claim{{Reads: "any", Property: "sequent"}} },
		"claim without Reads":       func(s *rashomon.System) { s.Claims = []rashomon.Claim{{}} },
		"Kinds has append":          func(s *rashomon.System) { s.Kinds = []model.Kind{model.Read, model.Append} },
		"Kinds is [read delete]":    func(s *rashomon.System) { s.Kinds = []model.Kind{model.Read, model.Delete} },
		"Kinds is [read add write]": func(s *rashomon.System) { s.Kinds = []model.Kind{model.Read, model.Add, model.Write} },
		`service or role "n1"`:      func(s *rashomon.System) { s.Services = []string{"n1"} },
		`service or role "a b"`:     func(s *rashomon.System) { s.Roles = []string{"a b"} },
	} {
		s := *lazySystem
		change(&s)
		assert.ErrorContains(t, s.Validate(), want)
	}
	assert.NoError(t, lazySystem.Validate())
}

// Clients that answer nothing, or claim success without doing anything, are found
// out: a run must not look as if it had gone well.
func TestCheckOfClientsThatLie(t *testing.T) {
	for want, answer := range map[string]rashomon.Answer{
		"answered a read of k":             rashomon.Ok(),
		"the client returned an empty Ans": {},
	} {
		s := *lazySystem
		s.Client = func(*rashomon.Cluster) rashomon.Client {
			return func(*sim.Proc, rashomon.Operation) rashomon.Answer { return answer }
		}
		rec := &recordingTB{name: t.Name()}
		t.Setenv("RASHOMON_OUT", t.TempDir())
		rashomon.Check(rec, &s)
		assert.Contains(t, rec.fatal, want)
	}
}

// A component that takes its order from a map is found out, and the first event
// that differs is named.
func TestCheckOfNondeterminism(t *testing.T) {
	s := *lazySystem
	s.Boot = func(c *rashomon.Cluster, _ int) sim.Boot {
		return func(sim.NodeID, *sim.Disk) sim.Node { return &mapOrder{c} }
	}
	s.Client = func(c *rashomon.Cluster) rashomon.Client {
		return func(p *sim.Proc, op rashomon.Operation) rashomon.Answer {
			if _, err := p.Call(c.Nodes[op.Node], get{op.Key}, c.Timeout); err != nil {
				return rashomon.NotKnown()
			}
			if op.Kind == model.Write {
				return rashomon.Failed()
			}
			return rashomon.Got(model.Absent)
		}
	}
	rec := &recordingTB{name: t.Name()}
	rashomon.Check(rec, &s)
	assert.Contains(t, rec.fatal, "lazy-register is not deterministic")
	assert.Contains(t, rec.fatal, "event ")
	assert.Contains(t, rec.fatal, "passed")
}

// mapOrder passes everything on in the order of a map.
type mapOrder struct{ cluster *rashomon.Cluster }

func (n *mapOrder) Receive(env *sim.Env, from sim.Addr, m sim.Message) {
	if _, ok := m.(get); !ok {
		return
	}
	others := map[sim.NodeID]bool{}
	for _, node := range n.cluster.Nodes {
		others[node] = node != env.Self()
	}
	for node, other := range others {
		if other {
			env.Send(node, passed{})
		}
	}
	env.Reply(from, answer{})
}

// A component for which time does not pass ends in a verdict.
func TestLivelockIsUnknown(t *testing.T) {
	s := *lazySystem
	s.Boot = func(*rashomon.Cluster, int) sim.Boot {
		return func(sim.NodeID, *sim.Disk) sim.Node { return restless{} }
	}
	r := run(t, &s, rashomon.FromSeed(1, &s, s.Claims[0], 3), rashomon.Options{})
	assert.Equal(t, checker.Unknown, r.Verdict)
	assert.Contains(t, r.Reason, "did not end within")
}

type restless struct{}

func (restless) Receive(env *sim.Env, _ sim.Addr, _ sim.Message) { env.After(0, passed{}) }

// Commands that are printed can be pasted, whatever the test and the directory are
// called.
func TestReplayCommandIsQuoted(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "with blank's")
	t.Setenv("RASHOMON_OUT", dir)
	rec := &recordingTB{name: "TestA/50%_x+(y)"}
	rashomon.Check(rec, lazySystem)
	assert.Contains(t, rec.fatal, `blank'\''s/lazy-register-TestA_50__x__y_.yaml' go test -run '^TestA$/^50%_x\+\(y\)$'`)
}
