package main

import (
	"bytes"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/rashomon-go/rashomon/campaign"
)

// Where there is no terminal, progress is a line now and then.
func TestProgressLines(t *testing.T) {
	var b bytes.Buffer
	p := newProgress(&b)
	p.show(campaign.Progress{Runs: 1, PerSecond: 0.2, Violations: 1, Elapsed: 5 * time.Second})
	p.show(campaign.Progress{Runs: 2, PerSecond: 0.3, Violations: 2, Elapsed: 6 * time.Second}) // too early
	p.show(campaign.Progress{Runs: 20, PerSecond: 2, Done: 0.5, Left: 10 * time.Second, Elapsed: 10 * time.Second})
	p.made(1, 15*time.Second)
	assert.Equal(t, "5s: 1 run, 0 per second, 1 violation of claims, 0 % done\n"+
		"10s: 20 runs, 2 per second, 0 violations of claims, 10s left, 50 % done\n"+
		"15s: 1 run made here, 0 per second\n", b.String())
}
