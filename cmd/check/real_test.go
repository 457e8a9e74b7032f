package main

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Porcupine's own tests say which of its logs are linearizable. All of them must
// be judged so. The log that they leave out is empty, and proves nothing.
func TestRealLogs(t *testing.T) {
	dir := porcupineDir(t)
	want := statedVerdicts(t, filepath.Join(dir, "porcupine_test.go"))
	want["etcd_095.log"] = "unknown"
	require.Len(t, want, 103+6)

	etcd, err := filepath.Glob(filepath.Join(dir, "test_data/jepsen/*.log"))
	require.NoError(t, err)
	kv, err := filepath.Glob(filepath.Join(dir, "test_data/kv/*.txt"))
	require.NoError(t, err)
	assert.Equal(t, want, judge(t, append(etcd, kv...)))
}

// judge returns the verdicts of check history, by the names of files.
func judge(t *testing.T, files []string) map[string]string {
	var out, errs strings.Builder
	s := run(append([]string{"history", "--json"}, files...), strings.NewReader(""), &out, &errs)
	assert.Equal(t, statusInvalid, s, "the gravest of all")
	assert.Empty(t, errs.String())
	verdicts := map[string]string{}
	for d := json.NewDecoder(strings.NewReader(out.String())); d.More(); {
		var r historyReport
		require.NoError(t, d.Decode(&r))
		verdicts[filepath.Base(r.File)] = r.Verdict
		if r.Verdict == "invalid" {
			assert.NotEmpty(t, r.Sentence, r.File)
			assert.NotEmpty(t, r.Witness, r.File)
		}
	}
	return verdicts
}

// statedVerdicts reads the calls checkJepsen(t, 7, true) and
// checkKv(t, "c01-ok", true, …) from porcupine's test.
func statedVerdicts(t *testing.T, file string) map[string]string {
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
	require.NoError(t, err)
	verdicts := map[string]string{}
	ast.Inspect(parsed, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		name, ok := call.Fun.(*ast.Ident)
		if !ok || name.Name != "checkJepsen" && name.Name != "checkKv" {
			return true
		}
		log := literal(t, call.Args[1])
		if name.Name == "checkJepsen" {
			number, err := strconv.Atoi(log)
			require.NoError(t, err)
			log = fmt.Sprintf("etcd_%03d.log", number)
		} else {
			log += ".txt"
		}
		verdicts[log] = map[string]string{"true": "valid", "false": "invalid"}[literal(t, call.Args[2])]
		return true
	})
	return verdicts
}

// literal returns the text of a number, a string or a bool.
func literal(t *testing.T, e ast.Expr) string {
	switch e := e.(type) {
	case *ast.BasicLit:
		return strings.Trim(e.Value, `"`)
	case *ast.Ident:
		return e.Name
	}
	t.Fatalf("a %T, expected a literal", e)
	return ""
}
