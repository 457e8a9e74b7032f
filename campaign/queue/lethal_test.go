package queue_test

import (
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rashomon-go/rashomon"
	"github.com/rashomon-go/rashomon/campaign"
	"github.com/rashomon-go/rashomon/campaign/store"
	"github.com/rashomon-go/rashomon/sim"
)

// lethalVariable lets one run of the plan end its process, or never end, in a child.
const lethalVariable = "RASHOMON_TEST_LETHAL"

const lethalSeed = 33

var ways = map[string]func(){
	"exit": func() { os.Exit(3) },
	"loop": func() {
		for spins := 0; ; spins++ {
		}
	},
}

// lethal returns the system with a client that does so in the runs of one seed. It knows them
// by an operation, since components know no seeds.
func lethal(s *rashomon.System, way func()) *rashomon.System {
	at := rashomon.FromSeed(lethalSeed, s, s.Claims[0], 20).Operations[3]
	at.Timeout = 0
	own := *s
	own.Client = func(c *rashomon.Cluster) rashomon.Client {
		do := s.Client(c)
		return func(p *sim.Proc, op rashomon.Operation) rashomon.Answer {
			plain := op
			plain.Timeout = 0
			if plain == at {
				way()
			}
			return do(p, op)
		}
	}
	return &own
}

// A run ends every process that makes it: it is found, and all others are made, each once.
func TestRunThatEndsTheProcess(t *testing.T) {
	url, s := prepared(t)
	t.Setenv(lethalVariable, "exit")
	deaths := 0
	for ; ; deaths++ {
		require.LessOrEqual(t, deaths, 5)
		helper := child(t, url, "")
		ended := child(t, url, strconv.Itoa(lethalRuns)).Wait()
		_ = helper.Process.Kill() // if it has not died
		_ = helper.Wait()
		if ended == nil {
			break
		}
	}
	assert.NotZero(t, deaths)
	crashed(t, s, "exit status 3")
}

// A run that does not end is found, too, while its process goes on with the others.
func TestRunThatDoesNotEnd(t *testing.T) {
	url, s := prepared(t)
	t.Setenv(lethalVariable, "loop")
	require.NoError(t, child(t, url, strconv.Itoa(lethalRuns)).Wait())
	crashed(t, s, "did not end within 4s")
}

const lethalRuns = 60

// crashed demands that all runs were made, and those that are lethal were found, with what is
// said of them.
func crashed(t *testing.T, s *store.Store, said string) {
	t.Helper()
	past := pastOf(t, s)
	p := plan(t, lethalRuns)
	for _, family := range p.Families() {
		assert.Equal(t, []campaign.Range{{From: 0, Until: lethalRuns}}, past.Ranges[family])
	}
	crashes := 0
	for _, tally := range past.Cells {
		crashes += tally.Crashes
		assert.Equal(t, lethalRuns, tally.Runs)
	}
	assert.NotZero(t, crashes)
	groups, err := s.Groups(1)
	require.NoError(t, err)
	for _, g := range groups {
		if strings.HasPrefix(g.Kind, "crash: ") {
			crashes -= g.Count
			assert.EqualValues(t, lethalSeed, g.Seed)
			assert.Contains(t, g.Sentence, said)
		}
	}
	assert.Zero(t, crashes, "each is in a group")
}
