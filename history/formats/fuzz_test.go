package formats_test

import (
	"bytes"
	"runtime/metrics"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rashomon-go/rashomon/history"
	"github.com/rashomon-go/rashomon/history/formats"
)

// readable reads a text as each fuzz test does: what is refused has a place, and
// what is accepted is a history that can be written and read again. The memory that
// it takes is bounded by the size of the text.
func readable(t *testing.T, text []byte, format formats.Format) {
	before := allocated()
	h, _, err := formats.Read(bytes.NewReader(text), "f", format)
	if took := allocated() - before; took > 2<<20+2000*uint64(len(text)) {
		t.Fatalf("%d bytes allocated for a text of %d", took, len(text))
	}
	if err != nil {
		var place *history.ReadError
		require.ErrorAs(t, err, &place)
		require.NotContains(t, err.Error(), "the reader failed here")
		require.Positive(t, place.Line)
		require.Positive(t, place.Column)
		return
	}
	require.NoError(t, h.Validate())
	var b bytes.Buffer
	require.NoError(t, history.Write(&b, h))
	again, err := history.ReadJSONLines(&b, "f")
	require.NoError(t, err)
	require.Equal(t, h, again)
}

// allocated returns how many bytes were allocated so far.
func allocated() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}

func seeds(f *testing.F, texts ...string) {
	for _, s := range texts {
		f.Add([]byte(s))
	}
}

func FuzzEDN(f *testing.F) {
	seeds(f,
		`[{:process 0, :type :invoke, :f :write, :value 3, :index 0, :time 10} #_1 {:process 0, :type :ok, :f :write, :value 3}]`,
		`#jepsen.history.Op{:process 0 :type :invoke :f :cas :value [:k [nil 4]]} {:process 0 :type :fail :f :cas :value [:k [nil 4]] :error :x}`,
		"; c\n^{:a 1}{:process :nemesis :type :info :value #{1/2 \\a ##NaN #\"\\d\" \"\\u00e9\\n\" #inst \"2\" 1N -2.5}}",
		`{:process 0 :type :invoke :f :add :value 3}{:process 0 :type :ok :f :add}{:process 0 :type :invoke :f :read}{:process 0 :type :ok :f :read :value #{3 1}}`,
		`{:process 0 :type :invoke :f :add :value 3}{:process 0 :type :ok :f :add}{:process 0 :type :invoke :f :read}{:process 0 :type :ok :f :read :value 3}`,
		`{:process 0 :type :invoke :f :read}{:process 0 :type :ok :f :read :value []}{:process 0 :type :invoke :f :append :value 3}{:process 0 :type :info :f :append}`,
		`{:process 0 :type :invoke :f :enqueue :value [:k 3]}{:process 1 :type :invoke :f :dequeue :value [:k nil]}{:process 1 :type :ok :f :dequeue :value [:k 3]}`,
		`{:process 0 :type :invoke :f :txn :value [[:w :x 1] [:r :y nil]]}{:process 0 :type :ok :f :txn :value [[:w :x 1] [:r :y "a"]]}`,
		`{:process 0 :type :invoke :f :read :value [7 [[:r 1 nil]]]}{:process 0 :type :info :f :read :value [7 [[:r 1 nil]]]}`,
		`{:process 0 :type :invoke :f :acquire}{:process 0 :type :ok :f :acquire}{:process 0 :type :invoke :f :release :value nil}`,
	)
	f.Fuzz(func(t *testing.T, text []byte) {
		readable(t, text, formats.Auto)
		readable(t, text, formats.EDN)
	})
}

func FuzzKV(f *testing.F) {
	seeds(f,
		`{:process 0, :type :invoke, :f :append, :key "0", :value "x 0 0 y"}`+"\n"+`{:process 0, :type :ok, :f :append, :key "0", :value "x 0 0 y"}`,
		`{:process 0, :type :invoke, :f :get, :key "7", :value nil}`+"\n"+`{:process 0, :type :ok, :f :get, :key "7", :value ""}`,
	)
	f.Fuzz(func(t *testing.T, text []byte) { readable(t, text, formats.PorcupineKV) })
}

func FuzzJepsenLog(f *testing.F) {
	seeds(f,
		"INFO  jepsen.util - 0\t:invoke\t:cas\t[3 0]\nINFO  jepsen.util - 0\t:fail\t:cas\t[3 0]\n",
		"0 :invoke :read nil\n:nemesis :info :start {\n0 :fail :read :timed-out\n\nWARN x\n",
		"INFO [2023] jepsen worker 1 - jepsen.util 1 :invoke :write 4\nINFO jepsen.util: 1 :info :write 4 :timeout",
	)
	f.Fuzz(func(t *testing.T, text []byte) { readable(t, text, formats.JepsenLog) })
}
