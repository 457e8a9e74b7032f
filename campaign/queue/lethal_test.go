package queue_test

import (
	"context"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rashomon-go/rashomon"
	"github.com/rashomon-go/rashomon/campaign"
	"github.com/rashomon-go/rashomon/campaign/queue"
	"github.com/rashomon-go/rashomon/campaign/store"
	"github.com/rashomon-go/rashomon/internal/pgtest"
	"github.com/rashomon-go/rashomon/sim"
)

// lethalVariable lets one run of the plan end its process.
const lethalVariable = "RASHOMON_TEST_LETHAL"

const lethalSeed = 33

// lethal returns the system with a client that ends the process in the runs of one seed. It
// knows them by an operation, since components know no seeds.
func lethal(s *rashomon.System) *rashomon.System {
	at := rashomon.FromSeed(lethalSeed, s, s.Claims[0], 20).Operations[3]
	at.Timeout = 0
	own := *s
	own.Client = func(c *rashomon.Cluster) rashomon.Client {
		do := s.Client(c)
		return func(p *sim.Proc, op rashomon.Operation) rashomon.Answer {
			plain := op
			plain.Timeout = 0
			if plain == at {
				os.Exit(3)
			}
			return do(p, op)
		}
	}
	return &own
}

// A run ends every process that makes it: it is found, and all others are made, each once.
func TestRunThatEndsTheProcess(t *testing.T) {
	url := pgtest.Start(t).Database(t)
	s, err := store.Connect(context.Background(), url, nil)
	require.NoError(t, err)
	defer s.Close()
	require.NoError(t, queue.Prepare(context.Background(), s))
	const runs = 60
	t.Setenv(lethalVariable, "yes")
	deaths := 0
	for ; ; deaths++ {
		require.LessOrEqual(t, deaths, 5)
		helper := child(t, url, "")
		ended := child(t, url, strconv.Itoa(runs)).Wait()
		_ = helper.Process.Kill() // if it has not died
		_ = helper.Wait()
		if ended == nil {
			break
		}
	}
	past := pastOf(t, s)
	p := plan(t, runs)
	for _, family := range p.Families() {
		assert.Equal(t, []campaign.Range{{From: 0, Until: runs}}, past.Ranges[family])
	}
	crashes := 0
	for _, tally := range past.Cells {
		crashes += tally.Crashes
		assert.Equal(t, runs, tally.Runs)
	}
	assert.NotZero(t, crashes)
	groups, err := s.Groups(1)
	require.NoError(t, err)
	for _, g := range groups {
		if strings.HasPrefix(g.Kind, "crash: ") {
			crashes -= g.Count
			assert.EqualValues(t, lethalSeed, g.Seed)
			assert.Contains(t, g.Sentence, "exit status 3")
		}
	}
	assert.Zero(t, crashes, "each is in a group")
	assert.NotZero(t, deaths)
}
