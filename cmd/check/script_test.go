package main

import (
	"encoding/json"
	"errors"
	"flag"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/stretchr/testify/require"

	"github.com/rashomon-go/rashomon/campaign/store"
)

var update = flag.Bool("update", false, "write what the commands print into the scripts; look at the diff")

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"check": main})
}

// The scripts in testdata/script run the command as people do.
func TestScripts(t *testing.T) {
	logs := porcupineDir(t) + "/test_data"
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		UpdateScripts:       *update,
		RequireUniqueNames:  true,
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("LOGS", logs)
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": exits, "refused": refused, "json": isJSON, "files": files, "worked": worked, "digests": digests, "steady": steady,
		},
	})
}

// exits runs a command and demands an exit status: exits 1 check run …
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits STATUS COMMAND…")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	if got := statusOfCommand(ts, args[1:]); got != want {
		ts.Fatalf("exit status %d, expected %d", got, want)
	}
}

func statusOfCommand(ts *testscript.TestScript, args []string) int {
	err := ts.Exec(args[0], args[1:]...)
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode()
	}
	ts.Check(err)
	return 0
}

// refused runs a command that must refuse its input: exit status 3, nothing on
// standard output, and one line that says what was expected.
func refused(ts *testscript.TestScript, neg bool, args []string) {
	exits(ts, neg, append([]string{"3"}, args...))
	if out := ts.ReadFile("stdout"); out != "" {
		ts.Fatalf("printed %q before it refused", out)
	}
	line := ts.ReadFile("stderr")
	if strings.Count(line, "\n") != 1 || !strings.HasSuffix(line, "\n") || !strings.HasPrefix(line, "check: ") {
		ts.Fatalf("expected one line of error, got %q", line)
	}
	if !strings.Contains(line, "xpected") {
		ts.Fatalf("the error does not say what was expected: %q", line)
	}
}

// isJSON demands that each file, such as stdout, is JSON, or a line of it after
// the other.
func isJSON(ts *testscript.TestScript, _ bool, args []string) {
	for _, file := range args {
		values := 0
		for d := json.NewDecoder(strings.NewReader(ts.ReadFile(file))); d.More(); values++ {
			var v any
			ts.Check(d.Decode(&v))
		}
		if values == 0 {
			ts.Fatalf("%s: no JSON", file)
		}
	}
}

// files demands that a directory has exactly these files, hidden ones included:
// files DIR NAME…
func files(ts *testscript.TestScript, _ bool, args []string) {
	entries, err := os.ReadDir(ts.MkAbs(args[0]))
	ts.Check(err)
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if got, want := strings.Join(names, " "), strings.Join(args[1:], " "); got != want {
		ts.Fatalf("files are %q, expected %q", got, want)
	}
}

// digests demands that files have the same line of digest.
func digests(ts *testscript.TestScript, _ bool, args []string) {
	var first string
	for i, file := range args {
		_, digest, found := strings.Cut(ts.ReadFile(file), "\ndigest: ")
		switch {
		case !found:
			ts.Fatalf("%s: no digest", file)
		case i == 0:
			first = digest
		case digest != first:
			ts.Fatalf("%s: digest %s, expected %s", file, digest, first)
		}
	}
}

// varying is what differs from campaign to campaign: times and the build.
var varying = regexp.MustCompile(`\d{4}-\d\d-\d\d \d\d:\d\d:\d\d|(\| (?:Took|Build) \| )[^|]*`)

// steady takes out of a file what is another each time: steady FILE.
func steady(ts *testscript.TestScript, _ bool, args []string) {
	text := varying.ReplaceAllString(ts.ReadFile(args[0]), "${1}…")
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(text), 0o644))
}

// worked waits until a campaign has made runs, which a command in the background
// does: worked DIR.
func worked(ts *testscript.TestScript, _ bool, args []string) {
	for range 3000 {
		if runsIn(ts.MkAbs(args[0])) > 0 {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	ts.Fatalf("nothing happens in %s", args[0])
}

func runsIn(dir string) int {
	s, err := store.Read(dir)
	if err != nil {
		return 0 // not yet
	}
	defer s.Close()
	info, err := s.Find(0)
	if err != nil {
		return 0
	}
	return info.Runs
}

// porcupineDir is where the module is whose tests judge logs of real systems.
func porcupineDir(t testing.TB) string {
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/anishathalye/porcupine").Output()
	require.NoError(t, err, "expected the go command, and the module porcupine")
	return strings.TrimSpace(string(dir))
}

// A disk that is full must not look like success.
func TestOutputThatCannotBeWritten(t *testing.T) {
	for _, args := range []string{
		"list", "list --json", "--help", "--version", "completion bash", "run --system chain", "run --system chain --trace",
		"run --system chain --json", "run --system chain --print", "fuzz --runs 1 --operations 5 --dir " + t.TempDir(),
		"history -", "history --json -", "minimize --json ../../systems/testdata/zoo/store-evict.yaml",
	} {
		var errs strings.Builder
		s := run(strings.Fields(args), strings.NewReader(""), fullDisk{}, &errs)
		require.Equal(t, statusBroken, s, args)
		require.Equal(t, "check: disk full\n", errs.String(), args)
	}
}

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errors.New("disk full") }

// A panic is a failure of the tool, and no verdict.
func TestPanic(t *testing.T) {
	var errs strings.Builder
	require.Equal(t, statusBroken, run([]string{"history", "-"}, panics{}, &strings.Builder{}, &errs))
	require.Contains(t, errs.String(), "check: internal error: at once")
}

type panics struct{}

func (panics) Read([]byte) (int, error) { panic("at once") }

func TestGravestStatusWins(t *testing.T) {
	order := []status{statusValid, statusUnknown, statusInvalid, statusUsage, statusBroken}
	for i, a := range order {
		for j, b := range order {
			require.Equal(t, order[max(i, j)], graver(a, b), "%d and %d", a, b)
		}
	}
}
