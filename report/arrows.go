package report

import (
	"fmt"
	"math"
	"strings"

	"github.com/rashomon-go/rashomon/sim"
)

// arrowShape is a message in pixels.
type arrowShape struct {
	ID           int // position among the messages that are drawn
	Op           int // the operation of the witness it belongs to, or -1
	Class, Title string
	Path, Head   string
	Cross        bool // it never arrived: a cross where it ends
	Ring         bool // it came too late: nobody waited for it
	Square       bool // a copy made by the network
	EndX, EndY   px
	MidX, MidY   px
}

type segment struct{ x1, y1, x2, y2 px }

func (g segment) at(share px) (x, y px) {
	return g.x1 + (g.x2-g.x1)*share, g.y1 + (g.y2-g.y1)*share
}

// crosses tells whether the segment passes through a box, to within a few pixels.
func (g segment) crosses(b box) bool {
	steps := max(int(math.Hypot(float64(g.x2-g.x1), float64(g.y2-g.y1))/6), 1)
	for i := range steps + 1 {
		if x, y := g.at(px(i) / px(steps)); b[0] < x && x < b[2] && b[1] < y && y < b[3] {
			return true
		}
	}
	return false
}

func (d *drawing) drawArrows() {
	// The emphasised ones come last, so that they lie on top.
	for _, hot := range []bool{false, true} {
		for i := range d.scene.messages {
			if m := &d.scene.messages[i]; (m.op >= 0) == hot {
				d.arrow(i, m)
			}
		}
	}
}

func (d *drawing) arrow(i int, m *message) {
	g := d.segment(m)
	a := arrowShape{ID: i, Op: m.op, Title: d.messageTitle(m), EndX: g.x2, EndY: g.y2}
	a.MidX, a.MidY = g.at(.4)
	size := px(5)
	if m.op >= 0 {
		a.Class, size = " hot k-"+kindClass(d.scene.h.Ops[m.op].Kind.String()), 8
		d.hot = append(d.hot, g)
	}
	a.Cross = m.ended && m.why != sim.NotDropped && m.why != sim.PortClosed
	a.Ring = m.why == sim.PortClosed
	a.Square = m.copied
	switch {
	case a.Cross:
		a.Class += " drop"
	case a.Ring:
		a.Class += " late"
	case !m.ended:
		a.Class += " flying"
	default:
		a.Head = head(g, size)
	}
	if a.Cross || a.Ring {
		d.taken = append(d.taken, box{g.x2 - 5, g.y2 - 5, g.x2 + 5, g.y2 + 5})
	}
	if m.copied {
		a.Class += " copy"
	}
	a.Path = fmt.Sprintf("M%v %vL%v %v", g.x1, g.y1, g.x2, g.y2)
	if m.from == m.to {
		a.Path = fmt.Sprintf("M%v %vC%v %v %v %v %v %v", g.x1, g.y1, g.x1+4, g.y1-26, g.x2-4, g.y2-26, g.x2, g.y2)
	}
	d.Arrows = append(d.Arrows, a)
}

// segment returns where a message begins and ends. What was dropped on arrival
// stops short of its destination; what was lost on the way gets a stub.
func (d *drawing) segment(m *message) segment {
	const stub, short = 24.0, 9.0
	a := &d.scene.axis
	g := segment{px(a.x(m.sent)), d.lanes[m.from].Line, px(a.x(m.ends)), d.lanes[m.to].Line}
	down := px(1)
	if g.y2 < g.y1 {
		down = -1
	}
	switch {
	case m.stub():
		g.x2, g.y2 = g.x1+stub, g.y1+(g.y2-g.y1)*.45
		if reach := px(64); (g.y2-g.y1)*down > reach {
			g.y2 = g.y1 + reach*down
		}
	case m.why != sim.NotDropped:
		g.y2 -= short * down
	}
	if g.x2-g.x1 < 2 { // there and back at once would be one line
		g.x1 -= 2 * down
		g.x2 -= 2 * down
	}
	return g
}

// head is the tip of an arrow.
func head(g segment, size px) string {
	dx, dy := float64(g.x2-g.x1), float64(g.y2-g.y1)
	if n := math.Hypot(dx, dy); n > 0 {
		dx, dy = dx/n, dy/n
	}
	ux, uy := px(dx)*size, px(dy)*size
	const slim = .38
	return fmt.Sprintf("M%v %vL%v %vL%v %vZ", g.x2, g.y2,
		g.x2-ux-uy*slim, g.y2-uy+ux*slim, g.x2-ux+uy*slim, g.y2-uy-ux*slim)
}

func (d *drawing) messageTitle(m *message) string {
	s := fmt.Sprintf("%s → %s: %s — sent at %s ms, ", d.lanes[m.from].Name, d.lanes[m.to].Name, clip(m.text, maxText), ms(m.sent))
	switch {
	case !m.ended:
		s += "still under way when the run ended"
	case m.why == sim.PortClosed:
		s += "came too late at " + ms(m.ends) + " ms: nobody waited for it any more"
	case m.why != sim.NotDropped:
		s += "dropped at " + ms(m.ends) + " ms: " + m.why.String()
	default:
		s += "arrived at " + ms(m.ends) + " ms"
	}
	if m.copied {
		s += "; a copy made by the network"
	}
	if m.overtaken {
		s += "; overtaken by a later one"
	}
	return s
}

// labelArrows writes what the emphasised messages say where there is room: whole,
// or their name only, or nothing.
func (d *drawing) labelArrows() {
	for _, a := range d.Arrows {
		if a.Op < 0 {
			continue
		}
		m := &d.scene.messages[a.ID]
		whole := oneLine(m.text)
		short, _, _ := strings.Cut(whole, "{")
		why := ""
		if m.why != sim.NotDropped {
			why = " · " + m.why.String()
		}
		whole, short = clip(whole, messageChars)+why, clip(short, messageChars)+why
		_ = d.labelArrow(m, &a, whole, 1) || d.labelArrow(m, &a, short, 1) || d.labelArrow(m, &a, whole, 3)
	}
}

// labelArrow tries places along an arrow, on both sides, and takes the one that
// is crossed least: by emphasised arrows, which count double, and by the lines of
// the lanes. It gives up if all are crossed more often than it may tolerate.
func (d *drawing) labelArrow(m *message, a *arrowShape, words string, tolerable int) bool {
	best, fewest := box{}, tolerable+1
	for _, b := range places(d.segment(m), width(words, messageText), a.Cross) {
		if b[0] < 2 || b[2] > d.Width-2 || b[1] < d.Top || b[3] > d.Bottom || d.isTaken(b) {
			continue
		}
		if n := d.crossings(b); n < fewest {
			best, fewest = b, n
		}
	}
	if fewest > tolerable {
		return false
	}
	d.taken = append(d.taken, box{best[0] - 4, best[1] - 1, best[2] + 4, best[3] + 1})
	d.Labels = append(d.Labels, text{X: best[0], Y: best[3] - 3.5, Text: words, Class: a.Class, Op: a.Op})
	return true
}

// places returns where a label of a width may stand beside an arrow, the best
// first.
func places(g segment, w px, atEnd bool) (boxes []box) {
	const height, off = 14.0, 7
	shares := []px{.5, .42, .58, .34, .66, .26, .74, .18, .82, .1, .9}
	if atEnd {
		shares = append(shares, 1.1)
	}
	for _, share := range shares {
		x, y := g.at(share)
		boxes = append(boxes,
			box{x + off, y - height/2, x + off + w, y + height/2},
			box{x - off - w, y - height/2, x - off, y + height/2})
	}
	return boxes
}

func (d *drawing) isTaken(b box) bool {
	for _, t := range d.taken {
		if b.meets(t) {
			return true
		}
	}
	return false
}

func (d *drawing) crossings(b box) (n int) {
	for _, g := range d.hot {
		if g.crosses(b) {
			n += 2
		}
	}
	for _, y := range d.rails {
		if b[1] < y && y < b[3] {
			n++
		}
	}
	return n
}
