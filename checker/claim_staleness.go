package checker

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/rashomon-go/rashomon/history"
	"github.com/rashomon-go/rashomon/model"
)

// Forever is the Delta of reads that lag without limit.
const Forever time.Duration = math.MaxInt64

// Lag says how old reads are. It is Valid if Delta is not Forever, and Invalid
// with a witness if it is.
type Lag struct {
	Judgement
	// Delta is the smallest age such that the history is linearizable if reads
	// may be so old: if each read may begin so much earlier, and everything else
	// stays as it is (Golab, Li and Shah, "Analyzing Consistency Properties for
	// Fun and Profit", PODC 2011). It counts in the time of the history.
	Delta time.Duration
	// Oldest says why no smaller Delta will do, if the history is not
	// linearizable: its witness is invalid unless reads are as old as Delta.
	Oldest Judgement
}

// Staleness finds out how old reads are. Reads in terms.Final must not be old at
// all: what has not arrived when everything has healed will never arrive, so
// that reads that miss it lag for ever. They do as well if no age explains them: if
// what they tell contradicts the order of writes, or an acknowledged
// compare-and-set was lost.
//
// Only reads may be old; compare-and-sets that failed may not. Values need not be
// unique. The verdict is unknown if a search spent its budget (terms.Steps), if
// the history has no times, or if no operation succeeded; it is an error if the
// times of the history contradict the order of its events. It takes the time of
// Linearizable, times the logarithm of the length of the run.
func Staleness(h *history.History, terms Terms) (Lag, error) {
	m, opts := model.CASRegister(), Options{Steps: terms.Steps}
	fresh, err := Linearizable(h, m, opts)
	if err != nil {
		return Lag{}, ofClaim(err)
	}
	if fresh.Verdict != Invalid {
		return Lag{Judgement: Judgement{Verdict: fresh.Verdict, Reason: fresh.Reason}}, nil
	}
	if (&explanation{h: h}).timeless() {
		return Lag{Judgement: unknown("the history has no times")}, nil
	}
	a := ages{h: h, opts: opts, final: map[int32]bool{}, lag: -1}
	for _, i := range terms.Final {
		if i < 0 || i >= len(h.Ops) {
			return Lag{}, fmt.Errorf("checker: final operation %d, expected 0..%d", i, len(h.Ops)-1)
		}
		a.final[int32(i)] = true
	}
	if err := a.clock(); err != nil {
		return Lag{}, fmt.Errorf("checker: %w", err)
	}
	return a.search(fresh)
}

// ages looks for the age of the oldest read.
type ages struct {
	h     *history.History
	opts  Options
	parts check
	final map[int32]bool
	end   time.Duration // of the latest event
	lag   time.Duration // that the keys so far need, or -1

	ops     []int32 // of the key
	returns []int32 // those of them that returned, in the order of that
}

// clock checks that time does not run backwards from event to event.
func (a *ages) clock() error {
	type event struct {
		position int64
		at       time.Duration
		op       int
	}
	var events []event
	for i := range a.h.Ops {
		o := &a.h.Ops[i]
		events = append(events, event{o.Call, o.CalledAt, i})
		if o.Return != history.Never {
			events = append(events, event{o.Return, o.ReturnedAt, i})
		}
	}
	slices.SortFunc(events, func(x, y event) int { return cmp.Compare(x.position, y.position) })
	for n, e := range events {
		if e.at < a.end {
			return fmt.Errorf("operation %d (%s) has an event at %v that comes after one of operation %d at %v, expected times in the order of events",
				e.op, a.h.OpString(e.op), e.at, events[n-1].op, a.end)
		}
		a.end = e.at
	}
	return nil
}

func (a *ages) search(fresh Result) (Lag, error) {
	if err := a.parts.group(a.h); err != nil {
		return Lag{}, fmt.Errorf("checker: %w", err)
	}
	oldest := -1
	for k := range fresh.Keys {
		if fresh.Keys[k].Verdict != Invalid {
			continue
		}
		a.take(k)
		needs, r, err := a.needs(k)
		if err != nil || r.Verdict != Valid {
			return Lag{Judgement: r, Delta: needs}, err
		}
		if needs > a.lag {
			a.lag, oldest = needs, k
		}
	}
	a.take(oldest)
	why, err := a.oldest(oldest)
	if err != nil {
		return Lag{}, err
	}
	lag := Lag{Delta: a.lag, Oldest: why, Judgement: Judgement{Verdict: Valid, Reason: fmt.Sprintf("linearizable except that reads are up to %v old: %s", a.lag, why.Sentence)}}
	if a.lag == 0 {
		lag.Reason = "linearizable except that reads miss what happened at the same instant: " + why.Sentence
	}
	return lag, nil
}

// take makes k the key that is looked at.
func (a *ages) take(k int) {
	a.ops, a.returns = a.parts.part(k), a.returns[:0]
	for _, i := range a.ops {
		if a.h.Ops[i].Return != history.Never {
			a.returns = append(a.returns, i)
		}
	}
	slices.SortFunc(a.returns, func(x, y int32) int { return cmp.Compare(a.h.Ops[x].Return, a.h.Ops[y].Return) })
}

// needs returns the age that key k needs, if it is more than that of the keys so
// far. A judgement other than valid ends everything.
func (a *ages) needs(k int) (time.Duration, Judgement, error) {
	enough := func(age time.Duration) (Verdict, string, error) {
		r, err := Linearizable(a.aged(k, age), model.CASRegister(), Options{Steps: a.opts.Steps, VerdictOnly: true})
		return r.Verdict, r.Reason, err
	}
	high := a.end
	if v, reason, err := enough(high); err != nil || v == Unknown {
		return 0, unknown(reason), err
	} else if v == Invalid {
		j, err := a.endless(k)
		return Forever, j, err
	}
	low := time.Duration(-1) // does not suffice
	if a.lag >= 0 {
		switch v, reason, err := enough(a.lag); {
		case err != nil || v == Unknown:
			return 0, unknown(reason), err
		case v == Valid:
			return a.lag, Judgement{Verdict: Valid}, nil
		}
		low = a.lag
	}
	for high-low > 1 {
		age := low + (high-low)/2
		switch v, reason, err := enough(age); {
		case err != nil || v == Unknown:
			return 0, unknown(reason), err
		case v == Valid:
			high = age
		default:
			low = age
		}
	}
	// That it suffices is worth a proof.
	r, err := Linearizable(a.aged(k, high), model.CASRegister(), a.opts)
	return high, Judgement{Verdict: r.Verdict, Reason: r.Reason}, err
}

// endless judges key k, which is invalid however old reads may be.
func (a *ages) endless(k int) (Judgement, error) {
	j, err := a.blamed(k, a.end)
	j.Sentence = "reads lag without limit: " + j.Sentence
	return j, err
}

// oldest says why key k needs reads as old as it does.
func (a *ages) oldest(k int) (Judgement, error) {
	j, err := a.blamed(k, a.lag-1)
	if err != nil {
		return j, err
	}
	words := explanation{h: a.h}
	for _, r := range j.Witness {
		for _, p := range j.Witness {
			read, past := &a.h.Ops[r], &a.h.Ops[p]
			if !a.mayAge(int32(r)) || past.Return >= read.Call || read.CalledAt-past.ReturnedAt != a.lag {
				continue
			}
			j.Sentence = words.tell(func() string {
				return fmt.Sprintf("%s began %v after %s had finished (%s), and tells what was there before",
					words.full(int32(r)), a.lag, words.by(int32(p)), words.returned(int32(p)))
			})
			return j, nil
		}
	}
	return j, nil
}

// blamed returns the judgement on key k, which is invalid if reads may be so old.
func (a *ages) blamed(k int, age time.Duration) (Judgement, error) {
	aged := a.aged(k, age)
	r, err := Linearizable(aged, model.CASRegister(), a.opts)
	if err != nil {
		return Judgement{}, err
	}
	if r.Verdict != Invalid {
		return Judgement{}, fmt.Errorf("checker: key %s is %s and was invalid before, if reads are %v old", a.h.Keys[k], r.Verdict, age)
	}
	var witness []int32
	for _, i := range r.Witness {
		witness = append(witness, aged.Ops[i].ID)
	}
	e := explanation{h: a.h, ops: a.ops, witness: slices.Clone(witness), register: true}
	e.find()
	return invalid(e.anomaly, e.sentence, witness...), nil
}

// mayAge reports whether operation i may be older than it looks.
func (a *ages) mayAge(i int32) bool { return a.h.Ops[i].Kind == model.Read && !a.final[i] }

// aged returns the operations on key k as a history in which reads began so much
// earlier; if age is negative, it is as it was. IDs are indices in the history.
func (a *ages) aged(k int, age time.Duration) *history.History {
	type event struct {
		position int64 // twice that in the history, or less one
		op       int32 // in ops
		returns  bool
	}
	aged := &history.History{Keys: []string{a.h.Keys[k]}, Texts: a.h.Texts, Ops: make([]history.Op, len(a.ops))}
	events := make([]event, 0, 2*len(a.ops))
	for n, i := range a.ops {
		o := &aged.Ops[n]
		*o = a.h.Ops[i]
		o.Key, o.Node, o.ID = 0, history.NoNode, i
		began := 2 * o.Call
		if age >= 0 && a.mayAge(i) {
			at, _ := slices.BinarySearchFunc(a.returns, o.CalledAt-age, func(r int32, t time.Duration) int {
				return cmp.Compare(a.h.Ops[r].ReturnedAt, t)
			})
			if at < len(a.returns) {
				began = min(began, 2*a.h.Ops[a.returns[at]].Return-1)
			}
		}
		events = append(events, event{began, int32(n), false})
		if o.Return != history.Never {
			events = append(events, event{2 * o.Return, int32(n), true})
		}
	}
	slices.SortStableFunc(events, func(x, y event) int { return cmp.Compare(x.position, y.position) })
	for n, e := range events {
		if o := &aged.Ops[e.op]; e.returns {
			o.Return = int64(n + 1)
		} else {
			o.Call = int64(n + 1)
		}
	}
	slices.SortFunc(aged.Ops, func(x, y history.Op) int { return cmp.Compare(x.Call, y.Call) })
	for n := range aged.Ops { // operations of one process may overlap now
		aged.Ops[n].Process = int32(n)
	}
	return aged
}
