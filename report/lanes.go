package report

import "github.com/rashomon-go/rashomon/sim"

// laneShape is the lane of a client or of a node.
type laneShape struct {
	Y, H   px
	Line   px // where messages leave and arrive
	Node   bool
	Name   string
	id     sim.NodeID
	ops    []int
	labels [][]box // taken, by row above the bars
	bars   [][]box
}

// layLanes gives every lane the height that its operations and their labels
// need.
func (d *drawing) layLanes() {
	s := d.scene
	for _, id := range s.lanes {
		l := &laneShape{id: id, Node: int(id) < s.page.Replicas, Name: laneName(s.page, id)}
		d.lanes[id] = l
	}
	for _, i := range s.ops {
		l := d.lanes[s.page.lane(s.h.Ops[i].Process)]
		l.ops = append(l.ops, i)
	}
	y, group := d.Top, false
	for i, id := range s.lanes {
		l := d.lanes[id]
		if i == 0 || l.Node != group {
			y += groupGap
			group = l.Node
			d.Names = append(d.Names, text{Y: y - 9, Text: groupName(l.Node), Class: "group"})
		}
		l.Y = y
		d.layLane(l)
		y += l.H
		d.rails = append(d.rails, l.Line)
		d.Names = append(d.Names, text{Y: l.Line - d.nameRise(l), Text: l.Name, Class: "name"})
		d.Lanes = append(d.Lanes, *l)
	}
	d.Bottom = y + 6
	d.Height = d.Bottom + axisHeight
}

func (d *drawing) layLane(l *laneShape) {
	if l.Node && len(l.ops) == 0 {
		l.H, l.Line = nodeHeight, l.Y+nodeHeight/2
		return
	}
	first := len(d.Bars)
	l.labels = make([][]box, 1)
	for _, i := range d.witnessFirst(l.ops) {
		d.Bars = append(d.Bars, d.bar(l, i))
	}
	top := l.Y + px(len(l.labels))*labelHeight + 4
	for i := range d.Bars[first:] {
		b := &d.Bars[first+i]
		b.LabelY = top - b.LabelY*labelHeight - 6
		b.Y = top + b.Y*(barHeight+barGap)
		d.take(b)
	}
	l.Line = top + px(max(len(l.bars), 1))*(barHeight+barGap) - barGap
	l.H = l.Line - l.Y + lanePad
}

// nameRise is how far the name stands above the line that messages touch: at the
// height of the bars.
func (d *drawing) nameRise(l *laneShape) px {
	if l.Node && len(l.ops) == 0 {
		return -4
	}
	return barHeight/2 - 4
}

func laneName(p *Page, id sim.NodeID) string { return clip(oneLine(p.name(id)), 20) }

func groupName(node bool) string {
	if node {
		return "replicas"
	}
	return "clients"
}

// gutter is how much room the names of the lanes take.
func gutter(s *scene) px {
	w := px(76)
	for _, id := range s.lanes {
		w = max(w, width(laneName(s.page, id), nameText))
	}
	return w + 34
}

type downShape struct {
	X, Y, W, H, Line px
	Until            px
	Title            string
	Label            bool
	Crash, Boot      bool
}

func (d *drawing) drawDown() {
	for _, t := range d.scene.down {
		l := d.lanes[t.node]
		from, until := d.x(t.span)
		shape := downShape{X: from, Y: l.Line - 11, W: max(until-from, 1), H: 22, Line: l.Line, Until: until}
		shape.Crash = d.scene.axis.touches(span{t.from, t.from})
		shape.Boot = t.restarted && d.scene.axis.touches(span{t.until, t.until})
		shape.Label = shape.W > 64
		shape.Title = l.Name + " is down from " + ms(t.from) + " ms"
		if t.restarted {
			shape.Title += " to " + ms(t.until) + " ms"
		}
		d.taken = append(d.taken, box{from - 6, shape.Y, from + min(shape.W, 64), shape.Y + shape.H})
		d.Down = append(d.Down, shape)
	}
}
