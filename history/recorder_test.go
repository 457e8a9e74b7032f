package history_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rashomon-go/rashomon/history"
	"github.com/rashomon-go/rashomon/model"
)

func write(process int32, v model.Value) history.Asked {
	return history.Asked{Process: process, Kind: model.Write, Key: "x", Value: v, Node: history.NoNode}
}

func ended(o history.Outcome) history.Answered {
	return history.Answered{Outcome: o, Seen: model.Unseen, Node: history.NoNode}
}

func TestRecorderRecords(t *testing.T) {
	var r history.Recorder
	r.Nodes([]string{"n0", "n1"})
	w, err := r.Call(history.Asked{ID: 9, Process: 1, Kind: model.Write, Key: "x", Value: 4, Expect: 5, Node: 0}, 1)
	require.NoError(t, err)
	c, err := r.Call(history.Asked{Process: 2, Kind: model.CAS, Key: "y", Value: 4, Expect: 3, Node: 1}, 2)
	require.NoError(t, err)
	require.NoError(t, r.Return(w, history.Answered{Outcome: history.OK, Seen: 8, Swapped: true, Node: 1}, 3))
	require.NoError(t, r.Return(c, history.Answered{Outcome: history.OK, Seen: 5, Node: history.NoNode}, 3))
	_, err = r.Call(history.Asked{Process: 1, Kind: model.Read, Key: "x", Value: 7, Node: history.NoNode}, 4)
	require.NoError(t, err)
	h := r.Finish(6)
	assert.Equal(t, &history.History{
		Keys: []string{"x", "y"}, Nodes: []string{"n0", "n1"},
		Ops: []history.Op{
			{Call: 1, Return: 3, CalledAt: 1, ReturnedAt: 3, Value: 4, Seen: model.Unseen, ID: 9, Process: 1, Node: 1, Kind: model.Write, Outcome: history.OK},
			{Call: 2, Return: 4, CalledAt: 2, ReturnedAt: 3, Value: 4, Expect: 3, Seen: 5, Process: 2, Key: 1, Node: 1, Kind: model.CAS, Outcome: history.OK},
			{Call: 5, Return: history.Never, CalledAt: 4, ReturnedAt: 6, Seen: model.Unseen, Process: 1, Node: history.NoNode, Kind: model.Read, Outcome: history.Unknown},
		},
	}, h)
	require.NoError(t, h.Validate())
	assert.Equal(t, &history.History{}, r.Finish(0), "the recorder is empty again")
}

func TestRecorderRefuses(t *testing.T) {
	// Every case begins after: process 1 has written (operation 0), process 2 has
	// written with an unknown outcome (1), process 3 is writing (2); it is 5 ns.
	tests := []struct {
		name  string
		event func(r *history.Recorder) error
		want  string
	}{
		{"second call", func(r *history.Recorder) error { return call(r, 3, 5) }, "process 3 calls before its operation 2 has returned"},
		{"call after unknown", func(r *history.Recorder) error { return call(r, 2, 5) }, "process 2 calls after an unknown outcome, expected a fresh process"},
		{"call in the past", func(r *history.Recorder) error { return call(r, 1, 4) }, "process 1 calls at 4ns, after an event at 5ns"},
		{"write of nothing", func(r *history.Recorder) error {
			_, err := r.Call(history.Asked{Process: 1, Kind: model.Write, Key: "y", Value: model.Absent, Node: history.NoNode}, 5)
			return err
		}, "a write of process 1: stores nothing, expected a value or a delete"},
		{"return in the past", func(r *history.Recorder) error { return r.Return(2, ended(history.OK), 4) }, "return of operation 2 at 4ns, after an event at 5ns"},
		{"return twice", func(r *history.Recorder) error { return r.Return(0, ended(history.OK), 5) }, "return of operation 0, which is not open"},
		{"return after unknown", func(r *history.Recorder) error { return r.Return(1, ended(history.OK), 5) }, "return of operation 1, which is not open"},
		{"return of nothing", func(r *history.Recorder) error { return r.Return(3, ended(history.OK), 5) }, "return of operation 3, expected 0..2"},
		{"return of less than nothing", func(r *history.Recorder) error { return r.Return(-1, ended(history.OK), 5) }, "return of operation -1, expected 0..2"},
		{"no outcome", func(r *history.Recorder) error { return r.Return(2, ended(0), 7) }, "operation 2 returns with outcome(0), expected ok, fail or unknown"},
		{"invalid outcome", func(r *history.Recorder) error { return r.Return(2, ended(4), 7) }, "operation 2 returns with outcome(4), expected ok, fail or unknown"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var touched, untouched history.Recorder
			for _, r := range []*history.Recorder{&touched, &untouched} {
				for p := int32(1); p <= 3; p++ {
					require.NoError(t, call(r, p, time.Duration(p)))
				}
				require.NoError(t, r.Return(0, ended(history.OK), 4))
				require.NoError(t, r.Return(1, ended(history.Unknown), 5))
			}
			assert.EqualError(t, tt.event(&touched), tt.want)
			// Time must not have moved either: both go on at 5 ns.
			for _, r := range []*history.Recorder{&touched, &untouched} {
				require.NoError(t, r.Return(2, ended(history.OK), 5))
			}
			assert.Equal(t, untouched.Finish(6), touched.Finish(6), "a refused event changes nothing")
		})
	}
}

func call(r *history.Recorder, process int32, at time.Duration) error {
	_, err := r.Call(write(process, 1), at)
	return err
}

func TestRecorderUnknownAtTimeZero(t *testing.T) {
	var r history.Recorder
	require.NoError(t, call(&r, 1, 0))
	require.NoError(t, r.Return(0, ended(history.Unknown), 0))
	assert.Equal(t, time.Duration(0), r.Finish(9).Ops[0].ReturnedAt)
}

func TestRecorderFinishDoesNotGoBack(t *testing.T) {
	var r history.Recorder
	require.NoError(t, call(&r, 1, 7))
	assert.Equal(t, time.Duration(7), r.Finish(3).Ops[0].ReturnedAt)
}

func TestRecorderTexts(t *testing.T) {
	var r history.Recorder
	assert.Equal(t, []model.Value{0, 1, 0}, []model.Value{r.Text("a"), r.Text(""), r.Text("a")})
	assert.Equal(t, []string{"a", ""}, r.Finish(0).Texts)
}

func TestRecorderOpen(t *testing.T) {
	var r history.Recorder
	_, open := r.Open(1)
	assert.False(t, open)
	require.NoError(t, call(&r, 1, 0))
	op, open := r.Open(1)
	assert.True(t, open)
	assert.Equal(t, 0, op)
	require.NoError(t, r.Return(0, ended(history.Unknown), 0))
	_, open = r.Open(1)
	assert.False(t, open)
}

// dumb says what a recorder must accept, in the simplest way: by going through
// everything that happened.
type dumb struct {
	ops []struct {
		process  int32
		returned history.Outcome // 0 while open
	}
	now time.Duration
}

func (d *dumb) mayCall(process int32, at time.Duration) bool {
	for _, o := range d.ops {
		if o.process == process && (o.returned == 0 || o.returned == history.Unknown) {
			return false
		}
	}
	return at >= d.now
}

func (d *dumb) mayReturn(i int, o history.Outcome, at time.Duration) bool {
	return i >= 0 && i < len(d.ops) && d.ops[i].returned == 0 && at >= d.now && o >= history.OK && o <= history.Unknown
}

func TestRecorderAgreesWithDumbModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var r history.Recorder
		var d dumb
		at := func() time.Duration { return d.now + time.Duration(rapid.IntRange(-1, 3).Draw(t, "later")) }
		t.Repeat(map[string]func(*rapid.T){
			"call": func(t *rapid.T) {
				p, now := rapid.Int32Range(0, 3).Draw(t, "process"), at()
				accepted := d.mayCall(p, now) && now >= 0
				_, err := r.Call(write(p, 1), now)
				require.Equal(t, accepted, err == nil, fmt.Sprint(err))
				if accepted {
					d.ops = append(d.ops, struct {
						process  int32
						returned history.Outcome
					}{process: p})
					d.now = now
				}
			},
			"return": func(t *rapid.T) {
				i, now := rapid.IntRange(-1, len(d.ops)).Draw(t, "op"), at()
				o := history.Outcome(rapid.IntRange(0, 4).Draw(t, "outcome"))
				accepted := d.mayReturn(i, o, now)
				err := r.Return(i, ended(o), now)
				require.Equal(t, accepted, err == nil, fmt.Sprint(err))
				if accepted {
					d.ops[i].returned, d.now = o, now
				}
			},
		})
		h := r.Finish(d.now)
		require.NoError(t, h.Validate())
		require.Len(t, h.Ops, len(d.ops))
		for i, o := range d.ops {
			if o.returned == 0 {
				o.returned = history.Unknown
			}
			require.Equal(t, o.returned, h.Ops[i].Outcome)
			require.Equal(t, o.process, h.Ops[i].Process)
		}
	})
}
