package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/rashomon-go/rashomon"
	"github.com/rashomon-go/rashomon/checker"
)

func (a *app) replayCommand() *cobra.Command {
	var s show
	cmd := &cobra.Command{
		Use:   "replay FILE",
		Short: "Run a scenario file again, and see that it gives the same digest",
		Long: `replay runs a scenario file, as fuzz, run --out and run --print write it; - is
standard input. The file may be edited: it is one run as data, in YAML or JSON.

If the file tells the digest of the run that wrote it, the digests are compared: a
difference is exit status 4, unless another version of the program wrote the file,
whose code decided otherwise; then replay only says so. Whoever edits a scenario
deletes its digest.`,
		Example: `  check replay rashomon-out/chain-ack-at-middle.yaml
  check replay --trace scenario.yaml
  check run --system chain --seed 7 --print | check replay -`,
		Args: exactlyOneFile,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := together(cmd, "trace", "json"); err != nil {
				return err
			}
			return a.replay(args[0], s)
		},
	}
	s.flags(cmd)
	return cmd
}

func (a *app) replay(file string, s show) error {
	sc, system, err := readScenario(a.in, file)
	if err != nil {
		return err
	}
	if err := s.prepare(); err != nil {
		return err
	}
	r, err := a.play(system, sc, s)
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
		return brokenError{fmt.Errorf("two runs of one scenario gave the digests %s and %s: something is not deterministic",
			rashomon.DigestString(digest), rashomon.DigestString(again.Digest))}
	}
	return nil
}

// compare says whether the replay gave the digest that the file tells.
func (a *app) compare(file string, sc *rashomon.Scenario, digest uint64, s show) error {
	switch ours := version(); {
	case sc.Digest == 0:
		return nil
	case sc.Digest == digest && s.json:
		return nil
	case sc.Digest == digest:
		_, err := fmt.Fprintln(a.out, "replayed bit for bit")
		return err
	case sc.Program != "" && sc.Program != ours:
		_, err := fmt.Fprintf(a.err, "check: %s: its digest is %s: it was written by version %s, and this is %s, whose code decides otherwise; the scenario is the same, the run is not\n",
			file, rashomon.DigestString(sc.Digest), sc.Program, ours)
		return err
	}
	return brokenError{fmt.Errorf("%s: its digest is %s, and replaying it gave %s: the scenario was edited (then delete its digest), the program was changed, or something is not deterministic",
		file, rashomon.DigestString(sc.Digest), rashomon.DigestString(digest))}
}
