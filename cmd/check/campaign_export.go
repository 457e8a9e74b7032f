package main

import (
	"encoding/json"

	"github.com/spf13/cobra"

	"github.com/rashomon-go/rashomon"
	"github.com/rashomon-go/rashomon/campaign/store"
)

// exportedExample is one failure, for programs.
type exportedExample struct {
	Signature string          `json:"signature"`
	Seed      uint64          `json:"seed"`
	Digest    string          `json:"digest"`
	Build     string          `json:"build"`
	Exercise  json.RawMessage `json:"exercise"`
	Scenario  string          `json:"scenario"`
}

func (a *app) campaignExport() *cobra.Command {
	var from place
	cmd := &cobra.Command{
		Use:   "export [CAMPAIGN]",
		Short: "Print a campaign and the failures that are kept, as lines of JSON",
		Long: `export prints a campaign as lines of JSON: the first one is what show --json prints,
and each of the others is a failure with the scenario as it was run. At most 100
failures of each signature are kept.`,
		RunE: func(_ *cobra.Command, args []string) error {
			ids, err := campaignIDs(args, 0, 1)
			if err != nil {
				return err
			}
			return from.read(func(s *store.Store) error { return a.export(s, ids[0]) })
		},
	}
	from.flags(cmd)
	from.completeArgs(cmd, 1, campaignWords)
	return cmd
}

func (a *app) export(s *store.Store, id int64) error {
	c, err := newShown(s, id)
	if err != nil {
		return err
	}
	if err := printJSONLine(a.out, c); err != nil {
		return err
	}
	examples, err := s.Examples(c.ID)
	if err != nil {
		return err
	}
	for _, e := range examples {
		line := exportedExample{e.Signature, e.Seed, rashomon.DigestString(e.Digest), e.Build, e.Exercise, e.Scenario}
		if err := printJSONLine(a.out, line); err != nil {
			return err
		}
	}
	return nil
}
