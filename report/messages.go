package report

import (
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/rashomon-go/rashomon/history"
	"github.com/rashomon-go/rashomon/model"
	"github.com/rashomon-go/rashomon/sim"
)

// message is the life of one message, joined from the events of its identity.
type message struct {
	from, to   sim.NodeID
	sent, ends time.Duration
	id, cause  uint64
	seq        uint64 // of its sending
	endSeq     uint64 // of its end
	body       sim.Message
	text       string
	why        sim.DropCause // if it was dropped
	op         int           // the operation of the witness it belongs to, or -1
	ended      bool          // it arrived or was dropped
	copied     bool          // a copy that the network made
	overtaken  bool          // one sent later on the same link arrived earlier
}

func (m *message) span() span { return span{m.sent, m.ends} }

// stub tells that the message has no end that one could draw: it was lost as it
// was sent, or was still under way when the run ended.
func (m *message) stub() bool {
	return !m.ended || m.why == sim.Lost || m.why == sim.CutAtSend
}

// journal joins the events of a trace.
type journal struct {
	messages []message
	down     []downtime
	acts     []act

	timers map[uint64]*sim.Event
	open   map[uint64]int // messages under way
	booted map[sim.NodeID]int
	newest map[sim.Pair]uint64 // latest sending that has arrived
	owner  map[uint64]int      // identity of a message → operation of the witness
	asks   func(client sim.NodeID, at time.Duration) int
}

// downtime is how long a node was down.
type downtime struct {
	node sim.NodeID
	span
	restarted      bool
	crash, restart uint64 // of the events
}

// act is an action of the scenario.
type act struct {
	at   time.Duration
	text string
}

// read joins events up to the time until. asks tells which operation of the
// witness a client works on, or -1: what it sends then, and what is sent because
// of that, belongs to the operation.
func read(events []sim.Event, end time.Duration, asks func(sim.NodeID, time.Duration) int) *journal {
	j := &journal{
		timers: map[uint64]*sim.Event{}, open: map[uint64]int{}, booted: map[sim.NodeID]int{}, newest: map[sim.Pair]uint64{},
		owner: map[uint64]int{}, asks: asks,
	}
	for i := range events {
		j.event(&events[i])
	}
	for _, i := range j.open { // in any order: each message ends by itself
		j.messages[i].ends = end
	}
	for _, i := range j.booted {
		j.down[i].until = end
	}
	return j
}

func (j *journal) event(e *sim.Event) {
	switch e.Kind {
	case sim.Sent, sim.Duplicated:
		j.send(e)
	case sim.Delivered, sim.Dropped:
		j.end(e)
	case sim.TimerFired:
		j.timers[e.ID] = e
	case sim.Crashed:
		j.booted[e.To] = len(j.down)
		j.down = append(j.down, downtime{node: e.To, span: span{e.At, e.At}, crash: e.Seq})
	case sim.Restarted:
		if i, down := j.booted[e.To]; down {
			j.down[i].until, j.down[i].restarted, j.down[i].restart = e.At, true, e.Seq
			delete(j.booted, e.To)
		}
	case sim.Acted:
		j.acts = append(j.acts, act{e.At, clip(sim.DescribeMessage(e.Message), maxText)})
	}
}

func (j *journal) send(e *sim.Event) {
	m := message{from: e.From, to: e.To, sent: e.At, ends: e.At, id: e.ID, cause: e.Cause, seq: e.Seq, endSeq: e.Seq, body: e.Message, copied: e.Kind == sim.Duplicated}
	m.op = j.asks(e.From, e.At)
	if i, known := j.owner[e.Cause]; known && m.op < 0 {
		m.op = i
	}
	if m.op >= 0 {
		j.owner[e.ID] = m.op
	}
	j.open[e.ID] = len(j.messages)
	j.messages = append(j.messages, m)
}

func (j *journal) end(e *sim.Event) {
	i, sent := j.open[e.ID]
	if !sent {
		return // its sending is not in the trace
	}
	delete(j.open, e.ID)
	m := &j.messages[i]
	m.ends, m.endSeq, m.ended, m.why = e.At, e.Seq, true, e.Why
	if e.Kind == sim.Delivered {
		link := sim.Pair{From: m.from, To: m.to}
		m.overtaken = m.seq < j.newest[link]
		j.newest[link] = max(j.newest[link], m.seq)
	}
}

// mentions finds messages by what they say: those that name a key and a value of
// the witness belong to it even if they were sent again by a timer.
type mentions struct {
	keys   []string
	values []string
	ops    []int // by value: the operation that stored it, or else saw it first
}

func newMentions(h *history.History, witness []int) *mentions {
	m := &mentions{}
	for _, i := range witness {
		o := &h.Ops[i]
		m.keys = append(m.keys, h.Keys[o.Key])
		if o.Kind != model.Read {
			m.add(h, o.Value, i)
		}
	}
	for _, i := range witness {
		m.add(h, h.Ops[i].Seen, i)
	}
	return m
}

func (m *mentions) add(h *history.History, v model.Value, op int) {
	if v == model.Absent || v == model.Unseen {
		return
	}
	m.values = append(m.values, strings.Trim(h.ValueString(v), `"`))
	m.ops = append(m.ops, op)
}

// find returns the operation that a text is about, or -1.
func (m *mentions) find(text string) int {
	for _, k := range m.keys {
		if !names(text, k) {
			continue
		}
		for i, v := range m.values {
			if names(text, v) {
				return m.ops[i]
			}
		}
	}
	return -1
}

// names tells whether text has word as a whole word.
func names(text, word string) bool {
	if word == "" {
		return false
	}
	for from := 0; ; {
		i := strings.Index(text[from:], word)
		if i < 0 {
			return false
		}
		i += from
		before, _ := utf8.DecodeLastRuneInString(text[:i])
		after, _ := utf8.DecodeRuneInString(text[i+len(word):])
		if !inWord(before) && !inWord(after) {
			return true
		}
		from = i + len(word)
	}
}

func inWord(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }
