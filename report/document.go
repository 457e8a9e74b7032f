package report

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/rashomon-go/rashomon/history"
	"github.com/rashomon-go/rashomon/internal/english"
	"github.com/rashomon-go/rashomon/sim"
)

// document is what the page's script draws. Times are nanoseconds. Columns hold one
// number for each item; those that grow hold differences. Texts are numbers of
// entries in Texts, of which 0 is empty. page/src/document.ts reads it.
type document struct {
	Texts  []string     `json:"texts"`
	Lanes  []int        `json:"lanes"` // names
	Nodes  int          `json:"nodes"` // so many lanes, the first, are those of nodes
	Run    [2]int64     `json:"run"`
	Events bool         `json:"timeless,omitempty"` // see Page.Timeless
	Kept   [][2]int64   `json:"kept"`
	View   [][2]int64   `json:"view"` // what to show first; the rest between is folded
	Ops    opColumns    `json:"ops"`
	Msgs   msgColumns   `json:"messages"`
	Bands  []bandEntry  `json:"bands"`
	Down   [][5]int64   `json:"down"` // lane, from, until, places of the crash and of the restart (0: none)
	Acts   [][2]int64   `json:"acts"` // time, text
	States []stateEntry `json:"states"`
	Bins   [2][]int     `json:"bins"`  // operations called and messages sent, by stretch of the run
	Drops  []string     `json:"drops"` // why messages were dropped
}

type opColumns struct {
	Index   []int64 `json:"index"` // in the history, grows
	Lane    []int64 `json:"lane"`
	Process []int64 `json:"process"`
	Key     []int64 `json:"key"`  // text
	Kind    []int64 `json:"kind"` // text
	Outcome []int64 `json:"outcome"`
	Node    []int64 `json:"node"`   // text
	Called  []int64 `json:"called"` // grows
	Took    []int64 `json:"took"`
	Text    []int64 `json:"text"`
	Rank    []int64 `json:"rank"`  // in the witness, from 1, or 0
	Legal   []int64 `json:"legal"` // place in the longest legal order, from 1, or 0
	First   []int64 `json:"first"` // place of the call among the events, as Seq
	Last    []int64 `json:"last"`  // and of the return
}

type msgColumns struct {
	From  []int64 `json:"from"`
	To    []int64 `json:"to"`
	Sent  []int64 `json:"sent"` // grows
	Took  []int64 `json:"took"`
	Seq   []int64 `json:"seq"`   // place among the events, times seqScale; grows
	Ends  []int64 `json:"ends"`  // so much later than Seq is the end
	Fate  []int64 `json:"fate"`  // see fate
	Cause []int64 `json:"cause"` // >0: the message so many places before; <0: the timer in that text
	Type  []int64 `json:"type"`
	Text  []int64 `json:"text"` // 0 if it found no room
	Rank  []int64 `json:"rank"` // operation of the witness that it belongs to, or 0
}

type bandEntry struct {
	From  int64  `json:"from"`
	Until int64  `json:"until"`
	Kind  string `json:"kind"`
	Text  int    `json:"text"`
	Lanes []int  `json:"lanes"` // null: all
}

// stateEntry is how the state of a node changed: names and values in turns. A
// value of -1 says that the variable is gone.
type stateEntry struct {
	Seq     int64 `json:"seq"`
	Lane    int   `json:"lane"`
	Changes []int `json:"changes"`
}

// seqScale leaves room between two events for the calls and the returns of
// operations.
const seqScale = 4

// The fate of a message is a sum: why it was dropped, times 8, and these.
const (
	fateEnded     = 1
	fateCopy      = 2
	fateOvertaken = 4
)

// room bounds the texts of a document, in bytes of JSON.
const (
	roomForTexts  = 1_400_000
	roomForStates = 600_000
	overviewBins  = 400
)

// library numbers texts, each once, as long as there is room.
type library struct {
	texts  []string
	number map[string]int
	room   int
}

func newLibrary() *library {
	return &library{texts: []string{""}, number: map[string]int{"": 0}, room: roomForTexts}
}

// put returns the number of a text, whatever it takes.
func (l *library) put(s string) int {
	if n, known := l.number[s]; known {
		return n
	}
	quoted, err := json.Marshal(s)
	if err != nil {
		panic("report: " + err.Error()) // a string can be marshalled
	}
	l.room -= len(quoted) + 1
	l.number[s] = len(l.texts)
	l.texts = append(l.texts, s)
	return l.number[s]
}

// try is put if there is room, and 0 otherwise.
func (l *library) try(s string) int {
	if _, known := l.number[s]; !known && l.room <= 0 {
		return 0
	}
	return l.put(s)
}

// writer turns a scene into a document.
type writer struct {
	*library
	scene *scene
	spans []span
	lanes map[sim.NodeID]int
	doc   document

	ops      []int
	messages []message

	opsLeft, messagesLeft int // not kept
	textsLeft             int // messages whose text found no room
	statesLeft            int
}

func newDocument(s *scene) *writer {
	j := s.journal
	w := &writer{library: newLibrary(), scene: s, spans: s.kept(), lanes: map[sim.NodeID]int{}}
	w.doc.Lanes = []int{}
	w.chooseOps()
	w.chooseMessages(j)
	w.nameLanes()
	w.doc.Run, w.doc.Events = pair(s.run), s.page.Timeless
	w.doc.Kept, w.doc.View = pairs(w.spans), pairs(s.axis.spans)
	w.writeOps()
	w.writeMessages(j)
	w.writeFaults(j)
	w.writeStates()
	w.writeBins()
	w.doc.Drops = drops()
	w.doc.Texts = w.texts
	return w
}

func pair(t span) [2]int64 { return [2]int64{int64(t.from), int64(t.until)} }

func pairs(spans []span) (all [][2]int64) {
	for _, t := range spans {
		all = append(all, pair(t))
	}
	return all
}

// chooseOps keeps the witness and what touches the window, as far as there is
// room: what was never answered touches everything after it.
func (w *writer) chooseOps() {
	s := w.scene
	var in []int
	for i := range s.h.Ops {
		if n := s.rank[i]; n > 0 && n <= maxWitness || within(w.spans, s.opSpan(i)) {
			in = append(in, i)
		}
	}
	every := func(int) bool { return true }
	w.ops = in
	if len(in) > keptOps {
		w.ops = nearest(in, keptOps, s.opClass, func(i int) time.Duration { return s.far(s.opSpan(i)) }, every)
	}
	w.opsLeft = len(s.h.Ops) - len(w.ops)
}

func (w *writer) chooseMessages(j *journal) {
	for i := range j.messages {
		if m := &j.messages[i]; within(w.spans, m.span()) {
			w.messages = append(w.messages, *m)
		}
	}
	if len(w.messages) > keptMessages+keptMessages/10 { // many were under way when the window begins
		w.messages = w.messages[:keptMessages]
	}
	w.messagesLeft = len(j.messages) - len(w.messages)
	about := newMentions(w.scene.h, w.scene.witness[:min(len(w.scene.witness), maxWitness)])
	for i := range w.messages {
		m := &w.messages[i]
		m.text = sim.DescribeMessage(m.body)
		if m.op < 0 {
			m.op = about.find(m.text)
		}
	}
}

// nameLanes numbers the lanes: all nodes, then the clients that did something.
func (w *writer) nameLanes() {
	p := w.scene.page
	for id := range p.Replicas {
		if id < maxLanes {
			w.lane(sim.NodeID(id))
		}
	}
	w.doc.Nodes = len(w.doc.Lanes)
	var clients []sim.NodeID
	for _, i := range w.ops {
		clients = append(clients, p.lane(w.scene.h.Ops[i].Process))
	}
	for i := range w.messages {
		clients = append(clients, w.messages[i].from, w.messages[i].to)
	}
	slices.Sort(clients)
	for _, id := range slices.Compact(clients) {
		w.lane(id)
	}
}

// maxLanes bounds the nodes that are listed although they did nothing.
const maxLanes = 1000

func (w *writer) lane(id sim.NodeID) int {
	n, known := w.lanes[id]
	if !known {
		n = len(w.doc.Lanes)
		w.lanes[id] = n
		w.doc.Lanes = append(w.doc.Lanes, w.put(clip(oneLine(w.scene.page.name(id)), maxLabel)))
	}
	return n
}

func (w *writer) writeOps() {
	s, c := w.scene, &w.doc.Ops
	places := newPlaces(s, w.ops)
	legal := map[int]int{}
	for n, i := range s.page.Order {
		legal[i] = n + 1
	}
	index, called := 0, time.Duration(0)
	for n, i := range w.ops {
		o := &s.h.Ops[i]
		t := s.opSpan(i)
		node := ""
		if o.Node != history.NoNode && int(o.Node) < len(s.h.Nodes) {
			node = clip(oneLine(s.h.Nodes[o.Node]), maxLabel)
		}
		add(&c.Index, i-index)
		add(&c.Lane, w.lane(s.page.lane(o.Process)))
		add(&c.Process, int(o.Process))
		add(&c.Key, w.try(clip(oneLine(s.h.Keys[o.Key]), maxLabel)))
		add(&c.Kind, w.put(o.Kind.String()))
		add(&c.Outcome, int(o.Outcome))
		add(&c.Node, w.try(node))
		add(&c.Called, int(t.from-called))
		add(&c.Took, int(t.length()))
		add(&c.Text, w.try(clip(oneLine(s.h.OpString(i)), maxText)))
		add(&c.Rank, s.rank[i])
		add(&c.Legal, legal[i])
		add(&c.First, places[n][0])
		add(&c.Last, places[n][1])
		index, called = i, t.from
	}
}

func add[N ~int | ~int64 | ~uint64](column *[]int64, n N) { *column = append(*column, int64(n)) }

func (w *writer) writeMessages(j *journal) {
	c := &w.doc.Msgs
	texts := w.messageTexts()
	at := map[uint64]int{} // identity → place
	sent, seq := time.Duration(0), uint64(0)
	for i := range w.messages {
		m := &w.messages[i]
		kind, _, _ := strings.Cut(m.text, "{")
		add(&c.From, w.lane(m.from))
		add(&c.To, w.lane(m.to))
		add(&c.Sent, m.sent-sent)
		add(&c.Took, m.ends-m.sent)
		add(&c.Seq, (m.seq-seq)*seqScale)
		add(&c.Ends, (max(m.endSeq, m.seq)-m.seq)*seqScale)
		add(&c.Fate, fate(m))
		add(&c.Cause, w.cause(j, at, m, i))
		add(&c.Type, w.try(clip(oneLine(kind), maxLabel)))
		add(&c.Text, texts[i])
		add(&c.Rank, w.scene.rank[m.op])
		at[m.id] = i
		sent, seq = m.sent, m.seq
	}
}

// messageTexts gives room first to what belongs to the witness, then to what is
// near the violation.
func (w *writer) messageTexts() []int {
	order, numbers := indices(len(w.messages)), make([]int, len(w.messages))
	far := func(i int) time.Duration { return w.scene.far(w.messages[i].span()) }
	slices.SortStableFunc(order, func(a, b int) int {
		return cmp.Or(cmp.Compare(min(messageClass(&w.messages[a]), 1), min(messageClass(&w.messages[b]), 1)), cmp.Compare(far(a), far(b)))
	})
	for _, i := range order {
		if numbers[i] = w.try(clip(oneLine(w.messages[i].text), maxText)); numbers[i] == 0 {
			w.textsLeft++
		}
	}
	return numbers
}

func (w *writer) cause(j *journal, at map[uint64]int, m *message, i int) int {
	if n, known := at[m.cause]; known {
		return i - n
	}
	if e := j.timers[m.cause]; e != nil && e.To == m.from {
		return -w.try("timer " + clip(oneLine(sim.DescribeMessage(e.Message)), maxLabel))
	}
	return 0
}

func fate(m *message) (sum int) {
	for _, f := range []struct {
		is  bool
		bit int
	}{{m.ended, fateEnded}, {m.copied, fateCopy}, {m.overtaken, fateOvertaken}} {
		if f.is {
			sum += f.bit
		}
	}
	return sum + 8*int(m.why)
}

func (w *writer) writeFaults(j *journal) {
	for _, b := range w.scene.page.Faults[:min(len(w.scene.page.Faults), maxRows)] {
		e := bandEntry{From: int64(b.From), Until: int64(max(b.From, min(b.Until, w.scene.run.until))), Kind: b.Kind, Text: w.put(clip(oneLine(b.Text), maxText))}
		for _, id := range b.Nodes {
			if n, known := w.lanes[id]; known && !slices.Contains(e.Lanes, n) {
				e.Lanes = append(e.Lanes, n)
			}
		}
		w.doc.Bands = append(w.doc.Bands, e)
	}
	for _, d := range j.down {
		if n, known := w.lanes[d.node]; known && len(w.doc.Down) < keptOps {
			w.doc.Down = append(w.doc.Down, [5]int64{int64(n), int64(d.from), int64(d.until), int64(d.crash * seqScale), int64(d.restart * seqScale)})
		}
	}
	for _, a := range j.acts {
		if within(w.spans, span{a.at, a.at}) && len(w.doc.Acts) < keptOps {
			w.doc.Acts = append(w.doc.Acts, [2]int64{int64(a.at), int64(w.try(oneLine(a.text)))})
		}
	}
}

// writeBins counts what happened when, over the whole run.
func (w *writer) writeBins() {
	s := w.scene
	end := max(s.run.until, 1)
	bin := func(t time.Duration) int { return int(float64(t) / float64(end) * (overviewBins - 1)) }
	w.doc.Bins = [2][]int{make([]int, overviewBins), make([]int, overviewBins)}
	for i := range s.h.Ops {
		w.doc.Bins[0][bin(min(s.h.Ops[i].CalledAt, end))]++
	}
	for _, t := range s.sendings() {
		w.doc.Bins[1][bin(t)]++
	}
}

// drops are the words for why messages were dropped, by number.
func drops() (words []string) {
	for why := sim.NotDropped; why <= sim.Overflow; why++ {
		words = append(words, why.String())
	}
	return words
}

// words says what the page holds and what it leaves out.
func (w *writer) words() (say []string) {
	s := w.scene
	if w.opsLeft == 0 && w.messagesLeft == 0 {
		all := counted(len(w.ops), "operation")
		if len(w.messages) > 0 {
			all += " and " + counted(len(w.messages), "message")
		}
		say = append(say, fmt.Sprintf("All of the run is here: %s in %s.", all, s.page.lasting(s.run.until)))
	} else {
		var times []string
		for _, t := range w.spans[:min(len(w.spans), 4)] {
			times = append(times, s.page.when(t.from)+" to "+s.page.when(t.until))
		}
		if n := len(w.spans) - len(times); n > 0 {
			times = append(times, counted(n, "more stretch")+"es")
		}
		say = append(say, fmt.Sprintf("The run was too large for a page. Here is the time around the violation: %s of %s. %s of %s and %s of %s are left out.",
			strings.Join(times, ", "), s.page.lasting(s.run.until),
			english.Grouped(w.opsLeft), counted(len(s.h.Ops), "operation"), english.Grouped(w.messagesLeft), counted(w.messagesLeft+len(w.messages), "message")))
	}
	if w.textsLeft > 0 {
		say = append(say, fmt.Sprintf("%s told by type only.", are(w.textsLeft, "message")))
	}
	if w.statesLeft > 0 || s.page.StatesLeft {
		say = append(say, "Not all states of the replicas found room.")
	}
	if n := len(s.page.Faults) - maxRows; n > 0 {
		say = append(say, fmt.Sprintf("%s left out.", are(n, "fault")))
	}
	if n := len(s.witness) - maxWitness; n > 0 {
		say = append(say, fmt.Sprintf("Of the witness, the first %d operations stand out.", maxWitness))
	}
	return say
}

// kinds lists the kinds of the operations, in the order of the colours.
func (w *writer) kinds() (kinds []string) {
	for _, kind := range []string{"read", "write", "cas", "delete", "append", "add"} {
		if n, known := w.number[kind]; known && slices.Contains(w.doc.Ops.Kind, int64(n)) {
			kinds = append(kinds, kind)
		}
	}
	return kinds
}
