package rashomon_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rashomon-go/rashomon"
	"github.com/rashomon-go/rashomon/checker"
	"github.com/rashomon-go/rashomon/systems"
)

// FuzzLinearizable is the search of check fuzz under Go's own fuzzing: go test
// -fuzz=FuzzLinearizable. A seed that fails lands in testdata/fuzz, and plain go test
// runs it again.
func FuzzLinearizable(f *testing.F) {
	for seed := range uint64(4) {
		for row := range uint8(4) {
			f.Add(seed, row)
		}
	}
	rows := linearizableRows(f)
	f.Fuzz(func(t *testing.T, seed uint64, row uint8) {
		r := rows[int(row)%len(rows)]
		rashomon.CheckScenario(t, r.system, rashomon.FromSeed(seed, r.system, r.claim, 60))
	})
}

type linearizableRow struct {
	system *rashomon.System
	claim  rashomon.Claim
}

// linearizableRows are the rows that claim to be linearizable, or the one that must catch
// the bug that plantVariable names.
func linearizableRows(t require.TestingT) (rows []linearizableRow) {
	if plant := os.Getenv(plantVariable); plant != "" {
		b, err := systems.BugByName(plant)
		require.NoError(t, err)
		s := b.Variant()
		c, err := s.Claim(b.Reads, b.Claim)
		require.NoError(t, err)
		return []linearizableRow{{s, c}}
	}
	for _, s := range systems.All() {
		for _, c := range s.Claims {
			if c.Property == rashomon.Linearizable && !c.Refuted {
				rows = append(rows, linearizableRow{s, c})
			}
		}
	}
	return rows
}

// A seed that fails is replayed by plain go test, from the file that the fuzzing engine
// writes.
func TestFuzzingInputsReplay(t *testing.T) {
	if testing.Short() || os.Getenv(plantVariable) != "" {
		t.Skip("it starts this test binary again")
	}
	t.Parallel()
	dir := t.TempDir()
	inputs := filepath.Join(dir, "testdata", "fuzz", "FuzzLinearizable")
	require.NoError(t, os.MkdirAll(inputs, 0o755))
	row := linearizableRow{}
	b, err := systems.BugByName("chain-ack-at-middle")
	require.NoError(t, err)
	row.system = b.Variant()
	row.claim, err = row.system.Claim(b.Reads, b.Claim)
	require.NoError(t, err)
	seed := uint64(100) // beyond those that are always run
	for ; ; seed++ {
		r, err := rashomon.Run(row.system, rashomon.FromSeed(seed, row.system, row.claim, 60), rashomon.Options{})
		require.NoError(t, err)
		if r.Verdict == checker.Invalid {
			break
		}
	}
	input := "go test fuzz v1\nuint64(" + strconv.FormatUint(seed, 10) + ")\nbyte('\\x00')\n"
	require.NoError(t, os.WriteFile(filepath.Join(inputs, "found"), []byte(input), 0o644))
	for plant, fails := range map[string]bool{"chain-ack-at-middle": true, "": false} {
		again := exec.Command(os.Args[0], "-test.run", "FuzzLinearizable/found")
		again.Dir = dir
		again.Env = append(os.Environ(), plantVariable+"="+plant)
		out, err := again.CombinedOutput()
		assert.Equal(t, fails, err != nil, "%s", out)
		if fails {
			assert.Contains(t, string(out), "FuzzLinearizable/found")
			assert.Contains(t, string(out), "chain is not linearizable with reads at tail")
		}
	}
}
