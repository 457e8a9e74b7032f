package main

import (
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/rashomon-go/rashomon/campaign/store"
)

// changedGroup is a signature of which one campaign found more than the other.
type changedGroup struct {
	ID     string  `json:"id"`
	Text   string  `json:"signature"`
	Before float64 `json:"per_million_before"`
	After  float64 `json:"per_million_after"`
}

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
				before, err := newShown(s, ids[0])
				if err != nil {
					return err
				}
				after, err := newShown(s, ids[1])
				if err != nil {
					return err
				}
				all := changes(before.Found, after.Found)
				if asJSON {
					return printJSON(a.out, all)
				}
				return printChanges(a.out, all)
			})
		},
	}
	from.flags(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// changes puts the groups of two campaigns side by side, by signature.
func changes(before, after []groupReport) []changedGroup {
	all := map[string]changedGroup{}
	for _, g := range before {
		all[g.ID] = changedGroup{ID: g.ID, Text: g.text, Before: g.PerMillion}
	}
	for _, g := range after {
		all[g.ID] = changedGroup{ID: g.ID, Text: g.text, Before: all[g.ID].Before, After: g.PerMillion}
	}
	sorted := make([]changedGroup, 0, len(all))
	for _, id := range sortedKeys(all) {
		sorted = append(sorted, all[id])
	}
	return sorted
}

func printChanges(w io.Writer, all []changedGroup) error {
	if len(all) == 0 {
		_, err := fmt.Fprintln(w, "neither of them found a failure")
		return err
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "SIGNATURE\tBEFORE\tAFTER\t\tFAILURE")
	for _, c := range all {
		fmt.Fprintf(t, "%s\t%.0f\t%.0f\t%s\t%s\n", c.ID, c.Before, c.After, c.what(), c.Text)
	}
	return t.Flush()
}

func (c changedGroup) what() string {
	switch {
	case c.Before == 0:
		return "new"
	case c.After == 0:
		return "gone"
	}
	return ""
}
