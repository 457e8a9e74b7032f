//go:build !windows

package main

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// interrupter is whoever types Ctrl-C when the first line appears.
type interrupter struct{ once sync.Once }

func (i *interrupter) Write(p []byte) (n int, err error) {
	i.once.Do(func() { err = syscall.Kill(os.Getpid(), syscall.SIGINT) })
	return len(p), err
}

// What was cut short says so, and tells nothing of bugs that were not run.
func TestZooInterrupted(t *testing.T) {
	args := []string{"zoo", "--runs", "200", "--workers", "1"}
	var text, asJSON bytes.Buffer
	assert.Equal(t, statusUnknown, run(args, nil, &text, &interrupter{}))
	assert.Regexp(t, `\n[1-9][0-9]* of [1-9][0-9]* bugs in [0-9.]+ s, interrupted\n$`, text.String())
	assert.NotContains(t, text.String(), " 0 of 0 ")
	assert.Contains(t, text.String(), "Not planted")

	assert.Equal(t, statusUnknown, run(append(args, "--json"), nil, &asJSON, &interrupter{}))
	var report zooReport
	require.NoError(t, json.Unmarshal(asJSON.Bytes(), &report))
	assert.True(t, report.Interrupted)
	assert.NotEmpty(t, report.Bugs)
	for _, b := range report.Bugs {
		assert.Positive(t, b.Runs, b.Name)
	}
	about := zooSection(&report).Note
	assert.True(t, strings.HasSuffix(about, "fewer runs than others."), about)
}
