package campaign_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/rashomon-go/rashomon/campaign"
)

// What is left of a campaign is told by its speed, and by its time alone while it has none.
func TestProgressTellsWhatIsLeft(t *testing.T) {
	cell := allCells()[0]
	p := campaign.Plan{Cells: []campaign.Cell{cell}, Runs: 10}
	p.Done.Cells = map[string]campaign.Tally{cell.String(): {Runs: 4}}
	assert.Equal(t, 3*time.Second, p.Progress(0, 2*time.Second).Left)
	assert.Zero(t, p.Progress(4, time.Second).Left, "nothing was run yet")
	p.For = time.Minute
	assert.Equal(t, 59*time.Second, p.Progress(4, time.Second).Left)
	assert.Equal(t, 3*time.Second, p.Progress(0, 2*time.Second).Left)
	assert.InDelta(t, 0.4, p.Progress(0, 2*time.Second).Done, 1e-9)
	p.Runs = 4
	assert.Zero(t, p.Progress(4, time.Hour).Left)
}
