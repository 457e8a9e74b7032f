package rashomon_test

import (
	"bytes"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rashomon-go/rashomon"
	"github.com/rashomon-go/rashomon/checker"
	"github.com/rashomon-go/rashomon/faults"
	"github.com/rashomon-go/rashomon/history"
	"github.com/rashomon-go/rashomon/internal/cputime"
	"github.com/rashomon-go/rashomon/model"
	"github.com/rashomon-go/rashomon/sim"
	"github.com/rashomon-go/rashomon/systems"
)

// everySystem calls f for each row of each table of claims, bugs included.
func everySystem(f func(s *rashomon.System, c rashomon.Claim)) {
	for _, s := range systems.All() {
		for _, c := range s.Claims {
			f(s, c)
		}
	}
	for _, b := range systems.Bugs() {
		s := b.Variant()
		f(s, s.Claims[0])
	}
}

// Same scenario, same digest: again, traced and looked into, and with any number of processors.
func TestRunIsDeterministic(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	everySystem(func(s *rashomon.System, c rashomon.Claim) {
		for seed := range uint64(20) {
			sc := rashomon.FromSeed(seed, s, c, 0)
			runtime.GOMAXPROCS(1 + int(seed%2))
			first := run(t, s, sc, rashomon.Options{})
			runtime.GOMAXPROCS(2 - int(seed%2))
			events, looks := 0, 0
			again := run(t, s, sc, rashomon.Options{Trace: func(sim.Event) { events++ }, Look: func(w *sim.World) {
				looks++
				for i := range sc.Nodes {
					if o, ok := w.Node(sim.NodeID(i)).(sim.Observable); ok && looks%10 == 0 {
						o.State()
					}
				}
			}})
			require.Equal(t, first.Digest, again.Digest, "system %s, seed %d", s.Name, seed)
			require.Equal(t, first.History, again.History)
			require.Equal(t, first.States, again.States)
			require.NotZero(t, events)
			require.NotZero(t, looks)
		}
	})
}

// Runs of different seeds differ, and so do their digests.
func TestDigestTellsRunsApart(t *testing.T) {
	s, err := systems.ByName("chain")
	require.NoError(t, err)
	seen := map[uint64]uint64{}
	for seed := range uint64(200) {
		r := run(t, s, rashomon.FromSeed(seed, s, s.Claims[0], 20), rashomon.Options{})
		other, twice := seen[r.Digest]
		require.False(t, twice, "seeds %d and %d", seed, other)
		seen[r.Digest] = seed
	}
}

// The digest covers what clients see, even where the same messages flow.
func TestDigestCoversValues(t *testing.T) {
	s, err := systems.ByName("chain")
	require.NoError(t, err)
	sc := rashomon.FromSeed(3, s, s.Claims[0], 20)
	before := run(t, s, sc, rashomon.Options{}).Digest
	for i := range sc.Operations {
		if op := &sc.Operations[i]; op.Kind == model.Write {
			op.Value += 1000
			break
		}
	}
	assert.NotEqual(t, before, run(t, s, sc, rashomon.Options{}).Digest)
}

func run(t *testing.T, s *rashomon.System, sc *rashomon.Scenario, opt rashomon.Options) *rashomon.Result {
	t.Helper()
	r, err := rashomon.Run(s, sc, opt)
	require.NoError(t, err)
	return r
}

// A system that never answers proves nothing, and Run says so.
func TestNothingHappenedIsUnknown(t *testing.T) {
	s := &rashomon.System{
		Name: "mute",
		Boot: func(*rashomon.Cluster, int) sim.Boot {
			return func(sim.NodeID, *sim.Disk) sim.Node { return mute{} }
		},
		Client: func(c *rashomon.Cluster) rashomon.Client {
			return func(p *sim.Proc, op rashomon.Operation) rashomon.Answer {
				if _, err := p.Call(c.Nodes[op.Node], op, c.Timeout); err != nil {
					return rashomon.NotKnown()
				}
				return rashomon.Ok()
			}
		},
		Claims: []rashomon.Claim{{Reads: "any", Property: rashomon.Linearizable}},
	}
	r := run(t, s, rashomon.FromSeed(1, s, s.Claims[0], 10), rashomon.Options{})
	assert.Equal(t, checker.Unknown, r.Verdict)
	assert.NotEmpty(t, r.Reason)
	for _, op := range r.History.Ops {
		assert.Equal(t, history.Unknown, op.Outcome)
	}
}

type mute struct{}

func (mute) Receive(*sim.Env, sim.Addr, sim.Message) {}

// A panic of a replica is a finding of its own, not the end of the program.
func TestPanicIsAFinding(t *testing.T) {
	s := &rashomon.System{
		Name: "fragile",
		Boot: func(*rashomon.Cluster, int) sim.Boot {
			return func(sim.NodeID, *sim.Disk) sim.Node { return fragile{} }
		},
		Client: func(c *rashomon.Cluster) rashomon.Client {
			return func(p *sim.Proc, op rashomon.Operation) rashomon.Answer {
				_, _ = p.Call(c.Nodes[op.Node], op, c.Timeout)
				return rashomon.NotKnown()
			}
		},
		Claims: []rashomon.Claim{{Reads: "any", Property: rashomon.Linearizable}},
	}
	sc := rashomon.FromSeed(1, s, s.Claims[0], 10)
	r := run(t, s, sc, rashomon.Options{})
	assert.Equal(t, checker.Invalid, r.Verdict)
	assert.Contains(t, r.Panic, "update 5 follows 3")
	assert.Contains(t, r.Sentence, "update 5 follows 3")

	shrunk, err := rashomon.Shrink(s, sc, rashomon.ShrinkOptions{})
	require.NoError(t, err)
	assert.Len(t, shrunk.Scenario.Operations, 1)
	assert.NotEmpty(t, shrunk.Result.Panic)
}

type fragile struct{}

func (fragile) Receive(*sim.Env, sim.Addr, sim.Message) { panic("fragile: update 5 follows 3") }

// A scenario whose run is replayed from its file gives the same digest.
func TestReplayFromFile(t *testing.T) {
	everySystem(func(s *rashomon.System, c rashomon.Claim) {
		sc := rashomon.FromSeed(5, s, c, 40)
		first := run(t, s, sc, rashomon.Options{})
		var file bytes.Buffer
		require.NoError(t, rashomon.WriteScenario(&file, sc))
		read, err := rashomon.ParseScenario(&file, "scenario.yaml")
		require.NoError(t, err)
		assert.Equal(t, first.Digest, run(t, s, read, rashomon.Options{}).Digest)
	})
}

// Everything has healed before the last reads.
func TestLastReadsComeAfterTheFaults(t *testing.T) {
	s, err := systems.ByName("chain")
	require.NoError(t, err)
	for seed := range uint64(50) {
		sc := rashomon.FromSeed(seed, s, s.Claims[0], 20)
		r := run(t, s, sc, rashomon.Options{})
		last := 0
		for _, op := range r.History.Ops {
			if op.ID == 0 {
				last++
				assert.Greater(t, op.CalledAt, sc.Faults.End())
			}
		}
		assert.Equal(t, r.Exercise.LastReads, last)
		assert.Zero(t, r.Exercise.LastMissed, "seed %d", seed)
	}
}

// A run of 100 operations on 3 nodes without faults, with the check.
func BenchmarkRun(b *testing.B) {
	for _, name := range []string{"primary-backup-sync", "chain"} {
		s, err := systems.ByName(name)
		require.NoError(b, err)
		sc := calm(s)
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			began := cputime.Used()
			for b.Loop() {
				r, err := rashomon.Run(s, sc, rashomon.Options{})
				if err != nil || r.Verdict != checker.Valid {
					b.Fatal(err, r.Verdict, r.Reason)
				}
			}
			b.ReportMetric(float64(cputime.Used()-began)/float64(b.N), "cpu-ns/run")
		})
	}
}

// calm returns a scenario of 100 operations on 3 nodes without faults.
func calm(s *rashomon.System) *rashomon.Scenario {
	for seed := uint64(0); ; seed++ {
		sc := rashomon.FromSeed(seed, s, s.Claims[0], 100)
		special := false
		for i := range sc.Operations {
			op := &sc.Operations[i]
			special = special || op.Kind == model.CAS || op.Start > 0 || op.Timeout > 0
		}
		if sc.Nodes == 3 && !special && sc.Links.Loss == 0 && sc.Access == (sim.Link{}) {
			sc.Faults = nil
			sc.Links.Latency = sim.Uniform(time.Millisecond, 3*time.Millisecond)
			for i := range sc.Operations {
				sc.Operations[i].Think = 0
			}
			return sc
		}
	}
}

// The digest covers what a client was told and what replicas hold, also where the
// messages are the same.
func TestDigestCoversAnswersAndStates(t *testing.T) {
	digest := func(answer rashomon.Answer, state string) uint64 {
		s := *lazySystem
		s.Kinds = []model.Kind{model.Read, model.Write, model.CAS}
		s.Boot = func(*rashomon.Cluster, int) sim.Boot {
			return func(sim.NodeID, *sim.Disk) sim.Node { return shown(state) }
		}
		s.Client = func(*rashomon.Cluster) rashomon.Client {
			return func(_ *sim.Proc, op rashomon.Operation) rashomon.Answer {
				if op.Kind == model.Read {
					return rashomon.Got(1)
				}
				return answer
			}
		}
		sc := rashomon.FromSeed(1, &s, s.Claims[0], 1)
		sc.Operations = []rashomon.Operation{{ID: 1, Kind: model.CAS, Key: "k", Expect: 9, Value: 5}}
		return run(t, &s, sc, rashomon.Options{}).Digest
	}
	base := digest(rashomon.Swapped(), "a")
	assert.Equal(t, base, digest(rashomon.Swapped(), "a"))
	assert.NotEqual(t, base, digest(rashomon.NotSwapped(model.Unseen), "a"))
	assert.NotEqual(t, base, digest(rashomon.NotSwapped(7), "a"))
	assert.NotEqual(t, base, digest(rashomon.Swapped(), "b"))
}

type shown string

func (shown) Receive(*sim.Env, sim.Addr, sim.Message) {}

func (s shown) State() []sim.Variable { return []sim.Variable{{Name: "x", Value: string(s)}} }

// A panic of State is a finding, like any other of the system.
func TestPanicOfState(t *testing.T) {
	s := *lazySystem
	s.Boot = func(*rashomon.Cluster, int) sim.Boot {
		return func(sim.NodeID, *sim.Disk) sim.Node { return shy{} }
	}
	r := run(t, &s, rashomon.FromSeed(1, &s, s.Claims[0], 1), rashomon.Options{})
	assert.Equal(t, checker.Invalid, r.Verdict)
	assert.Contains(t, r.Panic, "not to be looked at")
}

type shy struct{ mute }

func (shy) State() []sim.Variable { panic("not to be looked at") }

// What a system tolerates, and how long it takes to settle, decide what happens to
// it.
func TestToleratesAndSettle(t *testing.T) {
	s := *lazySystem
	s.Settle = 3 * time.Second
	crashes := 0
	s.Tolerates = func(replicas int) faults.Options {
		assert.Equal(t, 3, replicas)
		return faults.Options{Classes: faults.Crashes, Crash: faults.CrashOptions{Nodes: []string{"n0"}}}
	}
	for seed := range uint64(20) {
		sc := rashomon.FromSeed(seed, &s, s.Claims[0], 20)
		for _, f := range sc.Faults {
			assert.Contains(t, []faults.Kind{faults.Crash, faults.CrashSending}, f.Kind)
			crashes++
		}
		assert.GreaterOrEqual(t, run(t, &s, sc, rashomon.Options{}).End, 6*time.Second)
	}
	assert.Positive(t, crashes)
}

// A run whose reads at the end were not answered proves nothing.
func TestMissedLastReadsAreInconclusive(t *testing.T) {
	s := *lazySystem
	s.Claims = []rashomon.Claim{{Reads: "any", Property: rashomon.Linearizable}}
	s.Client = func(c *rashomon.Cluster) rashomon.Client {
		ask := lazySystem.Client(c)
		return func(p *sim.Proc, op rashomon.Operation) rashomon.Answer {
			if op.ID == 0 && op.Node == 2 {
				return rashomon.NotKnown()
			}
			op.Node = 0
			return ask(p, op)
		}
	}
	missed := 0
	for seed := range uint64(10) {
		r := run(t, &s, rashomon.FromSeed(seed, &s, s.Claims[0], 30), rashomon.Options{})
		assert.NotEqual(t, checker.Valid, r.Verdict)
		missed += r.Exercise.LastMissed
	}
	assert.Positive(t, missed)
}

// Convergence with reads at one place is judged by what replicas show. Where none
// shows anything, nothing is proved.
func TestConvergenceThatNobodySees(t *testing.T) {
	s := *lazySystem
	s.Claims = []rashomon.Claim{{Reads: "first", Property: rashomon.Convergent}}
	r := run(t, &s, rashomon.FromSeed(1, &s, s.Claims[0], 20), rashomon.Options{})
	assert.Equal(t, checker.Unknown, r.Verdict)
	assert.Contains(t, r.Reason, "nobody can see what the replicas store")
}

// A system of one replica that diverges from nobody can be run, too.
func TestOneReplica(t *testing.T) {
	s := *lazySystem
	s.MinNodes, s.MaxNodes, s.Diverges = 1, 1, true
	s.Claims = []rashomon.Claim{{Reads: "any", Property: rashomon.Convergent}}
	for seed := range uint64(20) {
		run(t, &s, rashomon.FromSeed(seed, &s, s.Claims[0], 20), rashomon.Options{})
	}
}
