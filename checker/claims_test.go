package checker

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rashomon-go/rashomon/history"
	"github.com/rashomon-go/rashomon/model"
)

// on puts an operation on a key and a node.
func on(key, node int32, o history.Op) history.Op {
	o.Key, o.Node = key, node
	return o
}

// finally returns the operation of the client that reads at the end, client 9.
func finally(o history.Op) bool { return o.Process == 9 }

// ended makes a history of three keys and nodes, and returns the final reads.
func ended(ops ...history.Op) (*history.History, Terms) {
	h := record(ops...)
	h.Keys, h.Nodes = []string{"k0", "k1", "k2"}, []string{"n0", "n1", "n2"}
	terms := Terms{Sessions: PerClient(10), Rule: LastWriterWins}
	for i := range h.Ops {
		if finally(h.Ops[i]) {
			terms.Final = append(terms.Final, i)
		}
	}
	return h, terms
}

// everywhere returns what client 9 reads of k0 at n0 and n1.
func everywhere(v, w model.Value) []history.Op {
	return []history.Op{on(0, 0, at(9, 500, 510, read(v))), on(0, 1, at(9, 520, 530, read(w)))}
}

func TestAnomaliesOfClaims(t *testing.T) {
	const null = model.Absent
	w := func(client int32, from, to int, v model.Value) history.Op { return at(client, from, to, write(v)) }
	r := func(client int32, from, to int, v model.Value) history.Op { return at(client, from, to, read(v)) }
	for _, c := range []struct {
		name     string
		claim    string
		ops      []history.Op
		anomaly  Anomaly
		witness  []int
		sentence string
	}{
		{"replicas disagree", "convergent", append(everywhere(7, 8), w(1, 10, 20, 7), w(2, 15, 25, 8)), Divergence, []int{0, 1, 2, 3},
			"read k0 -> 7 by client 9 (500ms..510ms) at n0 and read k0 -> 8 by client 9 (520ms..530ms) at n1 disagree, although nothing changed any more"},
		{"value from nowhere", "convergent", append(everywhere(7, 7), w(1, 10, 20, 6)), PhantomRead, []int{1},
			"read k0 -> 7 by client 9 (500ms..510ms) saw a value that nobody wrote"},
		{"deleted comes back", "convergent", append(everywhere(7, 7), w(1, 10, 20, 7), at(1, 30, 40, erase())), Resurrection, []int{0, 1, 2},
			"7 came back: delete k0 by client 1 (30ms..40ms) deleted it, and its client had written 7 before, but read k0 -> 7 by client 9 (500ms..510ms) at n0 came at the end"},
		{"deleted by who read it", "convergent", append(everywhere(7, 7), w(1, 10, 20, 7), r(2, 22, 25, 7), at(2, 30, 40, erase())), Resurrection, []int{0, 1, 2, 3},
			"7 came back: delete k0 by client 2 (30ms..40ms) deleted it, and its client knew of write k0=7 by read k0 -> 7 (22ms..25ms), but read k0 -> 7 by client 9 (500ms..510ms) at n0 came at the end"},
		{"older write wins", "convergent", append(everywhere(7, 7), w(1, 10, 20, 7), w(1, 30, 40, 8)), LostAcknowledged, []int{0, 1, 2},
			"write k0=8 by client 1 (30ms..40ms) was lost: its client had written 7 before, but read k0 -> 7 by client 9 (500ms..510ms) at n0 came at the end"},
		{"older write wins over a compare-and-set", "convergent", append(everywhere(7, 7), w(1, 10, 20, 7), at(2, 30, 40, cas(7, 8))), LostAcknowledged, []int{0, 1, 2},
			"cas k0 7->8 by client 2 (30ms..40ms) was lost: it replaced what write k0=7 had stored, but read k0 -> 7 by client 9 (500ms..510ms) at n0 came at the end"},
		{"nothing is left", "convergent", append(everywhere(null, null), w(1, 10, 20, 7)), LostAcknowledged, []int{0, 1},
			"write k0=7 by client 1 (10ms..20ms) was lost: it was acknowledged, and nobody deleted anything, but read k0 -> nil by client 9 (500ms..510ms) at n0 came at the end"},
		{"deleted too early", "convergent", append(everywhere(null, null), at(1, 10, 20, erase()), w(1, 30, 40, 7)), LostAcknowledged, []int{0, 1, 2},
			"write k0=7 by client 1 (30ms..40ms) was lost: it was acknowledged, and delete k0 by client 1 came before it, but read k0 -> nil by client 9 (500ms..510ms) at n0 came at the end"},

		{"lost at failover", "durable", append(everywhere(7, 7), w(1, 10, 20, 7), w(2, 30, 40, 8)), LostAcknowledged, []int{0, 1, 2},
			"write k0=8 by client 2 (30ms..40ms) was acknowledged, but is lost: write k0=7 had finished (20ms) before it began, and read k0 -> 7 by client 9 (500ms..510ms) at n0 came at the end"},
		{"lost swap", "durable", append(everywhere(7, 7), w(1, 10, 50, 7), at(2, 15, 45, cas(7, 8))), LostAcknowledged, []int{0, 1, 2},
			"cas k0 7->8 by client 2 (15ms..45ms) was acknowledged, but is lost: it had replaced 7, and read k0 -> 7 by client 9 (500ms..510ms) at n0 came at the end"},
		{"lost chain of swaps", "durable", append(everywhere(7, 7), w(1, 10, 50, 7), at(2, 15, never, cas(7, 8)), at(3, 12, 45, cas(8, 10))), LostAcknowledged, []int{0, 1, 2, 3},
			"cas k0 8->10 by client 3 (12ms..45ms) was acknowledged, but is lost: write k0=7 came certainly before it, and read k0 -> 7 by client 9 (500ms..510ms) at n0 came at the end"},
		{"lost without a delete", "durable", append(everywhere(null, null), w(1, 10, 20, 7)), LostAcknowledged, []int{0, 1},
			"write k0=7 by client 1 (10ms..20ms) was acknowledged, but is lost: nobody deleted it, and read k0 -> nil by client 9 (500ms..510ms) at n0 came at the end"},
		{"lost after a delete", "durable", append(everywhere(null, null), at(1, 10, 20, erase()), w(1, 30, 40, 7)), LostAcknowledged, []int{0, 1, 2},
			"write k0=7 by client 1 (30ms..40ms) was acknowledged, but is lost: delete k0 by client 1 had finished (20ms) before it began, and read k0 -> nil by client 9 (500ms..510ms) at n0 came at the end"},

		{"own write missed", "read-your-writes", []history.Op{w(1, 10, 20, 7), r(1, 30, 40, null)}, OwnWriteMissed, []int{0, 1},
			"a client does not read its own writes: nil was there first, but write k0=7 by client 1 (10ms..20ms) had finished before the same client's read k0 -> nil began (30ms), so 7 came before nil"},
		{"reads went back", "monotonic-reads", []history.Op{w(1, 10, 20, 7), w(2, 11, 21, 8), r(3, 30, 40, 7), r(3, 50, 60, 8), r(3, 70, 80, 7)}, ReadsWentBack, []int{0, 1, 2, 3, 4},
			"the reads of a client go back: read k0 -> 7 by client 3 (30ms..40ms) had finished before the same client's read k0 -> 8 began (50ms), so 7 came before 8, " +
				"but read k0 -> 8 by client 3 (50ms..60ms) had finished before the same client's read k0 -> 7 began (70ms), so 8 came before 7"},
		{"writes reordered", "monotonic-writes", []history.Op{w(1, 10, 20, 7), w(1, 30, 40, 8), r(3, 50, 60, 8), r(3, 70, 80, 7)}, WritesReordered, []int{0, 1, 2, 3},
			"the writes of a client change their order: write k0=7 by client 1 (10ms..20ms) had finished before the same client's write k0=8 began (30ms), so 7 came before 8, " +
				"but read k0 -> 8 by client 3 (50ms..60ms) had finished before the same client's read k0 -> 7 began (70ms), so 8 came before 7"},
		{"write before read", "writes-follow-reads", []history.Op{w(1, 10, 20, 7), r(2, 25, 28, 7), w(2, 30, 40, 8), r(3, 50, 60, 8), r(3, 70, 80, 7)}, WriteBeforeRead, []int{0, 1, 2, 3, 4},
			"a write comes before what its client had read: read k0 -> 7 by client 2 (25ms..28ms) had finished before the same client's write k0=8 began (30ms), so 7 came before 8, " +
				"but read k0 -> 8 by client 3 (50ms..60ms) had finished before the same client's read k0 -> 7 began (70ms), so 8 came before 7"},
		{"sessions disagree", "session-guarantees", []history.Op{w(1, 10, 20, 7), r(1, 30, 40, 8), w(2, 11, 21, 8), r(2, 31, 41, 7)}, OwnWriteMissed, []int{0, 1, 2, 3},
			"a client does not read its own writes: write k0=7 by client 1 (10ms..20ms) had finished before the same client's read k0 -> 8 began (30ms), so 7 came before 8, " +
				"but write k0=8 by client 2 (11ms..21ms) had finished before the same client's read k0 -> 7 began (31ms), so 8 came before 7"},

		{"missed", "causal-consistency", []history.Op{w(1, 10, 20, 7), r(2, 30, 40, 7), on(1, 0, w(2, 50, 60, 8)), on(1, 0, r(3, 70, 80, 8)), r(3, 90, 100, null)}, CausallyStale, []int{0, 1, 2, 3, 4},
			"read k0 -> nil by client 3 (90ms..100ms) missed a write that came causally before it: write k0=7 by client 1 (10ms..20ms), whose value read k0 -> 7 by client 2 (30ms..40ms) saw, after which the same client did write k1=8 by client 2 (50ms..60ms), whose value read k1 -> 8 by client 3 (70ms..80ms) saw, after which the same client did read k0 -> nil by client 3 (90ms..100ms)"},
		{"replaced", "causal-convergence", []history.Op{w(1, 10, 20, 7), w(1, 30, 40, 8), r(2, 50, 60, 8), r(2, 70, 80, 7)}, CausallyStale, []int{0, 1, 2, 3},
			"read k0 -> 7 by client 2 (70ms..80ms) saw what had been replaced causally before it: first write k0=7 by client 1 (10ms..20ms), after which the same client did write k0=8 by client 1 (30ms..40ms); then write k0=8 by client 1 (30ms..40ms), whose value read k0 -> 8 by client 2 (50ms..60ms) saw, after which the same client did read k0 -> 7 by client 2 (70ms..80ms)"},
		{"circle", "causal-consistency", []history.Op{at(1, 10, 40, cas(8, 7)), at(2, 20, 50, cas(7, 8))}, CausalCircle, []int{0, 1},
			"causality goes in a circle: cas k0 8->7 by client 1 (10ms..40ms), whose value cas k0 7->8 by client 2 (20ms..50ms) saw; cas k0 7->8 by client 2 (20ms..50ms), whose value cas k0 8->7 by client 1 (10ms..40ms) saw"},
		{"conflict", "causal-convergence", []history.Op{w(1, 10, 20, 7), w(2, 11, 21, 8), r(1, 30, 40, 8), r(2, 31, 41, 7)}, ConflictCircle, []int{0, 1, 2, 3},
			"no order of all writes fits what clients saw: write k0=7 must come before write k0=8, for read k0 -> 8 by client 1 (30ms..40ms) knew of the first and saw the second (write k0=7 by client 1 (10ms..20ms), after which the same client did read k0 -> 8 by client 1 (30ms..40ms)); write k0=8 must come before write k0=7, for read k0 -> 7 by client 2 (31ms..41ms) knew of the first and saw the second (write k0=8 by client 2 (11ms..21ms), after which the same client did read k0 -> 7 by client 2 (31ms..41ms))"},
		{"between a value and its successor", "sequential-per-key", []history.Op{w(1, 10, 20, 7), w(1, 21, 29, 9), at(3, 30, 40, cas(7, 8)), r(2, 41, 50, 7), r(2, 52, 55, 9), r(2, 60, 70, 8)}, SessionsDisagree, []int{0, 1, 2, 3, 4, 5},
			"no order of what happened fits all clients: read k0 -> 9 by client 2 (52ms..55ms) had finished before the same client's read k0 -> 8 began (60ms), so 9 came before 8; cas k0 7->8 by client 3 (30ms..40ms) replaced 7; read k0 -> 7 by client 2 (41ms..50ms) had finished before the same client's read k0 -> 9 began (52ms), so 7 came before 9"},
		{"a swap of nothing", "causal-consistency", []history.Op{at(1, 10, never, cas(5, 7)), r(2, 20, 30, 7)}, PhantomRead, []int{0, 1},
			"cas k0 5->7 by client 1 (10ms.., outcome unknown) happened, for read k0 -> 7 by client 2 (20ms..30ms) saw its value, but nobody wrote what it expected"},

		{"a delete between", "monotonic-reads", []history.Op{w(1, 10, 20, 7), at(2, 30, never, erase()), r(3, 40, 50, 7), r(3, 60, 70, null), r(3, 72, 75, 7)}, ReadsWentBack, []int{0, 1, 2, 3, 4},
			"whoever left nil, clients saw what cannot be: if nil in read k0 -> nil by client 3 (60ms..70ms) is of the beginning, then the reads of a client go back: nil was there first, but read k0 -> 7 by client 3 (40ms..50ms) had finished before the same client's read k0 -> nil began (60ms), so 7 came before nil; " +
				"if nil in read k0 -> nil by client 3 (60ms..70ms) is of delete k0 by client 2 (30ms.., outcome unknown), then the reads of a client go back: read k0 -> 7 by client 3 (40ms..50ms) had finished before the same client's read k0 -> nil began (60ms), so 7 came before delete k0 by client 2, but read k0 -> nil by client 3 (60ms..70ms) had finished before the same client's read k0 -> 7 began (72ms), so delete k0 by client 2 came before 7"},
		{"no prefix", "prefix-consistent", []history.Op{w(1, 10, 20, 7), on(1, 0, w(1, 30, 40, 8)), on(1, 0, r(2, 50, 60, 8)), r(2, 70, 80, null)}, NoPrefix, []int{0, 1, 2, 3},
			"no order of write k0=7 by client 1 (10ms..20ms); write k1=8 by client 1 (30ms..40ms) has a prefix for each of read k1 -> 8 by client 2 (50ms..60ms); read k0 -> nil by client 2 (70ms..80ms), longer from read to read of a client"},
		{"a swap of a swap of nothing", "causal-consistency", []history.Op{at(1, 10, never, cas(5, 7)), at(2, 15, never, cas(7, 8)), r(3, 20, 30, 8)}, PhantomRead, []int{0, 1, 2},
			"cas k0 5->7 by client 1 (10ms.., outcome unknown) happened, for cas k0 7->8 by client 2 (15ms.., outcome unknown) saw its value; cas k0 7->8 by client 2 (15ms.., outcome unknown) happened, for read k0 -> 8 by client 3 (20ms..30ms) saw its value, but nobody wrote what the first of them expected"},
		{"a swap of a later nothing", "prefix-consistent", []history.Op{w(1, 10, 20, 8), at(2, 30, never, cas(null, 7)), r(3, 40, 50, 7), r(3, 60, 70, 7), at(4, 80, never, erase())}, NoPrefix, []int{0, 1, 3, 4},
			"whoever left nil, clients saw what cannot be: if nil in cas k0 nil->7 by client 2 (30ms.., outcome unknown) is of delete k0 by client 4 (80ms.., outcome unknown), then no order of cas k0 nil->7 by client 2 (30ms.., outcome unknown); delete k0 by client 4 (80ms.., outcome unknown) has a prefix for each of read k0 -> 7 by client 3 (60ms..70ms), longer from read to read of a client; " +
				"if nil in cas k0 nil->7 by client 2 (30ms.., outcome unknown) is of the beginning, then no order of write k0=8 by client 1 (10ms..20ms); cas k0 nil->7 by client 2 (30ms.., outcome unknown) has a prefix for each of read k0 -> 7 by client 3 (60ms..70ms), longer from read to read of a client"},
		{"a swap of nothing", "prefix-consistent", []history.Op{at(1, 10, never, cas(5, 7)), r(2, 20, 30, 7), r(2, 40, 50, 7)}, NoPrefix, []int{0, 2},
			"no order of cas k0 5->7 by client 1 (10ms.., outcome unknown) has a prefix for each of read k0 -> 7 by client 2 (40ms..50ms), longer from read to read of a client"},
	} {
		t.Run(c.claim+"/"+c.name, func(t *testing.T) {
			h, terms := ended(c.ops...)
			claim, ok := ClaimNamed(c.claim)
			if !ok {
				t.Fatal("no such claim")
			}
			j, err := claim.Judge(h, terms)
			if err != nil {
				t.Fatal(err)
			}
			if j.Verdict != Invalid || j.Anomaly != c.anomaly || !slices.Equal(j.Witness, c.witness) || j.Sentence != c.sentence {
				t.Errorf("%v %s %v %v, expected %v %v\n%s\nexpected\n%s", j.Verdict, j.Reason, j.Anomaly, j.Witness, c.anomaly, c.witness, j.Sentence, c.sentence)
			}
			for n := range 10 {
				h.Clients = append(h.Clients, fmt.Sprint("c", n))
			}
			named := regexp.MustCompile(`client \d*(\d)`).ReplaceAllString(c.sentence, "c$1")
			if j, err := claim.Judge(h, terms); err != nil || j.Sentence != named {
				t.Errorf("with names: %v\n%s\nexpected\n%s", err, j.Sentence, named)
			}
		})
	}
}

// Where times cannot tell which came first, claims name positions as well.
func TestClaimsTellMomentsApart(t *testing.T) {
	h, terms := ended(append(everywhere(7, 7), at(1, 10, 20, write(7)), at(2, 30, 40, write(8)))...)
	for i := range h.Ops {
		h.Ops[i].CalledAt, h.Ops[i].ReturnedAt = time.Second, time.Second
	}
	j, err := Durable(h, terms)
	want := "write k0=8 by client 2 (event 3..event 4) was acknowledged, but is lost: write k0=7 had finished (event 2) before it began, " +
		"and read k0 -> 7 by client 9 (event 5..event 6) at n0 came at the end"
	if err != nil || j.Sentence != want {
		t.Errorf("%v %q, expected %q", err, j.Sentence, want)
	}
}

func TestClaimsRefuseToStoreNothing(t *testing.T) {
	h, terms := ended(at(1, 10, 20, write(7)), at(1, 30, 40, cas(7, model.Absent)))
	for _, name := range []string{"convergent", "durable", "prefix-consistent", "monotonic-reads"} {
		claim, _ := ClaimNamed(name)
		_, err := claim.Judge(h, terms)
		if want := "checker: operation 1 (cas k0 7->nil) stores nil, expected a value or a delete"; err == nil || err.Error() != want {
			t.Errorf("%s: %v, expected %s", name, err, want)
		}
	}
}

// A compare-and-set that replaces a value by itself did not write what it saw.
func TestClaimsFindSwapsOfTheirOwn(t *testing.T) {
	h, terms := ended(append(everywhere(3, 3), at(1, 10, 20, cas(3, 3)))...)
	for _, name := range []string{"prefix-consistent", "monotonic-reads"} {
		claim, _ := ClaimNamed(name)
		j, err := claim.Judge(h, terms)
		if want := "cas k0 3->3 by client 1 (10ms..20ms) saw a value that nobody else wrote"; err != nil || j.Anomaly != PhantomRead || j.Sentence != want {
			t.Errorf("%s: %+v %v", name, j, err)
		}
	}
}

// What looks wrong and is not.
func TestClaimsAreNotBrokenBy(t *testing.T) {
	const null = model.Absent
	w := func(client int32, from, to int, v model.Value) history.Op { return at(client, from, to, write(v)) }
	r := func(client int32, from, to int, v model.Value) history.Op { return at(client, from, to, read(v)) }
	for _, c := range []struct {
		name, claim string
		ops         []history.Op
	}{
		{"a conflict", "convergent", append(everywhere(7, 7), w(1, 10, 20, 7), w(2, 30, 40, 8))},
		{"an unknown delete", "convergent", append(everywhere(null, null), w(1, 10, 20, 7), at(2, 5, never, erase()))},
		{"an unknown write before", "convergent", append(everywhere(7, 7), at(1, 10, never, write(7)), w(11, 30, 40, 8))},
		{"an unknown write", "durable", append(everywhere(7, 7), at(1, 10, never, write(7)), w(2, 30, 40, 8))},
		{"writes at once", "durable", append(everywhere(7, 7), w(1, 10, 20, 7), w(2, 15, 40, 8))},
		{"a write during the read", "durable", append(everywhere(7, 7), w(1, 10, 20, 7), w(2, 505, 600, 8))},
		{"an unknown swap", "durable", append(everywhere(7, 7), w(1, 10, 20, 7), at(2, 30, never, cas(7, 8)))},
		{"an unknown write of one's own", "read-your-writes", []history.Op{at(1, 10, never, write(7)), w(11, 20, 25, 8), r(11, 30, 40, 8), r(2, 50, 60, 7)}},
		{"an unknown write that comes late", "monotonic-writes", []history.Op{at(1, 10, never, write(7)), w(11, 20, 25, 8), w(11, 26, 27, 9), r(3, 30, 40, 8), r(3, 50, 60, 7)}},
		{"a delete between", "monotonic-reads", []history.Op{w(1, 10, 20, 7), at(2, 30, never, erase()), r(3, 40, 50, 7), r(3, 60, 70, null), r(4, 72, 75, null), r(4, 80, 85, 7)}},
		{"another client", "monotonic-reads", []history.Op{w(1, 10, 20, 7), w(1, 30, 40, 8), r(2, 50, 60, 8), r(2, 70, 80, 8), r(3, 71, 81, 7)}},
		{"lag", "prefix-consistent", []history.Op{w(1, 10, 20, 7), on(1, 0, w(1, 30, 40, 8)), r(2, 50, 60, null), on(1, 0, r(2, 70, 80, null)), on(1, 0, r(3, 71, 81, 8))}},
	} {
		t.Run(c.claim+"/"+c.name, func(t *testing.T) {
			h, terms := ended(c.ops...)
			claim, _ := ClaimNamed(c.claim)
			if j, err := claim.Judge(h, terms); err != nil || j.Verdict != Valid {
				t.Errorf("%+v %v", j, err)
			}
		})
	}
}

func TestClaimsThatSayNothing(t *testing.T) {
	const null = model.Absent
	w := func(client int32, from, to int, v model.Value) history.Op { return at(client, from, to, write(v)) }
	r := func(client int32, from, to int, v model.Value) history.Op { return at(client, from, to, read(v)) }
	missed := on(0, 1, at(9, 520, 530, failed(read(null))))
	for _, c := range []struct {
		name, claim string
		ops         []history.Op
		reason      string
	}{
		{"nothing", "convergent", nil, "no write was acknowledged"},
		{"no end", "convergent", []history.Op{w(1, 10, 20, 7)}, "key k0: no read at the end"},
		{"one node", "convergent", append(everywhere(7, 7)[:1], w(1, 10, 20, 7)), "key k0: no reads at several nodes at the end"},
		{"an unanswered read", "convergent", append(everywhere(7, 7)[:1], missed, w(1, 10, 20, 7)), "key k0: a read at the end was not answered"},
		{"a node not asked", "convergent", append(everywhere(7, 7), w(1, 10, 20, 7), on(1, 2, at(9, 600, 610, read(null)))), "key k0: read at 2 of 3 nodes at the end"},
		{"no end yet", "convergent", append(everywhere(7, 8), w(1, 10, 20, 7), w(1, 490, 525, 8)), "key k0: write k0=8 was not over when the reads at the end began"},
		{"nothing acknowledged", "convergent", append(everywhere(7, 7), at(1, 10, never, write(7))), "no write was acknowledged"},
		{"nothing acknowledged", "durable", append(everywhere(7, 7), at(1, 10, never, write(7))), "no write was acknowledged before a read at the end"},
		{"no end", "durable", []history.Op{w(1, 10, 20, 7)}, "key k0: no read at the end was answered"},
		{"nothing", "durable", nil, "no write was acknowledged before a read at the end"},
		{"no pair", "read-your-writes", []history.Op{w(1, 10, 20, 7), r(2, 30, 40, 7)}, "no client read a key that it had written"},
		{"no pair", "monotonic-reads", []history.Op{w(1, 10, 20, 7), r(2, 30, 40, 7)}, "no client read a key twice"},
		{"no pair", "monotonic-writes", []history.Op{r(2, 10, 20, null), r(2, 30, 40, null)}, "no client wrote a key twice"},
		{"no observer", "monotonic-writes", []history.Op{w(1, 10, 20, 7), w(1, 30, 40, 8)}, "no client read a key twice"},
		{"no pair", "writes-follow-reads", []history.Op{w(1, 10, 20, 7)}, "no client wrote a key that it had read"},
		{"no pair", "session-guarantees", []history.Op{w(1, 10, 20, 7)}, "no client used a key twice"},
		{"no pair", "prefix-consistent", []history.Op{w(1, 10, 20, 7), r(2, 30, 40, 7)}, "no client read twice"},
	} {
		t.Run(c.claim+"/"+c.name, func(t *testing.T) {
			h, terms := ended(c.ops...)
			claim, _ := ClaimNamed(c.claim)
			if j, err := claim.Judge(h, terms); err != nil || j.Verdict != Unknown || j.Reason != c.reason || j.Witness != nil {
				t.Errorf("%+v %v", j, err)
			}
		})
	}
	h, terms := ended(append(everywhere(7, 7), w(1, 10, 20, 7))...)
	terms.Idle = "replicas did not differ at the heal"
	if j, err := Convergent(h, terms); err != nil || j.Verdict != Unknown || j.Reason != terms.Idle {
		t.Errorf("%+v %v", j, err)
	}
	h, terms = ended(append(everywhere(7, 8), w(1, 10, 20, 7), w(1, 21, 22, 8))...)
	terms.Idle = "replicas did not differ at the heal"
	if j, err := Convergent(h, terms); err != nil || j.Verdict != Invalid {
		t.Errorf("idle hides what is invalid: %+v %v", j, err)
	}
}

func TestNoRuleForgivesNoConflict(t *testing.T) {
	h, terms := ended(append(everywhere(7, 7), at(1, 10, 20, write(7)), at(2, 30, 40, write(8)))...)
	terms.Rule = NoRule
	j, err := Convergent(h, terms)
	want := "write k0=8 by client 2 (30ms..40ms) was lost: no write that came causally after it explains read k0 -> 7 by client 9 (500ms..510ms) at n0 at the end"
	if err != nil || j.Verdict != Invalid || j.Anomaly != LostAcknowledged || j.Sentence != want {
		t.Errorf("%+v %v", j, err)
	}
}

func TestClaimsRefuse(t *testing.T) {
	twice := record(at(1, 10, 20, write(7)), at(1, 30, 40, write(7)))
	sets := &history.History{Keys: []string{"k0"}, Sets: [][]model.Value{}, Ops: []history.Op{{Call: 1, Return: 2, Kind: model.Add, Node: history.NoNode, Outcome: history.OK}}}
	for _, c := range Claims() {
		if c.Name != "linearizable" && c.Name != "staleness" && c.Name != "set-converges" {
			if _, err := c.Judge(twice, Terms{}); !errors.Is(err, ErrNotUnique) || err.Error() != "checker: values are not unique: operations 0 and 1 both write 7 on k0" {
				t.Errorf("%s: %v", c.Name, err)
			}
		}
		h := sets
		want := "checker: the claim is about registers: the history is of sets, to which elements are added; expected single values"
		if c.Name == "set-converges" {
			h, want = twice, "checker: the history is not of sets, expected reads and adds"
		}
		if _, err := c.Judge(h, Terms{}); err == nil || err.Error() != want {
			t.Errorf("%s: %v", c.Name, err)
		}
		broken := record(at(1, 10, 20, write(7)))
		broken.Ops[0].Key = 3
		if _, err := c.Judge(broken, Terms{}); err == nil {
			t.Errorf("%s accepts a broken history", c.Name)
		}
	}
	overlap := record(at(1, 10, 30, write(7)), at(2, 20, 40, write(8)))
	one := func(*history.Op) int64 { return 0 }
	if _, err := Session(overlap, MonotonicReads, Terms{Sessions: one}); err == nil || !strings.Contains(err.Error(), "operations 0 and 1 of one session overlap") {
		t.Error(err)
	}
	if _, err := Session(overlap, ReadYourWrites|MonotonicWrites, Terms{}); err == nil {
		t.Error("two of the guarantees")
	}
	if _, err := Durable(overlap, Terms{Final: []int{2}}); err == nil || err.Error() != "checker: final operation 2, expected 0..1" {
		t.Error(err)
	}
	if _, ok := ClaimNamed("correct"); ok {
		t.Error("a claim named correct")
	}
}

// Without a number of clients every process is one, whatever it is called.
func TestEveryProcessIsAClient(t *testing.T) {
	names := []int32{0, math.MaxInt32, -1, math.MaxInt32 - 1, math.MinInt32, 1}
	for _, sessions := range []Sessions{PerClient(0), PerClientAndNode(0)} {
		seen := map[int64]bool{NoSession: true}
		for node := range int32(2) {
			for _, p := range names {
				s := sessions(&history.Op{Process: p, Node: node, Outcome: history.OK})
				if node == 0 && seen[s] {
					t.Errorf("process %d shares session %d", p, s)
				}
				seen[s] = true
			}
		}
	}
}

// Client 1 moves from node to node. What it does at one node is in order.
func TestPerClientAndNode(t *testing.T) {
	ops := []history.Op{
		on(0, 0, at(1, 10, 20, write(7))), on(0, 1, at(1, 30, 40, read(model.Absent))), on(0, 0, at(1, 50, 60, read(7))),
		on(0, 0, at(1, 70, never, write(8))), on(0, 0, at(11, 80, 90, read(7))),
	}
	h, terms := ended(ops...)
	if j, err := Session(h, ReadYourWrites, terms); err != nil || j.Verdict != Invalid {
		t.Errorf("%+v %v", j, err)
	}
	terms.Sessions = PerClientAndNode(10)
	if j, err := Session(h, ReadYourWrites, terms); err != nil || j.Verdict != Valid {
		t.Errorf("%+v %v", j, err)
	}
}
