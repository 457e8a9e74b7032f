package checker

import (
	"fmt"

	"github.com/rashomon-go/rashomon/history"
	"github.com/rashomon-go/rashomon/model"
)

// Durable decides whether every read in terms.Final shows the effect of all the
// writes, compare-and-sets that swapped and deletes that were acknowledged
// before it was called: whether it returns what was stored by one of them, or by
// a write that was not acknowledged in time, that can have been the last. W can
// have been the last if no acknowledged write certainly comes after it. X
// certainly comes after W
//
//   - if W had returned when X was called; a write with an unknown outcome never
//     returns, and so nothing comes after it for this reason;
//   - if X is a compare-and-set that replaced the value that W stored, which was
//     stored only once; one with an unknown outcome counts, for its value is
//     part of the reason only if it was replaced in its turn;
//   - if X certainly comes after something that certainly comes after W.
//
// Absent at the end counts as stored by any delete that did not fail, or by
// nobody if nothing else was acknowledged. So an acknowledged write is never
// called lost if some order of what clients saw stored can explain the end, and
// always if none can. What reads in between returned is not looked at. A value
// that was not written, or only later, is invalid.
//
// The claim is for systems that take real time for the order of writes; with
// clocks that differ, the last writer is someone else. Values must be unique
// (ErrNotUnique). The verdict is unknown if no write was acknowledged before a
// read at the end of its key, or if a key on which one was has no such read. It
// takes time proportional to the operations of a key, for each read at its end.
func Durable(h *history.History, terms Terms) (Judgement, error) {
	f, err := gather(h, nil)
	if err != nil {
		return Judgement{}, err
	}
	end, err := newFinals(h, terms.Final)
	if err != nil {
		return Judgement{}, err
	}
	d := durability{facts: f, replaced: map[int32][]int32{}}
	d.findReplaced()
	all := Judgement{Verdict: Valid}
	for k := range h.Keys {
		all.add(d.judge(k, end.reads[k]))
	}
	if all.Verdict == Valid && !d.wrote {
		return unknown("no write was acknowledged before a read at the end"), nil
	}
	return all, nil
}

type durability struct {
	*facts
	replaced map[int32][]int32 // by write, the compare-and-sets that replaced its value or may have
	wrote    bool              // something was acknowledged before a read at the end
	stores   []int32           // on the key being judged, in the order of calls
}

func (d *durability) findReplaced() {
	for i := range d.h.Ops {
		o := &d.h.Ops[i]
		if v, expects := expected(o); expects {
			if w, known := d.writers[place{o.Key, v}]; known && w != int32(i) {
				d.replaced[w] = append(d.replaced[w], int32(i))
			}
		}
	}
}

// expected returns the value that o replaced, or replaced if it happened.
func expected(o *history.Op) (v model.Value, ok bool) {
	if o.Kind != model.CAS || o.Expect == model.Absent {
		return 0, false
	}
	return o.Expect, o.Outcome == history.Unknown || swapped(o)
}

func (d *durability) judge(k int, reads []int32) Judgement {
	d.stores = d.stores[:0]
	acknowledgements := 0
	for _, i := range d.parts.part(k) {
		if o := d.op(i); changes(o) {
			d.stores = append(d.stores, i)
			if acknowledged(o) {
				acknowledgements++
			}
		}
	}
	for _, r := range reads {
		if j, found := d.impossible(r); found {
			return j
		}
		for _, w := range d.stores {
			d.wrote = d.wrote || d.inTime(w, r)
		}
		if j := d.shows(r); j.Verdict == Invalid {
			return j
		}
	}
	if len(reads) == 0 && acknowledgements > 0 {
		return unknown(fmt.Sprintf("key %s: no read at the end was answered", d.h.Keys[k]))
	}
	return Judgement{Verdict: Valid}
}

// inTime reports whether w was acknowledged when r was called.
func (d *durability) inTime(w, r int32) bool {
	return acknowledged(d.op(w)) && d.op(w).Return < d.op(r).Call
}

// shows judges read r.
func (d *durability) shows(r int32) Judgement {
	o := d.op(r)
	if o.Seen != model.Absent {
		w := d.writers[place{o.Key, o.Seen}]
		if lost, way := d.lostAfter(w, r); lost != none {
			return d.lost(r, lost, way)
		}
		return Judgement{Verdict: Valid}
	}
	lost, way := none, []int32(nil)
	for _, w := range d.stores {
		if d.inTime(w, r) && d.op(w).Kind != model.Delete {
			lost = w
		}
	}
	if lost == none {
		return Judgement{Verdict: Valid}
	}
	for _, w := range d.stores {
		if d.op(w).Kind != model.Delete || d.op(w).Call > o.Return {
			continue
		}
		over, one := d.lostAfter(w, r)
		if over == none {
			return Judgement{Verdict: Valid}
		}
		lost, way = over, append(way, one...)
	}
	return d.lost(r, lost, way)
}

// lostAfter returns a write that was acknowledged when r was called and that
// certainly comes after w, with what proves it. If r saw Absent, deletes do not
// count, for they explain it as well.
func (d *durability) lostAfter(w, r int32) (lost int32, way []int32) {
	reached := map[int32]int32{w: none} // with what it comes after
	from := len(d.stores)               // those from here on are reached: they were called late enough
	for queue := []int32{w}; len(queue) > 0; queue = queue[1:] {
		x := queue[0]
		if x != w && d.inTime(x, r) && (d.op(r).Seen != model.Absent || d.op(x).Kind != model.Delete) {
			for y := x; y != none; y = reached[y] {
				way = append(way, y)
			}
			return x, way
		}
		add := func(y int32) {
			if _, known := reached[y]; !known {
				reached[y] = x
				queue = append(queue, y)
			}
		}
		for _, y := range d.replaced[x] {
			add(y)
		}
		for ; from > 0 && d.op(d.stores[from-1]).Call > d.op(x).Return; from-- {
			add(d.stores[from-1])
		}
	}
	return none, nil
}

// lost tells that a write is missing at the end. Way leads to it from what is
// there instead; from several deletes if there were several.
func (d *durability) lost(r, lost int32, way []int32) Judgement {
	say := func() string {
		s := fmt.Sprintf("%s was acknowledged, but is lost: ", d.words.full(lost))
		switch v := d.op(r).Seen; {
		case len(way) == 0:
			s += "nobody deleted it"
		case len(way) > 2 || v == model.Absent && d.op(way[len(way)-1]).Kind != model.Delete:
			s += fmt.Sprintf("%s came certainly before it", d.words.by(way[len(way)-1]))
		case d.words.before(way[1], lost):
			s += fmt.Sprintf("%s had finished (%s) before it began", d.words.by(way[1]), d.words.returned(way[1]))
		default:
			s += fmt.Sprintf("it had replaced %s", d.h.ValueString(v))
		}
		return s + fmt.Sprintf(", and %s%s came at the end", d.words.full(r), d.words.where(r))
	}
	witness := append(append([]int32{r, lost}, way...), max(d.asked(d.op(r)), none))
	return invalid(LostAcknowledged, d.words.tell(say), d.words.withExpected(d.facts, witness)...)
}
