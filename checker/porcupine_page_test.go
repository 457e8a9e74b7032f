package checker

import (
	"bytes"
	"strings"
	"testing"

	"github.com/anishathalye/porcupine"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rashomon-go/rashomon/history"
	"github.com/rashomon-go/rashomon/model"
)

// misread is a history of writes of texts one after the other, and of a read that saw
// another text.
func misread(key string, writes ...string) *history.History {
	h := &history.History{Keys: []string{key}, Texts: append(writes, "never written")}
	for i := range h.Texts {
		o := history.Op{
			Process: int32(1_000_000 * i), Kind: model.Write, Outcome: history.OK,
			Call: int64(2*i + 1), Return: int64(2*i + 2), Value: model.Value(i),
		}
		if i == len(writes) {
			o.Kind, o.Seen = model.Read, o.Value
		}
		h.Ops = append(h.Ops, o)
	}
	return h
}

func TestPorcupinePage(t *testing.T) {
	last := func(h *history.History) []int { return []int{len(h.Ops) - 1} }
	h := misread("k<b>", "<img src=x>", strings.Repeat("x", 1000))
	write := PorcupinePage(h, model.KV(), last(h))
	require.NotNil(t, write)
	var b bytes.Buffer
	require.NoError(t, write(&b))
	page := b.String()
	assert.Contains(t, page, `"Description":"read -\u003e \"never written\""`)
	assert.Contains(t, page, `"StateDescription":"\u0026#34;\u0026lt;img src=x\u0026gt;\u0026#34;"`, "states are set as HTML")
	assert.Contains(t, page, `"Metadata":"process 2000000, key k\u0026lt;b\u0026gt;"`)
	assert.Contains(t, page, `"ClientId":2,`, "a row for each client, and no more")
	assert.NotContains(t, page, `"StateDescription":"\u0026#34;`+strings.Repeat("x", 100))

	assert.Nil(t, PorcupinePage(h, model.KV(), nil), "no witness")
	h.Ops = h.Ops[:2]
	assert.Nil(t, PorcupinePage(h, model.KV(), last(h)), "linearizable")
	assert.Nil(t, PorcupinePage(&history.History{}, model.KV(), nil))
}

// What a search left open must not be drawn as illegal: twenty concurrent writes have
// too many orders to try.
func TestPorcupinePageNeedsAnAnswer(t *testing.T) {
	h := &history.History{Keys: []string{"x"}}
	for i := range 20 {
		h.Ops = append(h.Ops, history.Op{Process: int32(i), Kind: model.Write, Outcome: history.OK, Value: model.Value(i), Call: int64(i + 1), Return: int64(100 + i)})
	}
	h.Ops = append(h.Ops, history.Op{Process: 20, Kind: model.Read, Outcome: history.OK, Seen: 77, Call: 200, Return: 201})
	witness := []int{20}
	assert.Nil(t, PorcupinePage(h, model.Register(), witness))

	h.Ops = append(h.Ops[:3:3], h.Ops[20])
	assert.NotNil(t, PorcupinePage(h, model.Register(), []int{3}))
}

// Long texts leave room for fewer steps, and none of them for no step at all.
func TestLongestBudget(t *testing.T) {
	list := func(n int, text string) (list []porcupine.Operation) {
		for range n {
			list = append(list, porcupine.Operation{Input: &model.Op{Kind: model.Append, Text: text}})
		}
		return list
	}
	assert.EqualValues(t, longestSteps, longestBudget(list(longestOps, "")).Limit, "registers have room for all steps")
	assert.Less(t, longestBudget(list(longestOps, strings.Repeat("x", 1000))).Limit, int64(2000))
	assert.EqualValues(t, 1, longestBudget(list(longestOps, strings.Repeat("x", 10_000_000))).Limit)
}
