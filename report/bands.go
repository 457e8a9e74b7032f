package report

import (
	"fmt"
	"slices"
)

type bandShape struct {
	Index             int
	X, Y, W, TextX    px
	Text, Full, Class string
}

type tint struct {
	X, Y, W, H px
	Class      string
}

// drawBands stacks the faults above the lanes, each where it begins.
func (d *drawing) drawBands() {
	var rows [][]box
	y, left := px(axisHeight), 0
	for i, b := range d.scene.bands {
		from, until := d.x(span{b.From, max(b.From, b.Until)})
		words := clip(oneLine(b.Text), 70)
		w := width(words, bandText) + 14
		at := max(from, 0)
		if at+w > d.Width { // no room to the right: before it, if there is room
			at = max(at-w, 0)
		}
		n := place(&rows, box{min(at, from) - 6, 0, max(until, at+w), 1}, maxBands)
		if n < 0 {
			left++
			continue
		}
		shape := bandShape{Index: i, X: from, W: max(until-from, 2), Y: y + px(n)*bandHeight, TextX: at + 7, Text: words}
		shape.Full = clip(b.Text, maxText) + ", " + d.bandTime(b)
		if b.Until <= b.From {
			shape.Class = " moment"
		}
		d.Bands = append(d.Bands, shape)
	}
	d.Top = y + px(len(rows))*bandHeight + 6
	if left > 0 {
		d.notes = append(d.notes, fmt.Sprintf("%s of this time not drawn.", are(left, "fault")))
	}
}

func (d *drawing) bandTime(b Band) string {
	if b.Until <= b.From {
		return "at " + ms(b.From) + " ms"
	}
	return ms(b.From) + " to " + ms(b.Until) + " ms"
}

// drawTints colours what a fault concerns: everything below it, or some lanes.
func (d *drawing) drawTints() {
	for _, b := range d.Bands {
		nodes := d.scene.bands[b.Index].Nodes
		if nodes == nil {
			d.Tints = append(d.Tints, tint{b.X, b.Y + bandHeight - 4, b.W, d.Bottom - b.Y - bandHeight + 4, b.Class})
		}
		nodes = slices.Clone(nodes) // it may name a node twice
		slices.Sort(nodes)
		for _, id := range slices.Compact(nodes) {
			if l := d.lanes[id]; l != nil {
				d.Tints = append(d.Tints, tint{b.X, l.Y, b.W, l.H, b.Class})
			}
		}
	}
}
