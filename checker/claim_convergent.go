package checker

import (
	"fmt"

	"github.com/rashomon-go/rashomon/history"
	"github.com/rashomon-go/rashomon/model"
)

// Convergent decides about the reads in terms.Final whether, on each key,
//
//   - all of them return the same;
//   - what they return was written, by an operation that did not fail and that
//     was called before they returned;
//   - nothing that was overwritten or deleted comes back: no acknowledged write
//     or delete comes causally after the write of what they return;
//   - with NoRule, no acknowledged write or delete is lost: each comes causally
//     before the write of what they return, or is that write, or comes causally
//     before a write that may have happened and was not acknowledged. (With
//     LastWriterWins those that are causally concurrent may be lost; with
//     AnyWriteWins this and the point before do not count.)
//
// Absent at the end counts as written by some delete that did not fail, whichever
// explains most, or by nobody if nothing was written.
//
// Causal means: by the order in each of terms.Sessions and by reads from writes,
// as clients saw them. A session whose operations the system does not order,
// because its client moves from node to node, must not be among them.
//
// Values must be unique (ErrNotUnique). The verdict is unknown if a key was not
// read at the end at two nodes or more and at every node where another one was,
// if it was still being written, if no write was acknowledged, or if the history
// is valid and terms.Idle says why that means nothing. It takes time proportional
// to the operations, for each key.
func Convergent(h *history.History, terms Terms) (Judgement, error) {
	f, err := gather(h, terms.Sessions)
	if err != nil {
		return Judgement{}, err
	}
	end, err := newFinals(h, terms.Final)
	if err != nil {
		return Judgement{}, err
	}
	c := convergence{causal: newCausal(f), finals: end, rule: terms.Rule}
	all := Judgement{Verdict: Valid}
	wrote := false
	for k := range h.Keys {
		all.add(c.judge(k))
		wrote = wrote || len(c.acknowledged) > 0
	}
	return exercised(all, wrote, terms), nil
}

// exercised makes a valid judgement unknown if it means nothing.
func exercised(j Judgement, wrote bool, terms Terms) Judgement {
	switch {
	case j.Verdict != Valid:
		return j
	case !wrote:
		return unknown("no write was acknowledged")
	case terms.Idle != "":
		return unknown(terms.Idle)
	}
	return j
}

type convergence struct {
	*causal
	finals
	rule ConflictRule

	// Of the key being judged:
	acknowledged []int32 // writes and deletes
	deletes      []int32 // that did not fail
	open         []int32 // writes and deletes that may have happened
}

func (c *convergence) judge(k int) Judgement {
	c.sort(k)
	switch {
	case len(c.acknowledged) == 0 && len(c.open) == 0 && len(c.reads[k]) == 0:
		return Judgement{Verdict: Valid} // nothing to ask for
	case c.late[k] != "":
		return unknown(c.late[k])
	}
	for _, r := range c.reads[k] {
		if j, found := c.impossible(r); found {
			return j
		}
	}
	if a, b, differ := c.differ(k); differ {
		return c.words.divergence(a, b, max(c.asked(c.op(a)), none), max(c.asked(c.op(b)), none))
	}
	if len(c.reads[k]) > 0 && c.rule != AnyWriteWins {
		if j := c.survivor(c.reads[k][0]); j.Verdict == Invalid {
			return j
		}
	}
	if c.lost[k] != "" {
		return unknown(c.lost[k])
	}
	return Judgement{Verdict: Valid}
}

func (c *convergence) sort(k int) {
	c.acknowledged, c.deletes, c.open = c.acknowledged[:0], c.deletes[:0], c.open[:0]
	for _, i := range c.parts.part(k) {
		o := c.op(i)
		if acknowledged(o) {
			c.acknowledged = append(c.acknowledged, i)
		} else if o.Outcome == history.Unknown {
			c.open = append(c.open, i)
		}
		if o.Kind == model.Delete {
			c.deletes = append(c.deletes, i)
		}
	}
}

// survivor judges what read r, which stands for all at the end, says to be left.
func (c *convergence) survivor(r int32) Judgement {
	o := c.op(r)
	if o.Seen == model.Absent {
		return c.absent(r)
	}
	w := c.writers[place{o.Key, o.Seen}]
	over := c.following(w, func(x int32) bool { return c.op(x).Key == o.Key && acknowledged(c.op(x)) })
	if over != none {
		return c.cameBack(r, w, over)
	}
	if c.rule == NoRule {
		return c.complete(r, append([]int32{w}, c.open...))
	}
	return Judgement{Verdict: Valid}
}

// absent judges the end of a key that holds nothing.
func (c *convergence) absent(r int32) Judgement {
	witness := []int32{r}
	over := none
	for _, w := range c.acknowledged {
		if c.op(w).Kind != model.Delete {
			over = w
		}
	}
	if over == none {
		return Judgement{Verdict: Valid}
	}
	for _, d := range c.deletes {
		x := c.following(d, func(x int32) bool {
			return c.op(x).Key == c.op(r).Key && c.op(x).Kind != model.Delete && acknowledged(c.op(x))
		})
		if x == none {
			if c.rule == NoRule {
				return c.complete(r, append(append([]int32(nil), c.deletes...), c.open...))
			}
			return Judgement{Verdict: Valid}
		}
		over, witness = x, append(witness, c.way(x)...)
	}
	say := func() string {
		s := fmt.Sprintf("%s was lost: it was acknowledged, and ", c.words.full(over))
		switch len(c.deletes) {
		case 0:
			s += "nobody deleted anything"
		case 1:
			s += fmt.Sprintf("%s came before it", c.words.by(c.deletes[0]))
		default:
			s += fmt.Sprintf("all %d deletes came before what was written", len(c.deletes))
		}
		return s + fmt.Sprintf(", but %s%s came at the end", c.words.full(r), c.words.where(r))
	}
	return invalid(LostAcknowledged, c.words.tell(say), c.words.withExpected(c.facts, append(witness, over))...)
}

// cameBack tells that w is there at the end although over replaced it.
func (c *convergence) cameBack(r, w, over int32) Judgement {
	way := c.way(over)
	v := c.h.ValueString(c.op(r).Seen)
	anomaly := LostAcknowledged
	if c.op(over).Kind == model.Delete {
		anomaly = Resurrection
	}
	say := func() string {
		s := fmt.Sprintf("%s was lost: ", c.words.full(over))
		if anomaly == Resurrection {
			s = fmt.Sprintf("%s came back: %s deleted it, and ", v, c.words.full(over))
		}
		if len(way) == 2 && c.sessions[w] == c.sessions[over] {
			s += fmt.Sprintf("its client had written %s before", v)
		} else {
			s += c.words.knew(way)
		}
		return s + fmt.Sprintf(", but %s%s came at the end", c.words.full(r), c.words.where(r))
	}
	return invalid(anomaly, c.words.tell(say), c.words.withExpected(c.facts, append(way, r))...)
}

// knew tells that the last operation of a causal way came after the first.
func (e *explanation) knew(way []int32) string {
	first, last := way[0], way[len(way)-1]
	if len(way) <= 2 {
		return fmt.Sprintf("it replaced what %s had stored", e.by(first))
	}
	s := fmt.Sprintf("its client knew of %s", e.by(first))
	if saw := way[len(way)-2]; e.op(saw).Process == e.op(last).Process {
		return s + fmt.Sprintf(" by %s (%s)", e.bare(saw), e.span(saw))
	}
	return s
}

// complete judges whether each acknowledged write comes before one of those that
// explain the end.
func (c *convergence) complete(r int32, ends []int32) Judgement {
	c.precede(ends...)
	for _, w := range c.acknowledged {
		if c.reached(w) {
			continue
		}
		say := func() string {
			return fmt.Sprintf("%s was lost: no write that came causally after it explains %s%s at the end",
				c.words.full(w), c.words.full(r), c.words.where(r))
		}
		return invalid(LostAcknowledged, c.words.tell(say), c.words.withExpected(c.facts, append(append([]int32{w, r}, c.deletes...), c.open...))...)
	}
	return Judgement{Verdict: Valid}
}
