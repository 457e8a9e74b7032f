package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/rashomon-go/rashomon"
	"github.com/rashomon-go/rashomon/checker"
)

func (a *app) replayCommand() *cobra.Command {
	var s show
	var look look
	cmd := &cobra.Command{
		Use:   "replay FILE",
		Short: "Run a scenario file again, and see that it gives the same digest",
		Long: `replay runs a scenario file, as fuzz, run --out and run --print write it; - is
standard input. The file may be edited: it is one run as data, in YAML or JSON.

The scenario is run twice. If the second run is another than the first, something is
not deterministic: the exit status is 4.

If the file tells the digest of the run that wrote it, the digests are compared. A
difference is exit status 4 if the same version of the program wrote the file. If it
was another version, or one of them is an unversioned build (go run, or a tree with
changes), the code may decide otherwise: then replay only says so. Whoever edits a
scenario deletes its digest.

--until N stops at event N, as --trace numbers them, and shows what every replica is
then. --step stops at every event: Enter or n goes to the next one, p to the one
before, a number to that event, and q, or the end of the input, to the result. A star
marks the replicas that are not what they were when they were shown last. States are
those after the step that the event belongs to: the receipt of a message is shown with
what it did.`,
		Example: `  check replay rashomon-out/chain-ack-at-middle.yaml
  check replay --trace scenario.yaml
  check replay --until 120 scenario.yaml
  check replay --step scenario.yaml
  check run --system chain --seed 7 --print | check replay -`,
		Args: exactlyOneFile,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := together(cmd, "trace", "json", "until", "step"); err != nil {
				return err
			}
			if look.step && args[0] == "-" {
				return errors.New("--step reads standard input, and so does -, expected the name of a file")
			}
			look.stops = cmd.Flags().Changed("until")
			return a.replay(args[0], s, look)
		},
	}
	s.flags(cmd)
	f := cmd.Flags()
	f.IntVar(&look.until, "until", 0, "stop at event `N`, and show every replica's state")
	f.BoolVar(&look.step, "step", false, "stop at every event, and read from standard input where to go")
	return cmd
}

func (a *app) replay(file string, s show, look look) error {
	sc, system, err := readScenario(a.in, file)
	if err != nil {
		return err
	}
	if err := s.prepare(); err != nil {
		return err
	}
	if err := a.look(system, sc, look); err != nil {
		return err
	}
	r, err := a.play(system, sc, s, false)
	if err != nil {
		return err
	}
	if err := repeat(system, sc, r.Digest); err != nil {
		return err
	}
	if err := a.show(system, sc, r, s, system.Name+"-replay"); err != nil {
		return err
	}
	return a.compare(file, sc, r.Digest, s)
}

// repeat runs a scenario once more, and fails if the run differs.
func repeat(s *rashomon.System, sc *rashomon.Scenario, digest uint64) error {
	again, err := rashomon.Run(s, sc, rashomon.Options{Check: checker.Options{VerdictOnly: true}})
	if err != nil {
		return err
	}
	if again.Digest != digest {
		return brokenError{errors.New(newDiffer(s, sc, sc.Seed, digest, again.Digest).String())}
	}
	return nil
}

// compare says whether the replay gave the digest that the file tells.
func (a *app) compare(file string, sc *rashomon.Scenario, digest uint64, s show) error {
	switch {
	case sc.Digest == 0 || sc.Digest == digest && s.json:
		return nil
	case sc.Digest == digest:
		_, err := fmt.Fprintln(a.out, "replayed bit for bit")
		return err
	}
	err := fmt.Errorf("%s: its digest is %s, and replaying it gave %s", file, rashomon.DigestString(sc.Digest), rashomon.DigestString(digest))
	who, same := wrote(sc.Program, version())
	if same {
		return brokenError{fmt.Errorf("%w: %s: either the file was edited (then delete its digest), or something is not deterministic", err, who)}
	}
	_, err = fmt.Fprintf(a.err, "check: %v: %s: either the code has changed since, or the file was edited, or something is not deterministic\n", err, who)
	return err
}

// wrote says who wrote a file, and whether it was certainly the same code as ours.
func wrote(program, ours string) (who string, same bool) {
	switch {
	case program == "":
		return "the file does not say which version wrote it", false
	case !versioned(program):
		return "the file was written by an unversioned build", false
	case program == ours:
		return "the file was written by this version, " + ours, true
	case !versioned(ours):
		return "the file was written by version " + program + ", and this is an unversioned build", false
	}
	return "the file was written by version " + program + ", and this is " + ours, false
}
