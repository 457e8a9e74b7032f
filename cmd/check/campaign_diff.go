package main

import (
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/rashomon-go/rashomon/campaign/store"
	"github.com/rashomon-go/rashomon/campaign/verdict"
)

func (a *app) campaignDiff() *cobra.Command {
	var from place
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "diff CAMPAIGN CAMPAIGN",
		Short: "Compare how often two campaigns found what: new, gone, or as before",
		Long: `diff puts what two campaigns have found side by side, in failures of each million runs
of their row: new, gone, or as before. Where a campaign has not run the row stands -, and
not run if that is the second one.`,
		RunE: func(_ *cobra.Command, args []string) error {
			ids, err := campaignIDs(args, 2, 2)
			if err != nil {
				return err
			}
			return from.read(func(s *store.Store) error {
				for _, id := range ids {
					if _, err := s.Find(id); err != nil {
						return err
					}
				}
				all, err := verdict.Changes(s, ids[0], ids[1])
				if err != nil {
					return err
				}
				if asJSON {
					return printJSON(a.out, all)
				}
				return printChanges(a.out, all)
			})
		},
	}
	from.flags(cmd)
	from.completeArgs(cmd, 2, campaignWords)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func printChanges(w io.Writer, all []verdict.Change) error {
	if len(all) == 0 {
		_, err := fmt.Fprintln(w, "neither of them found a failure")
		return err
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "SIGNATURE\tBEFORE\tAFTER\t\tFAILURE")
	for _, c := range all {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", c.ID, rate(c.Before), rate(c.After), c.What(), c.Text)
	}
	return t.Flush()
}

// rate prints how often something was found in a million runs; a row that was not run has
// none.
func rate(perMillion *float64) string {
	if perMillion == nil {
		return "-"
	}
	return fmt.Sprintf("%.0f", *perMillion)
}
