package systems_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rashomon-go/rashomon"
	"github.com/rashomon-go/rashomon/checker"
	"github.com/rashomon-go/rashomon/replication"
	"github.com/rashomon-go/rashomon/sim"
	"github.com/rashomon-go/rashomon/systems"
)

// watched is a system whose nodes a test can look at after a run.
func watched(s *rashomon.System, nodes *[]sim.Node) *rashomon.System {
	boot := s.Boot
	watched := *s
	watched.Boot = func(c *rashomon.Cluster, place int) sim.Boot {
		b := boot(c, place)
		return func(self sim.NodeID, disk *sim.Disk) sim.Node {
			n := b(self, disk)
			*nodes = append(*nodes, n)
			return n
		}
	}
	return &watched
}

// tallyOf is what many runs of a chain exercised.
type tallyOf struct {
	verdicts                   map[checker.Verdict]int
	reasons                    map[string]int
	repaired, dirty, truncated int // runs
	all                        rashomon.Exercise
}

func exerciseChain(t *testing.T, s *rashomon.System, c rashomon.Claim, seeds int) tallyOf {
	tally := tallyOf{verdicts: map[checker.Verdict]int{}, reasons: map[string]int{}}
	for seed := range uint64(seeds) {
		var nodes []sim.Node
		sc := rashomon.FromSeed(seed, s, c, 0)
		r := run(t, watched(s, &nodes), sc)
		tally.verdicts[r.Verdict]++
		tally.all.Add(r.Exercise)
		if r.Verdict == checker.Unknown {
			tally.reasons[r.Reason]++
		}
		if r.Verdict == checker.Invalid {
			t.Errorf("%s, seed %d: %s", s.Name, seed, r.Sentence)
		}
		var number, dirty, truncated uint64
		for _, n := range nodes {
			switch n := n.(type) {
			case *replication.Master:
				number = n.Configuration().Number
			case *replication.ChainNode:
				dirty += n.Stats().DirtyReads
				truncated += n.Stats().Truncated
			}
		}
		tally.repaired += count(number > 1)
		tally.dirty += count(dirty > 0)
		tally.truncated += count(truncated > 0)
	}
	return tally
}

func count(b bool) int {
	if b {
		return 1
	}
	return 0
}

// TestChainExercised: chains are repaired under load, reads meet versions that are
// not committed, and most of what clients ask is answered all the same.
func TestChainExercised(t *testing.T) {
	for _, name := range []string{"chain", "craq"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, err := systems.ByName(name)
			require.NoError(t, err)
			tally := exerciseChain(t, s, s.Claims[0], *runs)
			t.Logf("of %d runs: %v, inconclusive %v, repaired %d, dirty reads in %d, truncated in %d; operations ok %d, failed %d, unknown %d",
				*runs, tally.verdicts, tally.reasons, tally.repaired, tally.dirty, tally.truncated, tally.all.OK, tally.all.Failed, tally.all.Unknown)
			assert.GreaterOrEqual(t, 10*tally.repaired, *runs)
			assert.Positive(t, tally.truncated)
			assert.GreaterOrEqual(t, 100*tally.all.OK, 60*tally.all.Operations())
			assert.GreaterOrEqual(t, 100*tally.verdicts[checker.Valid], 95**runs)
			if name == "craq" {
				assert.GreaterOrEqual(t, 10*tally.dirty, *runs)
			}
		})
	}
}

// TestDriftBeyondTheBound: what leases tolerate is what they tolerate. A tail whose
// clock is ten times too slow keeps its lease for too long, and the checker sees the
// stale read; in bounds it refuses.
func TestDriftBeyondTheBound(t *testing.T) {
	for drift, want := range map[string]checker.Verdict{"-900000ppm": checker.Invalid, "-200000ppm": checker.Valid} {
		for _, name := range []string{"chain", "craq"} {
			s, err := systems.ByName(name)
			require.NoError(t, err)
			text := strings.NewReplacer("SYSTEM", name, "READS", s.Claims[0].Reads, "DRIFT", drift).Replace(slowClock)
			sc, err := rashomon.ParseScenario(strings.NewReader(text), "slow clock")
			require.NoError(t, err)
			r := run(t, s, sc)
			assert.Equal(t, want, r.Verdict, "%s, %s: %s%s", name, drift, r.Reason, r.Sentence)
		}
	}
}

const slowClock = `format: 1
system: SYSTEM
reads: READS
claim: linearizable
seed: 1
nodes: 3
links:
  latency: 1ms
access:
  latency: 0s
timeout: 300ms
attempts: 3
operations:
  - 1 c0 write k0=1 at n0 after 150ms
  - 2 c0 write k0=2 at n0 after 200ms
  - 3 c1 read k0 at n2 after 500ms
  - 4 c0 read k0 at n1 after 100ms
faults:
  - 100ms..700ms clock n2 drift DRIFT
  - 300ms..700ms partition n2 | *
`
