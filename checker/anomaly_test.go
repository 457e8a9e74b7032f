package checker

import (
	"cmp"
	"slices"
	"testing"
	"time"

	"github.com/rashomon-go/rashomon/history"
	"github.com/rashomon-go/rashomon/model"
)

const never = -1 // the end of an operation with an unknown outcome

// at returns an operation of a client on k0 between two milliseconds.
func at(client int32, call, ret int, o history.Op) history.Op {
	o.Process, o.Node, o.CalledAt = client, history.NoNode, time.Duration(call)*time.Millisecond
	o.ReturnedAt = time.Duration(ret) * time.Millisecond
	if o.Outcome == 0 {
		o.Outcome = history.OK
	}
	if ret == never {
		o.Outcome, o.ReturnedAt, o.Swapped = history.Unknown, time.Second, false
	}
	return o
}

func read(v model.Value) history.Op  { return history.Op{Kind: model.Read, Seen: v} }
func write(v model.Value) history.Op { return history.Op{Kind: model.Write, Value: v} }
func failed(o history.Op) history.Op { o.Outcome = history.Fail; return o }
func erase() history.Op              { return history.Op{Kind: model.Delete} }

func cas(from, to model.Value) history.Op {
	return history.Op{Kind: model.CAS, Expect: from, Value: to, Swapped: true}
}

func casFailed(from, to, saw model.Value) history.Op {
	return history.Op{Kind: model.CAS, Expect: from, Value: to, Seen: saw}
}

// record makes a history of operations on k0: positions are the ranks of times.
func record(ops ...history.Op) *history.History {
	h := &history.History{Keys: []string{"k0"}, Ops: ops}
	var times []time.Duration
	for _, o := range ops {
		times = append(times, o.CalledAt, o.ReturnedAt)
	}
	slices.Sort(times)
	for i := range ops {
		o := &ops[i]
		call, _ := slices.BinarySearch(times, o.CalledAt)
		ret, _ := slices.BinarySearch(times, o.ReturnedAt)
		o.Call, o.Return = int64(call+1), int64(ret+1)
		if o.Outcome == history.Unknown {
			o.Return = history.Never
		}
	}
	slices.SortFunc(ops, func(a, b history.Op) int { return cmp.Compare(a.Call, b.Call) })
	return h
}

func TestAnomalies(t *testing.T) {
	const null, unseen = model.Absent, model.Unseen
	for _, c := range []struct {
		name     string
		ops      []history.Op
		anomaly  Anomaly
		witness  []int
		sentence string
	}{
		{"stale read", []history.Op{
			at(1, 370, 380, write(7)), at(2, 388, 401, write(9)), at(4, 405, 408, read(9)), at(3, 412, 415, read(7)), at(3, 420, 425, read(9)),
		}, StaleRead, []int{0, 1, 3},
			"read k0 -> 7 by client 3 (412ms..415ms) is stale: write k0=7 had finished before write k0=9 began (388ms), and write k0=9 had finished (401ms) before the read began"},

		{"stale read of nothing", []history.Op{
			at(1, 10, 20, write(7)), at(2, 30, 40, read(null)), at(2, 50, 60, read(7)),
		}, StaleRead, []int{0, 1},
			"read k0 -> nil by client 2 (30ms..40ms) is stale: write k0=7 had finished (20ms) before the read began"},

		{"stale read of an open write", []history.Op{
			at(1, 10, never, write(7)), at(2, 15, 17, read(7)), at(2, 20, 30, write(9)), at(3, 40, 50, read(7)), at(3, 60, 70, read(9)),
		}, StaleRead, []int{0, 1, 2, 3},
			"read k0 -> 7 by client 3 (40ms..50ms) is stale: read k0 -> 7 by client 2 had finished before write k0=9 began (20ms), and write k0=9 had finished (30ms) before the read began"},

		{"stale read after a delete", []history.Op{
			at(1, 10, 20, write(7)), at(2, 30, 40, erase()), at(3, 50, 60, read(7)), at(4, 70, 80, read(null)),
		}, StaleRead, []int{0, 1, 2},
			"read k0 -> 7 by client 3 (50ms..60ms) is stale: write k0=7 had finished before delete k0 by client 2 began (30ms), and delete k0 by client 2 had finished (40ms) before the read began"},

		{"stale read of a value written often", []history.Op{
			at(1, 5, 8, write(7)), at(1, 10, 20, write(7)), at(2, 30, 40, write(9)), at(3, 50, 60, read(7)), at(4, 70, never, cas(9, 7)),
		}, StaleRead, []int{1, 2, 3},
			"read k0 -> 7 by client 3 (50ms..60ms) is stale: write k0=7 had finished before write k0=9 began (30ms), and write k0=9 had finished (40ms) before the read began"},

		{"stale compare-and-set", []history.Op{
			at(1, 10, 20, write(7)), at(2, 30, 40, write(9)), at(3, 50, 60, casFailed(8, 10, 7)), at(4, 70, 80, read(9)),
		}, StaleRead, []int{0, 1, 2},
			"cas k0 8->10: failed, saw 7 by client 3 (50ms..60ms) is stale: write k0=7 had finished before write k0=9 began (30ms), and write k0=9 had finished (40ms) before the cas began"},

		{"lost write", []history.Op{
			at(1, 10, 20, write(7)), at(2, 30, 40, write(9)), at(3, 50, 60, read(7)), at(4, 55, 65, read(7)), at(1, 70, 80, write(11)), at(4, 85, 90, read(11)),
		}, LostWrite, []int{0, 1, 2, 3, 4},
			"write k0=9 by client 2 (30ms..40ms) was lost: write k0=7 had finished (20ms) before it began, nobody ever saw 9, and all 2 reads that began after it and before write k0=11 began (70ms) returned 7, among them read k0 -> 7 by client 4 (55ms..65ms)"},

		{"lost first write", []history.Op{
			at(2, 30, 40, write(9)), at(3, 50, 60, read(null)), at(4, 55, 65, read(null)), at(4, 70, 75, read(null)),
		}, LostWrite, []int{0, 1, 2, 3},
			"write k0=9 by client 2 (30ms..40ms) was lost: nobody ever saw 9, and all 3 reads that began after it returned nil, among them read k0 -> nil by client 4 (70ms..75ms)"},

		{"lost update", []history.Op{
			at(1, 10, 20, write(7)), at(2, 30, 40, cas(7, 8)), at(3, 35, 45, cas(7, 9)), at(4, 50, 60, read(8)),
		}, LostUpdate, []int{0, 1, 2},
			"cas k0 7->8 by client 2 (30ms..40ms) and cas k0 7->9 by client 3 (35ms..45ms) both replaced 7, which was there only once"},

		{"read inversion", []history.Op{
			at(1, 10, 20, write(7)), at(2, 30, 100, write(9)), at(3, 40, 50, read(9)), at(4, 60, 70, read(7)),
		}, ReadInversion, []int{0, 1, 2, 3},
			"read k0 -> 9 by client 3 (40ms..50ms) and read k0 -> 7 by client 4 (60ms..70ms) contradict each other: " +
				"write k0=7 had finished (20ms) before write k0=9 began (30ms), so 7 came before 9, " +
				"but read k0 -> 9 by client 3 had finished (50ms) before read k0 -> 7 by client 4 began (60ms), so 9 came before 7"},

		{"read inversion of concurrent writes", []history.Op{
			at(1, 10, 20, write(7)), at(2, 11, 21, write(9)), at(3, 30, 50, read(9)), at(4, 31, 51, read(7)),
		}, ReadInversion, []int{0, 1, 2, 3},
			"read k0 -> 9 by client 3 (30ms..50ms) and read k0 -> 7 by client 4 (31ms..51ms) contradict each other: " +
				"write k0=7 had finished (20ms) before read k0 -> 9 by client 3 began (30ms), so 7 came before 9, " +
				"but write k0=9 had finished (21ms) before read k0 -> 7 by client 4 began (31ms), so 9 came before 7"},

		{"read inversion with an open write", []history.Op{
			at(1, 10, never, write(7)), at(2, 20, 30, read(7)), at(3, 40, 50, read(null)),
		}, ReadInversion, []int{0, 1, 2},
			"read k0 -> 7 by client 2 (20ms..30ms) and read k0 -> nil by client 3 (40ms..50ms) contradict each other: nil was there first, " +
				"but read k0 -> 7 by client 2 had finished (30ms) before read k0 -> nil by client 3 began (40ms), so 7 came before nil"},

		{"read from the future", []history.Op{
			at(1, 10, 20, read(7)), at(2, 30, 40, write(7)), at(1, 50, 60, read(7)),
		}, FutureRead, []int{0, 1},
			"read k0 -> 7 by client 1 (10ms..20ms) comes from the future: write k0=7 began only afterwards (30ms)"},

		{"read of a failed write", []history.Op{
			at(1, 10, 20, write(6)), at(1, 30, 40, failed(write(7))), at(2, 50, 60, read(7)),
		}, FailedRead, []int{1, 2},
			"read k0 -> 7 by client 2 (50ms..60ms) saw a value that was not stored: write k0=7 by client 1 had failed (30ms..40ms)"},

		{"read of a failed compare-and-set", []history.Op{
			at(1, 10, 20, write(6)), at(1, 30, 40, casFailed(5, 7, unseen)), at(2, 50, 60, read(7)),
		}, FailedRead, []int{1, 2},
			"read k0 -> 7 by client 2 (50ms..60ms) saw a value that was not stored: cas k0 5->7 by client 1 had failed (30ms..40ms)"},

		{"phantom read", []history.Op{
			at(1, 10, 20, write(6)), at(2, 50, 60, read(7)),
		}, PhantomRead, []int{1},
			"read k0 -> 7 by client 2 (50ms..60ms) saw a value that nobody wrote"},

		{"compare-and-set that failed without reason", []history.Op{
			at(1, 10, 20, write(6)), at(2, 50, 60, casFailed(6, 7, unseen)), at(2, 70, 80, read(6)),
		}, Unordered, []int{0, 1},
			"cas k0 6->7: failed by client 2 (50ms..60ms), although 6 was there: write k0=6 had finished (20ms) before it began, and nothing else was stored before it returned"},

		{"compare-and-set that failed although a read saw what it expects", []history.Op{
			at(1, 10, never, write(6)), at(3, 20, 30, read(6)), at(2, 50, 60, casFailed(6, 7, unseen)),
		}, Unordered, []int{0, 1, 2},
			"cas k0 6->7: failed by client 2 (50ms..60ms), although 6 was there: read k0 -> 6 by client 3 had finished (30ms) before it began, and nothing else was stored before it returned"},

		{"compare-and-set that failed on nothing", []history.Op{
			at(2, 50, 60, casFailed(null, 5, unseen)), at(2, 70, 80, write(3)),
		}, Unordered, []int{0},
			"cas k0 nil->5: failed by client 2 (50ms..60ms), although nil was there: nobody stored anything before it returned"},

		{"compare-and-set that failed and saw what it expects", []history.Op{
			at(1, 10, 20, write(6)), at(2, 50, 60, casFailed(6, 7, 6)),
		}, Unordered, []int{1},
			"cas k0 6->7: failed, saw 6 by client 2 (50ms..60ms), although that is what it expected"},

		{"compare-and-set that failed on nothing and saw it", []history.Op{
			at(2, 50, 60, casFailed(null, 5, null)), at(2, 70, 80, write(3)),
		}, Unordered, []int{0},
			"cas k0 nil->5: failed, saw nil by client 2 (50ms..60ms), although that is what it expected"},

		{"compare-and-set of a value with itself", []history.Op{
			at(1, 10, 20, write(6)), at(2, 50, 60, cas(3, 3)), at(2, 70, 80, read(3)),
		}, PhantomRead, []int{1},
			"cas k0 3->3 by client 2 (50ms..60ms) saw a value that nobody else wrote"},

		{"failed comparisons are no reads", []history.Op{
			at(1, 10, 20, write(7)), at(2, 30, 40, write(9)), at(3, 50, 60, casFailed(5, 6, 7)), at(4, 70, 80, read(7)),
		}, StaleRead, []int{0, 1, 2},
			"cas k0 5->6: failed, saw 7 by client 3 (50ms..60ms) is stale: write k0=7 had finished before write k0=9 began (30ms), and write k0=9 had finished (40ms) before the cas began"},

		{"a lost write and another, of which a later read tells", []history.Op{
			at(1, 10, 20, write(1)), at(2, 30, 40, read(null)), at(3, 35, 45, read(null)), at(1, 50, 60, write(2)), at(2, 70, 80, read(2)), at(2, 90, 95, read(null)),
		}, LostWrite, []int{0, 1, 2, 3},
			"write k0=1 by client 1 (10ms..20ms) was lost: nobody ever saw 1, and all 2 reads that began after it and before write k0=2 began (50ms) returned nil, among them read k0 -> nil by client 2 (30ms..40ms)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := record(c.ops...)
			for _, engine := range []Engine{Auto, Porcupine} {
				r, err := Linearizable(h, model.CASRegister(), Options{Engine: engine})
				if err != nil {
					t.Fatal(err)
				}
				if r.Verdict != Invalid || r.Anomaly != c.anomaly {
					t.Errorf("%v: %v, %v, expected %v", engine, r.Verdict, r.Anomaly, c.anomaly)
				}
				if Confirm(h, model.CASRegister(), r.Witness, 0) != Invalid {
					t.Errorf("%v: witness %v is not confirmed", engine, r.Witness)
				}
				if engine == Porcupine && r.Sentence != c.sentence {
					t.Logf("porcupine's witness %v: %s", r.Witness, r.Sentence) // may be another one
				}
				if engine == Auto && (r.Sentence != c.sentence || !slices.Equal(r.Witness, c.witness)) {
					t.Errorf("witness %v, expected %v\n%s\nexpected\n%s", r.Witness, c.witness, r.Sentence, c.sentence)
				}
			}
		})
	}
}

func TestSentenceWithoutTimesTellsPositions(t *testing.T) {
	h := record(at(1, 10, 20, write(6)), at(2, 50, 60, read(7)))
	for i := range h.Ops {
		h.Ops[i].CalledAt, h.Ops[i].ReturnedAt = 0, 0
	}
	r, err := Linearizable(h, model.Register(), Options{})
	if want := "read k0 -> 7 by client 2 (event 3..event 4) saw a value that nobody wrote"; err != nil || r.Sentence != want {
		t.Errorf("%v %q, expected %q", err, r.Sentence, want)
	}
}

func TestSentenceNamesClients(t *testing.T) {
	h := record(at(7, 10, 20, failed(write(7))), at(5, 50, 60, read(7)))
	h.Clients = []string{"c0", "c1", "last"}
	r := judge(t, h, model.Register(), Options{})
	if want := "read k0 -> 7 by last (50ms..60ms) saw a value that was not stored: write k0=7 by c1 had failed (10ms..20ms)"; r.Sentence != want {
		t.Errorf("%q, expected %q", r.Sentence, want)
	}
}

// Times are told as lists tell them, unless that hides what the sentence is
// about; and if times hide it, positions tell it.
func TestSentenceTellsMomentsApart(t *testing.T) {
	const ms, us, ns = time.Millisecond, time.Microsecond, time.Nanosecond
	for _, c := range []struct {
		called, returned [2]time.Duration // of the write and of the read
		want             string
	}{
		{[2]time.Duration{ms + 4*us, 5*ms + 123}, [2]time.Duration{2*ms + 355*us, 9 * ms},
			"read k0 -> nil by client 2 (5ms..9ms) is stale: write k0=7 had finished (2.36ms) before the read began"},
		{[2]time.Duration{ms, 3*ms + 2*ns}, [2]time.Duration{3*ms + ns, 9 * ms},
			"read k0 -> nil by client 2 (3.000002ms..9ms) is stale: write k0=7 had finished (3.000001ms) before the read began"},
		{[2]time.Duration{ms, 3 * ms}, [2]time.Duration{3 * ms, 9 * ms},
			"read k0 -> nil by client 2 (event 3..event 4) is stale: write k0=7 had finished (event 2) before the read began"},
		{[2]time.Duration{0, 0}, [2]time.Duration{0, 9 * ms},
			"read k0 -> nil by client 2 (event 3..event 4) is stale: write k0=7 had finished (event 2) before the read began"},
		{[2]time.Duration{ms, 3 * ms}, [2]time.Duration{2 * ms, 3 * ms}, // nothing happened at once but the read itself
			"read k0 -> nil by client 2 (3ms..3ms) is stale: write k0=7 had finished (2ms) before the read began"},
	} {
		h := record(at(1, 10, 20, write(7)), at(2, 30, 40, read(model.Absent)))
		for i := range h.Ops {
			h.Ops[i].CalledAt, h.Ops[i].ReturnedAt = c.called[i], c.returned[i]
		}
		if r := judge(t, h, model.Register(), Options{}); r.Sentence != c.want {
			t.Errorf("%q, expected %q", r.Sentence, c.want)
		}
	}
}
