package checker

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/rashomon-go/rashomon/history"
	"github.com/rashomon-go/rashomon/model"
)

// story is what clients do in a small random history that ends, perhaps, with
// reads of every key at every node.
type story struct {
	ops, clients, keys, nodes int
	least, reads              int // operations; percent

	cas, deletes bool
	lag          int // percent of reads that return something older, or newer, or anything
	final        bool
	wrong        int // percent of final reads that do so
}

// random returns a history and its final reads. Process p is client p modulo
// clients+1.
func (s story) random(r *rand.Rand) (*history.History, []int) {
	h := &history.History{Keys: []string{"k0", "k1"}[:s.keys], Nodes: []string{"n0", "n1", "n2"}[:s.nodes]}
	w := world{story: s, r: r, h: h, logs: make([][]model.Value, s.keys)}
	for k := range w.logs {
		w.logs[k] = []model.Value{model.Absent}
	}
	open := make([]int, s.clients)
	process := make([]int32, s.clients)
	for c := range open {
		open[c], process[c] = -1, int32(c)
	}
	n := max(2, s.least)
	n += r.IntN(s.ops - n + 1)
	for done := 0; done < n; {
		c := r.IntN(s.clients)
		switch {
		case open[c] < 0 && len(h.Ops) < n:
			open[c] = w.call(process[c])
		case open[c] < 0:
		default:
			w.end(open[c])
			if h.Ops[open[c]].Outcome == history.Unknown {
				process[c] += int32(s.clients + 1)
			}
			open[c] = -1
			done++
		}
	}
	for i := range h.Ops {
		if !slices.Contains(w.done, i) && h.Ops[i].Outcome == history.Unknown && r.IntN(2) == 0 {
			w.happen(i)
		}
	}
	return h, w.ending()
}

type world struct {
	story
	r    *rand.Rand
	h    *history.History
	logs [][]model.Value // by key, the values it held
	at   int64
	next model.Value
	done []int
}

func (w *world) position() int64 { w.at++; return w.at }

func (w *world) call(process int32) int {
	o := history.Op{
		Process: process, Key: int32(w.r.IntN(w.keys)), Node: int32(w.r.IntN(w.nodes)), Kind: model.Read, Outcome: history.OK,
		Seen: model.Unseen, Call: w.position(), ID: 1,
	}
	if w.r.IntN(100) >= w.reads && w.next < 6 {
		w.next++
		o.Kind, o.Value = model.Write, w.next
		switch x := w.r.IntN(4); {
		case x == 0 && w.deletes:
			o.Kind, o.Value = model.Delete, 0
		case x < 3 && w.cas:
			o.Kind, o.Expect = model.CAS, w.any(o.Key)
		}
	}
	w.h.Ops = append(w.h.Ops, o)
	i := len(w.h.Ops) - 1
	if w.r.IntN(2) == 0 && w.r.IntN(8) > 0 {
		w.happen(i)
	}
	return i
}

func (w *world) end(i int) {
	o := &w.h.Ops[i]
	happened := slices.Contains(w.done, i)
	switch x := w.r.IntN(16); {
	case x < 3:
		o.Outcome, o.Return, o.Swapped, o.Seen = history.Unknown, history.Never, false, model.Unseen
		return
	case x == 3 && (!happened || o.Kind == model.Read):
		o.Outcome, o.Swapped, o.Seen = history.Fail, false, model.Unseen
	case !happened:
		w.happen(i)
	}
	o.Return = w.position()
}

// happen makes operation i take effect.
func (w *world) happen(i int) {
	w.done = append(w.done, i)
	o := &w.h.Ops[i]
	log := &w.logs[o.Key]
	held := (*log)[len(*log)-1]
	switch o.Kind {
	case model.Read:
		o.Seen = w.seen(o.Key, w.lag)
	case model.Write:
		*log = append(*log, o.Value)
	case model.Delete:
		*log = append(*log, model.Absent)
	case model.CAS:
		if w.r.IntN(3) > 0 {
			o.Expect = held
		}
		if o.Expect != held {
			o.Seen = held
		} else if *log = append(*log, o.Value); o.Outcome == history.OK {
			o.Swapped = true
		}
	}
}

func (w *world) seen(k int32, wrong int) model.Value {
	if w.r.IntN(100) < wrong {
		return w.any(k)
	}
	return w.logs[k][len(w.logs[k])-1]
}

// any returns a value, mostly of those that the key held.
func (w *world) any(k int32) model.Value {
	if w.r.IntN(40) == 0 {
		return model.Value(1 + w.r.IntN(int(w.next)+2))
	}
	return w.logs[k][w.r.IntN(len(w.logs[k]))]
}

func (w *world) ending() (final []int) {
	if !w.final {
		return nil
	}
	for k := range w.keys {
		v := w.seen(int32(k), 2*w.wrong)
		for n := range w.nodes {
			o := history.Op{Process: int32(w.clients), Key: int32(k), Node: int32(n), Kind: model.Read, Outcome: history.OK, Seen: v, Call: w.position(), Return: w.position()}
			if w.r.IntN(100) < w.wrong/2 {
				o.Seen = w.any(int32(k))
			}
			final = append(final, len(w.h.Ops))
			w.h.Ops = append(w.h.Ops, o)
		}
	}
	return final
}

// alone returns the operations of a witness as a history, and those of them that
// are final.
func alone(h *history.History, witness, final []int) (*history.History, []int) {
	few := *h
	few.Ops = nil
	var ends []int
	for _, i := range witness {
		if slices.Contains(final, i) {
			ends = append(ends, len(few.Ops))
		}
		few.Ops = append(few.Ops, h.Ops[i])
	}
	return &few, ends
}

// trial compares a claim with an oracle on random histories. The oracle says
// whether the history keeps the claim; exact says whether a checker that finds
// nothing wrong must be right.
type trial struct {
	story
	claim  func(*history.History, Terms) (Judgement, error)
	oracle func(*history.History, Terms) bool
	terms  Terms
	exact  bool
	sound  bool // at least one that calls it valid
}

func (c trial) run(t *testing.T, histories int) {
	t.Helper()
	r := rand.New(rand.NewPCG(11, 12))
	count, found := map[Verdict]int{}, map[Anomaly]int{}
	broken, missed, idle := 0, 0, 0
	for n := 0; n < histories; {
		h, final := c.random(r)
		terms := c.terms
		terms.Final = final
		got, err := c.claim(h, terms)
		if err != nil {
			t.Fatalf("history %d: %v\n%s", n, err, show(h))
		}
		kept := c.oracle(h, terms)
		if c.exact && got.Verdict == Unknown && kept && !strings.Contains(got.Reason, "budget") {
			idle++ // the claim says nothing about it, so there is nothing to compare
			continue
		}
		n++
		count[got.Verdict]++
		found[got.Anomaly]++
		if !kept {
			broken++
		}
		switch {
		case got.Verdict == Invalid && kept, got.Verdict == Valid && !kept && (c.exact || c.sound):
			t.Fatalf("history %d: %v %q, the oracle says %v\n%s", n, got.Verdict, got.Sentence, kept, show(h))
		case got.Verdict != Invalid && !kept:
			missed++
			if got.Verdict == Unknown && c.exact {
				t.Fatalf("history %d: %v %s, the oracle says broken\n%s", n, got.Verdict, got.Reason, show(h))
			}
		}
		c.confirm(t, n, h, terms, got)
	}
	t.Logf("%v, %v; broken %d, of these not found %d; %d others said nothing", count, found, broken, missed, idle)
	if c.exact && count[Unknown] > histories/20 {
		t.Errorf("%d of %d are not decided", count[Unknown], histories)
	}
	if broken < histories/4 || broken > 3*histories/4 {
		t.Errorf("the sample says little: %d of %d are broken", broken, histories)
	}
}

// confirm checks that a judgement is complete, and its witness invalid by itself.
func (c trial) confirm(t *testing.T, n int, h *history.History, terms Terms, j Judgement) {
	t.Helper()
	switch {
	case j.Verdict != Invalid && (j.Witness != nil || j.Anomaly != NoAnomaly || j.Sentence != ""),
		(j.Verdict == Unknown) != (j.Reason != ""), j.Verdict == Invalid && (j.Anomaly == NoAnomaly || j.Sentence == ""):
		t.Fatalf("history %d: %+v", n, j)
	case j.Verdict != Invalid:
		return
	}
	few, ends := alone(h, j.Witness, terms.Final)
	terms.Final = ends
	k, err := c.claim(few, terms)
	if err != nil || k.Verdict != Invalid || c.oracle(few, terms) {
		t.Fatalf("history %d: witness %v (%s) is not invalid by itself: %v %v\n%s", n, j.Witness, j.Sentence, k, err, show(h))
	}
}

// illusion reports whether one of the operations saw a value that was never
// written, or written later only.
func illusion(h *history.History, which func(int) bool) bool {
	for i, r := range h.Ops {
		v, saw := observed(&r)
		if !saw || v == model.Absent || !which(i) {
			continue
		}
		real := false
		for j, w := range h.Ops {
			x, stores := stored(&w)
			real = real || j != i && stores && w.Outcome != history.Fail && x == v && w.Key == r.Key && w.Call < r.Return
		}
		if !real {
			return true
		}
	}
	return false
}

func every(int) bool { return true }
