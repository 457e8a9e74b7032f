//go:build !windows

package main

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// A shell takes nothing apart that was quoted.
func TestQuoted(t *testing.T) {
	for path, want := range map[string]string{
		"rashomon-out/chain-any.yaml": "rashomon-out/chain-any.yaml",
		"/tmp/ä/x_1,2=3.yaml":         "/tmp/ä/x_1,2=3.yaml",
		"my finds/x.yaml":             "'my finds/x.yaml'",
		"it's $HOME":                  `'it'\''s $HOME'`,
		"":                            "''",
	} {
		assert.Equal(t, want, quoted(path))
	}
}
