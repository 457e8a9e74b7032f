package queue_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rashomon-go/rashomon/campaign"
	"github.com/rashomon-go/rashomon/campaign/store"
	"github.com/rashomon-go/rashomon/internal/lethal"
)

// Of the runs of a lethal plan, that of one seed ends its process in each family.
const (
	lethalRuns = 60
	lethalSeed = 33
)

// A run ends every process that makes it: it is found, and all others are made, each once.
func TestRunThatEndsTheProcess(t *testing.T) {
	url, s := prepared(t)
	t.Setenv(lethal.Variable, fmt.Sprint(lethalSeed, "=exit"))
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
	t.Setenv(lethal.Variable, fmt.Sprint(lethalSeed, "=loop"))
	require.NoError(t, child(t, url, strconv.Itoa(lethalRuns)).Wait())
	crashed(t, s, "did not end within 4s")
}

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
