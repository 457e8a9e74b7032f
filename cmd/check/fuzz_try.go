package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	"github.com/spf13/cobra"
)

// tryWord is the command that makes runs which may end their process, on behalf of
// another process of the same program.
const tryWord = "try-runs"

func (a *app) tryCommand() *cobra.Command {
	return &cobra.Command{
		Use:    tryWord + " PLAN",
		Short:  "Make runs that may end the process, which standard input names",
		Hidden: true,
		Args:   cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			var f fuzzFlags
			var p storedPlan
			if err := json.Unmarshal([]byte(args[0]), &p); err != nil {
				return fmt.Errorf("%s, expected a plan: %w", args[0], err)
			}
			if err := f.set(p); err != nil {
				return err
			}
			return f.plan.Child(a.in, a.out)
		},
	}
}

// isolate finds out, if the last campaign in the directory was killed, whether one of its
// runs has done that.
func (s *session) isolate(ctx context.Context, f *fuzzFlags) error {
	if f.db != "" {
		return nil // a job that was under way is isolated when its turn comes
	}
	try, err := f.tryWith()
	if err != nil {
		return brokenError{err}
	}
	err = s.campaign.Isolate(ctx, &f.plan, try)
	if err != nil && ctx.Err() == nil {
		return brokenError{err}
	}
	return nil
}

// tryWith returns the command that tries runs of the plan.
func (f *fuzzFlags) tryWith() ([]string, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	plan, err := f.stored()
	return []string{program, tryWord, string(plan)}, err
}
