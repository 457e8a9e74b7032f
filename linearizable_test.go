package rashomon_test

import (
	"os"
	"os/exec"
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rashomon-go/rashomon"
	"github.com/rashomon-go/rashomon/checker"
	"github.com/rashomon-go/rashomon/internal/unable"
	"github.com/rashomon-go/rashomon/systems"
)

// The headline checks. More scenarios: go test -run Linearizable -rapid.checks 10000

func TestLinearizableChainTailReads(t *testing.T) { linearizable(t, "chain", "tail") }

func TestLinearizableSyncPrimary(t *testing.T) { linearizable(t, "primary-backup-sync", "primary") }

func TestLinearizableSemiSyncPrimary(t *testing.T) {
	linearizable(t, "primary-backup-semisync", "primary")
}

func TestLinearizableCRAQ(t *testing.T) { linearizable(t, "craq", "any") }

// plantVariable names a bug to plant, so that these tests can be seen to fail.
const plantVariable = "RASHOMON_TEST_PLANT"

// linearizable checks a claim with scenarios that rapid makes and shrinks. Both
// engines judge every history, and must agree.
func linearizable(t *testing.T, name, reads string) {
	t.Parallel()
	plant := os.Getenv(plantVariable)
	if bug, err := systems.BugByName(plant); plant != "" && (err != nil || bug.System != name) {
		unable.Skip(t, "%s=%s is for another system", plantVariable, plant)
	}
	s, err := systems.Find(name, plant)
	require.NoError(t, err)
	claim, err := s.Claim(reads, rashomon.Linearizable)
	require.NoError(t, err)
	rapid.Check(t, func(rt *rapid.T) {
		operations := rapid.IntRange(1, 60).Draw(rt, "operations")
		sc := rashomon.Generate(choices{rt}, s, claim, operations)
		rashomon.CheckScenario(rt, s, sc)
		referee(rt, s, sc)
	})
}

// The engines agree about systems that are wrong, too.
func TestEnginesAgreeAboutBugs(t *testing.T) {
	t.Parallel()
	runs, invalid := 0, 0
	for _, b := range systems.Bugs() {
		if b.Claim != rashomon.Linearizable {
			continue
		}
		s := b.Variant()
		claim, err := s.Claim(b.Reads, b.Claim)
		require.NoError(t, err)
		for seed := range uint64(30) {
			runs++
			if referee(t, s, rashomon.FromSeed(seed, s, claim, 30)) == checker.Invalid {
				invalid++
			}
		}
	}
	t.Logf("%d of %d runs invalid", invalid, runs)
	assert.Greater(t, 20*invalid, runs, "too few invalid histories to learn from")
}

// referee lets porcupine judge the same run.
func referee(t require.TestingT, s *rashomon.System, sc *rashomon.Scenario) checker.Verdict {
	ours, err := rashomon.Run(s, sc, rashomon.Options{})
	require.NoError(t, err)
	theirs, err := rashomon.Run(s, sc, rashomon.Options{Check: checker.Options{Engine: checker.Porcupine}})
	require.NoError(t, err)
	if ours.Verdict != checker.Unknown && theirs.Verdict != checker.Unknown {
		require.Equal(t, theirs.Verdict, ours.Verdict, "the engines disagree about seed %d of %s", sc.Seed, s.Name)
	}
	return ours.Verdict
}

// The headline check has teeth: with a bug in the chain it fails, shrinks, and
// says how to see the failure again.
func TestHeadlineCheckCatchesPlantedBug(t *testing.T) {
	if testing.Short() {
		t.Skip("runs the tests in a process of their own")
	}
	t.Parallel()
	out := t.TempDir()
	cmd := exec.Command(os.Args[0], "-test.run=^TestLinearizableChainTailReads$", "-rapid.nofailfile", "-rapid.shrinktime=3s")
	cmd.Env = append(os.Environ(), plantVariable+"=chain-ack-at-middle", "RASHOMON_OUT="+out)
	output, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	require.ErrorAs(t, err, &exit, "%s", output)
	assert.Contains(t, string(output), "chain is not linearizable with reads at tail: ")
	assert.Regexp(t, `digest: +[0-9a-f]{16}\n`, string(output))
	assert.Contains(t, string(output), "go test -run '^TestLinearizableChainTailReads$'")

	page := regexp.MustCompile(`page: +(\S+)`).FindSubmatch(output)
	require.NotNil(t, page, "%s", output)
	assert.FileExists(t, string(page[1]))

	small := regexp.MustCompile(`in a scenario of (\d+) operations`).FindAllSubmatch(output, -1)
	require.NotEmpty(t, small)
	assert.Regexp(t, `^[1-9]$|^1[0-9]$`, string(small[len(small)-1][1]), "operations after shrinking")
}
