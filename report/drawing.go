package report

import (
	"html/template"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/rashomon-go/rashomon/sim"
)

// drawing is a scene in pixels: shapes for the template diagram.html, which
// knows nothing but how to write them.
type drawing struct {
	Width, Height px // of the space-time diagram
	Gutter        px // width of the lanes' names, left of it
	Top, Bottom   px // where lanes begin and end
	Names         []text
	Lanes         []laneShape
	Ticks         []text
	Folds         []foldShape
	Bands         []bandShape
	Tints         []tint
	Down          []downShape
	Acts          []text
	Arrows        []arrowShape
	Bars          []barShape
	Labels        []text   // of messages
	Kinds         []string // of operations that are drawn
	Hatches       []string // kinds that need patterns of their own
	Sentence      string
	Style         template.CSS
	Notes         []text // below, about what is left out

	scene  *scene
	lanes  map[sim.NodeID]*laneShape
	taken  []box // by texts and bars: a label must not cover them
	rails  []px  // the lines of the lanes
	hot    []segment
	notes  []string // what found no room
	answer int      // the operation in which the contradiction shows, or -1
}

// px is a length on the page. It prints with one decimal, so that pages are
// small and equal.
type px float64

// String returns the number as SVG writes it.
func (p px) String() string {
	s := strconv.FormatFloat(float64(p), 'f', 1, 64)
	if s = strings.TrimSuffix(s, ".0"); s == "-0" {
		return "0"
	}
	return s
}

const (
	axisHeight   = 26.0
	bandHeight   = 22.0
	labelHeight  = 17.0
	barHeight    = 18.0
	barGap       = 4.0
	lanePad      = 13.0
	nodeHeight   = 66.0
	groupGap     = 26.0
	opText       = 7.45 // width of a character of an operation's label
	messageText  = 6.65
	nameText     = 7.3
	bandText     = 6.6
	messageChars = 34
)

type text struct {
	X, Y         px
	Text, Class  string
	Title, Extra string
	Op           int
}

type foldShape struct {
	X, W, Middle px
	Text         string
}

func newDrawing(s *scene) *drawing {
	d := &drawing{scene: s, Width: px(s.axis.width), Gutter: gutter(s), lanes: map[sim.NodeID]*laneShape{}, answer: -1}
	if n := len(s.witness); n > 0 {
		d.answer = s.witness[min(n, maxWitness)-1]
	}
	d.drawTime()
	d.drawBands()
	d.layLanes()
	d.drawTints()
	d.drawDown()
	d.drawArrows()
	d.labelArrows()
	d.Hatches = []string{"read", "write", "cas", "delete", "append", "other"}
	for _, k := range d.Hatches {
		if slices.ContainsFunc(d.Bars, func(b barShape) bool { return b.Hatch() == k }) {
			d.Kinds = append(d.Kinds, k)
		}
	}
	return d
}

// TitleHeight is the room above the drawing for the sentence.
func (d *drawing) TitleHeight() px { return px(20 + titleLine*len(d.Title())) }

const titleLine = 22

// Title is the sentence in lines that fit the image.
func (d *drawing) Title() (lines []text) {
	const titleChar = 9
	room := int(d.FullWidth()-32) / titleChar
	line := ""
	for word := range strings.FieldsSeq(d.Sentence) {
		if line != "" && utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > room {
			lines = append(lines, text{Text: line})
			line = ""
		}
		line = strings.TrimPrefix(line+" "+word, " ")
	}
	lines = append(lines, text{Text: line})
	for i := range lines {
		lines[i].Y = px(26 + titleLine*i)
	}
	return lines
}

// Unit is that of the axis.
func (d *drawing) Unit() string { return d.scene.page.unit() }

// FullWidth is the width of the image.
func (d *drawing) FullWidth() px { return d.Gutter + d.Width + 12 }

// FullHeight is the height of the image.
func (d *drawing) FullHeight() px { return d.TitleHeight() + d.Height + px(12+18*len(d.Notes)) }

// GridTop is where the lines of the grid begin.
func (d *drawing) GridTop() px { return d.Top + 4 }

func (d *drawing) x(t span) (from, until px) {
	a := &d.scene.axis
	return px(max(a.x(t.from), -2)), px(min(a.x(t.until), a.width+2))
}

// drawTime draws the axis, the folds, and the actions of the scenario on it.
func (d *drawing) drawTime() {
	s := d.scene
	at, step := s.axis.ticks(90)
	for _, t := range at {
		x := px(s.axis.x(t))
		mark := text{X: x, Y: 15, Text: tick(t, step)}
		switch {
		case x < 14:
			mark.X, mark.Extra = max(x, 1), "start"
		case x > d.Width-14:
			mark.Extra = "end"
		}
		d.Ticks = append(d.Ticks, mark)
	}
	for i := range s.axis.spans[1:] {
		gap := span{s.axis.spans[i].until, s.axis.spans[i+1].from}
		from, until := d.x(gap)
		d.Folds = append(d.Folds, foldShape{from, until - from, (from + until) / 2, s.page.lasting(gap.length()) + " are folded away"})
		d.taken = append(d.taken, box{from, 0, until, math.MaxFloat64})
	}
	for _, a := range s.acts {
		d.Acts = append(d.Acts, text{X: px(s.axis.x(a.at)), Title: a.text + " at " + ms(a.at) + " ms"})
	}
}
