// Command check runs scenarios against the built-in systems, fuzzes them against
// what they claim, replays what was found, and judges recorded histories.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/rashomon-go/rashomon/campaign/verdict"
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
	if b.rank() > a.rank() {
		return b
	}
	return a
}

// rank orders statuses by their gravity.
func (s status) rank() int {
	return map[status]int{statusValid: 0, statusUnknown: 1, statusInvalid: 2, statusUsage: 3, statusBroken: 4}[s]
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

// statusOfGrade is the exit status for what a campaign comes to.
func statusOfGrade(g verdict.Grade) status {
	return [...]status{verdict.Valid: statusValid, verdict.Unknown: statusUnknown, verdict.Invalid: statusInvalid, verdict.Unreliable: statusBroken}[g]
}

// brokenError is a failure of the tool itself, as opposed to bad input.
type brokenError struct{ error }

func main() { os.Exit(int(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))) }

// app is one invocation of the command.
type app struct {
	in       io.Reader
	out, err io.Writer
	status   status
	progress *progress // of a campaign, once it runs
}

func run(args []string, in io.Reader, out, errs io.Writer) (s status) {
	sink := &sink{w: out}
	a := &app{in: in, out: sink, err: errs}
	defer func() {
		if p := recover(); p != nil {
			fmt.Fprintf(errs, "check: internal error: %v\n%s", p, debug.Stack())
			s = statusBroken
		}
	}()
	root := a.command()
	root.SetArgs(args)
	err := root.Execute()
	if sink.err != nil {
		err = brokenError{plainError(sink.err)}
	}
	if err == nil {
		return a.status
	}
	fmt.Fprintf(errs, "check: %v\n", err)
	return a.graveError(err)
}

// sink remembers that something could not be written, which must not look like
// success, whoever was writing.
type sink struct {
	w   io.Writer
	err error
}

func (s *sink) Write(p []byte) (int, error) {
	n, err := s.w.Write(p)
	if s.err == nil {
		s.err = err
	}
	return n, err
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
		Example: `  check list                              what there is
  check fuzz                              test all systems for 20 s
  check fuzz --bug chain-ack-at-middle    see how a bug is caught
  check history history.edn               judge what a real system did`,
		Version:       version(),
		SilenceErrors: true, SilenceUsage: true,
	}
	root.SetIn(a.in)
	root.SetOut(a.out) // before strict: the completion command keeps it
	root.SetErr(a.err)
	root.RunE = func(_ *cobra.Command, args []string) error { return helpOrNoCommand(root, args) }
	root.Args = cobra.ArbitraryArgs // RunE names what is there instead
	root.SetFlagErrorFunc(flagError)
	root.AddCommand(a.fuzzCommand(), a.campaignCommand(), a.workCommand(), a.reportCommand(), a.runCommand(), a.replayCommand(), a.minimizeCommand(), a.historyCommand(), a.zooCommand(), a.listCommand(), a.versionCommand(), a.tryCommand())
	strict(root)
	return root
}

// helpOrNoCommand is what a command does that has subcommands: alone it prints its help.
func helpOrNoCommand(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return c.Help()
	}
	return noCommand(c, args)
}

// noCommand is the error of a command that has subcommands and got another word.
func noCommand(c *cobra.Command, args []string) error {
	var names []string
	for _, sub := range c.Commands() {
		if !sub.Hidden {
			names = append(names, sub.Name())
		}
	}
	what := "no command"
	if len(args) > 0 {
		what = fmt.Sprintf("unknown command %q", args[0])
	}
	return fmt.Errorf("%s, expected one of %s; see %s --help", what, strings.Join(names, ", "), c.CommandPath())
}

// strict makes the commands that come with cobra refuse words that they don't
// know: by default they print their help and succeed.
func strict(root *cobra.Command) {
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	for _, c := range root.Commands() {
		switch c.Name() {
		case "completion":
			c.Args = cobra.ArbitraryArgs
			c.RunE = noCommand
		case "help":
			c.Run, c.RunE = nil, func(_ *cobra.Command, args []string) error {
				about, rest, err := root.Find(args)
				if err != nil || len(rest) > 0 {
					return noCommand(root, args)
				}
				about.InitDefaultHelpFlag()
				about.InitDefaultVersionFlag()
				return about.Help()
			}
		}
	}
}

// flagError says what was expected of a flag, in place of how it was parsed.
func flagError(c *cobra.Command, err error) error {
	var value *pflag.InvalidValueError
	if !errors.As(err, &value) {
		return fmt.Errorf("%w, expected the flags that %s --help lists", err, c.CommandPath())
	}
	f := value.GetFlag()
	expected := map[string]string{
		"uint64": "a whole number, 0 or more", "int": "a whole number", "int64": "a whole number",
		"float64": "a number", "duration": "a duration such as 90s or 5m", "bool": "true or false",
	}[f.Value.Type()]
	return fmt.Errorf("--%s %q, expected %s", f.Name, value.GetValue(), expected)
}

// together refuses flags that exclude each other.
func together(c *cobra.Command, names ...string) error {
	var given []string
	for _, name := range names {
		if c.Flags().Changed(name) {
			given = append(given, "--"+name)
		}
	}
	if len(given) > 1 {
		return fmt.Errorf("%s exclude each other, expected one of them", strings.Join(given, " and "))
	}
	return nil
}
