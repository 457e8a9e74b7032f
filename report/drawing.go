package report

import (
	"fmt"
	"html/template"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/rashomon-go/rashomon/history"
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

type foldShape struct {
	X, W, Middle px
	Text         string
}

type bandShape struct {
	Index             int
	X, Y, W, TextX    px
	Text, Full, Class string
}

type tint struct {
	X, Y, W, H px
	Class      string
}

type downShape struct {
	X, Y, W, H, Line px
	Until            px
	Title            string
	Label            bool
	Crash, Boot      bool
}

type barShape struct {
	Op, Number     int
	X, Y, W, H     px
	Class, Kind    string
	Title, Label   string
	LabelX, LabelY px
	Leader         bool // the label stands away from its bar
	Open, Fail     bool
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

func laneName(p *Page, id sim.NodeID) string { return clip(oneLine(p.name(id)), 20) }

// gutter is how much room the names of the lanes take.
func gutter(s *scene) px {
	w := px(76)
	for _, id := range s.lanes {
		w = max(w, width(laneName(s.page, id), nameText))
	}
	return w + 34
}

func groupName(node bool) string {
	if node {
		return "replicas"
	}
	return "clients"
}

// nameRise is how far the name stands above the line that messages touch: at the
// height of the bars.
func (d *drawing) nameRise(l *laneShape) px {
	if l.Node && len(l.ops) == 0 {
		return -4
	}
	return barHeight/2 - 4
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

func (d *drawing) opTitle(i int) string {
	r := d.scene.row(i)
	s := fmt.Sprintf("%s: %s", r.Client, r.What)
	if r.Node != "" {
		s += " at " + r.Node
	}
	s += fmt.Sprintf(" — %s, called at %s ms, ", r.Outcome, r.Called)
	if r.Outcome == "unknown" {
		return s + r.Returned + " ms; it may have happened, or may yet happen"
	}
	return s + "returned at " + r.Returned + " ms"
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
		d.Folds = append(d.Folds, foldShape{from, until - from, (from + until) / 2, ms(gap.length()) + " ms are folded away"})
		d.taken = append(d.taken, box{from, 0, until, math.MaxFloat64})
	}
	for _, a := range s.acts {
		d.Acts = append(d.Acts, text{X: px(s.axis.x(a.at)), Title: a.text + " at " + ms(a.at) + " ms"})
	}
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

// box is a rectangle: left, top, right, bottom.
type box [4]px

func (b box) meets(o box) bool {
	return b[0] < o[2] && o[0] < b[2] && b[1] < o[3] && o[1] < b[3]
}

// place puts b into the first row where it meets nothing and returns the row's
// number. It adds a row if there are fewer than limit, or if limit is 0;
// otherwise it returns -1.
func place(rows *[][]box, b box, limit int) int {
	for i := range *rows {
		if !slices.ContainsFunc((*rows)[i], b.meets) {
			(*rows)[i] = append((*rows)[i], b)
			return i
		}
	}
	if limit > 0 && len(*rows) >= limit {
		return -1
	}
	*rows = append(*rows, []box{b})
	return len(*rows) - 1
}

// width estimates the width of a text. Wide characters count twice.
func width(s string, char px) px {
	n := 0
	for _, r := range s {
		n++
		if r >= 0x1100 && (unicode.In(r, unicode.Han, unicode.Hangul, unicode.Hiragana, unicode.Katakana) || r >= 0x1F300) {
			n++
		}
	}
	return px(n) * char
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
