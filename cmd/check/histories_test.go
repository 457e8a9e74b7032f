package main

import (
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A large file says now and then how far it is read: of how much, if that is known.
func TestReadingSaysHowFarItHasCome(t *testing.T) {
	name := filepath.Join(t.TempDir(), "large.edn")
	require.NoError(t, os.WriteFile(name, make([]byte, 8<<20), 0o600))
	f, err := os.Open(name)
	require.NoError(t, err)
	defer f.Close()
	for what, c := range map[string]struct {
		in   io.ReadCloser
		want string
	}{
		"a file": {f, `^\d+s: large.edn, 2 MB read, 25 %\n\d+s: large.edn, 4 MB read, 50 %\n$`},
		"stdin":  {io.NopCloser(strings.NewReader(strings.Repeat(" ", 8<<20))), `^\d+s: large.edn, 2 MB read\n\d+s: large.edn, 4 MB read\n$`},
	} {
		t.Run(what, func(t *testing.T) {
			var said strings.Builder
			r := readingOf(c.in, "large.edn", &said)
			piece := make([]byte, 1<<20)
			for i := range 6 {
				if i == 1 || i == 3 {
					r.said = r.said.Add(-between) // as if so much time had passed
				}
				_, err := io.ReadFull(r, piece)
				require.NoError(t, err)
			}
			assert.Regexp(t, regexp.MustCompile(c.want), said.String())
		})
	}
	r := readingOf(f, "large.edn", io.Discard)
	assert.Equal(t, int64(8<<20), r.size)
	assert.WithinDuration(t, time.Now(), r.began, time.Minute)
}

// Standard input may be compressed, and in any format.
func TestGzipOnStdin(t *testing.T) {
	var packed, said, printed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, err := io.WriteString(z, "{:process 0, :type :invoke, :f :write, :value 1}\n{:process 0, :type :ok, :f :write, :value 1}\n")
	require.NoError(t, err)
	require.NoError(t, z.Close())
	assert.Equal(t, statusValid, run([]string{"history", "-"}, &packed, &printed, &said))
	assert.Regexp(t, `^-: valid \(1 operation, edn as register, `, printed.String())
	assert.Empty(t, said.String())
}
