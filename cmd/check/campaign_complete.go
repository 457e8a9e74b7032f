package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/rashomon-go/rashomon/campaign/store"
	"github.com/rashomon-go/rashomon/internal/english"
)

// patient is how long a shell is made to wait for what a database has.
const patient = 2 * time.Second

// completeArgs lets a shell complete up to most arguments with words of a store, each
// followed by a tab and what it is. From a store that cannot be read come none.
func (p *place) completeArgs(cmd *cobra.Command, most int, words func(*store.Store) ([]string, error)) {
	cmd.ValidArgsFunction = func(cmd *cobra.Command, args []string, _ string) (found []string, _ cobra.ShellCompDirective) {
		if len(args) < most {
			ctx, cancel := context.WithTimeout(context.Background(), patient)
			defer cancel()
			_ = p.readUntil(ctx, nil, func(s *store.Store) (err error) { // a shell cannot show errors
				found, err = words(s)
				return err
			})
		}
		return found, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveKeepOrder
	}
}

// campaignWords are the campaigns of a store, the last one first.
func campaignWords(s *store.Store) (words []string, err error) {
	all, err := s.Campaigns()
	for _, c := range slices.Backward(all) {
		words = append(words, fmt.Sprintf("%d\t%s, %s", c.ID, c.Began.Format(time.DateTime), english.Plural(c.Runs, "run")))
	}
	return words, err
}

// signatureWords are the signatures in a store that can be muted, or those that are.
func signatureWords(s *store.Store, muted bool) (words []string, err error) {
	mutes, err := s.Mutes()
	if err != nil {
		return nil, err
	}
	reasons := map[string]string{}
	for _, m := range mutes {
		reasons[m.Signature] = m.Reason
		if muted {
			words = append(words, m.Signature+"\t"+m.Reason)
		}
	}
	if muted {
		return words, nil
	}
	campaigns, err := s.Campaigns()
	for _, c := range slices.Backward(campaigns) {
		groups, err := s.Groups(c.ID)
		if err != nil {
			return nil, err
		}
		for _, g := range groups {
			if _, known := reasons[g.ID()]; !known {
				reasons[g.ID()] = "named already"
				words = append(words, g.ID()+"\t"+g.Signature.String()+", in campaign "+strconv.FormatInt(c.ID, 10))
			}
		}
	}
	return words, err
}
