// Command check runs scenarios against the built-in systems, fuzzes them against
// what they claim, replays what was found, and judges recorded histories.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/rashomon-go/rashomon/checker"
)

// status is the exit status of the command. Over several verdicts the gravest
// wins: broken, usage, invalid, unknown, valid.
type status int

const (
	statusValid   status = 0
	statusInvalid status = 1
	statusUnknown status = 2
	statusUsage   status = 3 // bad usage or bad input
	statusBroken  status = 4 // the tool itself failed
)

// graver returns the graver of two statuses.
func graver(a, b status) status {
	rank := map[status]int{statusValid: 0, statusUnknown: 1, statusInvalid: 2, statusUsage: 3, statusBroken: 4}
	if rank[b] > rank[a] {
		return b
	}
	return a
}

func statusOf(v checker.Verdict) status {
	switch v {
	case checker.Valid:
		return statusValid
	case checker.Invalid:
		return statusInvalid
	}
	return statusUnknown
}

// brokenError is a failure of the tool itself, as opposed to bad input.
type brokenError struct{ error }

func main() { os.Exit(int(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))) }

// app is one invocation of the command.
type app struct {
	in       io.Reader
	out, err io.Writer
	status   status
}

func run(args []string, in io.Reader, out, errs io.Writer) (s status) {
	a := &app{in: in, out: out, err: errs}
	defer func() {
		if p := recover(); p != nil {
			fmt.Fprintf(errs, "check: internal error: %v\n%s", p, debug.Stack())
			s = statusBroken
		}
	}()
	root := a.command()
	root.SetArgs(args)
	root.SetIn(in)
	root.SetOut(out)
	root.SetErr(errs)
	if err := root.Execute(); err != nil {
		fmt.Fprintf(errs, "check: %v\n", err)
		if errors.As(err, &brokenError{}) {
			return statusBroken
		}
		return statusUsage
	}
	return a.status
}

func (a *app) command() *cobra.Command {
	root := &cobra.Command{
		Use:   "check",
		Short: "Is there one order of events that makes all clients' stories true?",
		Long: `check runs random workloads against simulated replicated systems, under
partitions, delays and losses, and judges what the clients saw. It also judges
histories recorded elsewhere.

Exit status: 0 valid, 1 invalid, 2 unknown or inconclusive, 3 bad usage or
input, 4 the tool itself failed.`,
		Version:       version(),
		SilenceErrors: true, SilenceUsage: true,
		Args: cobra.NoArgs,
	}
	root.AddCommand(a.fuzzCommand(), a.runCommand(), a.replayCommand(), a.historyCommand(), a.listCommand())
	return root
}

// version returns the module's version or the commit that the program was built
// from.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	revision, modified := "", ""
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			revision = s.Value[:min(12, len(s.Value))]
		case s.Key == "vcs.modified" && s.Value == "true":
			modified = "+changes"
		}
	}
	switch {
	case revision != "":
		return revision + modified
	case info.Main.Version != "":
		return info.Main.Version
	}
	return "unknown"
}
