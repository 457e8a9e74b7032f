package main

import (
	"context"
	"io"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rashomon-go/rashomon/campaign/store"
)

// Whoever needs a plan that cannot be read says so in one sentence, and of which campaign.
func TestPlanThatCannotBeRead(t *testing.T) {
	dir := t.TempDir()
	s, err := store.Open(dir)
	require.NoError(t, err)
	_, err = s.Begin([]byte(`{"seed": "x"}`), build())
	require.NoError(t, err)
	require.NoError(t, s.Close())
	a := &app{out: io.Discard, err: io.Discard}
	for name, do := range map[string]func() error{
		"fuzz": func() error { return a.campaign(context.Background(), &fuzzFlags{dir: dir}) },
		"resume": func() error {
			return inDirectory(dir, func(s *store.Store) error { return (&session{store: s}).resume(&fuzzFlags{}) })
		},
		"report": func() error {
			return a.report(&siteWriter{from: place{dir: dir}, out: filepath.Join(t.TempDir(), "site")})
		},
		"merge": func() error { return a.merge([]string{dir}, filepath.Join(t.TempDir(), "both")) },
	} {
		t.Run(name, func(t *testing.T) {
			assert.ErrorContains(t, do(), "campaign 1 has a plan that cannot be read: json: ")
		})
	}
}
