package browsertest

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rashomon-go/rashomon/history"
	"github.com/rashomon-go/rashomon/model"
	"github.com/rashomon-go/rashomon/report"
	"github.com/rashomon-go/rashomon/sim"
)

type (
	put struct {
		Key   string
		Value int
	}
	get    struct{ Key string }
	answer struct{ Value int }
)

// teller makes pages by hand. Times are in microseconds.
type teller struct {
	page report.Page
	seq  uint64
}

func us(n int) time.Duration { return time.Duration(n) * time.Microsecond }

func (w *teller) event(at int, e sim.Event) uint64 {
	w.seq++
	e.At, e.Seq = us(at), w.seq
	w.page.Events = append(w.page.Events, e)
	return w.seq
}

// stale is a run of two nodes in which a backup is read before it has heard of a
// write: a, b are nodes, and two clients.
func stale() *report.Page {
	w := &teller{page: report.Page{
		Title: "by hand", Verdict: "invalid", Sentence: "read k0 -> 1 is stale: write k0=2 had finished",
		Names: []string{"a", "b", "client 0", "client 1"}, Replicas: 2,
		History: &history.History{Keys: []string{"k0", "k1"}, Nodes: []string{"a", "b"}},
		Faults:  []report.Band{{From: us(900), Until: us(4000), Kind: "partition", Text: "partition a | b", Nodes: []sim.NodeID{0, 1}}},
	}}
	h := w.page.History
	h.Ops = []history.Op{
		{Call: 1, Return: 2, CalledAt: us(0), ReturnedAt: us(400), Process: 1, Key: 1, Kind: model.Read, Seen: model.Absent, Outcome: history.OK, Node: 1},
		{Call: 3, Return: 4, CalledAt: us(1000), ReturnedAt: us(2000), Process: 0, Kind: model.Write, Value: 2, Outcome: history.OK, Node: 0},
		{Call: 5, Return: 6, CalledAt: us(2500), ReturnedAt: us(3500), Process: 1, Kind: model.Read, Seen: 1, Outcome: history.OK, Node: 1},
		{Call: 7, Return: history.Never, CalledAt: us(3000), ReturnedAt: us(5000), Process: 0, Key: 1, Kind: model.Write, Value: 3, Outcome: history.Unknown, Node: 0},
	}
	send := func(at, ends int, id uint64, from, to sim.NodeID, cause uint64, m sim.Message, why sim.DropCause) (sent, ended func() uint64) {
		kind := sim.Delivered
		if why != sim.NotDropped {
			kind = sim.Dropped
		}
		return func() uint64 {
				return w.event(at, sim.Event{Kind: sim.Sent, From: from, To: to, ID: id, Cause: cause, Message: m})
			}, func() uint64 {
				return w.event(ends, sim.Event{Kind: kind, From: from, To: to, ID: id, Cause: cause, Message: m, Why: why})
			}
	}
	state := func(seq uint64, node sim.NodeID, value, role string) {
		w.page.States = append(w.page.States, report.State{Seq: seq, Node: node, Variables: []sim.Variable{{Name: "store k0", Value: value}, {Name: "role", Value: role}}})
	}
	put0, putCame := send(1000, 1300, 11, 2, 0, 0, put{"k0", 2}, 0)
	copy0, copyLost := send(1300, 1300, 12, 0, 1, 11, put{"k0", 2}, sim.CutAtSend)
	done, doneCame := send(1300, 2000, 13, 0, 2, 11, answer{2}, 0)
	get0, getCame := send(2500, 3000, 14, 3, 1, 0, get{"k0"}, 0)
	old, oldCame := send(3000, 3500, 15, 1, 3, 14, answer{1}, 0)
	first := put0()
	state(first, 0, "1", "primary")
	state(first, 1, "1", "backup")
	state(putCame(), 0, "2", "primary")
	for _, next := range []func() uint64{copy0, copyLost, done, doneCame, get0} {
		next()
	}
	state(getCame(), 1, "1", "primary")
	old()
	oldCame()
	w.page.Witness = []int{1, 2}
	return &w.page
}

func TestThePageShowsTheHistory(t *testing.T) {
	p := stale()
	require.NoError(t, p.History.Validate())
	b := open(t, p, 1300, 900)
	assert.Equal(t, p.Sentence, b.text("h1"))

	type op struct {
		Index, Rank     int
		Text, Outcome   string
		From, Until     float64
		X, Left, Middle float64
	}
	ops := value[[]op](b, `app.run.ops.map((o) => { const bar = app.diagram.barOf(o); return {Index: o.index, Rank: o.rank, Text: o.text, Outcome: o.outcome, From: o.from, Until: o.until, X: bar.x, Left: bar.x + bar.w, Middle: bar.y} })`)
	require.Len(t, ops, len(p.History.Ops))
	for i, o := range ops {
		h := &p.History.Ops[i]
		assert.Equal(t, p.History.OpString(i), o.Text)
		assert.Equal(t, h.Outcome.String(), o.Outcome)
		assert.EqualValues(t, h.CalledAt, o.From)
		assert.EqualValues(t, h.ReturnedAt, o.Until)
		assert.Equal(t, slices.Index(p.Witness, i)+1, o.Rank)
	}
	// One scale for all: bars are as long as their operations.
	assert.InDelta(t, ops[1].Left-ops[1].X, ops[2].Left-ops[2].X, 0.5)
	assert.InDelta(t, 1.5*(ops[1].Left-ops[1].X), ops[2].X-ops[1].X, 0.5)

	type message struct{ From, To, Text, Dropped, Timer string }
	messages := value[[]message](b, `app.run.messages.map((m) => ({From: app.run.lanes[m.from].name, To: app.run.lanes[m.to].name, Text: m.text, Dropped: m.dropped}))`)
	assert.Equal(t, []message{
		{From: "client 0", To: "a", Text: "put{Key:k0 Value:2}"}, {From: "a", To: "b", Text: "put{Key:k0 Value:2}", Dropped: "cut"}, {From: "a", To: "client 0", Text: "answer{Value:2}"},
		{From: "client 1", To: "b", Text: "get{Key:k0}"}, {From: "b", To: "client 1", Text: "answer{Value:1}"},
	}, messages)

	// The witness has the full colour of its kind, and others are faded.
	pixel := func(op int) []int {
		return value[[]int](b, fmt.Sprintf(`(() => { const o = app.run.ops[%d], bar = app.diagram.barOf(o), r = app.diagram.canvas.width / app.diagram.width; return Array.from(app.diagram.canvas.getContext("2d").getImageData((bar.x + bar.w / 2) * r, (bar.y + 3) * r, 1, 1).data) })()`, op))
	}
	assert.Equal(t, []int{0, 0x72, 0xb2, 255}, pixel(2), "a read")
	assert.Equal(t, []int{0xc6, 0x5d, 0, 255}, pixel(1), "a write")
	// It opens at the violation: the answer is in view, and the states are of then.
	assert.True(t, value[bool](b, `app.diagram.shown.from <= app.run.answer.from && app.run.answer.until <= app.diagram.shown.until`))
	assert.Contains(t, b.text("#states caption"), "State at 3.5 ms, after: client 1 is answered: read k0 -> 1")
	assert.Equal(t, []string{"a", "b"}, value[[]string](b, `[...document.querySelectorAll("#states thead th")].slice(1).map((e) => e.textContent)`))
	assert.Equal(t, []string{"2", "1", "primary", "primary"}, value[[]string](b, `[...document.querySelectorAll("#states td")].map((e) => e.textContent)`))
	assert.Equal(t, []string{"3 b primary"}, value[[]string](b, `app.run.marks.map((m) => m.at / 1e6 + " " + app.run.lanes[m.lane].name + " " + m.text)`))
}

func TestSelect(t *testing.T) {
	b := open(t, stale(), 1300, 900)
	b.clickAt(`(() => { const bar = app.diagram.barOf(app.run.ops[2]); return [bar.x + bar.w / 2, bar.y + bar.h / 2] })()`)
	assert.Contains(t, b.text("#details"), "read k0 -> 1")
	assert.Contains(t, b.text("#details"), "operation 2")
	assert.Contains(t, b.text("#details"), "2.5 ms to 3.5 ms")
	assert.Equal(t, []string{"2"}, value[[]string](b, `[...document.querySelectorAll("tr.on")].map((e) => e.dataset.op)`)[:1])

	// A message, near where it arrives: the state is that after its arrival.
	b.clickAt(`(() => { const g = app.diagram.segment(app.run.messages[0]); return [g.x1 + (g.x2 - g.x1) * 0.8, g.y1 + (g.y2 - g.y1) * 0.8] })()`)
	assert.Contains(t, b.text("#details"), "put{Key:k0 Value:2} from client 0 arrives at a")
	assert.Contains(t, b.text("#details"), "arrived at 1.3 ms")
	assert.Equal(t, []string{"write k0=2", "put a → b, cut", "answer a → client 0"}, value[[]string](b, `[...document.querySelectorAll("#details button")].map((e) => e.textContent)`))
	assert.Equal(t, []string{"2", "1", "primary", "backup"}, value[[]string](b, `[...document.querySelectorAll("#states td")].map((e) => e.textContent)`))
	assert.Equal(t, "2", b.text("#states td.changed"))

	// One of its effects, and back.
	b.do(click("#details dl > div:last-child button:first-child"))
	assert.Contains(t, b.text("#details"), "dropped at 1.3 ms: cut")
	b.do(chromedp.KeyEvent(kb.Escape))
	assert.Contains(t, b.text("#details"), "Point at an operation")

	// A row of the table.
	b.do(click(`table.witness tr[data-op="1"]`))
	assert.Contains(t, b.text("#about"), "client 0 is answered: write k0=2 (ok)")
}

func TestHover(t *testing.T) {
	b := open(t, stale(), 1300, 900)
	x, y := b.point(`(() => { const bar = app.diagram.barOf(app.run.ops[3]); return [bar.x + 20, bar.y + bar.h / 2] })()`)
	b.do(chromedp.MouseEvent(input.DispatchMouseEventTypeMouseMoved, x, y))
	b.frame()
	assert.Equal(t, "client 0: write k1=3: unknown at a, called at 3 ms, its client gave up at 5 ms; it may have happened, or may yet happen", b.text("#tip"))
}

func TestStep(t *testing.T) {
	b := open(t, stale(), 1300, 900)
	said := func() string { return b.text("#about") }
	b.do(chromedp.Focus(chromedp.CSS("#diagram")), chromedp.KeyEvent(kb.ArrowRight))
	assert.Equal(t, "3.5 ms: client 1 is answered: read k0 -> 1 (ok)", said())
	var back []string
	for range 5 {
		b.do(chromedp.KeyEvent(kb.ArrowLeft))
		back = append(back, said())
	}
	assert.Equal(t, []string{
		"3.5 ms: answer{Value:1} from b arrives at client 1",
		"3 ms: b sends answer{Value:1} to client 1",
		"3 ms: b becomes primary",
		"3 ms: get{Key:k0} from client 1 arrives at b",
		"3 ms: client 0 calls write k1=3: unknown",
	}, back)
	b.do(chromedp.KeyEvent("n"), chromedp.KeyEvent("n"))
	assert.Equal(t, back[2], said())

	// From the first event to the last, in order, each once.
	b.do(chromedp.KeyEvent("v"))
	for range 40 {
		b.do(click("#back"))
	}
	assert.Equal(t, "0 ms: client 1 calls read k1 -> nil", said())
	var seen []string
	for range 40 {
		seen = append(seen, said())
		b.do(click("#forward"))
	}
	assert.Len(t, slices.Compact(seen), value[int](b, `app.run.events.length`))
}

func TestZoomAndPan(t *testing.T) {
	b := open(t, stale(), 1300, 900)
	scale := func() float64 { b.frame(); return value[float64](b, `app.diagram.axis.scale`) }
	first := scale()
	b.do(chromedp.KeyEvent("+"))
	assert.InDelta(t, 1.3*first, scale(), 1e-9)
	b.do(click("#farther"))
	assert.InDelta(t, 1.3*first/1.5, scale(), 1e-9)
	b.do(chromedp.KeyEvent("v"))
	assert.InDelta(t, first, scale(), 1e-9)

	// The wheel with control zooms about the pointer.
	x, y := b.point(`[app.diagram.gutter + 300, 200]`)
	under := func() float64 { return value[float64](b, `app.diagram.axis.at(300)`) }
	before := under()
	b.do(raw(input.DispatchMouseEvent, input.DispatchMouseEventParams{Type: input.DispatchMouseEventTypeMouseWheel, X: x, Y: y, DeltaX: 0.01, DeltaY: -240, Modifiers: 2}))
	assert.Greater(t, scale(), first*1.3)
	assert.InDelta(t, before, under(), 1000)

	// Dragging takes the drawing along, and selects nothing.
	b.do(chromedp.MouseEvent(input.DispatchMouseEventTypeMousePressed, x, y, chromedp.ButtonLeft), chromedp.MouseEvent(input.DispatchMouseEventTypeMouseMoved, x-100, y, chromedp.ButtonLeft), chromedp.MouseEvent(input.DispatchMouseEventTypeMouseReleased, x-100, y, chromedp.ButtonLeft))
	assert.InDelta(t, before, value[float64](b, `app.diagram.axis.at(200)`), 1000)
	assert.Empty(t, b.text("#about"))

	// Two fingers.
	b.do(chromedp.KeyEvent("v"))
	first = scale()
	touch := func(kind input.DispatchTouchEventType, apart ...float64) action {
		e := input.DispatchTouchEventParams{Type: kind, TouchPoints: []*input.TouchPoint{}}
		for i, x := range apart {
			id := float64(i)
			e.TouchPoints = append(e.TouchPoints, &input.TouchPoint{X: x, Y: y, ID: &id})
		}
		return raw(input.DispatchTouchEvent, e)
	}
	b.do(raw(emulation.SetTouchEmulationEnabled, emulation.SetTouchEmulationEnabledParams{Enabled: true, MaxTouchPoints: 2}),
		touch(input.DispatchTouchEventTypeTouchStart, x-50, x+50), touch(input.DispatchTouchEventTypeTouchMove, x-100, x+100), touch(input.DispatchTouchEventTypeTouchEnd))
	assert.InDelta(t, 2, scale()/first, 0.3)
}

func TestSearchAndFilter(t *testing.T) {
	b := open(t, stale(), 1300, 900)
	b.do(chromedp.KeyEvent("/"))
	assert.True(t, value[bool](b, `document.activeElement === document.getElementById("search")`))
	b.do(chromedp.Evaluate[chromedp.Void](`document.getElementById("search").value = ""`), chromedp.KeyEvent("value:1"))
	assert.Equal(t, "1 found", b.text("#found"))
	b.do(chromedp.KeyEvent(kb.Enter))
	assert.Equal(t, "1 of 1", b.text("#found"))
	assert.Contains(t, b.text("#about"), "b sends answer{Value:1} to client 1")
	b.do(chromedp.KeyEvent(kb.Escape))
	assert.Empty(t, b.text("#found"))

	shown := func() []string {
		return value[[]string](b, `[...app.diagram.opsIn(app.run.run).map((o) => o.text), ...app.diagram.messagesIn(app.run.run).map((m) => m.type)]`)
	}
	choose := func(id, option string) {
		t.Helper()
		b.do(chromedp.Evaluate[chromedp.Void](fmt.Sprintf(`{ const s = document.getElementById(%q); s.value = [...s.options].find((o) => o.textContent.startsWith(%q)).value; s.dispatchEvent(new Event("change")) }`, id, option)))
	}
	assert.Len(t, shown(), 9)
	choose("key", "k1")
	assert.Equal(t, []string{"read k1 -> nil", "write k1=3: unknown"}, shown())
	choose("key", "all")
	choose("client", "client 1")
	assert.Equal(t, []string{"read k1 -> nil", "read k0 -> 1", "put", "get", "answer"}, shown())
	choose("client", "all")
	choose("type", "answer")
	choose("node", "b")
	assert.Equal(t, []string{"read k1 -> nil", "write k0=2", "read k0 -> 1", "write k1=3: unknown", "answer"}, shown())
}

func TestAHistoryWithoutASimulation(t *testing.T) {
	p := stale()
	h := &report.Page{Title: "history.edn", Verdict: p.Verdict, Sentence: p.Sentence, History: p.History, Witness: p.Witness}
	b := open(t, h, 1300, 900)
	assert.Equal(t, 4, value[int](b, `app.diagram.opsIn(app.run.run).length`))
	assert.False(t, value[bool](b, `document.getElementById("type").checkVisibility()`))
	b.do(chromedp.KeyEvent("n"), chromedp.KeyEvent("p"))
	assert.NotEmpty(t, b.text("#about"))
	open(t, &report.Page{}, 1300, 900) // nothing at all
}

func TestHostileTextsRunNoScripts(t *testing.T) {
	evil := `</script></title><script>document.title='owned'</script><img src=x onerror="document.title='owned'">` + "\u2028" + `${document.title='owned'}`
	p := stale()
	p.Title, p.Sentence, p.Scenario, p.Replay, p.System = evil, evil, evil, evil, evil
	p.History.Keys, p.History.Nodes, p.Names = []string{evil, evil + "2"}, []string{evil, evil}, []string{evil, evil, evil, evil}
	for i := range p.Events {
		p.Events[i].Message = evil
	}
	for i := range p.States {
		p.States[i].Variables = []sim.Variable{{Name: evil, Value: evil + fmt.Sprint(i)}}
	}
	p.Faults[0].Text, p.Facts = evil, []report.Fact{{Name: evil, Value: evil}}
	b := open(t, p, 1300, 900)
	for range 12 {
		b.do(chromedp.KeyEvent("p"))
	}
	b.do(chromedp.KeyEvent("/"), chromedp.KeyEvent("img"), chromedp.KeyEvent(kb.Enter))
	b.clickAt(`(() => { const bar = app.diagram.barOf(app.run.ops[2]); return [bar.x + 5, bar.y + 5] })()`)
	assert.Zero(t, value[int](b, `document.querySelectorAll("img, body script:not(#data):not(:last-of-type)").length`))
	assert.Contains(t, b.text("h1"), "<img src=x")
	assert.NotEqual(t, "owned", value[string](b, `document.title`))
	assert.Equal(t, strings.ReplaceAll(evil, "\u2028", " "), value[string](b, `app.run.bands[0].text`))
}

// happening is an event of a page in the making.
type happening struct {
	at int
	e  sim.Event
}

// large is a run of so many operations, each with ten messages.
func large(ops int) *report.Page {
	const clients, nodes = 20, 5
	r := rand.New(rand.NewPCG(1, 2))
	w := &teller{page: report.Page{
		Title: "large", Verdict: "invalid", Sentence: "a write was lost", Replicas: nodes,
		History: &history.History{Keys: []string{"k0", "k1", "k2"}, Nodes: []string{"n0", "n1", "n2", "n3", "n4"}},
		Names:   []string{"n0", "n1", "n2", "n3", "n4"},
	}}
	for i := range clients {
		w.page.Names = append(w.page.Names, fmt.Sprint("client ", i))
	}
	var all []happening
	id := uint64(0)
	send := func(at, ends int, from, to sim.NodeID, cause uint64, m sim.Message, why sim.DropCause) uint64 {
		id++
		kind := sim.Delivered
		if why != sim.NotDropped {
			kind = sim.Dropped
		}
		all = append(all, happening{at, sim.Event{Kind: sim.Sent, From: from, To: to, ID: id, Cause: cause, Message: m}},
			happening{ends, sim.Event{Kind: kind, From: from, To: to, ID: id, Cause: cause, Message: m, Why: why}})
		return id
	}
	h := w.page.History
	for i := range ops {
		at, n := i*100, sim.NodeID(r.IntN(nodes))
		client := sim.NodeID(nodes + i%clients)
		h.Ops = append(h.Ops, history.Op{
			Call: int64(2*i + 1), Return: int64(2*i + 2), CalledAt: us(at), ReturnedAt: us(at + 1900), Process: int32(i % clients),
			Key: int32(i % 3), Node: int32(n), Kind: model.Kind(1 + i%2), Value: model.Value(i), Seen: model.Value(i), Outcome: history.OK,
		})
		root := send(at, at+200, client, n, 0, put{h.Keys[i%3], i}, 0)
		for k := range sim.NodeID(nodes) {
			if k == n {
				continue
			}
			why := sim.NotDropped
			if r.IntN(20) == 0 {
				why = sim.Lost
			}
			copied := send(at+200, at+600+r.IntN(400), n, k, root, put{h.Keys[i%3], i}, why)
			send(at+1000, at+1300+r.IntN(400), k, n, copied, answer{i}, 0)
		}
		send(at+1700, at+1900, n, client, root, answer{i}, 0)
	}
	slices.SortStableFunc(all, func(a, b happening) int { return a.at - b.at })
	held := [nodes]int{}
	for _, a := range all {
		seq := w.event(a.at, a.e)
		if to := a.e.To; a.e.Kind == sim.Delivered && to < nodes {
			held[to]++
			w.page.States = append(w.page.States, report.State{Seq: seq, Node: to, Variables: []sim.Variable{{Name: "log", Value: fmt.Sprint(held[to])}}})
		}
	}
	w.page.Witness = []int{ops / 2, ops/2 + 3}
	return &w.page
}

// TestSpeed draws 5,000 operations and 50,000 messages, with pixels and without a
// GPU. It judges by the time of the processor, for the machine may be busy.
func TestSpeed(t *testing.T) {
	b := open(t, large(5000), 1400, 1000)
	require.Equal(t, 5000, value[int](b, `app.run.ops.length`))
	require.Equal(t, 50_000, value[int](b, `app.run.messages.length`))
	first, busy := value[float64](b, `Number(document.documentElement.dataset.drawn)`), b.busy()
	file, err := os.Stat(filepath.Join(b.dir, "page.html"))
	require.NoError(t, err)
	t.Logf("%d bytes; first drawing after %.0f ms; %v of the processor with loading", file.Size(), first, busy)
	assert.Less(t, file.Size(), int64(5<<20))
	assert.Less(t, busy, time.Second)
	for _, view := range []struct{ name, set string }{
		{"at the violation", `app.home()`},
		{"a tenth of the run", `app.diagram.axis.fit({from: 200e6, until: 250e6}, app.diagram.plot)`},
		{"all of the run", `app.diagram.axis.fit(app.run.run, app.diagram.plot)`},
		{"all of the run, every lane", `(document.getElementById("lanes").checked || document.getElementById("lanes").click(), app.diagram.axis.fit(app.run.run, app.diagram.plot))`},
	} {
		const draws = 200
		before := b.busy()
		times := value[[]float64](b, fmt.Sprintf(`(%s, app.measure(%d))`, view.set, draws))
		each := float64(b.busy()-before) / float64(draws*time.Millisecond)
		slices.Sort(times)
		t.Logf("%s: a redraw takes %.1f ms of the processor and %.1f ms in the median, %d of %d messages drawn",
			view.name, each, times[draws/2], value[int](b, `app.diagram.drawn`), value[int](b, `app.diagram.inView`))
		assert.Less(t, each, 16.0, view.name)
	}
}

func TestPrints(t *testing.T) {
	b := open(t, stale(), 1300, 900)
	pdf, err := chromedp.Run(b.ctx, chromedp.PrintToPDF())
	require.NoError(t, err)
	assert.Greater(t, len(pdf), 10_000)
	if out := os.Getenv("BROWSERTEST_OUT"); out != "" {
		require.NoError(t, os.WriteFile(filepath.Join(out, "print.pdf"), pdf, 0o600))
	}
	b.frame()
	assert.False(t, value[bool](b, `document.documentElement.classList.contains("printing")`))
}

// TestDark looks whether the drawing follows the reader's preference.
func TestDark(t *testing.T) {
	b := open(t, stale(), 1300, 900)
	paper := func() []int {
		b.frame()
		return value[[]int](b, `Array.from(app.diagram.canvas.getContext("2d").getImageData(2, 2, 1, 1).data)`)
	}
	assert.Equal(t, []int{255, 255, 255, 255}, paper())
	b.do(raw(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: "dark"}}}))
	assert.Equal(t, []int{0x14, 0x18, 0x1f, 255}, paper())
}
