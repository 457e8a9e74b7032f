package rashomon_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rashomon-go/rashomon"
	"github.com/rashomon-go/rashomon/checker"
	"github.com/rashomon-go/rashomon/systems"
)

const goneForGood = `format: 1
system: chain
reads: tail
claim: live
seed: 1
nodes: 3
links:
  latency: 1ms
access:
  latency: 0s
timeout: 100ms
attempts: 3
operations:
  - 1 c0 write k0=1 at n0 after 150ms
  - 2 c0 write k0=2 at n0 after 100ms
  - 3 c0 read k0 at n1 after 100ms
faults:
  - FAULT
`

func liveScenario(t *testing.T, fault string) (*rashomon.Scenario, error) {
	t.Helper()
	return rashomon.ParseScenario(strings.NewReader(strings.ReplaceAll(goneForGood, "FAULT", fault)), "live.yaml")
}

// liveRun runs a chain of three with a fault, and perhaps a bug.
func liveRun(t *testing.T, bug, fault string) *rashomon.Result {
	t.Helper()
	sc, err := liveScenario(t, fault)
	require.NoError(t, err)
	sc.Bug = bug
	s, err := systems.Find(sc.System, bug)
	require.NoError(t, err)
	r, err := rashomon.Run(s, sc, rashomon.Options{})
	require.NoError(t, err)
	return r
}

// The core goes on when one of three is gone for good, whoever it is and however; and
// nothing is asked of who is gone.
func TestLiveWithoutOne(t *testing.T) {
	for _, fault := range []string{
		"200ms.. crash n0 keeping synced", "200ms.. crash n1 keeping everything", "200ms.. pause n2",
		"200ms.. partition n0 | *\n  - 200ms.. partition n0 | master",
	} {
		r := liveRun(t, "", fault)
		assert.Equal(t, checker.Valid, r.Verdict, "%s: %s%s", fault, r.Reason, r.Sentence)
		assert.Equal(t, 2, r.Exercise.LastReads, "at two nodes")
	}
}

// Whoever has lost more than the system can do without is not blamed for stopping.
func TestStoppingForGoodReason(t *testing.T) {
	r := liveRun(t, "", "100ms.. partition n0 n1 | *\n  - 100ms.. partition n0 n1 | master\n  - 300ms..400ms crash n2 keeping nothing")
	assert.Equal(t, checker.Unknown, r.Verdict, r.Sentence)
	assert.Equal(t, "2 of 3 replicas are gone for good, and the system need not go on without more than 1", r.Reason)
	r = liveRun(t, "", "100ms.. partition n0 | n1 n2")
	assert.Equal(t, "n0 is parted for good from some of the nodes only, and who still hears it need not replace it", r.Reason)
	r = liveRun(t, "", "100ms.. partition n0 | n1 n2 master")
	assert.Equal(t, checker.Valid, r.Verdict, r.Reason+r.Sentence)
	r = liveRun(t, "", "100ms.. crash n0 n1 n2 keeping synced")
	assert.Equal(t, checker.Unknown, r.Verdict, "nobody is left who could stop")
	r = liveRun(t, "", "100ms..110ms crash n0 keeping nothing")
	assert.Equal(t, "more disks are lost than the system need survive", r.Reason)
}

// What does not go on is named.
func TestStuckIsNamed(t *testing.T) {
	r := liveRun(t, "chain-lost-propagate", "150ms..160ms lose 100% of n1 -> n2")
	assert.Equal(t, checker.Invalid, r.Verdict, r.Reason)
	assert.Equal(t, checker.Stuck, r.Anomaly)
	assert.Equal(t, "the system does not go on, although nothing is wrong any more and 4s have passed: "+
		"write k0 at n0 was not answered; n0 still has pending = 5", r.Sentence)
}

// Faults that never end are for this claim, and for replicas.
func TestEndlessFaults(t *testing.T) {
	s, err := systems.ByName("chain")
	require.NoError(t, err)
	for fault, want := range map[string]string{
		"100ms.. delay n0 -> n1 by 1ms":     "fault 1, \"100ms.. delay n0 -> n1 by 1ms\": it never ends, expected a crash",
		"100ms.. crash head keeping synced": "head is gone for good, expected replicas by their names",
		"100ms.. partition * | n1":          "* is gone for good, expected replicas",
		"2h.. crash n0 keeping synced":      "expected at most 1h0m0s",
	} {
		sc, err := liveScenario(t, fault)
		if err == nil {
			err = sc.Validate(s)
		}
		assert.ErrorContains(t, err, want)
	}
	sc, err := liveScenario(t, "100ms.. crash n0 keeping synced")
	require.NoError(t, err)
	require.NoError(t, sc.Validate(s))
	var text strings.Builder
	require.NoError(t, rashomon.WriteScenario(&text, sc))
	assert.Contains(t, text.String(), "- 100ms.. crash n0 keeping synced\n")
	sc.Claim = rashomon.Linearizable
	assert.ErrorContains(t, sc.Validate(s), "it never ends, which only the claim live allows")
}

// Generated scenarios for the claim stay within what systems live through, and some
// take replicas away for good.
func TestGeneratedLiveScenarios(t *testing.T) {
	for _, s := range systems.All() {
		c, err := s.Claim("", rashomon.Live)
		require.NoError(t, err)
		endless := 0
		for seed := range uint64(200) {
			sc := rashomon.FromSeed(seed, s, c, 10)
			require.NoError(t, sc.Validate(s))
			if strings.Contains(sc.Faults.String(), ".. ") {
				endless++
			}
		}
		assert.Greater(t, endless, 20, s.Name)
		assert.Less(t, endless, 100, s.Name)
	}
}
