package main

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rashomon-go/rashomon/checker"
	"github.com/rashomon-go/rashomon/history"
	"github.com/rashomon-go/rashomon/model"
)

func TestUnprovedVerdictsAreKept(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	h := &history.History{Keys: []string{"k0"}, Ops: []history.Op{
		{Call: 1, Return: 2, Kind: model.Write, Value: 7, Node: history.NoNode, Outcome: history.OK, Seen: model.Unseen},
		{Call: 3, Return: 4, Kind: model.Read, Seen: 8, Node: history.NoNode, Outcome: history.OK},
	}}
	e := &checker.CertificateError{Key: "k0", Engine: checker.Zones, Verdict: checker.Valid, Problem: "operation 1 is wrong", History: h, Proof: []int{0, 1}}
	var errs strings.Builder
	a := &app{err: &errs}
	require.Equal(t, statusBroken, a.graveError(fmt.Errorf("file: %w", e)))
	path := regexp.MustCompile(`are in (\S+)\n`).FindStringSubmatch(errs.String())
	require.NotNil(t, path, errs.String())
	kept, err := os.ReadFile(path[1])
	require.NoError(t, err)
	assert.Contains(t, string(kept), `"k0"`)
	assert.Contains(t, string(kept), "key k0: zones says valid, but its proof fails: operation 1 is wrong\nproof, by operation:\n0: write k0=7 (1..2)\n1: read k0 -> 8 (3..4)\n")

	assert.Equal(t, statusUsage, a.graveError(errors.New("no such file")))
	assert.Equal(t, statusBroken, a.graveError(brokenError{errors.New("disk full")}))
}
