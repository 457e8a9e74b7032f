package history_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rashomon-go/rashomon/history"
	"github.com/rashomon-go/rashomon/model"
)

func reads(register string) model.Micro {
	return model.Micro{Kind: model.Read, Register: register, Value: model.Unseen}
}

func writes(register string, v model.Value) model.Micro {
	return model.Micro{Kind: model.Write, Register: register, Value: v}
}

// txns is a history of transactions, as somebody records it.
func txns(t *testing.T) *history.History {
	var r history.Recorder
	call := func(process int32, steps ...model.Micro) int {
		op, err := r.Call(history.Asked{Process: process, Kind: model.Txn, Key: "x", Txn: steps, Node: history.NoNode}, 10)
		require.NoError(t, err)
		return op
	}
	answer := func(op int, outcome history.Outcome, told ...model.Value) {
		require.NoError(t, r.Return(op, history.Answered{Outcome: outcome, Told: told, Node: history.NoNode}, 10))
	}
	answer(call(1, writes("a", 3), reads("b")), history.OK, model.Absent)
	answer(call(1, reads("a"), reads("b"), writes("b", 4)), history.OK, 3, model.Absent)
	answer(call(1, writes("b", 5)), history.Fail)
	answer(call(1), history.OK)
	answer(call(1, reads("a")), history.OK) // nobody knows what it was told
	call(2, reads("a"), writes("a", 7))
	return r.Finish(60)
}

func TestTransactions(t *testing.T) {
	h := txns(t)
	require.NoError(t, h.Validate())
	var words []string
	for i := range h.Ops {
		words = append(words, h.OpString(i))
	}
	assert.Equal(t, "txn x: a=3, b -> nil; txn x: a -> 3, b -> nil, b=4; txn x: b=5 (fail); txn x: ; txn x: a -> ?; txn x: read a, a=7 (unknown)", strings.Join(words, "; "))
	assert.Equal(t, h.Txns[1], h.ModelOp(1).Txn)
	var b bytes.Buffer
	require.NoError(t, history.Write(&b, h))
	assert.Contains(t, b.String(), `{"process":1,"type":"invoke","op":"txn","key":"x","value":[["r","a"],["r","b"],["w","b",4]],"time":10}`+"\n"+
		`{"process":1,"type":"ok","seen":[3,null],"time":10}`)
	again, err := history.ReadJSONLines(&b, "h")
	require.NoError(t, err)
	assert.Equal(t, h, again)
}

// Texts are numbered as a reader meets them, in transactions as elsewhere.
func TestTransactionsOfTexts(t *testing.T) {
	for _, text := range []string{
		`{"process":1,"type":"invoke","op":"txn","key":"x","value":[["r","a"],["w","b","one"]],"time":0}
{"process":2,"type":"invoke","op":"txn","key":"x","value":[["w","a","two"]],"time":0}
{"process":1,"type":"ok","seen":["three"],"time":0}
{"process":2,"type":"ok","time":0}
{"type":"end","events":4}
`} {
		text = `{"format":"rashomon-history","version":1,"keys":["x"],"texts":[]}` + "\n" + text
		h, err := history.ReadJSONLines(strings.NewReader(text), "h")
		require.NoError(t, err)
		assert.Equal(t, []string{"one", "two", "three"}, h.Texts)
		assert.Equal(t, `txn x: a -> "three", b="one"`, h.OpString(0))
		var b bytes.Buffer
		require.NoError(t, history.Write(&b, h))
		assert.Equal(t, text, b.String())
	}
}

func TestRecorderRefusesTransactions(t *testing.T) {
	var r history.Recorder
	_, err := r.Call(history.Asked{Process: 1, Kind: model.Txn, Key: "x", Txn: []model.Micro{{Kind: model.CAS, Register: "a"}}}, 0)
	assert.EqualError(t, err, "a txn of process 1: step 0: a cas, expected read or write")
	_, err = r.Call(history.Asked{Process: 1, Kind: model.Txn, Key: "x", Txn: []model.Micro{writes("a", model.Absent)}}, 0)
	assert.EqualError(t, err, "a txn of process 1: step 0: a write of no value, expected one")
	op, err := r.Call(history.Asked{Process: 1, Kind: model.Txn, Key: "x", Txn: []model.Micro{reads("a"), reads("b")}}, 0)
	require.NoError(t, err)
	assert.EqualError(t, r.Return(op, history.Answered{Outcome: history.OK, Told: []model.Value{1}}, 0), "operation 0 was told 1 values, expected 2, one for each read")
	assert.EqualError(t, r.Return(op, history.Answered{Outcome: history.OK, Told: []model.Value{1, model.Unseen}}, 0),
		"operation 0 was told nothing by some of its reads, expected a value of each, or of none")
}

func TestValidateTransactions(t *testing.T) {
	for name, c := range map[string]struct {
		breaking func(h *history.History)
		want     string
	}{
		"no transactions": {func(h *history.History) { h.Txns = nil }, "operation 0 (txn x: ): transaction number 0, expected 0..-1"},
		"no such one":     {func(h *history.History) { h.Ops[1].Value = -1 }, "operation 1 (txn x: ): transaction number -1, expected 0..5"},
		"a strange step":  {func(h *history.History) { h.Txns[0][1].Kind = model.Delete }, "operation 0 (txn x: a=3, b -> nil): step 1: a delete, expected read or write"},
		"nothing written": {func(h *history.History) { h.Txns[0][0].Value = model.Absent }, "operation 0 (txn x: a=nil, b -> nil): step 0: a write of no value, expected one"},
		"an answer without return": {func(h *history.History) { h.Txns[5][0].Value = 3 },
			"operation 5 (txn x: read a, a=7 (unknown)): step 0: a read that was told 3 with outcome unknown, expected that with ok only"},
		"half an answer": {func(h *history.History) { h.Txns[1][0].Value = model.Unseen }, "operation 1 (txn x: a -> ?, b -> nil, b=4): 1 of 2 reads told nothing, expected all or none"},
		"no such text":   {func(h *history.History) { h.Texts = []string{} }, "operation 0 (txn x: a=\"\", b -> nil): step 0: text number 3, expected 0..-1"},
	} {
		t.Run(name, func(t *testing.T) {
			h := txns(t)
			c.breaking(h)
			assert.EqualError(t, h.Validate(), c.want)
		})
	}
}

func TestReadJSONLinesRefusesTransactions(t *testing.T) {
	const header = `{"format":"rashomon-history","version":1}` + "\n"
	const call = `{"process":1,"type":"invoke","op":"txn","key":"x","value":`
	const good = call + `[["r","a"],["w","b",1]]}` + "\n"
	for _, c := range []struct{ text, want string }{
		{call + `3}`, `h:2:59: no transaction, expected steps such as [["r","a"],["w","b",1]]`},
		{call + `[3]}`, `h:2:60: '3', expected '['`},
		{call + `[["x","a"]]}`, `h:2:61: step "x" of a transaction, expected "r" or "w"`},
		{call + `[["w","a"]]}`, `h:2:68: ']', expected ','`},
		{call + `[["r","a",1]]}`, `h:2:68: ',', expected ']'`},
		{call + `[["w","a",null]]}`, `h:2:69: null to write, expected a value`},
		{call + `[["w","a","b"]]}`, `h:2:69: text "b", expected a number or null (a history of texts has "texts":[] in its header)`},
		{call + `[["r","a"]`, `h:2:69: the line ends, expected ','`},
		{call + `[["r","a"`, `h:2:68: the line ends, expected ']'`},
		{`{"process":1,"type":"invoke","op":"write","key":"x","value":[["r","a"]]}`, `h:2:61: a list, expected a value (transactions are of op txn)`},
		{good + `{"process":1,"type":"ok","seen":3}`, `h:3:33: no list of 1 values, expected one for each read of the transaction (called in line 2)`},
		{good + `{"process":1,"type":"ok","seen":[3,4]}`, `h:3:33: no list of 1 values, expected one for each read of the transaction (called in line 2)`},
		{good + `{"process":1,"type":"ok","seen":["a"]}`, `h:3:34: text "a", expected a number or null (a history of texts has "texts":[] in its header)`},
		{good + `{"process":1,"type":"fail","seen":[1]}`, `h:3:35: field "seen" in a fail, expected no such field there`},
	} {
		_, err := history.ReadJSONLines(strings.NewReader(header+c.text), "h")
		assert.EqualError(t, err, c.want, c.text)
	}
}
