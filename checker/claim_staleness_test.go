package checker

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rashomon-go/rashomon/history"
	"github.com/rashomon-go/rashomon/model"
)

// fitsWithAge reports whether some order of the operations is legal in which an
// operation p comes before a read that began no more than age after p returned,
// or behind it. It tries all orders.
func fitsWithAge(h *history.History, age time.Duration, final []int) bool {
	for k := range h.Keys {
		var list []int
		for i, o := range h.Ops {
			if o.Key == int32(k) && o.Outcome != history.Fail && (o.Kind != model.Read || o.Outcome == history.OK) {
				list = append(list, i)
			}
		}
		precedes := func(p, i int) bool {
			a, b := h.Ops[p], h.Ops[i]
			if a.Return >= b.Call {
				return false
			}
			return age < 0 || b.Kind != model.Read || slices.Contains(final, i) || b.CalledAt-a.ReturnedAt > age
		}
		if !someLegalOrder(h, list, precedes, map[int]bool{}, model.Absent) {
			return false
		}
	}
	return true
}

func someLegalOrder(h *history.History, list []int, precedes func(p, i int) bool, done map[int]bool, v model.Value) bool {
	end := true
	for _, i := range list {
		end = end && (done[i] || h.Ops[i].Outcome == history.Unknown)
	}
	if end {
		return true
	}
	for _, i := range list {
		next, right := answer(h.Ops[i], v)
		if done[i] || !right || slices.ContainsFunc(list, func(p int) bool { return !done[p] && p != i && precedes(p, i) }) {
			continue
		}
		done[i] = true
		ok := someLegalOrder(h, list, precedes, done, next)
		done[i] = false
		if ok {
			return true
		}
	}
	return false
}

// smallestAge tries every age that makes a difference.
func smallestAge(h *history.History, final []int) time.Duration {
	ages := []time.Duration{-1, 0}
	for _, a := range h.Ops {
		for _, b := range h.Ops {
			if a.Return < b.Call {
				ages = append(ages, b.CalledAt-a.ReturnedAt)
			}
		}
	}
	slices.Sort(ages)
	for _, age := range ages {
		if fitsWithAge(h, age, final) {
			return age
		}
	}
	return Forever
}

// clocked gives the events of h times in their order, some of them the same.
func clocked(r *rand.Rand, h *history.History) {
	at := make([]time.Duration, 2*len(h.Ops)*60)
	for i := 1; i < len(at); i++ {
		at[i] = at[i-1] + time.Duration(r.IntN(3))*time.Millisecond
	}
	for i := range h.Ops {
		o := &h.Ops[i]
		o.CalledAt = at[o.Call]
		o.ReturnedAt = o.CalledAt
		if o.Return != history.Never {
			o.ReturnedAt = at[o.Return]
		}
	}
}

func TestStalenessAgreesWithOracle(t *testing.T) {
	for name, c := range map[string]shape{
		"reads and writes": {keys: 1, unique: true},
		"wild":             {keys: 1, unique: true, wild: true},
		"two keys":         {keys: 2, unique: true},
		"everything":       {keys: 1, unique: true, cas: true, tells: true, deletes: true},
		"few values":       {keys: 1, cas: true, deletes: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(8, 9))
			never, fresh, instant := 0, 0, 0
			count := *histories / 5
			for n := range count {
				h := c.random(r)
				clocked(r, h)
				terms := Terms{}
				for i := range h.Ops {
					if r.IntN(12) == 0 {
						terms.Final = append(terms.Final, i)
					}
				}
				got, err := Staleness(h, terms)
				if err != nil {
					t.Fatalf("history %d: %v\n%s", n, err, show(h))
				}
				if !succeeded(h) || (&explanation{h: h}).timeless() {
					continue
				}
				want := smallestAge(h, terms.Final)
				switch {
				case want < 0 && got.Verdict == Valid && got.Delta == 0 && got.Oldest.Verdict == Unknown:
					fresh++
				case want >= 0 && want < Forever && got.Verdict == Valid && got.Delta == want && got.Oldest.Verdict == Invalid && got.Reason != "":
					if want == 0 {
						instant++
					}
					few, final := alone(h, got.Oldest.Witness, terms.Final)
					if fitsWithAge(few, want-1, final) {
						t.Fatalf("history %d: %v %v\n%s", n, got.Oldest.Witness, got.Oldest.Sentence, show(h))
					}
				case want == Forever && got.Verdict == Invalid && got.Delta == Forever && got.Sentence != "":
					never++
					few, final := alone(h, got.Witness, terms.Final)
					if smallestAge(few, final) != Forever {
						t.Fatalf("history %d: %v %v\n%s", n, got.Witness, got.Sentence, show(h))
					}
				default:
					t.Fatalf("history %d: %+v, expected %v\n%s", n, got, want, show(h))
				}
			}
			t.Logf("%d histories: %d linearizable, %d with old reads (%d at one instant), %d with endless ones", count, fresh, count-fresh-never, instant, never)
			if fresh < count/4 || fresh > 3*count/4 || never < count/20 || count-fresh-never < count/25 {
				t.Error("the sample says little")
			}
		})
	}
}

func TestStalenessTells(t *testing.T) {
	stale := func(final ...int) (Lag, error) {
		h := record(at(1, 10, 20, write(7)), at(1, 30, 40, write(8)), at(2, 100, 110, read(8)), at(3, 124, 130, read(7)), at(3, 135, 140, read(8)))
		return Staleness(h, Terms{Final: final})
	}
	lag, err := stale(4)
	if err != nil || lag.Verdict != Valid || lag.Delta != 84*time.Millisecond || !slices.Equal(lag.Oldest.Witness, []int{0, 1, 3}) || lag.Oldest.Anomaly != StaleRead ||
		lag.Reason != "linearizable except that reads are up to 84ms old: read k0 -> 7 by client 3 (124ms..130ms) began 84ms after write k0=8 had finished (40ms), and tells what was there before" {
		t.Errorf("%+v %v", lag, err)
	}
	lag, err = stale(3, 4)
	if err != nil || lag.Verdict != Invalid || lag.Delta != Forever ||
		lag.Sentence != "reads lag without limit: read k0 -> 7 by client 3 (124ms..130ms) is stale: write k0=7 had finished before write k0=8 began (30ms), and write k0=8 had finished (40ms) before the read began" {
		t.Errorf("%+v %v", lag, err)
	}
	two := record(at(1, 10, 20, write(7)), at(2, 104, 110, read(model.Absent)), on(1, history.NoNode, at(1, 120, 130, write(8))), on(1, history.NoNode, at(2, 140, 150, read(model.Absent))))
	two.Keys = []string{"k0", "k1"}
	lag, err = Staleness(two, Terms{})
	if err != nil || lag.Delta != 84*time.Millisecond || !slices.Equal(lag.Oldest.Witness, []int{0, 1}) {
		t.Errorf("%+v %v", lag, err)
	}
	if _, err := stale(5); err == nil || err.Error() != "checker: final operation 5, expected 0..4" {
		t.Error(err)
	}
	h := record(at(1, 10, 20, write(7)), at(2, 30, 40, read(model.Absent)))
	h.Ops[1].CalledAt = time.Millisecond
	if _, err := Staleness(h, Terms{}); err == nil || !strings.Contains(err.Error(), "operation 1 (read k0 -> nil) has an event at 1ms that comes after one of operation 0 at 20ms, expected times in the order of events") {
		t.Error(err)
	}
	for i := range h.Ops {
		h.Ops[i].CalledAt, h.Ops[i].ReturnedAt = 0, 0
	}
	if lag, err := Staleness(h, Terms{}); err != nil || lag.Verdict != Unknown || lag.Reason != "the history has no times" {
		t.Errorf("%+v %v", lag, err)
	}
}
