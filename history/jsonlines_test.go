package history_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rashomon-go/rashomon/history"
	"github.com/rashomon-go/rashomon/model"
)

// recorded draws what a recorder can record, in numbers or in texts.
func recorded(t *rapid.T) *history.History {
	var r history.Recorder
	nodes := rapid.SliceOfNDistinct(rapid.String(), 0, 3, rapid.ID).Draw(t, "nodes")
	if len(nodes) > 0 {
		r.Nodes(nodes)
	}
	if rapid.Bool().Draw(t, "named clients") {
		r.Clients(rapid.SliceOfNDistinct(rapid.String(), 1, 3, rapid.ID).Draw(t, "clients"))
	}
	keys := rapid.SliceOfNDistinct(rapid.String(), 1, 3, rapid.ID).Draw(t, "keys")
	value := rapid.Map(rapid.Int64Min(math.MinInt64+2), func(n int64) model.Value { return model.Value(n) })
	if rapid.Bool().Draw(t, "texts") {
		for _, s := range rapid.SliceOfN(rapid.String(), 1, 4).Draw(t, "first texts") {
			r.Text(s)
		}
		value = rapid.Map(rapid.String(), r.Text)
	}
	stored := rapid.OneOf(value, rapid.Just(model.Absent))
	seen := rapid.OneOf(stored, rapid.Just(model.Unseen))
	node := rapid.Int32Range(history.NoNode, int32(len(nodes))-1)
	var now time.Duration
	var open []int
	for range rapid.IntRange(0, 30).Draw(t, "events") {
		now += time.Duration(rapid.IntRange(0, 2).Draw(t, "later"))
		if len(open) > 0 && rapid.Bool().Draw(t, "return") {
			i := rapid.IntRange(0, len(open)-1).Draw(t, "which")
			require.NoError(t, r.Return(open[i], history.Answered{
				Outcome: history.Outcome(rapid.IntRange(1, 3).Draw(t, "outcome")),
				Seen:    seen.Draw(t, "seen"), Swapped: rapid.Bool().Draw(t, "swapped"), Node: node.Draw(t, "node"),
			}, now))
			open = append(open[:i], open[i+1:]...)
			continue
		}
		kind := rapid.SampledFrom([]model.Kind{model.Read, model.Write, model.CAS, model.Delete, model.Append}).Draw(t, "kind")
		v := stored
		if kind == model.Append || kind == model.Write {
			v = value
		}
		op, err := r.Call(history.Asked{
			ID: rapid.Int32().Draw(t, "id"), Process: rapid.Int32().Draw(t, "process"), Kind: kind,
			Key: rapid.SampledFrom(keys).Draw(t, "key"), Value: v.Draw(t, "value"), Expect: stored.Draw(t, "expect"),
			Node: node.Draw(t, "node"),
		}, now)
		if err == nil { // the process may be busy
			open = append(open, op)
		}
	}
	return r.Finish(now)
}

func TestJSONLinesRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := recorded(t)
		var first, second bytes.Buffer
		require.NoError(t, history.Write(&first, h))
		again, err := history.ReadJSONLines(strings.NewReader(first.String()), "h")
		require.NoError(t, err)
		require.Equal(t, h, again)
		require.NoError(t, history.Write(&second, again))
		require.Equal(t, first.String(), second.String())
	})
}

// A history cut off anywhere must not pass for a shorter one.
func TestJSONLinesTruncated(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var b bytes.Buffer
		require.NoError(t, history.Write(&b, recorded(t)))
		n := rapid.IntRange(0, b.Len()-2).Draw(t, "length") // the last line end may be missing
		_, err := history.ReadJSONLines(bytes.NewReader(b.Bytes()[:n]), "h")
		require.Error(t, err)
	})
}

const example = `{"format":"rashomon-history","version":1,"keys":["x"],"nodes":["n0"]}
{"process":1,"type":"invoke","op":"write","key":"x","value":3,"node":"n0","id":7,"time":0}
{"process":2,"type":"invoke","op":"cas","key":"x","expect":null,"value":4,"time":1000}
{"process":3,"type":"invoke","op":"read","key":"x","time":1000}
{"process":1,"type":"ok","time":2000}
{"process":3,"type":"ok","seen":3,"time":2500}
{"process":2,"type":"ok","swapped":false,"seen":3,"time":3000}
{"process":3,"type":"invoke","op":"delete","key":"x","time":3500}
{"process":3,"type":"unknown","time":4000}
{"type":"end","events":8}
`

func TestWriteExample(t *testing.T) {
	h, err := history.ReadJSONLines(strings.NewReader(example), "h")
	require.NoError(t, err)
	var b bytes.Buffer
	require.NoError(t, history.Write(&b, h))
	assert.Equal(t, example, b.String())
}

func TestReadJSONLinesFreely(t *testing.T) {
	// As a person would write it: no lists, no times, spaces, no end of the last
	// line, an operation that is still open.
	const loose = "{\"version\": 1, \"format\": \"rashomon-history\" }\r\n" +
		"{ \"type\" : \"invoke\", \"process\": 1, \"op\": \"write\", \"key\": \"\\u0078\", \"value\": -3 }\r\n" +
		"{\"type\":\"end\",\"events\":1}"
	h, err := history.ReadJSONLines(strings.NewReader(loose), "h")
	require.NoError(t, err)
	assert.Equal(t, &history.History{
		Keys: []string{"x"},
		Ops:  []history.Op{{Call: 1, Return: history.Never, Value: -3, Seen: model.Unseen, Process: 1, Node: history.NoNode, Kind: model.Write, Outcome: history.Unknown}},
	}, h)
}

// Texts that differ must stay different, however they are written.
func TestJSONLinesTexts(t *testing.T) {
	const text = `{"format":"rashomon-history","version":1,"clients":["c0","last"],"texts":["\ud83d\ude00","\uD83D\uDE01","\ufffd","\\ud800","\ufeff","","\u0000"]}` + "\n" + `{"type":"end","events":0}`
	h, err := history.ReadJSONLines(strings.NewReader(text), "h")
	require.NoError(t, err)
	assert.Equal(t, []string{"\U0001f600", "\U0001f601", "\ufffd", `\ud800`, "\ufeff", "", "\x00"}, h.Texts)
	assert.Equal(t, []string{"c0", "last"}, h.Clients)
}

func TestReadJSONLinesRefuses(t *testing.T) {
	const header = `{"format":"rashomon-history","version":1}` + "\n"
	const w = `{"process":1,"type":"invoke","op":"write","key":"x","value":3,"time":5}` + "\n"
	tests := []struct{ text, want string }{
		{"", `h:1:1: the file ends, expected the header {"format":"rashomon-history","version":1}`},
		{"\n", `h:1:1: the line ends, expected '{'`},
		{"[]", `h:1:1: '[', expected '{'`},
		{"\x00\x01", `h:1:1: '\x00', expected '{'`},
		{`{"format":"rashomon-history"}`, `h:1:1: a header without "version", expected {"format":"rashomon-history","version":1}`},
		{`{"version":1}`, `h:1:1: a header without "format", expected {"format":"rashomon-history","version":1}`},
		{`{"format":"other","version":1}`, `h:1:11: format "other", expected "rashomon-history"`},
		{`{"format":"rashomon-history","version":2}`, `h:1:40: version 2, expected 1`},
		{`{"format":"rashomon-history","version":1,"seed":4}`, `h:1:42: field "seed" in the header, expected format, version, keys, nodes, clients, texts, sets, pinned or faults`},
		{`{"format":"rashomon-history","version":1,"version":1}`, `h:1:42: field "version" twice, expected it once`},
		{`{"format":"rashomon-history","version":1,"keys":["a","a"]}`, `h:1:54: name "a" twice, expected names used once`},
		{`{"format":"rashomon-history","version":1,"keys":["a" "b"]}`, `h:1:54: '"', expected ','`},
		{header, `h:2:1: the file ends, expected the trailer {"type":"end","events":0}: the file is cut off`},
		{header + w, `h:3:1: the file ends, expected the trailer {"type":"end","events":1}: the file is cut off`},
		{header + w + `{"type":"end","events":2}`, `h:3:24: a trailer of 2 events after 1 events, expected the same number`},
		{header + `{"type":"end","events":0}` + "\n\n", `h:3:1: a line after the trailer, expected the end of the file`},
		{header + "\n", `h:2:1: the line ends, expected '{'`},
		{header + `{"process":1`, `h:2:13: the line ends, expected ',' or '}'`},
		{header + `{"process":1,}`, `h:2:14: '}', expected a string`},
		{header + `{"process":1} x`, `h:2:15: 'x' after the object, expected the end of the line`},
		{header + `{"process"1}`, `h:2:11: '1', expected ':'`},
		{header + `{"process":"1"}`, `h:2:12: '"', expected a whole number`},
		{header + `{"process":1.5}`, `h:2:12: a fraction, expected a whole number`},
		{header + `{"process":1e5}`, `h:2:12: a fraction, expected a whole number`},
		{header + `{"process":01}`, `h:2:12: a number with leading zeros, expected none`},
		{header + `{"process":3000000000}`, `h:2:12: number 3000000000, expected -2147483648..2147483647`},
		{header + `{"process":99999999999999999999}`, `h:2:12: a number out of range, expected -2147483648..2147483647`},
		{header + `{"Process":1}`, `h:2:2: unknown field "Process", expected process, type, op, key, expect, value, node, id, swapped, seen, time or events`},
		{header + `{"process":1,"process":1}`, `h:2:14: field "process" twice, expected it once`},
		{header + `{"process":1}`, `h:2:1: an event without "type", expected invoke, ok, fail, unknown or end`},
		{header + `{"type":"info"}`, `h:2:9: type "info", expected invoke, ok, fail, unknown or end`},
		{header + `{"type":"end"}`, `h:2:1: an end without "events", expected it`},
		{header + `{"type":"invoke","process":1,"op":"get","key":"x"}`, `h:2:35: op "get", expected read, write, cas, delete, append, add, increment, acquire, release, enqueue, dequeue or txn`},
		{header + `{"type":"invoke","process":1,"op":"write","key":"x"}`, `h:2:1: an invoke of a write without "value", expected it`},
		{header + `{"type":"invoke","process":1,"op":"read","key":"x","value":1}`, `h:2:60: field "value" in an invoke of a read, expected no such field there`},
		{header + `{"type":"invoke","process":1,"op":"cas","key":"x","value":1}`, `h:2:1: an invoke of a cas without "expect", expected it`},
		{header + `{"type":"invoke","process":1,"op":"write","key":"x","value":null}`, `h:2:61: null to write, expected a value (a delete leaves nothing)`},
		{header + `{"type":"invoke","process":1,"op":"write","key":"a\ud800","value":1}`, `h:2:51: half a surrogate pair \ud800, expected both halves`},
		{header + `{"type":"invoke","process":1,"op":"write","key":"\\\udc00\ud800","value":1}`, `h:2:52: half a surrogate pair \udc00, expected both halves`},
		{header + `{"type":"invoke","process":1,"op":"write","key":"\ud83d\u0041","value":1}`, `h:2:50: half a surrogate pair \ud83d, expected both halves`},
		{header + `{"type":"invoke","process":1,"op":"write","key":"\ud83d\ude00\ude00","value":1}`, `h:2:62: half a surrogate pair \ude00, expected both halves`},
		{header + `{"type":"invoke","process":1,"op":"append","key":"x","value":null}`, `h:2:62: null to append, expected a value`},
		{header + `{"type":"invoke","process":1,"op":"write","key":"x","value":"a"}`, `h:2:61: text "a", expected a number or null (a history of texts has "texts":[] in its header)`},
		{header + `{"type":"invoke","process":1,"op":"write","key":"x","value":true}`, `h:2:61: 't', expected a whole number, a string or null`},
		{header + `{"type":"invoke","process":1,"op":"write","key":"x","value":-9223372036854775807}`, `h:2:61: number -9223372036854775807, expected -9223372036854775806..9223372036854775807`},
		{header + `{"type":"invoke","process":1,"op":"write","key":"` + "\xff" + `","value":1}`, `h:2:49: a string that is not valid UTF-8, expected UTF-8`},
		{header + `{"type":"invoke","process":1,"op":"write","key":"\x","value":1}`, `h:2:49: a malformed string (invalid character 'x' in string escape code), expected a JSON string`},
		{header + `{"type":"invoke","process":1,"op":"write","key":"x`, `h:2:51: the line ends inside the string that began in column 49, expected '"'`},
		{header + w + w, `h:3:12: process 1 calls before its operation 0 has returned (it was called in line 2)`},
		{header + w + `{"process":1,"type":"unknown"}` + "\n" + w, `h:4:12: process 1 calls after an unknown outcome, expected a fresh process`},
		{header + `{"process":1,"type":"ok"}`, `h:2:12: process 1 ends an operation but has none open, expected its invoke first`},
		{header + w + `{"process":1,"type":"ok","time":4}`, `h:3:33: return of operation 0 at 4ns, after an event at 5ns`},
		{header + w + `{"process":1,"type":"ok","time":-4}`, `h:3:33: number -4, expected 0..9223372036854775807`},
		{header + w + `{"process":1,"type":"ok","seen":4}`, `h:3:33: "seen" in the ok of a write (called in line 2), expected it in the ok of a read, a dequeue, a txn, or a cas that did not swap only`},
		{header + w + `{"process":1,"type":"ok","swapped":true}`, `h:3:36: "swapped" in the ok of a write (called in line 2), expected it in the ok of a cas only`},
		{header + w + `{"process":1,"type":"ok","swapped":1}`, `h:3:36: '1', expected true or false`},
		{header + `{"process":1,"type":"invoke","op":"cas","key":"x","expect":1,"value":2}` + "\n" + `{"process":1,"type":"ok"}`, `h:3:1: the ok of a cas (called in line 2) without "swapped", expected true or false`},
		{header + w + `{"process":1,"type":"fail","seen":4}`, `h:3:35: field "seen" in a fail, expected no such field there`},
		{strings.Replace(header, "}", `,"texts":[]}`, 1) + w, `h:2:61: number 3, expected a text or null (the header has "texts")`},
	}
	for _, tt := range tests {
		_, err := history.ReadJSONLines(strings.NewReader(tt.text), "h")
		assert.EqualError(t, err, tt.want, "%s", tt.text)
		var place *history.ReadError
		assert.ErrorAs(t, err, &place)
	}
}

// endless is a file of the same byte for ever.
type endless struct {
	b    byte
	read int
}

func (e *endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = e.b
	}
	e.read += len(p)
	return len(p), nil
}

func TestReadJSONLinesStopsEarly(t *testing.T) {
	lines := &endless{b: '\n'}
	_, err := history.ReadJSONLines(lines, "h")
	assert.EqualError(t, err, `h:1:1: the line ends, expected '{'`)
	assert.LessOrEqual(t, lines.read, 1<<20)

	line := &endless{b: ' '}
	_, err = history.ReadJSONLines(line, "h")
	assert.EqualError(t, err, `h:1:1: a line of more than 16777216 bytes, expected shorter ones`)
	assert.LessOrEqual(t, line.read, 18<<20)
}

func TestReadJSONLinesShowsSourceErrors(t *testing.T) {
	broken := errors.New("the disk is broken")
	_, err := history.ReadJSONLines(io.MultiReader(strings.NewReader(example[:100]), failing{broken}), "h")
	assert.ErrorIs(t, err, broken)
	assert.EqualError(t, err, "h:2:1: the disk is broken")
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func TestWriteRefuses(t *testing.T) {
	op := func(o history.Op) history.Op {
		o.Node, o.Kind = history.NoNode, model.Write
		return o
	}
	for _, tt := range []struct {
		h    *history.History
		want string
	}{
		{&history.History{Ops: []history.Op{op(history.Op{})}}, "history: operation 0 (write): key number 0, expected 0..-1"},
		{&history.History{Keys: []string{"x", "x"}}, `history: key "x" twice, expected names used once`},
		{&history.History{Keys: []string{"\xff"}}, `history: key "\xff", expected valid UTF-8`},
		{&history.History{Texts: []string{"\xff"}}, `history: text "\xff", expected valid UTF-8`},
		{&history.History{Keys: []string{"x"}, Ops: []history.Op{op(history.Op{Call: 1, Return: 2, CalledAt: 5, ReturnedAt: 4, Outcome: history.OK})}},
			"history: operation 0 (write x=0): returns at 4ns before its call at 5ns"},
		{&history.History{Keys: []string{"x"}, Ops: []history.Op{
			op(history.Op{Call: 1, Return: 2, CalledAt: 5, ReturnedAt: 6, Outcome: history.OK}), op(history.Op{Call: 3, Return: 4, CalledAt: 5, ReturnedAt: 6, Outcome: history.OK}),
		}},
			"history: operation 1 (write x=0) has an event at 5ns after another at 6ns, expected times in the order of positions"},
		{&history.History{Keys: []string{"x"}, Ops: []history.Op{op(history.Op{Call: 1, Return: 2, Value: model.Unseen, Outcome: history.OK})}},
			"history: operation 0 (write x=?): stores no value, expected one"},
		{&history.History{Clients: []string{"\xff"}}, `history: client "\xff", expected valid UTF-8`},
	} {
		assert.EqualError(t, history.Write(io.Discard, tt.h), tt.want)
	}
}

// A history whose positions have gaps and whose texts are in another order than
// they appear is written too; only its positions change.
func TestWriteForeignHistory(t *testing.T) {
	h := &history.History{
		Keys: []string{"unused", "x"}, Texts: []string{"never", "late", "early"},
		Ops: []history.Op{
			{Call: 10, Return: 40, Value: 2, Seen: model.Unseen, Process: 1, Key: 1, Node: history.NoNode, Kind: model.Write, Outcome: history.OK},
			{Call: 20, Return: history.Never, Value: 1, Seen: model.Unseen, Process: 2, Key: 1, Node: history.NoNode, Kind: model.Append, Outcome: history.Unknown},
		},
	}
	var b bytes.Buffer
	require.NoError(t, history.Write(&b, h))
	again, err := history.ReadJSONLines(&b, "h")
	require.NoError(t, err)
	h.Ops[0].Call, h.Ops[0].Return, h.Ops[1].Call = 1, 3, 2
	assert.Equal(t, h, again)
}

func TestWriteShowsErrorsOfTheWriter(t *testing.T) {
	h, err := history.ReadJSONLines(strings.NewReader(example), "h")
	require.NoError(t, err)
	assert.ErrorContains(t, history.Write(full{}, h), "disk full")
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("disk full") }

func FuzzJSONLines(f *testing.F) {
	f.Add([]byte(example))
	f.Add([]byte(`{"format":"rashomon-history","version":1,"nodes":["n0"],"pinned":true}` + "\n" + `{"type":"end","events":0}`))
	f.Add([]byte(`{"format":"rashomon-history","version":1,"texts":[]}` + "\n" + `{"process":1,"type":"invoke","op":"txn","key":"x","value":[["r","a"],["w","b","c"]]}` + "\n" +
		`{"process":1,"type":"ok","seen":["d"]}` + "\n" + `{"type":"end","events":2}`))
	f.Add([]byte(`{"format":"rashomon-history","version":1,"texts":["b"]}` + "\n" +
		`{"process":1,"type":"invoke","op":"append","key":"x","value":"a\n"}` + "\n" +
		`{"process":1,"type":"fail"}` + "\n" + `{"type":"end","events":2}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		h, err := history.ReadJSONLines(bytes.NewReader(text), "h")
		if err != nil {
			var place *history.ReadError
			require.ErrorAs(t, err, &place)
			return
		}
		require.NoError(t, h.Validate())
		var b bytes.Buffer
		require.NoError(t, history.Write(&b, h))
		again, err := history.ReadJSONLines(&b, "h")
		require.NoError(t, err)
		require.Equal(t, h, again)
	})
}

// long returns a history of n operations by five processes.
func long(n int) *history.History {
	var r history.Recorder
	for i := range n {
		at := time.Duration(i) * time.Microsecond
		p := int32(i % 5)
		if op, open := r.Open(p); open {
			r.Return(op, history.Answered{Outcome: history.OK, Seen: model.Value(i), Node: history.NoNode}, at)
		}
		kind := model.Read
		if i%2 == 0 {
			kind = model.Write
		}
		r.Call(history.Asked{Process: p, Kind: kind, Key: fmt.Sprint("k", i%3), Value: model.Value(i), Node: history.NoNode}, at)
	}
	return r.Finish(time.Second)
}

func BenchmarkReadJSONLines(b *testing.B) {
	h := long(10_000)
	var text bytes.Buffer
	require.NoError(b, history.Write(&text, h))
	b.SetBytes(int64(text.Len()))
	for b.Loop() {
		if _, err := history.ReadJSONLines(bytes.NewReader(text.Bytes()), "h"); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)*float64(len(h.Ops))/b.Elapsed().Seconds(), "ops/s")
}

func BenchmarkWrite(b *testing.B) {
	h := long(10_000)
	for b.Loop() {
		if err := history.Write(io.Discard, h); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)*float64(len(h.Ops))/b.Elapsed().Seconds(), "ops/s")
}

// Faults stand in the header, and come back as they were.
func TestFaults(t *testing.T) {
	h := &history.History{Faults: []history.Fault{
		{From: 5, Until: 9, Text: "5ns..9ns partition n0 | \"n1\"", Hits: 3}, {From: 7, Until: history.Endless, Text: "crash"},
	}}
	var b bytes.Buffer
	require.NoError(t, history.Write(&b, h))
	assert.Contains(t, b.String(), `"faults":[{"from":5,"until":9,"fault":"5ns..9ns partition n0 | \"n1\"","hits":3},{"from":7,"fault":"crash","hits":0}]}`)
	again, err := history.ReadJSONLines(&b, "h")
	require.NoError(t, err)
	assert.Equal(t, h.Faults, again.Faults)

	h.Faults[0].Until = 4
	require.ErrorContains(t, history.Write(&b, h), "from 5ns until 4ns, expected an end that is not before the beginning")
	for faults, want := range map[string]string{
		`{}`:                         `h:1:51: '{', expected '['`,
		`[{"from":5,"until":4}]`:     `h:1:52: fault "": from 5ns until 4ns, expected an end that is not before the beginning`,
		`[{"from":-1}]`:              `h:1:60: number -1, expected 0..9223372036854775807`,
		`[{"from":1,"from":1}]`:      `h:1:62: field "from" twice, expected it once`,
		`[{"node":1}]`:               `h:1:53: field "node" in a fault, expected from, until, fault or hits`,
		`[{"from":1} {}]`:            `h:1:63: '{', expected ','`,
		`[{"fault":"x","hits":1.5}]`: `h:1:72: a fraction, expected a whole number`,
	} {
		_, err := history.ReadJSONLines(strings.NewReader(`{"format":"rashomon-history","version":1,"faults":`+faults+"}\n"), "h")
		assert.EqualError(t, err, want)
	}
}
