package systems

import (
	"bytes"
	"cmp"
	"flag"
	"fmt"
	"os"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rashomon-go/rashomon"
	"github.com/rashomon-go/rashomon/checker"
	"github.com/rashomon-go/rashomon/history"
	"github.com/rashomon-go/rashomon/model"
	"github.com/rashomon-go/rashomon/replication"
	"github.com/rashomon-go/rashomon/sim"
)

var truths = flag.Int("truths", 100, "how many seeds of each row are compared with the ground truth")

// The checkers see what clients saw, and nothing else. Here their verdicts on
// simulated runs are compared with what the checkers do not see: the order in which
// the serving node committed the updates, which is that of its log when everything
// has come to rest. It is taken from outside, from the node's disk.

// truth is what became of a run at the node that serves.
type truth struct {
	h         *history.History
	committed []replication.Entry // by the serving node, in order
	op        map[replication.RequestID]int
}

// truthOf runs a scenario and returns the truth, or why there is none.
func truthOf(t *testing.T, s *rashomon.System, sc *rashomon.Scenario) (*rashomon.Result, *truth, string) {
	t.Helper()
	var world *sim.World
	r, err := rashomon.Run(s, sc, rashomon.Options{Look: func(w *sim.World) { world = w }})
	require.NoError(t, err)
	if r.Panic != "" {
		return r, nil, "a panic"
	}
	log, why := committedBy(s, sc, world)
	if why != "" {
		return r, nil, why
	}
	return r, &truth{h: r.History, committed: log, op: requests(r, sim.NodeID(sc.Nodes+len(s.Services)))}, ""
}

// committedBy returns the log of the node that serves at the end: the primary, or the
// tail.
func committedBy(s *rashomon.System, sc *rashomon.Scenario, w *sim.World) ([]replication.Entry, string) {
	members := latest(w, &rashomon.Cluster{Services: []sim.NodeID{sim.NodeID(sc.Nodes)}}).Members
	if len(members) == 0 {
		return nil, "no configuration"
	}
	serving := members[0]
	if s.Name == "chain" || s.Name == "craq" {
		serving = members[len(members)-1]
	}
	end := uint64(0)
	switch n := bare(w.Node(serving)).(type) {
	case *replication.PrimaryBackupNode:
		end = n.Committed()
	case *replication.ChainNode:
		end = n.LastSeq()
	default:
		return nil, "the node that serves is down"
	}
	var log []replication.Entry
	for _, record := range w.Disk(serving).Records() {
		if e, update := record.(replication.Entry); update {
			log = append(log[:e.Seq-1], e) // what stood there was taken back
		}
	}
	if uint64(len(log)) < end {
		return nil, "the log on the disk is not whole"
	}
	return log[:end], ""
}

// requests numbers the operations as their clients do.
func requests(r *rashomon.Result, first sim.NodeID) map[replication.RequestID]int {
	op := map[replication.RequestID]int{}
	asked := make([]uint64, r.Clients)
	for i, o := range r.History.Ops {
		c := int(o.Process) % r.Clients
		asked[c]++
		op[replication.RequestID{Client: first + sim.NodeID(c), Number: asked[c]}] = i
	}
	return op
}

// linearization returns the operations in the order of the log, each read at the first
// place that its answer and real time allow. That place is never a wrong one: later
// reads can only be held up by it if they began when it had returned. It returns why
// there is none.
func (x *truth) linearization() ([]int, error) {
	logs := make([][]int, len(x.h.Keys))
	logged := map[int]bool{}
	for _, e := range x.committed {
		if e.Write.Kind == replication.NoOp {
			continue
		}
		i, known := x.op[e.Write.Request]
		switch {
		case !known:
			return nil, fmt.Errorf("update %d is nobody's", e.Seq)
		case logged[i]:
			return nil, fmt.Errorf("%s was committed twice", x.h.OpString(i))
		}
		logged[i] = true
		logs[x.h.Ops[i].Key] = append(logs[x.h.Ops[i].Key], i)
	}
	var order []int
	for k := range logs {
		part, err := x.placed(int32(k), logs[k])
		if err != nil {
			return nil, err
		}
		order = append(order, part...)
	}
	return order, nil
}

// placed puts the reads of a key between its updates.
func (x *truth) placed(k int32, log []int) ([]int, error) {
	held := []model.Value{model.Absent} // held[g] after g updates
	for _, i := range log {
		v := held[len(held)-1]
		switch o := &x.h.Ops[i]; {
		case o.Kind == model.Write, o.Kind == model.CAS && v == o.Expect:
			v = o.Value
		case o.Kind == model.Delete:
			v = model.Absent
		}
		held = append(held, v)
	}
	var reads []int
	for i, o := range x.h.Ops {
		if o.Key == k && o.Kind == model.Read && o.Outcome == history.OK {
			reads = append(reads, i)
		}
	}
	slices.SortFunc(reads, func(a, b int) int { return cmp.Compare(x.h.Ops[a].Return, x.h.Ops[b].Return) })
	at := map[int]int{}
	for n, r := range reads {
		o := &x.h.Ops[r]
		least, most := 0, len(log)
		for g, i := range log {
			if x.h.Ops[i].Return < o.Call {
				least = g + 1
			}
			if x.h.Ops[i].Call > o.Return {
				most = min(most, g)
			}
		}
		for _, q := range reads[:n] {
			if x.h.Ops[q].Return < o.Call {
				least = max(least, at[q])
			}
		}
		for ; least <= most && held[least] != o.Seen; least++ {
		}
		if least > most {
			return nil, fmt.Errorf("%s: its value was not there in the meantime", x.h.OpString(r))
		}
		at[r] = least
	}
	slices.SortFunc(reads, func(a, b int) int {
		return cmp.Or(cmp.Compare(at[a], at[b]), cmp.Compare(x.h.Ops[a].Call, x.h.Ops[b].Call))
	})
	var order []int
	for g := range held {
		for len(reads) > 0 && at[reads[0]] == g {
			order, reads = append(order, reads[0]), reads[1:]
		}
		if g < len(log) {
			order = append(order, log[g])
		}
	}
	return order, nil
}

// explains reports why the commit order does not explain what clients saw, or nil.
func (x *truth) explains() error {
	order, err := x.linearization()
	if err != nil {
		return err
	}
	return checker.Verify(x.h, order)
}

// shows reports whether the log has what the sentence about a stale answer says: that
// the value that some operation of the witness saw had been replaced by an update that
// was acknowledged before, or that one of the updates of the witness was lost.
func (x *truth) shows(witness []int) bool {
	logged := map[int]bool{}
	for _, e := range x.committed {
		if i, known := x.op[e.Write.Request]; known {
			logged[i] = true
		}
	}
	return slices.ContainsFunc(witness, func(i int) bool {
		o := &x.h.Ops[i]
		return o.Outcome == history.OK && (o.Kind == model.Write || o.Kind == model.Delete || o.Swapped) && !logged[i] || x.replaced(o)
	})
}

// replaced reports whether what o saw had been replaced in the log, by an update that
// was acknowledged when o was called. Who saw nothing may have seen what any delete
// left: of that the log says no more.
func (x *truth) replaced(o *history.Op) bool {
	saw := o.Seen
	if o.Swapped {
		saw = o.Expect
	}
	there := saw == model.Absent
	for _, e := range x.committed {
		i, known := x.op[e.Write.Request]
		if !known || x.h.Ops[i].Key != o.Key {
			continue
		}
		switch u := &x.h.Ops[i]; {
		case u.Kind == model.CAS && u.Outcome == history.OK && !u.Swapped:
		case u.Kind == model.Delete && saw == model.Absent:
		case u.Kind != model.Delete && u.Value == saw:
			there = true
		case there && u.Return < o.Call:
			return true
		}
	}
	return false
}

// compared is how often verdicts and truths were seen together.
type compared struct{ valid, invalid, other, none int }

// agree is how often they agreed.
func (c *compared) agree() int { return c.valid + c.invalid }

// compare demands that a verdict and the truth agree. That the order of the log is
// legal proves that the history is; a right system has no other reason to be so, and
// one with a bug may be lucky.
func (c *compared) compare(v checker.Verdict, unexplained error, right bool) error {
	switch {
	case v == checker.Unknown:
		c.none++
	case v == checker.Invalid && unexplained == nil:
		return fmt.Errorf("invalid, but the order of commits explains all that clients saw")
	case v == checker.Valid && unexplained != nil && right:
		return fmt.Errorf("valid, but not by the order of commits: %w", unexplained)
	case v == checker.Valid && unexplained != nil:
		c.other++
	case v == checker.Valid:
		c.valid++
	default:
		c.invalid++
	}
	return nil
}

// takesBack are the systems in which clients read what is not committed yet, or is taken
// back and then committed elsewhere in the log.
var takesBack = map[string]bool{"chain": true, "primary-backup-async": true}

// TestVerdictsAgreeWithTheTruth compares runs of every row that says something of
// linearizability where some node serves.
func TestVerdictsAgreeWithTheTruth(t *testing.T) {
	for _, s := range All() {
		for _, claim := range s.Claims {
			if claim.Property != rashomon.Linearizable || len(s.Services) == 0 {
				continue
			}
			t.Run(s.Name+"/"+claim.Reads, func(t *testing.T) {
				t.Parallel()
				var c compared
				stale := 0
				for seed := range uint64(*truths) {
					r, x, why := truthOf(t, s, rashomon.FromSeed(seed, s, claim, 0))
					if why != "" {
						c.none++
						continue
					}
					judged := judge(t, r.History)
					require.NoError(t, c.compare(judged.Verdict, x.explains(), !claim.Refuted), "seed %d", seed)
					if judged.Anomaly == checker.StaleRead && !takesBack[s.Name] {
						stale++
						require.True(t, x.shows(judged.Witness), "seed %d: %s", seed, judged.Sentence)
					}
				}
				t.Logf("%d runs: %d agree, of which %d are valid and %d are not, %d of them stale; %d are valid by another order; %d not compared",
					*truths, c.agree(), c.valid, c.invalid, stale, c.other, c.none)
				assert.GreaterOrEqual(t, 100*c.agree(), 50**truths)
				assert.Equal(t, claim.Refuted, c.invalid > 0)
			})
		}
	}
}

// judge judges without what a run says beside its history.
func judge(t *testing.T, h *history.History) checker.Result {
	t.Helper()
	r, err := checker.Linearizable(h, model.CASRegister(), checker.Options{Steps: 200_000})
	require.NoError(t, err)
	return r
}

// TestTruthOfBugs: where a planted bug breaks linearizability, the order of commits
// does not explain what clients saw; where the bug is left out, it does.
func TestTruthOfBugs(t *testing.T) {
	var c compared
	for _, b := range Bugs() {
		right, err := ByName(b.System)
		require.NoError(t, err)
		if b.Claim != rashomon.Linearizable || b.Panics || len(right.Services) == 0 {
			continue
		}
		text, err := os.ReadFile("testdata/zoo/" + b.Name + ".yaml")
		require.NoError(t, err)
		sc, err := rashomon.ParseScenario(bytes.NewReader(text), b.Name)
		require.NoError(t, err)
		r, x, why := truthOf(t, b.Variant(), sc)
		if why != "" {
			c.none++
			t.Logf("%s: %s", b.Name, why)
			continue
		}
		require.Equal(t, checker.Invalid, r.Verdict)
		require.NoError(t, c.compare(r.Verdict, x.explains(), false), b.Name)
		sc.Bug = ""
		r, x, why = truthOf(t, right, sc)
		require.Empty(t, why, b.Name)
		require.NoError(t, c.compare(judge(t, r.History).Verdict, x.explains(), true), b.Name)
	}
	t.Logf("%d agree, of which %d are valid and %d are not; %d not compared", c.agree(), c.valid, c.invalid, c.none)
	assert.GreaterOrEqual(t, c.invalid, 20)
}

// A truth that is none, and a verdict that is none, are noticed.
func TestTruthCanDisagree(t *testing.T) {
	s, err := ByName("primary-backup-sync")
	require.NoError(t, err)
	claim, err := s.Claim("primary", rashomon.Linearizable)
	require.NoError(t, err)
	noticed := map[string]int{}
	const runs = 30
	for seed := range uint64(runs) {
		_, x, why := truthOf(t, s, rashomon.FromSeed(seed, s, claim, 0))
		if why != "" || x.explains() != nil {
			continue
		}
		for name, spoil := range map[string]func(){
			"two updates in another order": func() { n := len(x.committed) / 2; x.committed[n], x.committed[n-1] = x.committed[n-1], x.committed[n] },
			"an update twice":              func() { x.committed = append(x.committed, x.committed[len(x.committed)/2]) },
			"the first half":               func() { x.committed = x.committed[:len(x.committed)/2] },
			"nobody's update":              func() { x.committed[len(x.committed)/2].Write.Request.Number += 10_000 },
			"a checker that misses stale reads": func() { // it says valid
				last := map[int32]int{}
				for i := range x.h.Ops {
					switch o := &x.h.Ops[i]; {
					case o.Outcome != history.OK:
					case o.Kind == model.Write:
						last[o.Key]++
					case o.Kind == model.Read && last[o.Key] > 1:
						o.Seen = model.Absent
						return
					}
				}
			},
		} {
			if len(x.committed) < 4 {
				continue
			}
			log, ops := slices.Clone(x.committed), slices.Clone(x.h.Ops)
			spoil()
			if (&compared{}).compare(checker.Valid, x.explains(), true) != nil {
				noticed[name]++
			}
			x.committed, x.h.Ops = log, ops
			require.NoError(t, x.explains())
		}
		assert.Error(t, (&compared{}).compare(checker.Invalid, x.explains(), true))
	}
	t.Log(noticed)
	assert.Len(t, noticed, 5)
	for name, n := range noticed {
		assert.GreaterOrEqual(t, n, runs/4, name)
	}
}
