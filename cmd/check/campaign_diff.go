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
		RunE: func(_ *cobra.Command, args []string) error {
			ids, err := campaignIDs(args, 2, 2)
			if err != nil {
				return err
			}
			return from.read(func(s *store.Store) error {
				before, err := groupsOf(s, ids[0])
				if err != nil {
					return err
				}
				after, err := groupsOf(s, ids[1])
				if err != nil {
					return err
				}
				all := verdict.Changes(before, after)
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

func groupsOf(s *store.Store, id int64) (found []verdict.Group, err error) {
	if _, err = s.Find(id); err != nil {
		return nil, err
	}
	found, _, err = verdict.Groups(s, id, nil)
	return found, err
}

func printChanges(w io.Writer, all []verdict.Change) error {
	if len(all) == 0 {
		_, err := fmt.Fprintln(w, "neither of them found a failure")
		return err
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "SIGNATURE\tBEFORE\tAFTER\t\tFAILURE")
	for _, c := range all {
		fmt.Fprintf(t, "%s\t%.0f\t%.0f\t%s\t%s\n", c.ID, c.Before, c.After, c.What(), c.Text)
	}
	return t.Flush()
}
