package store_test

import (
	"context"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rashomon-go/rashomon/campaign"
	"github.com/rashomon-go/rashomon/systems"
)

// However many runs a campaign makes, it needs no more memory: after ten times as many the heap is
// what it was, but for a few pages.
func TestMemoryIsFlat(t *testing.T) {
	s, err := systems.ByName("chain")
	require.NoError(t, err)
	_, c := begun(t, t.TempDir())
	runs, first := 0, uint64(0)
	p := campaign.Plan{Operations: 10, Workers: 2, Runs: 1000, Mark: c.Mark}
	for _, claim := range s.Claims { // what is not claimed is found broken again and again
		p.Cells = append(p.Cells, campaign.Cell{System: s, Claim: claim})
	}
	p.Keep = func(b *campaign.Batch) error {
		runs += b.Runs
		if first == 0 && runs >= 300 {
			first = heap()
		}
		return c.Keep(b)
	}
	r := campaign.Run(context.Background(), p, nil)
	require.NoError(t, r.Err)
	last := heap()
	require.NotZero(t, first)
	t.Logf("%d runs: from %d to %d kB", r.Runs, first>>10, last>>10)
	assert.Less(t, last, first+1<<20)
	runtime.KeepAlive(r)
}

// heap returns how many bytes are in use.
func heap() uint64 {
	runtime.GC()
	runtime.GC() // what the first one has only marked
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
