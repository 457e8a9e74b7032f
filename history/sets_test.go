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

// sets is a history of sets, as a workload records it.
func sets(t *testing.T) *history.History {
	var r history.Recorder
	r.Nodes([]string{"n0", "n1"})
	add, err := r.Call(history.Asked{Process: 1, Kind: model.Add, Key: "x", Value: 3, Node: 0}, 0)
	require.NoError(t, err)
	require.NoError(t, r.Return(add, history.Answered{Outcome: history.OK, Node: history.NoNode}, 10))
	_, err = r.Call(history.Asked{Process: 2, Kind: model.Add, Key: "x", Value: -1, Node: 1}, 20)
	require.NoError(t, err)
	for _, seen := range [][]model.Value{{}, {3}, {3}, {3, -1}} {
		read, err := r.Call(history.Asked{Process: 1, Kind: model.Read, Key: "x", Node: 0}, 50)
		require.NoError(t, err)
		require.NoError(t, r.Return(read, history.Answered{Outcome: history.OK, Seen: r.Set(seen...), Node: history.NoNode}, 50))
	}
	return r.Finish(60)
}

func TestSets(t *testing.T) {
	h := sets(t)
	require.NoError(t, h.Validate())
	assert.Equal(t, [][]model.Value{{}, {3}, {-1, 3}}, h.Sets)
	var words []string
	for i := range h.Ops {
		words = append(words, h.OpString(i))
	}
	assert.Equal(t, "add 3 to x; add -1 to x: unknown; read x -> {}; read x -> {3}; read x -> {3}; read x -> {-1 3}", strings.Join(words, "; "))
	var b bytes.Buffer
	require.NoError(t, history.Write(&b, h))
	assert.Contains(t, b.String(), `,"sets":true}`)
	assert.Contains(t, b.String(), `{"process":1,"type":"ok","seen":[-1,3],"time":50}`)
	again, err := history.ReadJSONLines(&b, "h")
	require.NoError(t, err)
	assert.Equal(t, h, again)

	h.Sets = append(h.Sets, []model.Value{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14})
	h.Ops[5].Seen = 3
	assert.Equal(t, "read x -> {1 2 3 4 5 6 7 8 9 10 11 12 and 2 more}", h.OpString(5))
}

func TestValidateSets(t *testing.T) {
	for name, c := range map[string]struct {
		breaking func(h *history.History)
		want     string
	}{
		"texts":      {func(h *history.History) { h.Texts = []string{} }, "texts in a history of sets, expected numbers"},
		"no sets":    {func(h *history.History) { h.Sets = nil }, "operation 0 (add 3 to x): an add in a history without sets, expected sets, even if there are none"},
		"write":      {func(h *history.History) { h.Ops[1].Kind = model.Write }, "operation 1 (write x=-1: unknown): a write in a history of sets, expected read or add"},
		"no number":  {func(h *history.History) { h.Ops[0].Value = model.Absent }, "operation 0 (add nil to x): adds no number, expected one"},
		"no set":     {func(h *history.History) { h.Ops[3].Seen = 3 }, "operation 3 (read x -> {}): set number 3, expected 0..2"},
		"order":      {func(h *history.History) { h.Sets[2] = []model.Value{3, 3} }, "set 2 holds 3 behind 3, expected increasing elements"},
		"no element": {func(h *history.History) { h.Sets[2] = []model.Value{model.Absent} }, "set 2 holds something that is no number"},
	} {
		h := sets(t)
		c.breaking(h)
		assert.EqualError(t, h.Validate(), c.want, name)
	}
}

func TestReadJSONLinesRefusesSets(t *testing.T) {
	const (
		of   = `{"format":"rashomon-history","version":1,"sets":true}` + "\n"
		none = `{"format":"rashomon-history","version":1}` + "\n"
		read = `{"type":"invoke","process":1,"op":"read","key":"x"}` + "\n" + `{"type":"ok","process":1,"seen":`
	)
	for _, c := range []struct{ text, want string }{
		{`{"format":"rashomon-history","version":1,"sets":false}`, `h:1:49: "sets":false, expected true or no such field`},
		{`{"format":"rashomon-history","version":1,"pinned":false}`, `h:1:51: "pinned":false, expected true or no such field`},
		{`{"format":"rashomon-history","version":1,"sets":true,"texts":[]}`, `h:1:1: a header with "texts" and "sets", expected one of them`},
		{none + `{"type":"invoke","process":1,"op":"add","key":"x","value":3}`, `h:2:35: add in a history without sets, expected "sets":true in its header`},
		{of + `{"type":"invoke","process":1,"op":"write","key":"x","value":3}`, `h:2:35: write in a history of sets, expected read or add`},
		{of + `{"type":"invoke","process":1,"op":"add","key":"x","value":null}`, `h:2:59: null to add, expected a value`},
		{of + `{"type":"invoke","process":1,"op":"add","key":"x"}`, `h:2:1: an invoke of an add without "value", expected it`},
		{of + read + `3}`, `h:3:33: no set, expected one such as [1,2]`},
		{none + read + `[3]}`, `h:3:33: several values, expected one (a list is a text such as "[2 1]", with "texts":[] in the header; a history of sets has "sets":true there)`},
		{of + read + `[3,2]}`, `h:3:36: element 2 behind 3, expected increasing elements`},
		{of + read + `[3 2]}`, `h:3:36: '2', expected ','`},
		{of + read + `[a]}`, `h:3:34: 'a', expected a whole number, a string or null`},
	} {
		_, err := history.ReadJSONLines(strings.NewReader(c.text), "h")
		assert.EqualError(t, err, c.want, c.text)
	}
}
