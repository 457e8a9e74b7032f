package replication_test

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	. "github.com/rashomon-go/rashomon/replication"
)

// TestProperties: whatever happens, the protocols keep the invariants below; and
// when everything is healed and delivered, the world comes to rest with all
// replicas equal to what a dumb oracle makes of the log.
func TestProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := plans.Draw(t, "plan")
		if err := play(p, nil); err != nil {
			t.Fatal(err)
		}
	})
}

// acknowledged is called when a client has its answer. At this moment the update
// must be durable on as many nodes as the protocol promises.
func (g *group) acknowledged(w Write, answer Written) {
	if before, again := g.acked[w.Request]; again && before != answer {
		g.fail("request %v was answered %v and %v", w.Request, before, answer)
	}
	g.acked[w.Request] = answer
	if w.Key == "m" {
		g.ackedM = max(g.ackedM, w.Value)
	}
	seq := g.find(w.Request)
	if seq == 0 {
		g.fail("request %v is acknowledged and not in the first log", w.Request)
		return
	}
	durable := 0
	for _, id := range g.nodes[1:] {
		if g.world.Disk(id).Synced() >= seq {
			durable++
		}
	}
	if durable < g.need() || g.world.Disk(g.nodes[0]).Synced() < seq {
		g.fail("at %v update %d is acknowledged with %d copies of %d", g.world.Now(), seq, durable, g.need())
	}
}

// need returns how many nodes beside the first must have what is committed.
func (g *group) need() int {
	switch {
	case g.Chain, g.Mode == Sync:
		return g.Nodes - 1
	case g.Mode == SemiSync:
		return g.Acks
	}
	return 0
}

func (g *group) disk(place int) []any { return g.world.Disk(g.nodes[place]).Records() }

// find returns where a request is in the first node's log, or 0.
func (g *group) find(id RequestID) int {
	return 1 + slices.IndexFunc(g.disk(0), func(r any) bool { return r.(Entry).Write.Request == id })
}

// invariants hold after every event.
func (g *group) invariants() error {
	if g.wrong != nil {
		return g.wrong
	}
	for i := range g.nodes {
		if err := g.prefix(i); err != nil {
			return err
		}
		if err := g.committed(i); err != nil {
			return err
		}
	}
	return nil
}

// prefix is the update propagation invariant: a log is a prefix of what is
// durable at the node that sends to it.
func (g *group) prefix(i int) error {
	mine := g.disk(i)
	g.checked[i] = min(g.checked[i], len(mine)) // a crash may have shortened it
	before := g.source(i)
	for ; g.checked[i] < len(mine); g.checked[i]++ {
		at := g.checked[i]
		if e := mine[at].(Entry); e.Seq != uint64(at+1) {
			return fmt.Errorf("n%d has update %d in place %d of its log", i, e.Seq, at+1)
		}
		if i == 0 {
			continue
		}
		if g.world.Disk(g.nodes[before]).Synced() <= at {
			return fmt.Errorf("n%d has update %d, which is not durable at n%d", i, at+1, before)
		}
		if theirs := g.disk(before)[at]; theirs != mine[at] {
			return fmt.Errorf("n%d has %+v, n%d has %+v", i, mine[at], before, theirs)
		}
	}
	return nil
}

// source returns who sends updates to node i.
func (g *group) source(i int) int {
	if g.Chain {
		return max(i-1, 0)
	}
	return 0
}

// committed compares what a node takes for committed with the disks.
func (g *group) committed(i int) error {
	switch n := g.bare[i].(type) {
	case *PrimaryNode:
		if g.need() > 0 && int(n.Committed()) > g.durable() {
			return fmt.Errorf("the primary has committed %d, but backups' disks allow %d", n.Committed(), g.durable())
		}
	case *BackupNode:
		if n.LastAppliedSeq() > n.LastSeq() {
			return fmt.Errorf("n%d has applied %d of %d", i, n.LastAppliedSeq(), n.LastSeq())
		}
		if g.need() > 0 && int(n.LastAppliedSeq()) > g.durable() {
			return fmt.Errorf("n%d has applied %d, but backups' disks allow %d", i, n.LastAppliedSeq(), g.durable())
		}
	case *ChainNode:
		if tail := g.world.Disk(g.nodes[g.Nodes-1]).Synced(); n.Role() != RoleTail && int(n.Acked()) > tail {
			return fmt.Errorf("n%d believes the tail has %d, it has %d", i, n.Acked(), tail)
		}
	}
	return nil
}

// durable returns the last update that enough backups have on disk.
func (g *group) durable() int {
	var synced []int
	for _, id := range g.nodes[1:] {
		synced = append(synced, g.world.Disk(id).Synced())
	}
	slices.Sort(synced)
	return synced[len(synced)-g.need()]
}

// atRest holds when no event is left.
func (g *group) atRest() error {
	log := g.disk(0)
	for i, id := range g.nodes {
		if d := g.world.Disk(id); !slices.Equal(d.Records(), log) || d.Synced() != len(log) {
			return fmt.Errorf("at rest n%d has %d updates (%d durable), n0 has %d", i, len(d.Records()), d.Synced(), len(log))
		}
	}
	store, results, err := replay(log)
	if err != nil {
		return err
	}
	answered := 0
	for _, record := range log {
		id := record.(Entry).Write.Request
		answer, found := g.acked[id]
		if found && results[id] != answer {
			return fmt.Errorf("request %v was answered %v, the log makes it %v", id, answer, results[id])
		}
		if found {
			answered++
		}
	}
	if answered != len(g.acked) {
		return fmt.Errorf("%d requests were answered, %d of them are in the log", len(g.acked), answered)
	}
	for i := range g.nodes {
		if err := g.nodeAtRest(i, uint64(len(log)), store); err != nil {
			return err
		}
	}
	return nil
}

func (g *group) nodeAtRest(i int, end uint64, store map[string]int64) error {
	var kv *KVStore
	var last uint64
	switch n := g.bare[i].(type) {
	case *PrimaryNode:
		kv, last = n.Store(), n.Committed()
		for b := range g.Nodes - 1 {
			if n.Lag(b) != 0 {
				return fmt.Errorf("at rest backup %d lags by %d", b, n.Lag(b))
			}
		}
	case *BackupNode:
		kv, last = n.Store(), n.LastAppliedSeq()
	case *ChainNode:
		kv, last = n.Store(), n.Acked()
	}
	if last != end {
		return fmt.Errorf("at rest n%d knows of %d commits of %d", i, last, end)
	}
	for _, key := range []string{"m", "x", "y"} {
		want, found := store[key]
		if !found {
			want = Absent
		}
		if got := kv.Get(key); got != want {
			return fmt.Errorf("at rest n%d has %s=%d, the log makes it %d", i, key, got, want)
		}
	}
	return nil
}

// replay is the oracle: what a log comes to, and what each request was answered.
// A request that is in the log twice is an error.
func replay(log []any) (map[string]int64, map[RequestID]Written, error) {
	store, results, onM := map[string]int64{}, map[RequestID]Written{}, map[int64]bool{}
	for _, record := range log {
		w := record.(Entry).Write
		if _, again := results[w.Request]; again || w.Key == "m" && onM[w.Value] {
			return nil, nil, fmt.Errorf("%+v is in the log twice", w)
		}
		onM[w.Value] = onM[w.Value] || w.Key == "m"
		old, found := store[w.Key]
		if !found {
			old = Absent
		}
		answer := Written{Swapped: true, Seen: w.Value}
		switch {
		case w.Kind == CompareAndSet && old != w.Expect:
			answer = Written{Seen: old}
		case w.Kind == Delete:
			delete(store, w.Key)
			answer.Seen = Absent
		default:
			store[w.Key] = w.Value
		}
		results[w.Request] = answer
	}
	return store, results, nil
}
