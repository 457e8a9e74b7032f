package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/rashomon-go/rashomon/campaign/store"
	"github.com/rashomon-go/rashomon/internal/english"
)

func (a *app) campaignCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "campaign",
		Short: "Look at the campaigns that fuzz keeps, mute known failures, and merge shards",
		Args:  cobra.ArbitraryArgs, // RunE names what is there instead
	}
	cmd.RunE = func(_ *cobra.Command, args []string) error { return helpOrNoCommand(cmd, args) }
	cmd.AddCommand(a.campaignList(), a.campaignShow(), a.campaignDiff(), a.campaignExport(), a.campaignMute(), a.campaignMerge())
	return cmd
}

// place is where a command finds campaigns: in a directory, or a database.
type place struct{ dir, db string }

func (p *place) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&p.dir, "dir", "rashomon-out", "the campaigns of this `DIR`")
	cmd.Flags().StringVar(&p.db, "db", "", "the campaigns of the PostgreSQL database at this `URL`, in place of a directory")
	cmd.PreRunE = func(cmd *cobra.Command, _ []string) error { return together(cmd, "dir", "db") }
}

// read opens the campaigns for as long as do needs them.
func (p place) read(do func(*store.Store) error) error {
	return p.readUntil(context.Background(), nil, do)
}

// readUntil is as read, but a database that is gone is waited for until ctx is cancelled only, and say, unless it
// is nil, is told about that.
func (p place) readUntil(ctx context.Context, say func(string), do func(*store.Store) error) error {
	if p.db == "" {
		return inDirectory(p.dir, do)
	}
	return during(func() (*store.Store, error) { return store.Join(ctx, p.db, say) }, do)
}

// inDirectory opens the campaigns of a directory for as long as do needs them.
func inDirectory(dir string, do func(*store.Store) error) error {
	return during(func() (*store.Store, error) { return store.Read(dir) }, do)
}

// write opens the campaigns, which must be there, for changes.
func (p place) write(do func(*store.Store) error) error {
	if p.db != "" {
		return p.read(do)
	}
	if err := p.read(func(*store.Store) error { return nil }); err != nil {
		return err // rather than make a directory
	}
	return during(func() (*store.Store, error) { return store.Open(p.dir) }, do)
}

func during(open func() (*store.Store, error), do func(*store.Store) error) error {
	s, err := open()
	if err != nil {
		return err
	}
	return errors.Join(do(s), s.Close())
}

// campaignIDs parses numbers of campaigns, two or at most one; one that is not given is 0.
func campaignIDs(args []string, least, most int) ([]int64, error) {
	if len(args) < least || len(args) > most {
		expected := "two of those"
		if most == 1 {
			expected = "no more than one of those"
		}
		return nil, fmt.Errorf("%s, expected %s that check campaign list names", english.Plural(len(args), "campaign"), expected)
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
