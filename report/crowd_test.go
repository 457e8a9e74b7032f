package report

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rashomon-go/rashomon/history"
	"github.com/rashomon-go/rashomon/model"
	"github.com/rashomon-go/rashomon/sim"
)

// crowd is a long run of many clients with a lot of traffic; the witness lies
// far apart.
func crowd(ops int) *Page {
	const clients, nodes = 30, 5
	r := rand.New(rand.NewPCG(1, 2))
	h := &history.History{Keys: []string{"k0", "k1", "k2"}, Nodes: []string{"n0", "n1", "n2", "n3", "n4"}}
	p := &Page{Title: "crowd", Verdict: "invalid", Sentence: "a write was lost.", History: h, Replicas: nodes}
	for i := range nodes + clients {
		name := fmt.Sprintf("n%d", i)
		if i >= nodes {
			name = fmt.Sprintf("client %d", i-nodes)
		}
		p.Names = append(p.Names, name)
	}
	u := &tale{page: *p}
	for i := range ops {
		at, c, n := i*100, i%clients, r.IntN(nodes)
		o := history.Op{Process: int32(c), Key: int32(r.IntN(3)), Node: int32(n), Kind: model.Kind(1 + r.IntN(4)), Value: model.Value(i), Seen: model.Value(i / 2), Outcome: history.OK}
		if r.IntN(20) == 0 {
			o.Outcome = history.Fail
		}
		ends := at + 200 + r.IntN(2500)
		u.op(o, at, ends)
		m := u.send(at, at+100, sim.NodeID(nodes+c), sim.NodeID(n), Put{"k0", strconv.Itoa(i)}, 0, 0)
		for k := range nodes {
			if k != n {
				why := sim.NotDropped
				if r.IntN(12) == 0 {
					why = sim.Lost
				}
				u.send(at+100, at+100+r.IntN(900), sim.NodeID(n), sim.NodeID(k), Update{i, "k0", strconv.Itoa(i)}, m, why)
			}
		}
		u.send(ends, ends, sim.NodeID(n), sim.NodeID(nodes+c), Ack{i}, m, 0)
		if i%500 == 0 {
			u.page.Faults = append(u.page.Faults, Band{us(at), us(at + 30_000), "partition", fmt.Sprintf("partition n%d from the rest at %v for 30ms", n, us(at)), []sim.NodeID{sim.NodeID(n)}})
		}
	}
	u.number()
	u.page.Witness = []int{ops / 10, ops/10 + 3, ops - 7}
	return &u.page
}

func TestAHugeRunStaysAPage(t *testing.T) {
	if testing.Short() {
		t.Skip("a hundred thousand operations")
	}
	p := crowd(100_000)
	began := time.Now()
	page := written(t, p)
	t.Logf("%d bytes in %v", len(page), time.Since(began))
	assert.Less(t, len(page), 5<<20)
	doc := held(t, page)
	assert.LessOrEqual(t, len(doc.Ops.Index), keptOps)
	assert.LessOrEqual(t, len(doc.Msgs.From), keptMessages+keptMessages/10)
	assert.Greater(t, len(doc.Msgs.From)+10*len(doc.Ops.Index), keptMessages*9/10, "there is room for more")
	assert.Contains(t, page, "The run was too large for a page.")
	assert.Contains(t, page, "of 100,000 operations and")
	ops := sums(doc.Ops.Index)
	for _, i := range p.Witness {
		assert.Contains(t, ops, i)
	}
	svg := drawn(t, p)
	assert.Less(t, len(svg), 2<<20)
	assert.Contains(t, svg, "are folded away")
	assert.ElementsMatch(t, p.Witness, found(svg, `<g class="op [^"]*witness[^"]*" data-op="(\d+)"`))

	p.Witness = indices(100_000) // nobody made it small
	page = written(t, p)
	assert.Less(t, len(page), 5<<20)
	assert.Contains(t, page, "The first 250 of 100,000 operations of the witness are listed.")
	p.Witness, p.Verdict = nil, "valid"
	assert.Less(t, len(written(t, p)), 5<<20)
}

func TestFiveThousandOperationsFit(t *testing.T) {
	p := crowd(5000)
	p.Witness = []int{2500}
	for i := range p.Events {
		if u, is := p.Events[i].Message.(Update); is { // every text its own, and long
			u.Key = strings.Repeat("<k>", 60)
			p.Events[i].Message = u
		}
	}
	for i := range 40_000 {
		p.States = append(p.States, State{Seq: uint64(i), Node: sim.NodeID(i % 5), Variables: []sim.Variable{{Name: "store k0", Value: strconv.Itoa(i)}, {Name: "log", Value: strconv.Itoa(i)}}})
	}
	page := written(t, p)
	t.Logf("%d bytes", len(page))
	assert.Less(t, len(page), 5<<20)
	doc := held(t, page)
	assert.Len(t, doc.Ops.Index, 5000)
	assert.Greater(t, len(doc.Msgs.From), 25_000)
	assert.Contains(t, page, "told by type only.")
	assert.Contains(t, page, "Not all states of the replicas found room.")
}

// Window is what fits around the witness, equally much on both sides.
func TestWindow(t *testing.T) {
	p := staleRead()
	all, err := p.Window()
	require.NoError(t, err)
	assert.Equal(t, []Span{{0, us(119_100)}}, all)

	p = crowd(60_000)
	p.Witness = []int{30_000}
	some, err := p.Window()
	require.NoError(t, err)
	require.Len(t, some, 1)
	o := &p.History.Ops[30_000]
	assert.InDelta(t, float64(o.CalledAt-some[0].From), float64(some[0].Until-o.ReturnedAt), 1e7)
	p.Witness = []int{-1}
	_, err = p.Window()
	assert.Error(t, err)
}

// TestCrowd writes the page of a long run, to the file that REPORT_CROWD names for who
// wants to look at it.
func TestCrowd(t *testing.T) {
	path := cmp.Or(os.Getenv("REPORT_CROWD"), filepath.Join(t.TempDir(), "crowd.html"))
	require.NoError(t, os.WriteFile(path, []byte(written(t, crowd(20_000))), 0o600))
}

func TestLongTextsAreCut(t *testing.T) {
	p := staleRead()
	long := strings.Repeat("long ", 1_000_000)
	p.Scenario, p.Faults[0].Text, p.Names[0] = long, long, long
	p.History.Keys[0] = long
	for i := range p.Events {
		if p.Events[i].Message != nil {
			p.Events[i].Message = long[:10_000]
		}
	}
	assert.Less(t, len(written(t, p)), 1<<20)
	assert.Less(t, len(drawn(t, p)), 1<<20)
}
