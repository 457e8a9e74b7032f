package main

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/rashomon-go/rashomon/campaign/store"
	"github.com/rashomon-go/rashomon/campaign/verdict"
)

// What show and report say of a campaign depends on its state: one that is under way is no
// success yet, and one whose program has died is none at all.
func TestConcluded(t *testing.T) {
	for _, tt := range []struct {
		state store.State
		flaws []string
		want  verdict.Grade
		word  string
	}{
		{store.Ended, nil, verdict.Valid, "valid"},
		{store.Running, nil, verdict.Unknown, "running"},
		{store.Interrupted, nil, verdict.Unreliable, "not reliable"},
		{store.Ended, []string{"nobody looked"}, verdict.Unreliable, "not reliable"},
		{store.Running, []string{"nobody looked"}, verdict.Unreliable, "not reliable so far"},
	} {
		c := concluded(&verdict.Evidence{Flaws: tt.flaws}, tt.state)
		assert.Equal(t, tt.want, c.Grade, "%+v", tt)
		assert.Equal(t, tt.word, c.Verdict, "%+v", tt)
	}
}
