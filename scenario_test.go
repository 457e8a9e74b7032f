package rashomon_test

import (
	"bytes"
	"encoding/json"
	"math"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rashomon-go/rashomon"
	"github.com/rashomon-go/rashomon/checker"
	"github.com/rashomon-go/rashomon/model"
	"github.com/rashomon-go/rashomon/sim"
	"github.com/rashomon-go/rashomon/systems"
)

func written(t require.TestingT, sc *rashomon.Scenario) string {
	var file bytes.Buffer
	require.NoError(t, rashomon.WriteScenario(&file, sc))
	return file.String()
}

// readsBack says that a scenario reads back as it was written, in YAML and in JSON.
func readsBack(t require.TestingT, sc *rashomon.Scenario) {
	var inJSON bytes.Buffer
	require.NoError(t, rashomon.WriteScenarioJSON(&inJSON, sc))
	for _, text := range []string{written(t, sc), inJSON.String()} {
		read, err := rashomon.ParseScenario(strings.NewReader(text), "f.yaml")
		require.NoError(t, err, "%s", text)
		require.Equal(t, sc, read, "%s", text)
	}
	require.True(t, json.Valid(inJSON.Bytes()))
}

// A generated scenario is valid, and reads back as it was written.
func TestGeneratedScenariosRoundTrip(t *testing.T) {
	all := systems.All()
	rapid.Check(t, func(rt *rapid.T) {
		s := rapid.SampledFrom(all).Draw(rt, "system")
		claim := rapid.SampledFrom(s.Claims).Draw(rt, "claim")
		sc := rashomon.Generate(choices{rt}, s, claim, rapid.IntRange(1, 30).Draw(rt, "operations"))
		require.NoError(rt, sc.Validate(s))
		sc.Digest = rapid.Uint64().Draw(rt, "digest")
		readsBack(rt, sc)
	})
}

// Every link comes back, and one that is a profile by its name.
func TestLinksRoundTrip(t *testing.T) {
	back := func(t require.TestingT, l sim.Link) string {
		sc := &rashomon.Scenario{System: "s", Reads: "any", Claim: "c", Nodes: 3, Links: l, Attempts: 1}
		readsBack(t, sc)
		return written(t, sc)
	}
	for _, p := range sim.Profiles() {
		require.Contains(t, back(t, p.Link), "\n  profile: "+p.Name+"\n")
	}
	back(t, sim.Link{Latency: sim.Measured(1, 2, 3, 4, 5, 6)})
	rapid.Check(t, func(t *rapid.T) {
		d := rapid.Custom(func(t *rapid.T) time.Duration {
			return time.Duration(rapid.Int64Range(1, int64(time.Hour)).Draw(t, "d"))
		})
		share := rapid.Float64Range(0, 1)
		back(t, sim.Link{
			Latency: sim.LogNormal(d.Draw(t, "low"), d.Draw(t, "median"), rapid.IntRange(0, sim.MaxSigma).Draw(t, "sigma")),
			Loss:    share.Draw(t, "loss"), Duplicate: share.Draw(t, "duplicate"), Reorder: share.Draw(t, "reorder"), Corrupt: share.Draw(t, "corrupt"),
			FIFO: rapid.Bool().Draw(t, "fifo"), Bandwidth: sim.Bandwidth(rapid.Int64Min(0).Draw(t, "bandwidth")), Queue: d.Draw(t, "queue"),
		})
	})
}

// Whatever stands in keys and names comes back.
func TestHostileTextRoundTrips(t *testing.T) {
	anything := rapid.StringN(1, 20, 40)
	anyTime := rapid.Custom(func(rt *rapid.T) time.Duration {
		return time.Duration(rapid.Int64Range(0, math.MaxInt64).Draw(rt, "time"))
	})
	rapid.Check(t, func(rt *rapid.T) {
		sc := &rashomon.Scenario{
			System: anything.Draw(rt, "system"), Bug: anything.Draw(rt, "bug"),
			Reads: anything.Draw(rt, "reads"), Claim: rashomon.Property(anything.Draw(rt, "claim")),
			Program: anything.Draw(rt, "program"), Seed: rapid.Uint64().Draw(rt, "seed"),
			Nodes: 3, Timeout: time.Second, Attempts: 1,
		}
		for i := range rapid.IntRange(0, 5).Draw(rt, "operations") {
			sc.Operations = append(sc.Operations, rashomon.Operation{
				ID: int32(i + 1), Kind: model.CAS, Key: anything.Draw(rt, "key"),
				Value:  model.Value(rapid.Int64Range(math.MinInt64+2, math.MaxInt64).Draw(rt, "value")),
				Expect: rapid.SampledFrom([]model.Value{model.Absent, rashomon.LastSeen, -7, 12}).Draw(rt, "expect"),
				Client: rapid.IntRange(0, 999).Draw(rt, "client"), Node: rapid.IntRange(0, 60).Draw(rt, "node"),
				Think: anyTime.Draw(rt, "think"), Start: anyTime.Draw(rt, "start"), Timeout: anyTime.Draw(rt, "timeout"),
			})
		}
		readsBack(rt, sc)
	})
}

// Each mistake in an operation has its column.
func TestParseOperationErrors(t *testing.T) {
	for line, want := range map[string]string{
		"":                                 "column 1: ",
		"x c0 read k0 at n0":               "column 1: expected the operation's number",
		"0 c0 read k0 at n0":               "column 1: expected the operation's number",
		"1 d0 read k0 at n0":               `column 3: "d0", expected a client such as c0`,
		"1 c01 read k0 at n0":              `column 3: "c01", expected a client such as c0`,
		"1 c0 peek k0 at n0":               `column 6: "peek", expected read, write, cas, delete or add`,
		"1 c0 read k0=1 at n0":             "column 11: ",
		"1 c0 write k0 at n0":              "column 12: ",
		"1 c0 write k0=x at n0":            "column 12: ",
		"1 c0 write k0=nil at n0":          "column 12: ",
		"1 c0 cas k0=1 at n0":              "column 10: ",
		"1 c0 cas k0=y->1 at n0":           "column 10: ",
		"1 c0 read k0 on n0":               `column 14: "on", expected at and a node`,
		"1 c0 read k0 at m0":               `column 17: "m0", expected a node such as n0`,
		"1 c0 read k0 at n0 before 1ms":    `column 20: "before", expected after, at or timeout and a duration`,
		"1 c0 read k0 at n0 after 1":       `column 26: "1", expected a duration`,
		"1 c0 read k0 at n0 after -1ms":    `column 26: "-1ms", expected a duration`,
		"1 c0 read k0 at n0 after 1ms now": `column 30: "now", expected after, at or timeout and a duration, or the end`,
		"1 c0 read k0 at n0 at n1":         `column 23: "n1", expected a duration`,
		"1 c0 read k0 at n0 timeout":       `column 27: the line ends, expected a duration`,
		"1 c0 read k0 at n0 at 1s at 1s":   `column 26: at is given twice`,
	} {
		_, err := rashomon.ParseOperation(line)
		assert.ErrorContains(t, err, want, "%q", line)
	}
	op, err := rashomon.ParseOperation("  7   c3 cas  k1=seen->12 at n2   after 1.5ms ")
	require.NoError(t, err)
	assert.Equal(t, "7 c3 cas k1=seen->12 at n2 after 1.5ms", op.String())
	op, err = rashomon.ParseOperation("8 c3 read k1 at n2 timeout 5ms at 120ms")
	require.NoError(t, err)
	assert.Equal(t, "8 c3 read k1 at n2 at 120ms timeout 5ms", op.String())
}

// A file of format 1, as an older version wrote it, still shows its bug.
func TestOldFormatReplays(t *testing.T) {
	file, err := os.Open("testdata/format-1.yaml")
	require.NoError(t, err)
	defer file.Close()
	sc, s, err := rashomon.LoadScenario(file, file.Name(), systems.Find)
	require.NoError(t, err)
	result, err := rashomon.Run(s, sc, rashomon.Options{})
	require.NoError(t, err)
	assert.Equal(t, checker.Invalid, result.Verdict)
}

// JSON is read as strictly as YAML, with the place of what is wrong.
func TestStrictJSON(t *testing.T) {
	for text, want := range map[string]string{
		`{"format": 2, "sistem": "chain"}`:                                            "f.json:1:15: unknown key \"sistem\", expected ",
		`{"format": 2, "system": "chain", "system": "craq"}`:                          "f.json:1:34: system is given twice",
		"{\n  \"format\": 2,\n  \"nodes\": 2.5\n}":                                    "f.json:3:12: \"2.5\", expected a whole number",
		"{\n  \"format\": 2,\n  \"operations\": [\n    \"1 c0 red k0 at n0\"\n  ]\n}": "f.json:4:11: \"red\", expected read, write",
		`{"format": 2, "links": {"latency": "1ms", "speed": 3}}`:                      "f.json:1:43: unknown key \"speed\"",
		`{"format": 2, "nodes": 3`:                                                    "f.json:1:1: ",
	} {
		_, err := rashomon.ParseScenario(strings.NewReader(text), "f.json")
		assert.ErrorContains(t, err, want, "%s", text)
	}
}

// The parser never panics, and what it accepts it writes and reads again.
func FuzzParseScenario(f *testing.F) {
	for _, s := range systems.All() {
		f.Add(written(f, rashomon.FromSeed(4, s, s.Claims[0], 5)))
	}
	f.Add(`{"format": 1, "system": "chain", "reads": "tail", "claim": "linearizable", "seed": 1, "nodes": 2, "timeout": "1ms", "attempts": 1, "operations": ["1 c0 read k0 at n0"]}`)
	f.Add("format: 1\nsystem: &a chain\nbug: *a\n")
	f.Fuzz(func(t *testing.T, text string) {
		sc, err := rashomon.ParseScenario(strings.NewReader(text), "f.yaml")
		if err != nil {
			assert.Regexp(t, `^f\.yaml:\d+:\d+: `, err.Error())
			return
		}
		readsBack(t, sc)
	})
}
