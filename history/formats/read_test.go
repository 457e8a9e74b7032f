package formats_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rashomon-go/rashomon/history"
	"github.com/rashomon-go/rashomon/history/formats"
	"github.com/rashomon-go/rashomon/model"
)

func read(text string, format formats.Format) (*history.History, formats.Info, error) {
	return formats.Read(strings.NewReader(text), "f", format)
}

// ops returns the operations of a text, each in one line.
func ops(t *testing.T, text string) []string {
	h, _, err := read(text, formats.Auto)
	require.NoError(t, err)
	require.NoError(t, h.Validate())
	var lines []string
	for i := range h.Ops {
		lines = append(lines, h.OpString(i))
	}
	return lines
}

func TestEDN(t *testing.T) {
	tests := []struct {
		name, text string
		want       []string
	}{
		{"vector", `[{:process 0, :type :invoke, :f :write, :value 3}
			{:process 0, :type :ok, :f :write, :value 3}]`, []string{"write x=3"}},
		{"list", `({:process 0, :type :invoke, :f :read})`, []string{"read x: unknown"}},
		{"stream", `{:process 0 :type :invoke :f :read :value nil} {:process 0 :type :ok :f :read :value nil}`, []string{"read x -> nil"}},
		{"comments", "; a comment\n;; [another]\n[#_ {:a 1} {:process 0 ; here\n :type :invoke :f :read}]", []string{"read x: unknown"}},
		{"record", `#jepsen.history.Op{:index 0, :time 7, :type :invoke, :process 0, :f :read, :value nil}`, []string{"read x: unknown"}},
		{"record with nothing set", `#knossos.op.Op{:index nil, :time nil, :error nil, :process 0, :type :invoke, :f :read, :value nil}`, []string{"read x: unknown"}},
		{"metadata", `^{:a 1} {:process 0 :type :invoke :f :read}`, []string{"read x: unknown"}},
		{"more fields", `{:process 0 :type :invoke :f :read :node "n1" :debug {:x [1/2 ##NaN #"\d" #object[a.B 0x1f "b"] #{1} \" \newline 1.5 1M]}}`, []string{"read x: unknown"}},
		{"big integers", `{:process 0N :type :invoke :f :write :value 7N}`, []string{"write x=7: unknown"}},
		{"tuples", `{:process 0 :type :invoke :f :write :value [1 3]}
			{:process 1 :type :invoke :f :cas :value [:k [3 4]]}
			{:process 2 :type :invoke :f :read :value ["a" nil]}
			{:process 0 :type :ok :f :write :value [1 3]}
			{:process 1 :type :fail :f :cas :value [:k [3 4]]}
			{:process 2 :type :ok :f :read :value ["a" 5]}`, []string{"write 1=3", "cas :k 3->4: failed", "read a -> 5"}},
		{"keys", `{:process 0 :type :invoke :f :put :key "a" :value 3}{:process 0 :type :ok :f :put :key "a"}`, []string{"write a=3"}},
		{"texts", `{:process 0 :type :invoke :f :append :value "a\n\u00e9\"" }{:process 0 :type :ok :f :append}{:process 0 :type :invoke :f :get}{:process 0 :type :ok :f :get :value ""}`,
			[]string{`append x+="a\né\""`, `read x -> ""`}},
		{"set", `{:process 0 :type :invoke :f :read}{:process 0 :type :ok :f :read :value []}
			{:process 0 :type :invoke :f :add :value 3}{:process 0 :type :ok :f :add :value 3}
			{:process 0 :type :invoke :f :read}{:process 0 :type :ok :f :read :value #{3 1}}`, []string{"read x -> {}", "add 3 to x", "read x -> {1 3}"}},
		{"list of numbers", `{:process 0 :type :invoke :f :read}{:process 0 :type :ok :f :read :value nil}
			{:process 0 :type :invoke :f :append :value 3}{:process 0 :type :ok :f :append :value 3}
			{:process 0 :type :invoke :f :read}{:process 0 :type :ok :f :read :value [3 1]}`, []string{"read x -> nil", `append x+="3"`, `read x -> "[3 1]"`}},
		{"counter", `{:process 0 :type :invoke :f :add :value 3}{:process 0 :type :ok :f :add :value 3}{:process 0 :type :invoke :f :increment :value -1}
			{:process 1 :type :invoke :f :read}{:process 1 :type :ok :f :read :value 2}`, []string{"increment x by 3", "increment x by -1: unknown", "read x -> 2"}},
		{"queue", `{:process 0 :type :invoke :f :enqueue :value 3}{:process 0 :type :ok :f :enqueue :value 3}
			{:process 0 :type :invoke :f :dequeue :value nil}{:process 0 :type :ok :f :dequeue :value 3}`, []string{"enqueue 3 in x", "dequeue x -> 3"}},
		{"mutex", `{:process 0 :type :invoke :f :acquire :value nil}{:process 0 :type :ok :f :acquire :value [:c 1]}
			{:process 1 :type :invoke :f :acquire}{:process 1 :type :fail :f :acquire}{:process 0 :type :invoke :f :release}{:process 0 :type :info :f :release}`,
			[]string{"acquire x", "acquire x: fail", "release x: unknown"}},
		{"transactions", `{:process 0 :type :invoke :f :txn :value [[:w :x 1] [:r :y nil]]}{:process 0 :type :ok :f :txn :value [[:w :x 1] [:r :y nil]]}
			{:process 0 :type :invoke :f :txn :value [[:read :x nil] [:write :y 2]]}{:process 1 :type :invoke :f :txn :value [[:r :x nil]]}{:process 0 :type :ok :f :txn :value [[:read :x 1] [:write :y 2]]}
			{:process 1 :type :info :f :txn :value [[:r :x nil]]}{:process 2 :type :invoke :f :txn :value [[:w :x 3]]}{:process 2 :type :fail :f :txn :error :conflict}`,
			[]string{"txn x: :x=1, :y -> nil", "txn x: :x -> 1, :y=2", "txn x: read :x (unknown)", "txn x: :x=3 (fail)"}},
		{"transactions on independent objects", `{:process 0 :type :invoke :f :txn :value [7 [[:w 1 5] [:r 2 nil]]]}{:process 0 :type :ok :f :txn :value [7 [[:w 1 5] [:r 2 4]]]}`, []string{"txn 7: 1=5, 2 -> 4"}},
		{"transactions with a key", `{:process 0 :type :invoke :f :txn :key 7 :value [[:r "a" nil]]}{:process 0 :type :ok :f :txn :key 7 :value [[:r "a" "b"]]}`, []string{`txn 7: a -> "b"`}},
		{"transactions called reads and writes", `{:process 0 :type :invoke :f :write :value [0 [[:w 0 3] [:w 1 3]]]}{:process 0 :type :ok :f :write :value [0 [[:w 0 3] [:w 1 3]]]}
			{:process 0 :type :invoke :f :read :value [0 [[:r 0 nil]]]}{:process 0 :type :ok :f :read :value [0 [[:r 0 3]]]}`, []string{"txn 0: 0=3, 1=3", "txn 0: 0 -> 3"}},
		{"a transaction of nothing", `{:process 0 :type :invoke :f :txn :value []}{:process 0 :type :ok :f :txn :value []}`, []string{"txn x: "}},
		{"cas that swapped", `{:process 0 :type :invoke :f :cas :value [nil 4]}{:process 0 :type :ok :f :cas :value [nil 4]}`, []string{"cas x nil->4"}},
		{"cas that compared", `{:process 0 :type :invoke :f :cas :value [3 4]}{:process 0 :type :fail :f :cas :error nil}`, []string{"cas x 3->4: failed"}},
		{"cas that failed otherwise", `{:process 0 :type :invoke :f :cas :value [3 4]}{:process 0 :type :fail :f :cas :value [3 4] :error [:not-leader "x"]}`, []string{"cas x 3->4: fail"}},
		{"cas with a reason for a value", `{:process 0 :type :invoke :f :cas :value [3 4]}{:process 0 :type :fail :f :cas :value :timed-out}`, []string{"cas x 3->4: fail"}},
		{"cas with an unknown outcome", `{:process 0 :type :invoke :f :cas :value [3 4]}{:process 0 :type :info :f :cas :error :timeout}`, []string{"cas x 3->4: unknown"}},
		{"write that failed", `{:process 0 :type :invoke :f :write :value 4}{:process 0 :type :fail :f :write :value 4}`, []string{"write x=4: fail"}},
		{"read that failed", `{:process 0 :type :invoke :f :read}{:process 0 :type :fail :f :read :value :timed-out}`, []string{"read x: fail"}},
		{"delete", `{:process 0 :type :invoke :f :delete}{:process 0 :type :ok :f :delete :value true}`, []string{"delete x"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { assert.Equal(t, tt.want, ops(t, tt.text)) })
	}
}

func TestLog(t *testing.T) {
	const plain = "0\t:invoke\t:cas\t[1 2]\n:nemesis\t:info\t:start\tCut off {:n1 #{:n2\n1\t:invoke\t:read\tnil\n0\t:fail\t:cas\t[1 2]\t:not-found\n\n1\t:ok\t:read\t3\n"
	want := []string{"cas x 1->2: fail", "read x -> 3"}
	assert.Equal(t, want, ops(t, plain))
	for _, prefix := range []string{
		"INFO  jepsen.util - ", "INFO [2023-01-02 03:04:05,678] jepsen worker 3 - jepsen.util ", "2018-01-02 03:04:05,678{GMT}\tINFO\t[jepsen worker 3] jepsen.util: ",
	} {
		text := "INFO  jepsen.core - Running\n" + prefix + strings.Join(strings.Split(strings.TrimSpace(plain), "\n"), "\n"+prefix) + "\nWARN  other - bad\njava.lang.Exception\n\tat a.b\n"
		assert.Equal(t, want, ops(t, text), prefix)
		_, info, err := read(text, formats.JepsenLog)
		require.NoError(t, err)
		assert.Equal(t, 1, info.Nemesis)
		assert.Equal(t, 5, info.Skipped)
	}
}

// What looks like an operation is one, or the file is wrong: a line left out
// could change the verdict.
func TestLogLosesNothing(t *testing.T) {
	const first = "INFO  jepsen.util - 0 :invoke :read nil\n"
	for _, last := range []string{
		" 0 :ok :read 7", "\t0\t:ok\t:read\t7", "INFO  jepsen.core - 0 :ok :read 7", "INFO [2023-01-02 03:04:05,678] other.logger: 0 :ok :read 7",
		"jepsen.util again: jepsen.core - 0 :ok :read 7", "0, :ok, :read, 7",
	} {
		assert.Equal(t, []string{"read x -> 7"}, ops(t, first+last+"\n"), last)
	}
	for _, prefix := range []string{"INFO  jepsen.util - ", "INFO  jepsen.core - ", "", " "} {
		h, info, err := read(strings.ReplaceAll("P-1 :invoke :read nil\nP-1 :ok :read 7\nP:nemesis :info :read 5\n", "P", prefix), formats.JepsenLog)
		require.NoError(t, err, prefix)
		require.Len(t, h.Ops, 1, prefix)
		assert.Equal(t, int32(-1), h.Ops[0].Process)
		assert.Equal(t, model.Value(7), h.Ops[0].Seen)
		assert.Equal(t, 1, info.Nemesis)
		assert.Empty(t, info.Notes)
	}
	for line, column := range map[string]int{
		"client 0 :ok :read 7": 8, "\ufeff0 :ok :read 7": 1, ":ok :read 7": 1, " :ok :read 7": 2, "INFO jepsen.util - :ok :read 7": 18,
		"x :invoke :write 3": 1, "\x1b[32m0 :ok :cas [1 2]": 1, "INFO jepsen.util - p0 :fail :cas [1 2]": 20, "0\u00a0:ok\u00a0:read\u00a07": 1,
	} {
		_, _, err := read(first+line+"\n", formats.JepsenLog)
		var place *history.ReadError
		if assert.ErrorAs(t, err, &place, line) {
			assert.Equal(t, []int{2, column}, []int{place.Line, place.Column}, "%s: %v", line, err)
		}
	}
	_, info, err := read(first+"WARN  jepsen.core - crashed {:type :ok, :f :read}\nstack\n\n:ok is :read\n", formats.JepsenLog)
	require.NoError(t, err)
	assert.Equal(t, 3, info.Skipped)
	assert.Equal(t, []string{"3 lines that are no operations, skipped"}, info.Notes)
}

// Texts that differ must stay different, however they are written.
func TestTexts(t *testing.T) {
	const pair = `[{:process 0 :type :invoke :f :write :value "\ud83d\ude00"} {:process 0 :type :ok :f :write :value "\uD83D\uDE00"}
		{:process 0 :type :invoke :f :read} {:process 0 :type :ok :f :read :value "%s"}]`
	for said, want := range map[string]string{
		`\ud83d\ude00`: `read x -> "\U0001f600"`, `\ud83d\ude01`: `read x -> "\U0001f601"`, "\U0001f601": `read x -> "\U0001f601"`,
		`\ufffd`: `read x -> "\ufffd"`, `\ufeff`: `read x -> "\ufeff"`, `\u0000`: `read x -> "\x00"`, "\x00": `read x -> "\x00"`, `\\ud83d`: `read x -> "\\ud83d"`,
	} {
		got := ops(t, fmt.Sprintf(pair, said))
		unquoted, err := strconv.Unquote(strings.TrimPrefix(got[1], "read x -> "))
		require.NoError(t, err)
		expected, err := strconv.Unquote(strings.TrimPrefix(want, "read x -> "))
		require.NoError(t, err)
		assert.Equal(t, expected, unquoted, said)
	}
}

// A map may have a namespace for all its keys, which are then other keys.
func TestNamespacedMap(t *testing.T) {
	assert.Equal(t, []string{"read x: unknown"},
		ops(t, `#:jepsen{:_/process 0 :_/type :invoke, :_/f :read :value 3 :other/value 4}`))
}

// The suggestion for texts with appends and compare-and-sets is a model that
// does not know these, and it says so.
func TestModelOfMixedTexts(t *testing.T) {
	h, _, err := read(`{:process 0 :type :invoke :f :append :key 1 :value "a"}{:process 1 :type :invoke :f :cas :key 1 :value ["a" "b"]}`, formats.Auto)
	require.NoError(t, err)
	assert.Equal(t, "kv", formats.SuggestModel(h))
	assert.EqualError(t, model.KV().Refuse(h.ModelOp(1)), "is a cas, expected read, write, delete or append")
	assert.False(t, model.KV().Accepts(model.CAS))
}

func TestTimes(t *testing.T) {
	h, info, err := read(`{:process 0 :type :invoke :f :read :time 5}{:process 1 :type :invoke :f :read :time 4}
		{:process :nemesis :type :info :f :start :time 9}{:process 0 :type :ok :f :read :value 1 :time 9}`, formats.Auto)
	require.NoError(t, err)
	assert.Equal(t, []time.Duration{5, 9, 5, 9}, []time.Duration{h.Ops[0].CalledAt, h.Ops[0].ReturnedAt, h.Ops[1].CalledAt, h.Ops[1].ReturnedAt})
	assert.Equal(t, formats.Info{Format: formats.EDN, Nemesis: 1, Notes: []string{"time runs backwards at f:1:85 (the first of 1): the order of the file counts, and the time of the event before"}}, info)
}

func TestDetect(t *testing.T) {
	for text, want := range map[string]formats.Format{
		"":     formats.Auto,
		" \n ": formats.Auto,
		`{"format":"rashomon-history","version":1}` + "\n" + `{"type":"end","events":0}`:          formats.JSONLines,
		"\ufeff{ \"version\":1,\"format\":\"rashomon-history\"}\n{\"type\":\"end\",\"events\":0}": formats.JSONLines,
		"; comment":                           formats.EDN,
		"[]":                                  formats.EDN,
		"()":                                  formats.EDN,
		"{:process 0 :type :invoke :f :read}": formats.EDN,
		"{:process 0 :type :invoke :f :get :key 1}":   formats.PorcupineKV,
		"0 :invoke :read nil\n":                       formats.JepsenLog,
		":nemesis :info :start nil\n":                 formats.JepsenLog,
		"\nINFO  jepsen.util - 0 :invoke :read nil\n": formats.JepsenLog,
		"WARN  jepsen.core - hello\n":                 formats.JepsenLog,
	} {
		_, info, err := read(text, formats.Auto)
		require.NoError(t, err, text)
		assert.Equal(t, want, info.Format, text)
	}
	for _, garbage := range []string{"hello", "\x00\x01", "<html>", "12", "\x1f\x8b", "\x1f\x8b\x08garbage-of-some-length"} {
		_, _, err := read(garbage, formats.Auto)
		var place *history.ReadError
		assert.ErrorAs(t, err, &place, garbage)
	}
}

func TestGzip(t *testing.T) {
	text := strings.Repeat("{:process 0 :type :invoke :f :write :value 1}\n{:process 0 :type :ok :f :write}\n", 100)
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	z.Write([]byte(text))
	z.Close()
	h, info, err := formats.Read(bytes.NewReader(b.Bytes()), "f", formats.Auto)
	require.NoError(t, err)
	assert.True(t, info.Gzip)
	assert.Len(t, h.Ops, 100)
	_, _, err = formats.Read(bytes.NewReader(b.Bytes()[:b.Len()-20]), "f", formats.Auto)
	assert.ErrorContains(t, err, "damaged or cut off compressed data (unexpected EOF), expected a whole gzip file")
}

func TestEmpty(t *testing.T) {
	for _, f := range []formats.Format{formats.Auto, formats.EDN, formats.JepsenLog, formats.PorcupineKV} {
		h, _, err := read("", f)
		require.NoError(t, err)
		assert.Empty(t, h.Ops)
	}
	_, _, err := read("", formats.JSONLines)
	assert.Error(t, err)
}

func TestRefuses(t *testing.T) {
	const w = "{:process 1 :type :invoke :f :write :value 3}\n"
	const c = "{:process 1 :type :invoke :f :cas :value [3 4]}\n"
	tests := []struct {
		format     formats.Format
		text, want string
	}{
		{formats.Auto, "hello", `f:1:1: an unknown format, expected JSON lines, an EDN history, a Jepsen log or a porcupine log`},
		{formats.JepsenLog, "\nhello", `f:2:1: no line of a log, expected one such as "INFO  jepsen.util - 0 :invoke :read nil" or "0 :invoke :read nil"`},
		{formats.EDN, "{:process 1 :type :" + strings.Repeat("a", 58) + "ä :f :read}", "f:1:19: type :" + strings.Repeat("a", 58) + "…, expected :invoke, :ok, :fail or :info"}, // not a half ä
		{formats.Auto, "[" + w, `f:2:1: the file ends inside the vector that began at 1:1, expected ']': it is cut off`},
		{formats.Auto, "[" + w + "]\n{}", `f:3:1: '{' after the last operation, expected the end of the file`},
		{formats.Auto, w + "{:process 1 :type :ok :f", `f:2:25: the file ends inside a map that began at 2:1, expected '}': it is cut off`},
		{formats.Auto, w + "{:process 1 :typ", `f:2:17: the file ends inside a map that began at 2:1, expected '}': it is cut off`},
		{formats.Auto, `{:process 1 :f "abc`, `f:1:20: the file ends inside a string that began at 1:16, expected '"': it is cut off`},
		{formats.Auto, `{:process}`, `f:1:1: a map with a key that has no value, expected keys and values in pairs`},
		{formats.Auto, `{:process 1]`, `f:1:12: ']', expected a value`},
		{formats.Auto, `[1]`, `f:1:2: 1, expected an operation such as {:process 0, :type :invoke, :f :read, :value nil}`},
		{formats.Auto, `[{"process" 1}]`, `f:1:3: "process" for the name of a field, expected a keyword such as :process`},
		{formats.Auto, strings.Repeat("[", 200), `f:1:103: a value nested more than 100 deep, expected less`},
		{formats.Auto, `{:f :read :type :invoke}`, `f:1:1: an operation without :process, expected a number or :nemesis`},
		{formats.Auto, `{:process "a"}`, `f:1:11: process "a", expected a number or :nemesis`},
		{formats.Auto, `{:process 3000000000}`, `f:1:11: process 3000000000, expected a number or :nemesis`},
		{formats.Auto, `{:process 1 :process 1}`, `f:1:13: :process twice in one operation, expected it once`},
		{formats.Auto, `{:process 1 :f :read}`, `f:1:1: an operation without :type, expected :invoke, :ok, :fail or :info`},
		{formats.Auto, `{:process 1 :type :started :f :read}`, `f:1:19: type :started, expected :invoke, :ok, :fail or :info`},
		{formats.Auto, `{:process 1 :type :invoke}`, `f:1:1: an operation without :f, expected :read, :write, :cas, :get, :put, :append, :delete, :add, :increment, :acquire, :release, :enqueue, :dequeue or :txn`},
		{formats.Auto, `{:process 1 :type :invoke :f :wrote}`, `f:1:30: operation :wrote, expected :read, :write, :cas, :get, :put, :append, :delete, :add, :increment, :acquire, :release, :enqueue, :dequeue or :txn`},
		{formats.Auto, `{:process 1 :type :invoke :f :write}`, `f:1:1: an operation without :value, expected a number, a text or nil`},
		{formats.Auto, `{:process 1 :type :invoke :f :write :vlaue 3}`, `f:1:1: an operation without :value (but with :vlaue), expected a number, a text or nil`},
		{formats.Auto, "{:process 1 :type :invoke :f :read}\n{:process 1 :type :ok :f :read :node 1 :Value 3}", `f:2:1: an operation without :value (but with :node, :Value), expected a number, a text or nil`},
		{formats.Auto, `{:process 1 :type :invoke :f :cas :vlaue [1 2]}`, `f:1:1: a cas without [expected new] (but with :vlaue), expected two values in a vector`},
		{formats.Auto, `{:process 1 :type :invoke :f :append :vlaue 1}`, `f:1:1: an append of neither text nor number (but with :vlaue), expected one of them`},
		{formats.Auto, `{:process 1 :type :invoke :f :increment :vlaue 1}`, `f:1:1: increment of no number (but with :vlaue), expected one`},
		{formats.Auto, `{:process 1 :type :invoke :f :txn :vlaue []}`, `f:1:1: a transaction of no steps (but with :vlaue), expected steps such as [[:r :x nil] [:w :y 3]]`},
		{formats.Auto, `{:process 1 :type :invoke :f :write :value 1.5}`, `f:1:44: 1.5, expected a number, a text or nil`},
		{formats.Auto, `{:process 1 :type :invoke :f :write :value 99999999999999999999}`, `f:1:44: 99999999999999999999, expected a number, a text or nil`},
		{formats.Auto, `{:process 1 :type :invoke :f :write :value -9223372036854775808}`, `f:1:44: number -9223372036854775808, expected one of at least -9223372036854775806`},
		{formats.Auto, `{:process 1 :type :invoke :f :write :value "\x"}`, `f:1:45: an escape \x, expected one of \n \t \r \b \f \\ \" \uXXXX`},
		{formats.Auto, `{:process 1 :type :invoke :f :write :value "\u12"}`, `f:1:45: a malformed \u, expected four hexadecimal digits after it`},
		{formats.Auto, "{:process 1 :type :invoke :f :write :value \"\xff\"}", `f:1:44: a string that is not valid UTF-8, expected UTF-8`},
		{formats.Auto, `{:process 1 :type :invoke :f :read :value 3}`, `f:1:43: 3 to read, expected nil`},
		{formats.Auto, `{:process 1 :type :invoke :f :cas :value 3}`, `f:1:42: a cas without [expected new], expected two values in a vector`},
		{formats.Auto, `{:process 1 :type :invoke :f :append :value :a}`, `f:1:45: an append of neither text nor number, expected one of them`},
		{formats.Auto, `{:process 1 :type :invoke :f :append :value "a"}{:process 2 :type :invoke :f :append :value 3}`, `f:1:93: an append of 3, expected a text as before`},
		{formats.Auto, `{:process 1 :type :invoke :f :write :value 1}{:process 2 :type :invoke :f :append :value 3}`, `f:1:90: an append to a list, expected no numbers elsewhere`},
		{formats.Auto, `{:process 1 :type :invoke :f :append :value 1}{:process 2 :type :invoke :f :delete}`, `f:1:1: a delete of a list, expected read or append`},
		{formats.Auto, `{:process 1 :type :invoke :f :add :value "a"}`, `f:1:42: add of no number, expected one`},
		{formats.Auto, `{:process 1 :type :invoke :f :enqueue :value nil}`, `f:1:46: to enqueue nil, expected a value`},
		{formats.Auto, `{:process 1 :type :invoke :f :read}{:process 1 :type :ok :f :read :value [1 :a]}`, `f:1:77: :a in a set or a list, expected numbers`},
		{formats.Auto, "{:process 1 :type :invoke :f :read}{:process 1 :type :ok :f :read :value #{1}}\n{:process 1 :type :invoke :f :write :value 1}", `f:2:1: a write of a set, expected read or add`},
		{formats.Auto, `{:process 1 :type :invoke :f :add :value 1}{:process 2 :type :invoke :f :read}{:process 2 :type :ok :f :read :value nil}`, `f:1:1: a read of a set that told no such thing, expected its value`},
		{formats.Auto, `{:process 1 :type :invoke :f :add :value 1}{:process 2 :type :invoke :f :read}{:process 2 :type :ok :f :read :value [3 1 3]}`, `f:1:117: 3 is told twice in a read of a set, expected every element once`},
		{formats.Auto, `{:process 1 :type :invoke :f :txn}`, `f:1:1: a transaction of no steps, expected steps such as [[:r :x nil] [:w :y 3]]`},
		{formats.Auto, `{:process 0 :type :invoke :f :txn :value [` + strings.Repeat(`[:r 1 nil] `, 64) + `5 6]}`, `f:1:747: 5 in a transaction, expected a step such as [:r :x nil] or [:w :y 3]`},
		{formats.Auto, `{:process 1 :type :invoke :f :txn :value [[:r :x]]}`, `f:1:43: a vector in a transaction, expected a step such as [:r :x nil] or [:w :y 3]`},
		{formats.Auto, `{:process 1 :type :invoke :f :txn :value [[:append :x 3]]}`, `f:1:44: step :append of a transaction, expected :r or :w`},
		{formats.Auto, `{:process 1 :type :invoke :f :txn :value [[:w [1] 3]]}`, `f:1:47: a vector for a key, expected a number, a text or a keyword`},
		{formats.Auto, `{:process 1 :type :invoke :f :txn :value [[:w :x nil]]}`, `f:1:50: a write of nil, expected a value`},
		{formats.Auto, "{:process 1 :type :invoke :f :txn :value [[:r :x nil]]}\n{:process 1 :type :ok :f :txn :value [[:r :x 1] [:r :x 1]]}", `f:2:38: a transaction of 2 steps, expected 1 as in the call in line 1`},
		{formats.Auto, "{:process 1 :type :invoke :f :txn :value [[:r :x nil]]}\n{:process 1 :type :ok :f :txn :value [[:r :y 1]]}", `f:2:39: another step than in the call in line 1, expected the same`},
		{formats.Auto, "{:process 1 :type :invoke :f :txn :value [[:w :x 2]]}\n{:process 1 :type :ok :f :txn :value [[:w :x 1]]}", `f:2:39: another step than in the call in line 1, expected the same`},
		{formats.Auto, "{:process 1 :type :invoke :f :txn :value [[:w :x 2]]}\n{:process 1 :type :ok :f :txn}", `f:2:1: a transaction of no steps, expected steps such as [[:r :x nil] [:w :y 3]]`},
		{formats.Auto, w + `{:process 2 :type :invoke :f :write :value "a"}`, `f:2:44: text "a", expected a number as before`},
		{formats.Auto, w + `{:process 2 :type :invoke :f :write :value [1 3]}`, `f:2:44: a [key value] tuple, expected a plain value as in the first operation`},
		{formats.Auto, `{:process 1 :type :invoke :f :read :value [1 nil]}` + w, `f:1:94: no [key value] tuple, expected one as in the first operation`},
		{formats.Auto, `{:process 1 :type :invoke :f :read :value [1 nil]}{:process 2 :type :invoke :f :read :value ["1" nil]}`, `f:1:94: key 1 is a text and was a number before, expected one of them`},
		{formats.Auto, `{:process 1 :type :invoke :f :read :value [1 nil]}{:process 1 :type :ok :f :read :value [2 nil]}`, `f:1:90: key 2, expected 1 as in the call in line 1`},
		{formats.Auto, w + w, `f:2:11: process 1 calls before its operation 0 has returned (it was called in line 1)`},
		{formats.Auto, w + "{:process 1 :type :info :f :write :value 3}\n" + w, `f:3:11: process 1 calls after an unknown outcome, expected a fresh process`},
		{formats.Auto, `{:process 1 :type :ok :f :write :value 3}`, `f:1:11: process 1 ends an operation but has none open, expected its :invoke first`},
		{formats.Auto, w + `{:process 1 :type :ok :f :read :value 3}`, `f:2:26: the end of a read of process 1, expected that of the write called in line 1`},
		{formats.Auto, w + `{:process 1 :type :ok :f :write :value 4}`, `f:2:40: another value than in the call in line 1, expected the same`},
		{formats.Auto, c + `{:process 1 :type :fail :f :cas :value [3 5]}`, `f:2:40: another value than in the call in line 1, expected the same`},
		{formats.Auto, `{:index 3 :process :a}{:index 3 :process :a}`, `f:1:31: index 3 after index 3, expected increasing ones`},
		{formats.Auto, `{:index 1.5 :process :a}`, `f:1:9: :index 1.5, expected a whole number`},
		{formats.Auto, `{:index "3" :process :a}`, `f:1:9: :index "3", expected a whole number`},
		{formats.Auto, w + `{:process 1 :type :ok :f :write :time :later}`, `f:2:39: :time :later, expected a whole number`},
		{formats.Auto, `{:process :a :time 99999999999999999999}`, `f:1:20: :time 99999999999999999999, expected a whole number`},
		{formats.Auto, "{:process 1 :type :invoke :f :read :key \xff}", `f:1:41: key "\xff", expected valid UTF-8`},
		{formats.Auto, "{:process 1 :type :invoke :f :read :key [1]}", `f:1:41: a vector for a key, expected a number, a text or a keyword`},
		{formats.Auto, `{:process 1 :type :invoke :f :write :value "a\ud83d"}`, `f:1:46: half a surrogate pair \ud83d, expected both halves`},
		{formats.Auto, `{:process 1 :type :invoke :f :write :value "\ude00\ud83d"}`, `f:1:45: half a surrogate pair \ude00, expected both halves`},
		{formats.Auto, `{:process 1 :type :invoke :f :write :value "\ud83d\u0041"}`, `f:1:45: half a surrogate pair \ud83d, expected both halves`},
		{formats.Auto, `{:process 1 :type :invoke :f :write :value "\ud83d\n"}`, `f:1:45: half a surrogate pair \ud83d, expected both halves`},
		{formats.Auto, `{:process 1 :type :invoke :f :write :value #"a"}`, `f:1:44: a text with a tag, expected a number, a text or nil`},
		{formats.Auto, `{:process 1 :type :invoke :f :write :value #uuid "a"}`, `f:1:50: a text with a tag, expected a number, a text or nil`},
		{formats.Auto, `{:process 1 :type :invoke :f :read :key #uuid "a"}`, `f:1:47: a text with a tag for a key, expected a number, a text or a keyword`},
		{formats.Auto, `{:process 1 :type :invoke :f :write :value nil}`, `f:1:44: a write of nil, expected a value (a :delete leaves nothing)`},
		{formats.Auto, `{:process 1 :type :invoke :f :write :value 010}`, `f:1:44: 010, expected a number without leading zeros`},
		{formats.Auto, `{:process 1 :type :invoke :f :write :value -07N}`, `f:1:44: -07N, expected a number without leading zeros`},
		{formats.Auto, `{:process 00 :type :invoke :f :read}`, `f:1:11: 00, expected a number without leading zeros`},
		{formats.Auto, `#:jepsen{:process 0, :type :invoke, :f :read, :value nil}`, `f:1:9: an operation without :process, expected a number or :nemesis`},
		{formats.Auto, `#:jepsen[1]`, `f:1:1: #:jepsen before a vector, expected a namespace and a map such as #:jepsen{:a 1}`},
		{formats.Auto, `#::j{:process 1}`, `f:1:1: #::j before a map, expected a namespace and a map such as #:jepsen{:a 1}`},
		{formats.PorcupineKV, w, `f:1:1: an operation without :key, expected one`},
		{formats.Auto, "0 :invoke :read nil\n0 :ok :read [1\n", `f:2:15: the line ends inside a vector that began at 2:13, expected ']': it is cut off`},
		{formats.Auto, "0 :invoke :read nil\n0 :ok", `f:2:1: an operation without :f, expected :read, :write, :cas, :get, :put, :append, :delete, :add, :increment, :acquire, :release, :enqueue, :dequeue or :txn`},
		{formats.Auto, "0 :invoke :read nil nil nil", `f:1:25: 'n' after the operation, expected the end of the line`},
		{formats.Auto, "INFO  jepsen.util - 0 :invoke :write x", `f:1:38: x, expected a number, a text or nil`},
	}
	for _, tt := range tests {
		_, _, err := read(tt.text, tt.format)
		if assert.Error(t, err, tt.text) {
			assert.Contains(t, err.Error(), tt.want, "%s", tt.text)
		}
		var place *history.ReadError
		assert.ErrorAs(t, err, &place)
	}
}

// What would nest for ever must end with an error and not with the stack.
func TestDeepNesting(t *testing.T) {
	for _, deep := range []string{"[", "{", "(", "#_", "#a ", "#{", "^", "{:a ", "##_"} {
		_, _, err := read("{:a "+strings.Repeat(deep, 1_000_000), formats.EDN)
		assert.Error(t, err, deep)
	}
}

// endless repeats a text for ever.
type endless struct {
	text string
	read int
}

func (e *endless) Read(p []byte) (n int, err error) {
	for n < len(p) {
		n += copy(p[n:], e.text[(e.read+n)%len(e.text):])
	}
	e.read += n
	return n, nil
}

func TestStopsEarly(t *testing.T) {
	for text, limit := range map[string]int{
		"garbage ": 1 << 20, "{": 1 << 20, "[{": 1 << 20, "[1 ": 1 << 20, "\x00": 1 << 20, "0 ": 1 << 20, "1": 1 << 20,
		"a": 17 << 20, ":a": 17 << 20, "\"a": 17 << 20, " :a 1": 17 << 20,
	} {
		all := []formats.Format{formats.Auto, formats.EDN, formats.PorcupineKV, formats.JSONLines, formats.JepsenLog}
		if limit > 1<<20 {
			all = all[:1] // these take long
		}
		for _, f := range all {
			e := &endless{text: strings.Repeat(text, 1<<10)}
			_, _, err := formats.Read(e, "f", f)
			assert.Error(t, err)
			if f == formats.Auto {
				assert.LessOrEqual(t, e.read, limit, "%q as %s", text, f)
			}
			assert.LessOrEqual(t, e.read, 36<<20, "%q as %s", text, f)
		}
	}
	e := &endless{text: "{:process 1 :type :invoke :f :append :value \"" + strings.Repeat("a", 20<<20)}
	_, _, err := formats.Read(e, "f", formats.Auto)
	assert.ErrorContains(t, err, "an operation of more than 16777216 bytes")
}

func TestParseFormat(t *testing.T) {
	for f := formats.Auto; f <= formats.PorcupineKV; f++ {
		again, err := formats.ParseFormat(f.String())
		require.NoError(t, err)
		assert.Equal(t, f, again)
	}
	_, err := formats.ParseFormat("xml")
	assert.EqualError(t, err, `format "xml", expected one of auto, jsonl, edn, jepsen-log, porcupine-kv`)
	_, _, err = read("", 9)
	assert.EqualError(t, err, `format(9), expected one of auto, jsonl, edn, jepsen-log, porcupine-kv`)
}

func TestSuggestModel(t *testing.T) {
	for want, h := range map[string]*history.History{
		"register":     {Ops: []history.Op{{Kind: model.Read}, {Kind: model.Write}, {Kind: model.Delete}}},
		"cas-register": {Ops: []history.Op{{Kind: model.Read}, {Kind: model.CAS}}},
		"kv":           {Ops: []history.Op{{Kind: model.CAS}, {Kind: model.Append}}},

		"multi-register": {Ops: []history.Op{{Kind: model.Txn}}},
	} {
		assert.Equal(t, want, formats.SuggestModel(h))
	}
	assert.Equal(t, "kv", formats.SuggestModel(&history.History{Texts: []string{}}))
	assert.Equal(t, "cas-register", formats.SuggestModel(&history.History{Texts: []string{}, Ops: []history.Op{{Kind: model.CAS}}}))
}
