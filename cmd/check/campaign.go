package main

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/rashomon-go/rashomon/campaign/store"
)

func (a *app) campaignCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "campaign",
		Short: "Look at the campaigns that fuzz keeps, mute known failures, and merge shards",
		Args:  cobra.ArbitraryArgs, // RunE names what is there instead
	}
	cmd.RunE = func(_ *cobra.Command, args []string) error { return noCommand(cmd, args) }
	cmd.AddCommand(a.campaignList(), a.campaignShow(), a.campaignDiff(), a.campaignExport(), a.campaignMute(), a.campaignMerge())
	return cmd
}

// dirFlag is where a command finds campaigns.
func dirFlag(cmd *cobra.Command, dir *string) {
	cmd.Flags().StringVar(dir, "dir", "rashomon-out", "the campaigns of this `DIR`")
}

// openKept opens the campaigns of a directory for as long as do needs them.
func openKept(dir string, do func(*store.Store) error) error {
	s, err := store.Read(dir)
	if err != nil {
		return err
	}
	return errors.Join(do(s), s.Close())
}

// campaignIDs parses numbers of campaigns; those that are not given are 0.
func campaignIDs(args []string, least, most int) ([]int64, error) {
	if len(args) < least || len(args) > most {
		return nil, fmt.Errorf("%s, expected %d to %d that check campaign list names", plural(len(args), "campaign"), least, most)
	}
	ids := make([]int64, most)
	for i, arg := range args {
		n, err := strconv.ParseInt(arg, 10, 64)
		if err != nil || n < 1 {
			return nil, fmt.Errorf("campaign %q, expected a number from 1 upwards", arg)
		}
		ids[i] = n
	}
	return ids, nil
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
