package formats_test

import (
	"bytes"
	"fmt"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rashomon-go/rashomon/history/formats"
)

func benchmarkRead(b *testing.B, text []byte, format formats.Format) {
	h, _, err := formats.Read(bytes.NewReader(text), "f", format)
	require.NoError(b, err)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := formats.Read(bytes.NewReader(text), "f", format); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)*float64(len(h.Ops))/b.Elapsed().Seconds(), "ops/s")
}

func BenchmarkReadEDN(b *testing.B) {
	var text bytes.Buffer
	for i := range 10_000 {
		for _, typ := range []string{"invoke", "ok"} {
			fmt.Fprintf(&text, "{:index %d, :time %d, :type :%s, :process %d, :f :write, :value %d}\n", text.Len(), text.Len()*1000, typ, i%5, i)
		}
	}
	benchmarkRead(b, text.Bytes(), formats.EDN)
}

func BenchmarkReadJepsenLog(b *testing.B) {
	var text bytes.Buffer
	for i := range 10_000 {
		fmt.Fprintf(&text, "INFO  jepsen.util - %d\t:invoke\t:cas\t[%d %d]\nINFO  jepsen.util - %d\t:ok\t:cas\t[%d %d]\n", i%5, i, i+1, i%5, i, i+1)
	}
	benchmarkRead(b, text.Bytes(), formats.JepsenLog)
}

func BenchmarkReadKV(b *testing.B) {
	text, err := os.ReadFile(realLogs(b, "kv/c50-ok.txt")[0])
	require.NoError(b, err)
	benchmarkRead(b, text, formats.PorcupineKV)
}
