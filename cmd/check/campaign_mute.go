package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/rashomon-go/rashomon/campaign/store"
	"github.com/rashomon-go/rashomon/internal/english"
)

func (a *app) campaignMute() *cobra.Command {
	var in place
	var reason string
	var off bool
	cmd := &cobra.Command{
		Use:   "mute SIGNATURE --reason WHY | mute SIGNATURE --off",
		Short: "Let campaigns succeed although a known failure occurs",
		Long: `mute says that a failure is known, and why it need not be looked at. Campaigns in the
directory, or the database, go on counting it, but do not fail because of it; and
they tell when it no longer occurs. --off ends that.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case len(args) != 1:
				return fmt.Errorf("%s, expected one that check campaign show names", english.Plural(len(args), "signature"))
			case off == (strings.TrimSpace(reason) != ""):
				return errors.New("expected either --reason with the reason, or --off")
			}
			return in.write(func(s *store.Store) error { return s.Mute(args[0], strings.TrimSpace(reason)) })
		},
	}
	in.flags(cmd)
	in.completeArgs(cmd, 1, func(s *store.Store) ([]string, error) { return signatureWords(s, off) })
	cmd.Flags().StringVar(&reason, "reason", "", "`WHY` it need not be looked at")
	cmd.Flags().BoolVar(&off, "off", false, "no longer mute it")
	return cmd
}
