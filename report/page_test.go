package report

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"html"
	"io"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rashomon-go/rashomon/history"
	"github.com/rashomon-go/rashomon/model"
	"github.com/rashomon-go/rashomon/sim"
)

func written(t testing.TB, p *Page) string {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, p.Write(&b))
	return b.String()
}

// drawn returns a page's drawing as SVG, after checking that it is well formed.
func drawn(t testing.TB, p *Page) string {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, p.WriteSVG(&b))
	d := xml.NewDecoder(bytes.NewReader(b.Bytes()))
	d.Entity = xml.HTMLEntity
	for {
		if _, err := d.Token(); err == io.EOF {
			return b.String()
		} else if err != nil {
			t.Fatalf("the drawing is not well formed: %v", err)
		}
	}
}

// held returns the document in a page.
func held(t testing.TB, page string) (doc document) {
	t.Helper()
	_, data, _ := strings.Cut(page, `<script type="application/json" id="data">`)
	data, _, _ = strings.Cut(data, "</script>")
	require.NoError(t, json.Unmarshal([]byte(data), &doc))
	return doc
}

// sums undoes the differences of a column.
func sums(column []int64) (all []int) {
	at := int64(0)
	for _, step := range column {
		at += step
		all = append(all, int(at))
	}
	return all
}

// found returns the number that a pattern captures, for every match.
func found(text, pattern string) (numbers []int) {
	for _, m := range regexp.MustCompile(pattern).FindAllStringSubmatch(text, -1) {
		n, _ := strconv.Atoi(m[1])
		numbers = append(numbers, n)
	}
	return numbers
}

func TestEverythingIsDrawnOnce(t *testing.T) {
	p := staleRead()
	svg := drawn(t, p)

	assert.Equal(t, p.Witness, found(svg, `<g class="op [^"]*witness[^"]*" data-op="(\d+)"`))
	assert.Equal(t, []int{p.Witness[2]}, found(svg, `<g class="op [^"]*answer[^"]*" data-op="(\d+)"`))
	assert.ElementsMatch(t, []int{0, 1, 2}, found(svg, `data-band="(\d+)"`), "faults of the drawn time")

	s, err := newScene(p)
	require.NoError(t, err)
	assert.ElementsMatch(t, indices(len(s.messages)), found(svg, `data-m="(\d+)"`))
	assert.Equal(t, s.msgWindow, len(s.messages))
	assert.ElementsMatch(t, s.ops, found(svg, `<g class="op [^"]*" data-op="(\d+)"`))
	assert.Contains(t, svg, "20 of 31 operations and 66 of 109 messages lie outside.")
	assert.Contains(t, svg, `>`+p.Sentence+`</text>`)
	p.Sentence = strings.Repeat("a long sentence ", 30)
	assert.Greater(t, len(found(drawn(t, p), `class="title" x="(\d+)"`)), 3, "in lines")
}

func TestThePageHoldsTheRun(t *testing.T) {
	p := staleRead()
	p.States = []State{
		{Seq: 1, Node: head3, Variables: []sim.Variable{{Name: "store k0", Value: "3"}, {Name: "dirty", Value: "k0"}, {Name: "dirty", Value: "k1"}}},
		{Seq: 5, Node: tail, Variables: []sim.Variable{{Name: "role", Value: "tail"}}},
		{Seq: 9, Node: head3, Variables: []sim.Variable{{Name: "store k0", Value: "7"}}},
	}
	page := written(t, p)
	doc := held(t, page)
	text := func(n int64) string { return doc.Texts[n] }

	assert.Equal(t, indices(len(p.History.Ops)), sums(doc.Ops.Index))
	called := sums(doc.Ops.Called)
	for i := range p.History.Ops {
		o := &p.History.Ops[i]
		assert.Equal(t, p.History.OpString(i), text(doc.Ops.Text[i]))
		assert.EqualValues(t, o.CalledAt, called[i])
		assert.EqualValues(t, o.Outcome, doc.Ops.Outcome[i])
		assert.Less(t, doc.Ops.First[i], doc.Ops.Last[i])
	}
	for n, i := range p.Witness {
		assert.EqualValues(t, n+1, doc.Ops.Rank[i])
	}

	holdsMessages(t, p, doc)
	assert.Equal(t, "partition", doc.Bands[0].Kind)
	assert.Equal(t, []int{int(middle)}, doc.Bands[0].Lanes)
	assert.Equal(t, []string{"1 n0 head store k0=3", "1 n0 head dirty=k0, k1", "5 n2 tail role=tail", "9 n0 head store k0=7", "9 n0 head dirty=gone"}, changes(p, doc))

	for _, f := range p.Faults {
		assert.Equal(t, 1, strings.Count(html.UnescapeString(page), "<code>"+f.Text+"</code>"))
	}
	for _, f := range p.Facts {
		assert.Contains(t, page, f.Name)
	}
	rows := page[strings.Index(page, `id="witness"`):strings.Index(page, `id="facts"`)]
	assert.Equal(t, p.Witness, found(rows, `<tr data-op="(\d+)"`))
	for _, words := range []string{p.Sentence, p.Claim, p.System, p.Seed, p.Digest, p.Replay, "All of the run is here: 31 operations and 109 messages"} {
		assert.Contains(t, page, words)
	}
}

func holdsMessages(t *testing.T, p *Page, doc document) {
	t.Helper()
	sent := []sim.Event{}
	for _, e := range p.Events {
		if e.Kind == sim.Sent || e.Kind == sim.Duplicated {
			sent = append(sent, e)
		}
	}
	m := &doc.Msgs
	at, seq := sums(m.Sent), sums(m.Seq)
	require.Len(t, at, len(sent))
	for i, e := range sent {
		assert.EqualValues(t, e.At, at[i])
		assert.EqualValues(t, e.Seq*seqScale, seq[i])
		assert.EqualValues(t, e.From, m.From[i])
		assert.EqualValues(t, e.To, m.To[i])
		assert.Equal(t, sim.DescribeMessage(e.Message), doc.Texts[m.Text[i]])
		if e.Cause != 0 {
			assert.Equal(t, e.Cause, sent[i-int(m.Cause[i])].ID)
		}
	}
	for _, why := range m.Fate {
		assert.Less(t, int(why>>3), len(doc.Drops))
	}
}

// changes tells what the page says of states, in words.
func changes(p *Page, doc document) (said []string) {
	for _, s := range doc.States {
		for i := 0; i < len(s.Changes); i += 2 {
			value := "gone"
			if s.Changes[i+1] >= 0 {
				value = doc.Texts[s.Changes[i+1]]
			}
			said = append(said, fmt.Sprint(s.Seq/seqScale, " ", p.Names[s.Lane], " ", doc.Texts[s.Changes[i]], "=", value))
		}
	}
	return said
}

func TestMessagesBelongToTheOperationThatCausedThem(t *testing.T) {
	s, err := newScene(staleRead())
	require.NoError(t, err)
	text := func(op int) (said []string) {
		for _, m := range s.messages {
			if m.op == op {
				said = append(said, m.text)
			}
		}
		return said
	}
	assert.Equal(t, []string{"Put{Key:k0 Value:3}", "Update{Seq:1 Key:k0 Value:3}", "Update{Seq:1 Key:k0 Value:3}", "Ack{Seq:1}"}, text(s.witness[0]))
	assert.Equal(t, []string{
		"Put{Key:k0 Value:7}", "Update{Seq:2 Key:k0 Value:7}", // cut
		"Update{Seq:2 Key:k0 Value:7}", "Update{Seq:2 Key:k0 Value:7}", "Ack{Seq:2}",
	}, text(s.witness[1]))
	assert.Equal(t, []string{"Get{Key:k0}", "Answer{Value:3}"}, text(s.witness[2]))
}

func TestFates(t *testing.T) {
	u := &tale{page: Page{Names: []string{"a", "b", "c"}, Replicas: 2, History: &history.History{}}}
	u.send(1000, 5000, 0, 1, "slow", 0, 0)
	u.send(2000, 3000, 0, 1, "fast", 0, 0)
	u.send(3000, 4000, 1, 2, "nobody waits", 0, sim.PortClosed)
	u.event(4000, sim.Event{Kind: sim.Sent, From: 0, To: 1, ID: 99, Message: "under way"})
	u.event(4500, sim.Event{Kind: sim.Delivered, From: 0, To: 1, ID: 1234, Message: "from nowhere"})
	u.event(4600, sim.Event{Kind: sim.Acted, Message: "the scenario acts"})
	u.event(6000, sim.Event{Kind: sim.Crashed, From: 1, To: 1})
	u.send(4700, 4800, 1, 1, "to itself", 0, 0)
	page := drawn(t, u.number())
	for _, words := range []string{
		"arrived at 5 ms; overtaken by a later one", "came too late at 4 ms", "still under way when the run ended",
		"the scenario acts at 4.6 ms", "b is down from 6 ms<",
	} {
		assert.Contains(t, page, words)
	}
	assert.NotContains(t, page, "from nowhere")
	assert.Equal(t, 1, strings.Count(page, "overtaken"))
}

// What finds no room is said to be missing.
func TestWhatFindsNoRoomIsSaid(t *testing.T) {
	u := &tale{page: Page{Replicas: 40, History: &history.History{}}}
	for i := range 300 {
		u.event(1000+i, sim.Event{Kind: sim.Acted, Message: "act"})
	}
	u.send(2000, 3000, 1, 35, "to a replica that is not drawn", 0, 0)
	page := drawn(t, u.number())
	for _, words := range []string{
		"8 replicas are not drawn: the first 32 are.", "50 actions are not drawn: the first 250 of this time are.", "1 message is of this time not drawn",
	} {
		assert.Contains(t, page, words)
	}
	assert.NotContains(t, drawn(t, staleRead()), "not drawn: the first")
}

func TestHostileTextsAreShown(t *testing.T) {
	evil := `</title></svg></script><script>alert(1)</script><img src=x onerror=alert(2)>" onload="alert(3)` + "\u202e\x00\xff{{.}}"
	p := staleRead()
	p.Title, p.System, p.Claim, p.Sentence, p.Verdict, p.Digest, p.Seed, p.Replay, p.Scenario = evil, evil, evil, evil, evil, evil, evil, evil, evil
	p.History.Keys, p.History.Nodes = []string{evil, evil + "2"}, []string{evil, evil, evil}
	p.Names = []string{evil, evil, evil, evil, evil, evil}
	p.Facts = []Fact{{evil, evil}}
	for i := range p.Faults {
		p.Faults[i].Text = evil
	}
	for i := range p.Events {
		p.Events[i].Message = evil
	}
	p.States = []State{{Seq: 1, Node: 0, Variables: []sim.Variable{{Name: evil, Value: evil}}}}
	page := written(t, p)
	assert.Equal(t, 2, strings.Count(page, "<script"), "the data and our script")
	assert.Equal(t, 2, strings.Count(page, "</script"))
	assert.NotContains(t, page, "<img")
	assert.NotContains(t, strings.ReplaceAll(page, `\"`, ""), `" onload`)
	assert.NotContains(t, page, "\x00")
	held(t, page)
	svg := drawn(t, p)
	assert.NotContains(t, svg, "\u202e")
	assert.NotContains(t, svg, "<script")
	assert.NotContains(t, svg, "<img")
	assert.Contains(t, page, "&lt;script&gt;alert(1)")
}

func TestEmptyPages(t *testing.T) {
	h := &history.History{Keys: []string{"k"}, Ops: []history.Op{{Call: 1, Return: 2, Kind: model.Read, Outcome: history.OK, Node: history.NoNode}}}
	for name, p := range map[string]*Page{
		"nothing":        {},
		"no history":     {Names: []string{"a", "b"}, Replicas: 1, Sentence: "replicas differ"},
		"no witness":     {History: h},
		"an instant":     {History: h, Witness: []int{0}},
		"twice named":    {History: h, Witness: []int{0, 0}},
		"time chosen":    {History: h, From: time.Second, Until: 2 * time.Second},
		"from after end": {History: h, From: time.Second},
		"strange band":   {History: h, Faults: []Band{{From: time.Second, Until: -1, Nodes: []sim.NodeID{77}}}},
		"many replicas":  {History: h, Replicas: 1000},
	} {
		t.Run(name, func(t *testing.T) {
			page := written(t, p)
			held(t, page)
			page += drawn(t, p)
			assert.NotContains(t, page, "NaN")
			assert.NotContains(t, page, "Inf")
			assert.NotContains(t, page, "ZgotmplZ")
		})
	}
}

func TestAWitnessOutsideTheHistoryIsAnError(t *testing.T) {
	p := staleRead()
	p.Witness = append(p.Witness, len(p.History.Ops))
	assert.ErrorContains(t, p.Write(io.Discard), "operation 31 of a history of 31 operations")
	assert.Error(t, (&Page{Witness: []int{-1}}).Write(io.Discard))
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("disk full") }

func TestErrorsOfTheWriter(t *testing.T) {
	assert.ErrorContains(t, staleRead().Write(full{}), "disk full")
}

func TestEqualPagesAreEqualBytes(t *testing.T) {
	first := written(t, crowd(2000))
	for range 5 {
		require.Equal(t, first, written(t, crowd(2000)))
	}
}

func TestLanes(t *testing.T) {
	p := &Page{Replicas: 2, Names: []string{"a", "b", "x", "y", "z"}}
	for process, want := range map[int32]string{0: "x", 1: "y", 5: "z", 6: "x"} {
		assert.Equal(t, want, p.name(p.lane(process)))
	}
	p.Lane = func(process int32) sim.NodeID { return 4 }
	assert.Equal(t, "z", p.name(p.lane(0)))
	p = &Page{}
	assert.Equal(t, "client 9", p.name(p.lane(9)), "a history from elsewhere has no names")
}

func TestOperationsOfOneLaneDoNotCover(t *testing.T) {
	u := &tale{page: Page{History: &history.History{Keys: []string{"k"}}, Lane: func(int32) sim.NodeID { return 0 }}}
	for i := range 4 {
		u.op(history.Op{Process: int32(i), Kind: model.Write, Value: 1, Outcome: history.OK, Node: history.NoNode}, i*300, 1000+i)
	}
	p := u.number()
	p.Witness = []int{0, 1, 2, 3}
	s, err := newScene(p)
	require.NoError(t, err)
	d := newDrawing(s)
	for i, b := range d.taken {
		for _, c := range d.taken[i+1:] {
			assert.False(t, b.meets(c), "%v meets %v", b, c)
		}
	}
}
