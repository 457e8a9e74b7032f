package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rashomon-go/rashomon"
)

// The scenario that bad ones are made from. Its lines are counted from 1.
const goodScenario = `format: 2
system: chain
bug: chain-ack-at-middle
reads: tail
claim: linearizable
seed: 1
nodes: 3
links:
  latency: 1ms..5ms
  loss: 0.1
timeout: 100ms
attempts: 2
operations:
  - 1 c0 write k0=1 at n0
  - 2 c1 read k0 at n2
faults:
  - 8ms..12ms cut n0 -> n1 n2
digest: "0123456789abcdef"
`

// Each change of the scenario is refused in one line that says where the reason
// is and what was expected.
func TestBadScenarios(t *testing.T) {
	for _, tt := range []struct{ line, change, want string }{
		{"format: 2", "format: 3", `1:9: scenario format 3 was made by a newer version of this program, which reads formats 1..2`},
		{"format: 2", "format: 0", `1:9: scenario format 0, expected 1..2`},
		{"format: 2", "", `2:1: no format, expected a file with "format: 2"`},
		{"format: 2", "format: {}", `1:9: a mapping, expected a whole number`},
		{"system: chain", "system: ring", `3:6: bug chain-ack-at-middle is planted in system chain, not in "ring"`},
		{"system: chain", "system: [chain]", `2:9: a sequence, expected one line of text`},
		{"bug: chain-ack-at-middle", "bug: moth", `3:6: unknown bug "moth", expected one of `},
		{"bug: chain-ack-at-middle", "bug: chain-ack-at-middle\nsystem: chain", `4:1: system is given twice, expected it once`},
		{"reads: tail", "reads: moon", `4:8: system chain has no reads at "moon", expected one of tail, any`},
		{"reads: tail", "", `1:1: no reads, expected `},
		{"claim: linearizable", "claim: nice", `5:8: system chain has no claim "nice" for reads at tail, expected one of linearizable, convergent, live`},
		{"seed: 1", "seed: -1", `6:7: "-1", expected a whole number, 0..18446744073709551615`},
		{"seed: 1", "sead: 1", `6:1: unknown key "sead", expected format, system, `},
		{"nodes: 3", "nodes: three", `7:8: "three", expected a whole number`},
		{"nodes: 3", "nodes: 3.5", `7:8: "3.5", expected a whole number`},
		{"nodes: 3", "nodes: 99999999999999999999", `7:8: "99999999999999999999", expected a whole number, no more than 2147483647`},
		{"nodes: 3", "nodes: 64", `7:8: nodes is 64, expected 2..7 for system chain`},
		{"nodes: 3", "nodes: -3", `7:8: nodes is -3, expected 2..7 for system chain`},
		{"nodes: 3", "nodes: &n 3", `7:8: an anchor, expected a whole number`},
		{"nodes: 3", "nodes: *n", `7:8: an alias, expected a whole number`},
		{"nodes: 3", "nodes: 2", `15:5: operation 2: unknown node "n2", expected n0..n1`},
		{"  latency: 1ms..5ms", "  latency: -5ms", `9:12: latency "-5ms": a delay must not be negative`},
		{"  latency: 1ms..5ms", "  latency: 9999h", `9:3: links: latency is 9999h0m0s, expected 0s..1h0m0s`},
		{"  latency: 1ms..5ms", "  speed: 5", `9:3: unknown key "speed", expected profile, or latency, loss, duplicate, reorder, corrupt, fifo, bandwidth and queue`},
		{"  latency: 1ms..5ms", "  bandwidth: 5", `9:14: bandwidth "5": expected a bandwidth such as "64kbit/s" or "10Mbit/s"`},
		{"  latency: 1ms..5ms", "  bandwidth: 0bit/s", `9:14: bandwidth "0bit/s": nothing would ever pass, expected more than 0bit/s`},
		{"  latency: 1ms..5ms", "  queue: -1s", `9:3: links: queue is -1s, expected 0s..1h0m0s`},
		{"  latency: 1ms..5ms", "  profile: lan", `9:12: a profile and other keys, expected the profile alone`},
		{"  latency: 1ms..5ms\n  loss: 0.1", "  profile: lan", `9:12: "lan", expected one of local, datacenter, `},
		{"  latency: 1ms..5ms", "  corrupt: 2", `9:12: "2", expected a probability, 0..1`},
		{"  latency: 1ms..5ms", "  fifo: maybe", `9:9: "maybe", expected true or false`},
		{"  latency: 1ms..5ms", "  loss: 0.1", `10:3: loss is given twice, expected it once`},
		{"  loss: 0.1", "  loss: 1.5", `10:9: "1.5", expected a probability, 0..1`},
		{"  loss: 0.1", "  loss: -0.5", `10:9: "-0.5", expected a probability, 0..1`},
		{"  loss: 0.1", "  loss: .nan", `10:9: ".nan", expected a probability, 0..1`},
		{"  loss: 0.1", "  loss: 1e999", `10:9: "1e999", expected a probability, 0..1`},
		{"timeout: 100ms", "timeout: 100", `11:10: "100", expected a duration such as 100ms`},
		{"timeout: 100ms", "timeout: -5s", `11:10: timeout is -5s, expected more than 0s and no more than 1h0m0s`},
		{"timeout: 100ms", "timeout: 99999999h", `11:10: "99999999h", expected a duration such as 100ms`},
		{"timeout: 100ms", "", `1:1: timeout is 0s, expected more than 0s`},
		{"attempts: 2", "attempts: 0", `12:11: attempts is 0, expected 1..1000`},
		{"operations:", "operations: 5\nx:", `13:13: "5", expected a list`},
		{"  - 1 c0 write k0=1 at n0", "  - 1 c0 write k0=1 at n9", `14:5: operation 1: unknown node "n9", expected n0..n2`},
		{"  - 1 c0 write k0=1 at n0", "  - 1 c0 write k0=1 at", `14:23: the line ends, expected a node such as n0`},
		{"  - 1 c0 write k0=1 at n0", "  - 1 c0 wrote k0=1 at n0", `14:10: "wrote", expected read, write, cas, delete or add`},
		{"  - 1 c0 write k0=1 at n0", `  - "1 c0 wrote k0=1 at n0"`, `14:11: "wrote", expected read, write, cas, delete or add`},
		{"  - 1 c0 write k0=1 at n0", "  - 1 c0 add k0=1 at n0", `14:5: operation 1: system chain serves no add, expected one of `},
		{"  - 1 c0 write k0=1 at n0", "  - 1 c0 write k0=99999999999999999999 at n0", `14:16: "99999999999999999999", expected a number to store`},
		{"  - 1 c0 write k0=1 at n0", "  - 1 c0 write k0=1 at n0 after -3ms", `14:33: "-3ms", expected a duration such as 3ms`},
		{"  - 1 c0 write k0=1 at n0", "  - 1 c0 write k0=1 at n0 at 2h", `14:5: operation 1: begins at 2h0m0s, expected 0s..1h0m0s`},
		{"  - 1 c0 write k0=1 at n0", "  - 1 c0 write k0=1 at n0 at -1s", `14:30: "-1s", expected a duration such as 3ms`},
		{"  - 1 c0 write k0=1 at n0", "  - 1 c0 write k0=1 at n0 timeout 0s", `14:35: "0s", expected a timeout of more than 0s`},
		{"  - 1 c0 write k0=1 at n0", "  - 1 c0 write k0=1 at n0 timeout 2h", `14:5: operation 1: timeout is 2h0m0s, expected 0s..1h0m0s`},
		{"  - 1 c0 write k0=1 at n0", "  - 1 c9999 write k0=1 at n0", `14:5: operation 1: client c9999, expected c0..c999`},
		{"  - 1 c0 write k0=1 at n0", "  - 2 c0 write k0=1 at n0", `15:5: operation 2: its number is used twice, expected `},
		{"  - 1 c0 write k0=1 at n0", "  - [1]", `14:5: a sequence, expected one line of text`},
		{"  - 8ms..12ms cut n0 -> n1 n2", "  - 8ms..12ms cut n0 -> n1 n9", `17:28: unknown node "n9", expected one of n0 n1 n2`},
		{"  - 8ms..12ms cut n0 -> n1 n2", "  - 8ms..12ms crash n9 keeping synced", `17:21: unknown node "n9", expected one of n0 n1 n2 master head middle tail deposed` + "\n"},
		{"  - 8ms..12ms cut n0 -> n1 n2", "  - 8ms..12ms cut n0 -> n1 only hartbeat", `17:33: unknown type of message "hartbeat", expected one of Write Written `},
		{"  - 8ms..12ms cut n0 -> n1 n2", "  - 12ms..8ms cut n0 -> n1", `17:11: the window is empty, expected an end after 12ms`},
		{"  - 8ms..12ms cut n0 -> n1 n2", "  - sabotage", `17:5: unexpected "sabotage", expected a window such as `},
		{`digest: "0123456789abcdef"`, "digest: 12", `18:9: "12", expected 16 hexadecimal digits`},
		{`digest: "0123456789abcdef"`, "---\nformat: 2", `19:1: a second document, expected one scenario`},
	} {
		text := strings.Replace(goodScenario, tt.line+"\n", tt.change+"\n", 1)
		got := refusal(t, text)
		assert.True(t, strings.HasPrefix(got, "check: -:"+tt.want), "%s instead of %s:\ngot  %swant check: -:%s", tt.change, tt.line, got, tt.want)
	}
}

func TestFilesThatAreNoScenario(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"", `1:1: empty, expected a scenario that begins with "format: 2"`},
		{"# nothing\n", `1:1: empty, expected a scenario that begins with "format: 2"`},
		{"hello", `1:1: "hello", expected keys and values`},
		{"- 1\n- 2\n", `1:1: a sequence, expected keys and values`},
		{`{"format": 1, "system": "chain"`, `1:1: a { that is not closed, expected its }`},
		{`{"format": 1, "operations": ["1 c0 read k0 at n0"}`, `1:50: a [ that is not closed, expected ',' or ']' here`},
		{`{"format": 1, "system" "chain"}`, `1:15: a key without a value, expected "key": value`},
		{"format: 1\n\tsystem: x", "2:1: a tab before the text, expected blanks"},
		{"format: 1\nsystem chain", "2:1: a line without a key, expected a key, a colon and a blank"},
		{"format: 1\nreads: tail\n# \n  - 1 c0 read k0 at n0\n  - 2 c0", "4:3: a list without a key of its own, expected one above it"},
		{"format: 1\nlinks:\n  loss: 0.1\n   fifo: true\n", "3:9: a second colon, or another indentation in the next line, expected one key a line"},
		{"format: 1\nlinks:\n  loss: 0.1\n fifo: true\n", "4:2: something that belongs to nothing above it, expected the column"},
		{"format: 1\nreads: \"tail", `2:8: a quote that is not closed, expected another "`},
		{"format: 1\nreads: 'tail", "2:8: a quote that is not closed, expected another '"},
		{"format: 1\nreads: @tail", "2:8: a text that begins with @ or `, expected it in quotes"},
		{"format: 1\nreads: %tail", "2:8: a text that begins with %, expected it in quotes"},
		{"format: 1\nreads:\n", "2:8: nothing, expected one line of text"},
		{"format: 1\nreads: &", "2:8: not YAML: "},
		{"\x00\x01\x02\xff\xfe", `1:1: the control character U+0000, expected a scenario in UTF-8`},
		{"\xff\xfef\x00", `1:1: a byte that is not UTF-8, expected a scenario in UTF-8`},
		{"# é\n# é\xff", `2:4: a byte that is not UTF-8, expected a scenario in UTF-8`},
		{"a: &a [*a, *a]\nformat: 1\n", `1:1: unknown key "a", expected `},
		{strings.Repeat("# line\n", 10_000_000), `9586981:5: longer than 67108864 bytes, expected a scenario of no more than 1000000 operations`},
	} {
		assert.Contains(t, refusal(t, tt.text), "check: -:"+tt.want)
	}
}

func TestGoodScenario(t *testing.T) {
	text := strings.Replace(goodScenario, "digest: \"0123456789abcdef\"\n", "", 1)
	var inJSON strings.Builder
	sc, err := rashomon.ParseScenario(strings.NewReader(text), "-")
	require.NoError(t, err)
	require.NoError(t, rashomon.WriteScenarioJSON(&inJSON, sc))
	const byteOrderMark = "\uFEFF"
	for _, text := range []string{text, inJSON.String(), byteOrderMark + text, byteOrderMark + inJSON.String()} {
		var out, errs strings.Builder
		s := run([]string{"replay", "-"}, strings.NewReader(text), &out, &errs)
		assert.Less(t, s, statusUsage)
		assert.Empty(t, errs.String())
	}
}

// A log of a real system that was cut anywhere is either refused in one line or
// judged, and never spoils the program.
func TestTruncatedLogs(t *testing.T) {
	for _, name := range []string{"jepsen/etcd_002.log", "kv/c01-ok.txt"} {
		whole, err := os.ReadFile(filepath.Join(porcupineDir(t), "test_data", name))
		require.NoError(t, err)
		for n := 1; n < len(whole); n += 97 {
			var out, errs strings.Builder
			s := run([]string{"history", "-"}, strings.NewReader(string(whole[:n])), &out, &errs)
			require.LessOrEqual(t, s, statusUsage, "%s, %d bytes", name, n)
			require.LessOrEqual(t, strings.Count(errs.String(), "\n"), 1, "%s, %d bytes: %s", name, n, errs.String())
		}
	}
}

// refusal replays a scenario that must be refused, and returns the error.
func refusal(t *testing.T, scenario string) string {
	var out, errs strings.Builder
	s := run([]string{"replay", "-"}, strings.NewReader(scenario), &out, &errs)
	assert.Equal(t, statusUsage, s, errs.String())
	assert.Empty(t, out.String())
	assert.Equal(t, 1, strings.Count(errs.String(), "\n"), "one line: %s", errs.String())
	return errs.String()
}
