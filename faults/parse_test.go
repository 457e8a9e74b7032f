package faults

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rashomon-go/rashomon/sim"
)

// TestGolden shows every form and every error message. Run it with -rewrite to
// accept what has changed.
func TestGolden(t *testing.T) {
	datadriven.RunTest(t, "testdata/parse.txt", func(t *testing.T, d *datadriven.TestData) string {
		lines := strings.Split(d.Input, "\n")
		switch d.Cmd {
		case "parse":
			return parseLines(t, lines)
		case "validate":
			return validateLines(t, d, lines)
		}
		t.Fatalf("%s: unknown command %s", d.Pos, d.Cmd)
		return ""
	})
}

func parseLines(t *testing.T, lines []string) string {
	var out strings.Builder
	for _, line := range lines {
		f, err := Parse(line)
		switch {
		case err != nil:
			fmt.Fprintf(&out, "%s\n  %v\n", line, err)
		case f.String() == line:
			fmt.Fprintf(&out, "%s\n  ok\n", line)
		default:
			fmt.Fprintf(&out, "%s\n  = %v\n", line, f)
		}
		if err == nil {
			back, err := Parse(f.String())
			require.NoError(t, err)
			require.Equal(t, f, back)
		}
	}
	return out.String()
}

func validateLines(t *testing.T, d *datadriven.TestData, lines []string) string {
	var nodes, messages []string
	var end string
	for _, arg := range d.CmdArgs {
		switch arg.Key {
		case "nodes":
			nodes = arg.Vals
		case "messages":
			messages = arg.Vals
		case "end":
			end = arg.Vals[0]
		}
	}
	until, err := time.ParseDuration(end)
	require.NoError(t, err)
	var s Schedule
	for _, line := range lines {
		f, err := Parse(line)
		require.NoError(t, err)
		s = append(s, f)
	}
	if err := s.Validate(Bounds{nodes, messages, until}); err != nil {
		return err.Error() + "\n"
	}
	return "ok\n"
}

// anyFault draws a fault that Parse could return, with values that Generate
// would never choose.
func anyFault(t *rapid.T) (f Fault) {
	long := rapid.Int64Range(0, 10*int64(time.Hour))
	f.From = time.Duration(long.Draw(t, "from"))
	f.Until = f.From + 1 + time.Duration(long.Draw(t, "length"))
	names := []string{"n0", "n1", "n2", "a-b", "x.y_z", "partition", "primary", "7"}
	group := func(from []string) []string {
		return rapid.SliceOfNDistinct(rapid.SampledFrom(from), 1, 3, rapid.ID).Draw(t, "group")
	}
	all := []string{everyone}
	f.Kind = Kind(rapid.IntRange(1, int(kinds)-1).Draw(t, "kind"))
	switch {
	case f.Kind == Partition:
		cut := rapid.IntRange(1, 5).Draw(t, "parting")
		f.Who = [][]string{group(names[:cut]), group(names[cut:6]), group(names[6:])}
		f.Who = f.Who[:rapid.IntRange(2, 3).Draw(t, "groups")]
		if rapid.Bool().Draw(t, "rest") {
			f.Who[rapid.IntRange(0, len(f.Who)-1).Draw(t, "which")] = all
		}
	case f.Kind.directed():
		f.Who = [][]string{group(names[:4]), group(names[4:])}
		if i := rapid.IntRange(0, 2).Draw(t, "everyone"); i < 2 {
			f.Who[i] = all
		}
	case f.Kind == Ring:
		f.Who = [][]string{append(group(names[:4]), names[5:]...)}
	default:
		f.Who = [][]string{group(names)}
	}
	if f.Kind.OfLinks() && rapid.Bool().Draw(t, "filtered") {
		f.Only = rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"Propagate", "WriteAck", "for", "ping_2"}), 1, 3, rapid.ID).Draw(t, "only")
	}
	if rapid.Bool().Draw(t, "repeated") {
		f.Every = 1 + (f.Until-f.From)/mostTimes + time.Duration(long.Draw(t, "every"))
		f.For = 1 + time.Duration(rapid.Int64Range(0, int64(f.Every)-1).Draw(t, "for"))
	}
	anyValues(t, &f, long)
	return f
}

// anyValues draws what its kind says of a fault.
func anyValues(t *rapid.T, f *Fault, long *rapid.Generator[int64]) {
	switch f.Kind {
	case Delay:
		f.Delay.Min = time.Duration(long.Draw(t, "min"))
		f.Delay.Spread = time.Duration(rapid.OneOf(rapid.Just[int64](0), long).Draw(t, "spread"))
		f.Delay.Tail = time.Duration(rapid.OneOf(rapid.Just[int64](0), long).Draw(t, "tail"))
		if rapid.Bool().Draw(t, "lognormal") {
			f.Delay.Median, f.Delay.Sigma = 1+f.Delay.Min, rapid.IntRange(0, sim.MaxSigma).Draw(t, "sigma")
		}
	case Throttle:
		f.Bandwidth = sim.Bandwidth(rapid.Int64Min(1).Draw(t, "bandwidth"))
		f.Queue = time.Duration(long.Draw(t, "queue"))
	case Lose, Duplicate, Reorder, Corrupt:
		f.Percent = rapid.Float64Range(0, 100).Draw(t, "percent")
	case Crash:
		f.Fate = sim.DiskFate(rapid.IntRange(0, 2).Draw(t, "fate"))
		f.Rolling = rapid.Bool().Draw(t, "rolling")
	case Slow, SlowDisk:
		f.Time = 1 + time.Duration(long.Draw(t, "time"))
	case CrashSending:
		f.Sends = rapid.IntRange(0, math.MaxInt).Draw(t, "sends")
	case Clock:
		f.Clock.Offset = time.Duration(rapid.Int64().Draw(t, "offset"))
		f.Clock.DriftPPM = rapid.Int64Range(1-fastest, fastest).Draw(t, "drift")
	}
}

func TestTextRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := anyFault(t)
		back, err := Parse(f.String())
		require.NoError(t, err, f.String())
		require.Equal(t, f, back)
	})
}

// TestBlanks shows what the golden file cannot: it drops blanks at both ends.
func TestBlanks(t *testing.T) {
	_, err := Parse("")
	require.EqualError(t, err, "column 1: the line ends, expected a window such as 100ms..300ms")
	_, err = Parse("  \t")
	require.EqualError(t, err, "column 4: the line ends, expected a window such as 100ms..300ms")
	f, err := Parse(" 0s..1s  pause\tn0 ")
	require.NoError(t, err)
	require.Equal(t, "0s..1s pause n0", f.String())
}

func TestFaultIsAStringInJSON(t *testing.T) {
	f, err := Parse("1ms..2ms crash n1 keeping synced")
	require.NoError(t, err)
	text, err := json.Marshal(Schedule{f})
	require.NoError(t, err)
	require.Equal(t, `["1ms..2ms crash n1 keeping synced"]`, string(text))
	var back Schedule
	require.NoError(t, json.Unmarshal(text, &back))
	require.Equal(t, Schedule{f}, back)
	require.ErrorContains(t, json.Unmarshal([]byte(`["soon"]`), &back), "column 1")
}

// TestValidateHandMade gives Validate what Parse never returns.
func TestValidateHandMade(t *testing.T) {
	who := [][]string{{"n0"}, {"n1"}}
	cut := Fault{Until: time.Second, Kind: Cut, Who: who}
	for _, c := range []struct {
		change func(*Fault)
		err    string
	}{
		{func(f *Fault) {}, ""},
		{func(f *Fault) { f.Kind = 0 }, "column 8: unexpected \"?\""},
		{func(f *Fault) { f.Kind = 200 }, "column 8: unexpected \"?\""},
		{func(f *Fault) { f.Until = 0 }, "column 5: the window is empty"},
		{func(f *Fault) { f.Who = nil }, "expected a node"},
		{func(f *Fault) { f.Who = who[:1] }, `the line ends, expected "->"`},
		{func(f *Fault) { f.Who = [][]string{{"n0"}, {}} }, "expected a node"},
		{func(f *Fault) { f.Who = [][]string{{"n0"}, {"n1"}, {"n2"}} }, "expected the end of the line"},
		{func(f *Fault) { f.Who = [][]string{{"n0"}, {"n1 n2"}} }, "does not say all"},
		{func(f *Fault) { f.Every = 5 }, "expected a duration of more than 0s"},
		{func(f *Fault) { f.Repeat = Repeat{1, 1} }, "the fault begins 1000000000 times, expected at most 1000"},
		{func(f *Fault) { f.Only = []string{"a b"} }, "does not say all"},
		{func(f *Fault) { f.Only = []string{""} }, "the line ends, expected the name of a message's type"},
		{func(f *Fault) { f.Bandwidth = 5 }, "does not say all"},
		{func(f *Fault) { f.Kind = Throttle }, `unexpected "0bit/s", expected a bandwidth of more than 0bit/s`},
		{func(f *Fault) { f.Kind, f.Bandwidth, f.Queue = Throttle, 1, -1 }, "expected a duration of more than 0s"},
		{func(f *Fault) { f.Percent = 5 }, "does not say all"},
		{func(f *Fault) { f.Kind, f.Who = Crash, who[:1]; f.Fate = 9 }, `unexpected "?"`},
		{func(f *Fault) { f.Kind, f.Percent = Lose, 120 }, `unexpected "120%"`},
		{func(f *Fault) { f.Kind, f.Percent = Lose, math.NaN() }, `unexpected "NaN%"`},
		{func(f *Fault) { f.Kind, f.Delay = Delay, sim.Latency{Min: -1} }, "expected a latency"},
		{func(f *Fault) { f.Kind, f.Who, f.Time = Slow, who[:1], 0 }, "more than nothing"},
		{func(f *Fault) { f.Kind, f.Who, f.Time = SlowDisk, who[:1], -1 }, "more than nothing"},
		{func(f *Fault) { f.Rolling = true }, "does not say all"},
		{func(f *Fault) { f.Kind, f.Who, f.Sends = CrashSending, who[:1], -1 }, "expected a number of sends"},
	} {
		f := cut
		c.change(&f)
		err := Schedule{f}.Validate(Bounds{Nodes: []string{"n0", "n1", "n2"}, End: time.Second})
		if c.err == "" {
			require.NoError(t, err)
			continue
		}
		require.ErrorContains(t, err, c.err, "%v", f)
	}
}

func FuzzParse(f *testing.F) {
	golden, err := os.ReadFile("testdata/parse.txt")
	require.NoError(f, err)
	for line := range strings.Lines(string(golden)) {
		f.Add(strings.TrimSuffix(line, "\n"))
	}
	f.Fuzz(func(t *testing.T, line string) {
		fault, err := Parse(line)
		if err != nil {
			if column := err.(*SyntaxError).Column; column < 1 || column > len(line)+1 {
				t.Fatalf("%q: %v", line, err)
			}
			return
		}
		text := fault.String()
		back, err := Parse(text)
		if err != nil || back.String() != text {
			t.Fatalf("%q became %q, which became %q, %v", line, text, back, err)
		}
		if text != strings.TrimSpace(text) || strings.ContainsAny(text, "#\"'\n") || strings.Contains(text, ": ") {
			t.Fatalf("%q is not plain YAML", text)
		}
		require.Equal(t, fault, back)
	})
}
