package checker

import (
	"fmt"
	"slices"

	"github.com/rashomon-go/rashomon/model"
)

// unlikeOrder looks for two transactions of which each must have come before the
// other.
func (e *explanation) unlikeOrder() bool {
	if len(e.witness) > mostPaired {
		return false
	}
	for n, b := range e.witness {
		for _, a := range e.witness[:n] {
			if e.bothReplaced(a, b) || e.contradict(a, b) {
				return true
			}
		}
	}
	return false
}

// mostPaired is how many transactions a witness may have of which pairs are compared,
// each with all that wrote what they saw.
const mostPaired = 200

// bothReplaced finds that two transactions saw one value, which was there only once,
// and both replaced it.
func (e *explanation) bothReplaced(a, b int32) bool {
	for _, s := range e.sights(a) {
		w, once := e.once(s)
		if !once || !e.replaced(a, s) || !e.replaced(b, s) {
			continue
		}
		return e.is(LostUpdate, func() string {
			return fmt.Sprintf("%s and %s both saw and replaced %s, which was there only once", e.full(a), e.full(b), e.sight(s))
		}, a, b, w)
	}
	return false
}

// once reports whether a value was there in one stretch of time only, and who left it:
// none if it was there from the beginning.
func (e *explanation) once(s sight) (w int32, once bool) {
	w, count := e.author(s)
	return w, w != none || s.value == model.Absent && count == 0
}

// replaced reports whether a transaction saw s, which others left there only once, and
// left something in its place.
func (e *explanation) replaced(i int32, s sight) bool {
	_, writes := e.left(i, s.register)
	return writes && slices.Contains(e.sights(i), s)
}

// earlier is why one transaction came before another: it saw the older of two values of
// a register, or one that the other replaced, or it had finished before the other began.
type earlier struct {
	older, newer sight
	authors      []int32 // of the older one and the newer one, or of the newer one if the older one was there first
	first        bool    // the older one was
	replaced     bool    // by the other: it wrote there after the older one's author
	finished     bool
}

// contradict finds that a came before b, and b before a.
func (e *explanation) contradict(a, b int32) bool {
	forth, ok := e.came(a, b)
	if !ok {
		return false
	}
	back, ok := e.came(b, a)
	if !ok {
		return false
	}
	return e.is(ReadInversion, func() string {
		return fmt.Sprintf("%s and %s contradict each other: %s, but %s", e.full(a), e.full(b), e.orderSentence(forth, a, b), e.orderSentence(back, b, a))
	}, append(append([]int32{a, b}, forth.authors...), back.authors...)...)
}

// came finds why a came before b.
func (e *explanation) came(a, b int32) (earlier, bool) {
	if e.before(a, b) {
		return earlier{finished: true}, true
	}
	for _, s := range e.sights(a) {
		for _, t := range e.sights(b) {
			if s.register != t.register || s.value == t.value {
				continue
			}
			w, once := e.once(s)
			if once && w == none {
				return earlier{older: s, newer: t, first: true, authors: e.whoLeft(t)}, true
			}
			next, _ := e.author(t)
			if once && next != none && e.before(w, next) {
				return earlier{older: s, newer: t, authors: []int32{w, next}}, true
			}
		}
	}
	for _, s := range e.sights(a) {
		if _, writes := e.left(b, s.register); !writes {
			continue
		}
		switch w, once := e.once(s); {
		case once && w == none:
			return earlier{older: s, first: true, replaced: true}, true
		case once && e.before(w, b):
			return earlier{older: s, authors: []int32{w}, replaced: true}, true
		}
	}
	return earlier{}, false
}

// whoLeft returns the transactions that leave s.
func (e *explanation) whoLeft(s sight) (list []int32) {
	for _, i := range e.ops {
		if v, writes := e.left(i, s.register); writes && v == s.value {
			list = append(list, i)
		}
	}
	return list
}

func (e *explanation) orderSentence(o earlier, a, b int32) string {
	switch {
	case o.finished:
		return fmt.Sprintf("that of %s had finished (%s) before that of %s began (%s)", e.client(a), e.returned(a), e.client(b), e.called(b))
	case o.replaced && o.first:
		return fmt.Sprintf("that of %s saw %s, which was there first, and which that of %s replaced", e.client(a), e.sight(o.older), e.client(b))
	case o.replaced:
		w := o.authors[0]
		return fmt.Sprintf("that of %s saw %s, which that of %s replaced: %s by %s had finished (%s) before", e.client(a), e.sight(o.older), e.client(b),
			e.bare(w), e.client(w), e.returned(w))
	case o.first:
		return fmt.Sprintf("that of %s saw %s, which was there first, and that of %s %s", e.client(a), e.sight(o.older), e.client(b), e.sight(o.newer))
	}
	w, next := o.authors[0], o.authors[1]
	return fmt.Sprintf("that of %s saw %s, and %s came later: %s by %s had finished (%s) before %s by %s began (%s)", e.client(a), e.sight(o.older), e.sight(o.newer),
		e.bare(w), e.client(w), e.returned(w), e.bare(next), e.client(next), e.called(next))
}
