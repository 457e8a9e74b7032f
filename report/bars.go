package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rashomon-go/rashomon/history"
)

type barShape struct {
	Op, Number     int
	X, Y, W, H     px
	Class, Kind    string
	Title, Label   string
	LabelX, LabelY px
	Leader         bool // the label stands away from its bar
	Open, Fail     bool
}

// badge is the room that the number of a witness operation takes before its
// label.
func (b *barShape) badge() px {
	if b.Number == 0 {
		return 0
	}
	return 20
}

// Hatch names the patterns of the bar's kind.
func (b *barShape) Hatch() string { return kindClass(b.Kind) }

// End is the right edge of the bar.
func (b *barShape) End() px { return b.X + b.W }

// WordsX is where the words of the label begin, after its number.
func (b *barShape) WordsX() px { return b.LabelX + b.badge() }

// bar lays an operation into its lane; Y and LabelY are rows until the height of
// the lane is known.
func (d *drawing) bar(l *laneShape, i int) barShape {
	s := d.scene
	o := &s.h.Ops[i]
	from, until := d.x(s.opSpan(i))
	b := barShape{
		Op: i, X: from, W: max(until-from-1, 4), H: barHeight, Kind: o.Kind.String(),
		Open: o.Outcome == history.Unknown, Fail: o.Outcome == history.Fail, Title: d.opTitle(i),
	}
	if b.Open {
		b.W = max(b.W, 26) // room to fade in
	}
	b.Class = "k-" + kindClass(b.Kind) + " " + outcomeClass(o.Outcome)
	must := s.rank[i] > 0 && s.rank[i] <= maxWitness
	if must {
		b.Number = s.rank[i]
		b.Class += " witness"
	}
	if i == d.answer {
		b.Class += " answer"
	}
	b.Y = px(place(&l.bars, box{b.X, 0, b.X + b.W, 1}, 0))
	d.label(l, &b, must)
	return b
}

// label finds a row for the label. The witness makes a new row if it has to;
// others go without.
func (d *drawing) label(l *laneShape, b *barShape, must bool) {
	words := clip(oneLine(d.scene.h.OpString(b.Op)), maxLabel)
	if !must && strings.HasPrefix(words, b.Kind) && b.W < 30 && d.scene.opClass(b.Op) > 1 && len(d.scene.ops) > 60 {
		return
	}
	w := width(words, opText) + b.badge()
	b.LabelX = max(min(b.X, d.Width-w-4), 2)
	if !d.besideFolds(b, w) && !must {
		return
	}
	limit := len(l.labels)
	if must {
		limit = 0
	}
	n := place(&l.labels, box{b.LabelX, 0, b.LabelX + w + 10, 1}, limit)
	if n < 0 {
		return
	}
	b.Label, b.LabelY, b.Leader = words, px(n), n > 0
}

// besideFolds moves the label out of a fold: to where the operation comes out of
// it, or to before it. It returns false if the label now stands before its bar.
func (d *drawing) besideFolds(b *barShape, w px) bool {
	for _, f := range d.Folds {
		switch {
		case b.LabelX >= f.X+f.W || b.LabelX+w <= f.X:
		case b.X >= f.X:
			b.LabelX = f.X + f.W + 2
		default:
			b.LabelX = max(f.X-w-6, 2)
			return b.LabelX >= b.X
		}
	}
	return true
}

// take keeps the labels of messages away from a bar and its label.
func (d *drawing) take(b *barShape) {
	d.taken = append(d.taken, box{b.X, b.Y, b.X + b.W, b.Y + b.H})
	if b.Label != "" {
		d.taken = append(d.taken, box{b.LabelX, b.LabelY - 12, b.LabelX + width(b.Label, opText) + b.badge(), b.LabelY + 4})
	}
}

// witnessFirst lets the witness choose its places before the rest.
func (d *drawing) witnessFirst(ops []int) []int {
	ops = slices.Clone(ops)
	slices.SortStableFunc(ops, func(a, b int) int {
		return min(d.scene.opClass(a), 1) - min(d.scene.opClass(b), 1)
	})
	return ops
}

func (d *drawing) opTitle(i int) string {
	r, o, p := d.scene.row(i), &d.scene.h.Ops[i], d.scene.page
	s := fmt.Sprintf("%s: %s", r.Client, r.What)
	if r.Node != "" {
		s += " at " + r.Node
	}
	s += fmt.Sprintf(" — %s, called at %s, ", r.Outcome, p.when(o.CalledAt))
	if r.Outcome == "unknown" {
		return s + "gave up at " + p.when(d.scene.opSpan(i).until) + "; it may have happened, or may yet happen"
	}
	return s + "returned at " + p.when(o.ReturnedAt)
}

func kindClass(kind string) string {
	switch kind {
	case "read", "write", "cas", "delete", "append":
		return kind
	}
	return "other"
}

func outcomeClass(o history.Outcome) string {
	switch o {
	case history.OK, history.Fail:
		return o.String()
	}
	return "unknown"
}
