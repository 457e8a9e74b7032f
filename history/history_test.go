package history_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rashomon-go/rashomon/history"
	"github.com/rashomon-go/rashomon/model"
)

func TestValidate(t *testing.T) {
	// The history that every case breaks: process 1 writes text 0 and then reads
	// it, while process 2 swaps it with an unknown outcome.
	valid := func() *history.History {
		return &history.History{
			Keys: []string{"x"}, Nodes: []string{"n0"}, Texts: []string{"a", "b"},
			Ops: []history.Op{
				{Call: 1, Return: 3, Process: 1, Node: 0, Kind: model.Write, Outcome: history.OK},
				{Call: 2, Return: history.Never, Value: 1, Process: 2, Node: history.NoNode, Kind: model.CAS, Outcome: history.Unknown},
				{Call: 4, Return: 5, Process: 1, Node: history.NoNode, Kind: model.Read, Outcome: history.OK},
			},
		}
	}
	require.NoError(t, valid().Validate())
	require.NoError(t, new(history.History).Validate())
	tests := []struct {
		name     string
		breaking func(h *history.History)
		want     string
	}{
		{"key", func(h *history.History) { h.Ops[0].Key = 1 }, "operation 0 (write): key number 1, expected 0..0"},
		{"negative key", func(h *history.History) { h.Ops[0].Key = -1 }, "operation 0 (write): key number -1, expected 0..0"},
		{"node", func(h *history.History) { h.Ops[0].Node = 1 }, `operation 0 (write x="a"): node number 1, expected 0..0`},
		{"negative node", func(h *history.History) { h.Ops[0].Node = -2 }, `operation 0 (write x="a"): node number -2, expected 0..0`},
		{"kind", func(h *history.History) { h.Ops[0].Kind = 0 }, "operation 0 (kind(0) x): no kind, expected read, write, cas, delete, append, add, increment, acquire, release, enqueue, dequeue or txn"},
		{"outcome", func(h *history.History) { h.Ops[2].Outcome = 0 }, "operation 2 (read x: outcome(0)): no outcome, expected ok, fail or unknown"},
		{"order", func(h *history.History) { h.Ops[2].Call = 2 }, `operation 2 (read x -> "a"): called at position 2 after a call at 2, expected increasing positions`},
		{"position zero", func(h *history.History) { h.Ops[0].Call = 0 }, `operation 0 (write x="a"): called at position 0 after a call at 0, expected increasing positions`},
		{"unknown that returns", func(h *history.History) { h.Ops[1].Return = 9 }, `operation 1 (cas x "a"->"b": unknown): returns at 9 with an unknown outcome, expected that it never returns`},
		{"ok that never returns", func(h *history.History) { h.Ops[0].Return = history.Never }, `operation 0 (write x="a"): outcome ok but it never returns`},
		{"return before call", func(h *history.History) { h.Ops[2].Return = 4 }, `operation 2 (read x -> "a"): returns at position 4 before its call at 4`},
		{"two returns", func(h *history.History) { h.Ops[2].Return = 3 }, "operations 0 and 2 both return at position 3, expected positions used once"},
		{"call and return", func(h *history.History) { h.Ops[2].Call, h.Ops[2].Process = 3, 3 }, `operation 2 (read x -> "a"): called at position 3, at which operation 0 returns, expected positions used once`},
		{"two at once", func(h *history.History) { h.Ops[0].Return = 6 }, `operation 2 (read x -> "a"): process 1 calls before its operation 0 has returned`},
		{"after unknown", func(h *history.History) { h.Ops[2].Process = 2 }, `operation 2 (read x -> "a"): process 2 goes on after operation 1, whose outcome is unknown; expected a fresh process`},
		{"text stored", func(h *history.History) { h.Ops[0].Value = 2 }, `operation 0 (write x=""): text number 2, expected 0..1`},
		{"text expected", func(h *history.History) { h.Ops[1].Expect = -1 }, `operation 1 (cas x ""->"b": unknown): text number -1, expected 0..1`},
		{"key twice", func(h *history.History) { h.Keys = []string{"x", "y", "x"} }, `key "x" twice, expected names used once`},
		{"node twice", func(h *history.History) { h.Nodes = []string{"n0", "n0"} }, `node "n0" twice, expected names used once`},
		{"client twice", func(h *history.History) { h.Clients = []string{"c", "c"} }, `client "c" twice, expected names used once`},
		{"text twice", func(h *history.History) { h.Texts[1] = "a" }, `text "a" twice, expected names used once`},
		{"time backwards", func(h *history.History) { h.Ops[0].CalledAt, h.Ops[0].ReturnedAt = 5, 4 }, `operation 0 (write x="a"): returns at 4ns before its call at 5ns`},
		{"write of nothing", func(h *history.History) { h.Ops[0].Value = model.Absent }, `operation 0 (write x=nil): stores nothing, expected a value or a delete`},
		{"write of what is not known", func(h *history.History) { h.Ops[0].Value = model.Unseen }, `operation 0 (write x=?): stores no value, expected one`},
		{"cas of what is not known", func(h *history.History) { h.Ops[1].Value = model.Unseen }, `operation 1 (cas x "a"->?: unknown): stores no value, expected one`},
		{"cas that expects what is not known", func(h *history.History) { h.Ops[1].Expect = model.Unseen }, `operation 1 (cas x ?->"b": unknown): expects no value, expected one or nil`},
		{"append of nothing", func(h *history.History) { h.Ops[0].Kind, h.Ops[0].Value = model.Append, model.Absent }, `operation 0 (append x+=nil): stores no value, expected one`},
		{"read that swapped", func(h *history.History) { h.Ops[2].Swapped = true }, `operation 2 (read x -> "a"): swapped, expected that of a cas only`},
		{"unknown that swapped", func(h *history.History) { h.Ops[1].Swapped = true }, `operation 1 (cas x "a"->"b": unknown): swapped with outcome unknown, expected that with ok only`},
		{"text seen", func(h *history.History) { h.Ops[2].Seen = 7 }, `operation 2 (read x -> ""): text number 7, expected 0..1`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := valid()
			tt.breaking(h)
			assert.EqualError(t, h.Validate(), tt.want)
		})
	}
}

func TestClient(t *testing.T) {
	h := &history.History{}
	assert.Equal(t, "client 7", h.Client(7))
	h.Clients = []string{"c0", "c1", "last"}
	for process, want := range map[int32]string{0: "c0", 7: "c1", 5: "last", -1: "client -1"} {
		assert.Equal(t, want, h.Client(process))
	}
}

func TestOpString(t *testing.T) {
	h := &history.History{Keys: []string{"x"}}
	for _, tt := range []struct {
		op   history.Op
		want string
	}{
		{history.Op{Kind: model.Read, Outcome: history.OK, Seen: 7}, "read x -> 7"},
		{history.Op{Kind: model.Read, Outcome: history.OK, Seen: model.Absent}, "read x -> nil"},
		{history.Op{Kind: model.Read, Outcome: history.Unknown}, "read x: unknown"},
		{history.Op{Kind: model.Write, Outcome: history.OK, Value: 7}, "write x=7"},
		{history.Op{Kind: model.Write, Outcome: history.Fail, Value: 7}, "write x=7: fail"},
		{history.Op{Kind: model.Delete, Outcome: history.OK}, "delete x"},
		{history.Op{Kind: model.CAS, Outcome: history.OK, Expect: 3, Value: 4, Swapped: true}, "cas x 3->4"},
		{history.Op{Kind: model.CAS, Outcome: history.OK, Expect: 3, Value: 4, Seen: 5}, "cas x 3->4: failed, saw 5"},
		{history.Op{Kind: model.CAS, Outcome: history.OK, Expect: 3, Value: 4, Seen: model.Unseen}, "cas x 3->4: failed"},
		{history.Op{Kind: model.CAS, Outcome: history.Unknown, Expect: 3, Value: 4}, "cas x 3->4: unknown"},
	} {
		h.Ops = []history.Op{tt.op}
		assert.Equal(t, tt.want, h.OpString(0))
	}
	h.Texts = []string{"a\n"}
	h.Ops = []history.Op{{Kind: model.Append, Outcome: history.OK}}
	assert.Equal(t, `append x+="a\n"`, h.OpString(0))
}

func TestModelOp(t *testing.T) {
	h := &history.History{
		Keys: []string{"x"}, Texts: []string{"a", "ab"},
		Ops: []history.Op{{Kind: model.Read, Outcome: history.OK, Seen: 1}, {Kind: model.CAS, Outcome: history.Unknown, Value: 1, Expect: 0, Seen: model.Unseen}},
	}
	assert.Equal(t, model.Op{Kind: model.Read, Seen: 1, Text: "a", SeenText: "ab"}, h.ModelOp(0))
	assert.Equal(t, model.Op{Kind: model.CAS, Open: true, Value: 1, Seen: model.Unseen, Text: "ab"}, h.ModelOp(1))
}

func TestStats(t *testing.T) {
	h := &history.History{
		Keys: []string{"x", "y"},
		Ops: []history.Op{
			{Call: 1, Return: 10, Kind: model.Write, Outcome: history.OK},
			{Call: 2, Return: 3, Key: 1, Kind: model.Write, Outcome: history.OK},
			{Call: 4, Return: history.Never, Key: 1, Kind: model.Delete, Outcome: history.Unknown},
			{Call: 5, Return: 6, Kind: model.Read, Outcome: history.Fail},
			{Call: 11, Return: 12, Kind: model.Read, Outcome: history.OK},
			{Call: 13, Return: 14, Key: 1, Kind: model.Read, Outcome: history.OK},
		},
	}
	s := h.Stats()
	assert.Equal(t, "6 operations (4 ok, 1 fail, 1 unknown), 4 overlapping: 3 read, 2 write, 1 delete", s.String())
	assert.Equal(t, history.Counts{OK: 2, Fail: 1}, s.ByKind[model.Read])
}
