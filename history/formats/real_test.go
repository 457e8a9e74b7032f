package formats_test

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"olympos.io/encoding/edn"

	"github.com/rashomon-go/rashomon/history"
	"github.com/rashomon-go/rashomon/history/formats"
	"github.com/rashomon-go/rashomon/model"
)

// realLogs returns the logs that porcupine is tested with. The module is a
// dependency of this one, so they are always there.
func realLogs(t testing.TB, pattern string) []string {
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/anishathalye/porcupine").Output()
	require.NoError(t, err)
	files, err := filepath.Glob(filepath.Join(strings.TrimSpace(string(dir)), "test_data", pattern))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	return files
}

func readFile(t testing.TB, file string, format formats.Format) (*history.History, formats.Info) {
	f, err := os.Open(file)
	require.NoError(t, err)
	defer f.Close()
	h, info, err := formats.Read(f, filepath.Base(file), format)
	require.NoError(t, err)
	require.NoError(t, h.Validate())
	return h, info
}

// count is the naive count of lines that a reader must agree with.
func count(content []byte, pattern string) int {
	return len(regexp.MustCompile("(?m)"+pattern).FindAll(content, -1))
}

func TestEtcdLogs(t *testing.T) {
	files := realLogs(t, "jepsen/etcd_*.log")
	require.Len(t, files, 103)
	total := 0
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			content, err := os.ReadFile(file)
			require.NoError(t, err)
			h, info := readFile(t, file, formats.Auto)
			total += len(h.Ops)
			if len(content) > 0 {
				assert.Equal(t, formats.JepsenLog, info.Format)
				assert.Equal(t, "cas-register", formats.SuggestModel(h))
			}
			assert.Zero(t, info.Skipped)
			assert.Zero(t, info.Nemesis)
			s := h.Stats()
			calls := count(content, `:invoke`)
			ok := count(content, `:ok`) + count(content, `:fail\s+:cas`)
			fail := count(content, `:fail\s+:read`)
			assert.Equal(t, history.Counts{OK: ok, Fail: fail, Unknown: calls - ok - fail}, s.All)
			assert.Equal(t, count(content, `:invoke\s+:read`), s.ByKind[model.Read].Total())
			assert.Equal(t, count(content, `:invoke\s+:write`), s.ByKind[model.Write].Total())
			assert.Equal(t, count(content, `:fail\s+:cas`), info.FailedCAS)
			assert.Equal(t, operations(content), described(h))
		})
	}
	assert.Equal(t, 8523, total)
}

// operations says naively what each operation of a log asked and was answered.
func operations(content []byte) []string {
	var ops []string
	open := map[string]int{}
	for _, line := range strings.Split(strings.TrimSpace(string(content)), "\n") {
		_, operation, _ := strings.Cut(line, " - ")
		c := strings.Fields(operation)
		if len(c) == 0 {
			continue
		}
		said := strings.Join(c[2:], " ")
		if c[1] == ":invoke" {
			open[c[0]] = len(ops)
			ops = append(ops, "process "+c[0]+" "+said)
			continue
		}
		ops[open[c[0]]] += " then " + c[1] + " " + said
	}
	return ops
}

// described says the same of a history.
func described(h *history.History) []string {
	var ops []string
	for i := range h.Ops {
		o := &h.Ops[i]
		kind, asked, answer := ":"+o.Kind.String(), "nil", o.Seen.String()
		switch o.Kind {
		case model.Write:
			asked, answer = o.Value.String(), o.Value.String()
		case model.CAS:
			asked = fmt.Sprintf("[%v %v]", o.Expect, o.Value)
			answer = asked
		}
		s := fmt.Sprintf("process %d %s %s", o.Process, kind, asked)
		switch {
		case o.Outcome == history.OK && (o.Kind != model.CAS || o.Swapped):
			s += " then :ok " + kind + " " + answer
		case o.Outcome == history.OK:
			s += " then :fail " + kind + " " + answer
		case o.Outcome == history.Fail:
			s += " then :fail " + kind + " :timed-out"
		default:
			s += " then :info " + kind + " :timed-out"
		}
		ops = append(ops, s)
	}
	return ops
}

func TestKVLogs(t *testing.T) {
	files := realLogs(t, "kv/*.txt")
	require.Len(t, files, 6)
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			content, err := os.ReadFile(file)
			require.NoError(t, err)
			h, info := readFile(t, file, formats.Auto)
			assert.Equal(t, formats.PorcupineKV, info.Format)
			assert.Equal(t, "kv", formats.SuggestModel(h))
			s := h.Stats()
			assert.Equal(t, history.Counts{OK: count(content, `:ok`)}, s.All)
			assert.Equal(t, count(content, `:invoke, :f :append`), s.ByKind[model.Append].Total())
			assert.Equal(t, count(content, `:invoke, :f :get`), s.ByKind[model.Read].Total())
			assert.Equal(t, count(content, `:invoke, :f :put`), s.ByKind[model.Write].Total())
			edn, _ := readFile(t, file, formats.EDN)
			assert.Equal(t, h, edn, "the EDN reader reads the same")
		})
	}
}

// Every value must be that of the file: the answers, in the order of the file,
// are the texts between the quotes.
func TestKVAnswers(t *testing.T) {
	answer := regexp.MustCompile(`:process (\d+), :type :ok, :f :get, :key "(.*)", :value "(.*)"`)
	for _, file := range realLogs(t, "kv/*.txt") {
		content, err := os.ReadFile(file)
		require.NoError(t, err)
		h, _ := readFile(t, file, formats.PorcupineKV)
		got := map[string]int{}
		for i, o := range h.Ops {
			if o.Kind == model.Read {
				got[fmt.Sprintf("%d %d %s %s", o.Return, o.Process, h.Keys[o.Key], h.ModelOp(i).SeenText)]++
			}
		}
		for i, line := range bytes.Split(content, []byte("\n")) {
			if m := answer.FindSubmatch(line); m != nil {
				require.Equal(t, 1, got[fmt.Sprintf("%d %s %s %s", i+1, m[1], m[2], m[3])], "line %d", i+1)
			}
		}
	}
}

// The library for EDN must find the same maps in the same files as our scanner.
func TestEDNAgreesWithLibrary(t *testing.T) {
	type operation struct {
		Process int
		Type, F edn.Keyword
		Key     string
		Value   any
	}
	for _, file := range realLogs(t, "kv/*.txt") {
		content, err := os.ReadFile(file)
		require.NoError(t, err)
		var said []string
		for d := edn.NewDecoder(bytes.NewReader(content)); ; {
			var o operation
			if err := d.Decode(&o); err != nil {
				require.ErrorIs(t, err, io.EOF)
				break
			}
			if o.Type == "invoke" {
				said = append(said, fmt.Sprint(o.Process, " ", o.Key, " ", o.Value))
			}
		}
		h, _ := readFile(t, file, formats.EDN)
		var ours []string
		for i, o := range h.Ops {
			var value any = h.ModelOp(i).Text
			if o.Kind == model.Read {
				value = nil
			}
			ours = append(ours, fmt.Sprint(o.Process, " ", h.Keys[o.Key], " ", value))
		}
		require.Equal(t, said, ours)
	}
}

func TestRealLogsAsJSONLines(t *testing.T) {
	for _, file := range append(realLogs(t, "jepsen/etcd_*.log"), realLogs(t, "kv/*.txt")...) {
		h, _ := readFile(t, file, formats.Auto)
		var b bytes.Buffer
		require.NoError(t, history.Write(&b, h))
		again, info, err := formats.Read(&b, file, formats.Auto)
		require.NoError(t, err)
		assert.Equal(t, formats.JSONLines, info.Format)
		require.Equal(t, h, again)
	}
}

func TestHandMadeLogs(t *testing.T) {
	logs, err := filepath.Glob("testdata/*.log")
	require.NoError(t, err)
	require.NotEmpty(t, logs)
	for _, file := range logs {
		t.Run(filepath.Base(file), func(t *testing.T) {
			assert.Regexp(t, `\.(valid|invalid)\.log$`, file)
			h, _ := readFile(t, file, formats.Auto)
			twin, info := readFile(t, strings.TrimSuffix(file, ".log")+".edn", formats.Auto)
			assert.Equal(t, formats.EDN, info.Format)
			assert.NotZero(t, twin.Ops[0].CalledAt)
			for i := range twin.Ops {
				twin.Ops[i].CalledAt, twin.Ops[i].ReturnedAt = 0, 0
			}
			assert.Equal(t, h, twin)
		})
	}
}

// The examples in the documentation must be what they are said to be.
func TestDocumentedExamples(t *testing.T) {
	doc, err := os.ReadFile("../../docs/formats.md")
	require.NoError(t, err)
	var read []formats.Format
	for _, block := range regexp.MustCompile("(?ms)^```(json|clojure|)\n(.*?)^```$").FindAllSubmatch(doc, -1) {
		if bytes.HasPrefix(block[2], []byte("run.jsonl:")) {
			continue // error messages
		}
		_, info, err := formats.Read(bytes.NewReader(block[2]), "example", formats.Auto)
		require.NoError(t, err)
		read = append(read, info.Format)
	}
	assert.Equal(t, []formats.Format{formats.JSONLines, formats.EDN, formats.JepsenLog, formats.PorcupineKV}, read)
}
