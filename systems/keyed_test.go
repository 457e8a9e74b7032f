package systems_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rashomon-go/rashomon"
	"github.com/rashomon-go/rashomon/replication"
	"github.com/rashomon-go/rashomon/sim"
	"github.com/rashomon-go/rashomon/systems"
)

// fate is what the network did to a message.
type fate struct {
	took   time.Duration // until it arrived
	lost   bool          // by the link
	beat   bool          // it is one of the master's heartbeats
	copied bool
}

// fates runs a scenario and returns the fates of its messages, by identity, and how
// long its operations took.
func fates(t *testing.T, s *rashomon.System, sc *rashomon.Scenario) (map[uint64]fate, map[int32]time.Duration) {
	t.Helper()
	all, sent := map[uint64]fate{}, map[uint64]time.Duration{}
	r, err := rashomon.Run(s, sc, rashomon.Options{Trace: func(e sim.Event) {
		f := all[e.ID]
		switch e.Kind {
		case sim.Sent:
			sent[e.ID] = e.At
			switch e.Message.(type) {
			case replication.Heartbeat, replication.HeartbeatAck:
				f.beat = true
			}
		case sim.Delivered:
			f.took = e.At - sent[e.ID]
		case sim.Dropped:
			f.lost = e.Why == sim.Lost
		case sim.Duplicated:
			original := all[e.Cause]
			original.copied = true
			all[e.Cause] = original
			sent[e.ID] = e.At
		default:
			return
		}
		all[e.ID] = f
	}})
	require.NoError(t, err)
	took := map[int32]time.Duration{}
	for i := range r.History.Ops {
		o := &r.History.Ops[i]
		took[o.ID] = o.ReturnedAt - o.CalledAt
	}
	return all, took
}

// without takes operation i out, and lets its client wait instead.
func without(sc *rashomon.Scenario, i int, took time.Duration) *rashomon.Scenario {
	op := sc.Operations[i]
	smaller := *sc
	smaller.Operations = slices.Clone(sc.Operations)
	for j := i + 1; j < len(smaller.Operations); j++ {
		if smaller.Operations[j].Client == op.Client {
			smaller.Operations[j].Think += op.Think + took
			break
		}
	}
	smaller.Operations = slices.Delete(smaller.Operations, i, i+1)
	return &smaller
}

// kept counts the messages of a run, and those that have the same identity and the same
// fate in another.
func kept(run, other map[uint64]fate, counts func(fate) bool) (same, all float64) {
	for id, f := range run {
		if !counts(f) {
			continue
		}
		all++
		if g, found := other[id]; found && f == g {
			same++
		}
	}
	return same, all
}

// Random numbers belong to messages and not to moments: when one operation is taken out
// of a scenario, most messages keep their identity and what the network does to them.
// docs/measurements.md has the shares for 50 seeds (-runs 50).
func TestMessagesKeepTheirFates(t *testing.T) {
	for _, s := range systems.All() {
		t.Run(s.Name, func(t *testing.T) {
			t.Parallel()
			var same, all, sameOwn, allOwn, sameEarlier float64
			for seed := range uint64(max(*runs/20, 5)) {
				sc := rashomon.FromSeed(seed, s, s.Claims[0], 0)
				before, took := fates(t, s, sc)
				for _, i := range []int{10, 50, 90} {
					after, _ := fates(t, s, without(sc, i, took[sc.Operations[i].ID]))
					n, of := kept(before, after, func(fate) bool { return true })
					same, all = same+n, all+of
					n, of = kept(before, after, func(f fate) bool { return !f.beat })
					sameOwn, allOwn = sameOwn+n, allOwn+of
					op := &sc.Operations[i]
					after, _ = fates(t, s, without(sc, i, -op.Think)) // its client goes on at once
					n, _ = kept(before, after, func(f fate) bool { return !f.beat })
					sameEarlier += n
				}
			}
			t.Logf("%s: of %.0f messages %.1f %% keep identity and fate, and %.1f %% of those that are no heartbeats; %.1f %% if the client goes on at once",
				s.Name, all, 100*same/all, 100*sameOwn/allOwn, 100*sameEarlier/allOwn)
			assert.Greater(t, sameOwn/allOwn, 0.9)
			assert.Greater(t, sameEarlier/allOwn, 0.8)
		})
	}
}
