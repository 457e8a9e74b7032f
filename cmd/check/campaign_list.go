package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/rashomon-go/rashomon"
	"github.com/rashomon-go/rashomon/campaign/store"
)

// campaignInfo is a campaign in one line, for programs.
type campaignInfo struct {
	ID       int64           `json:"id"`
	State    store.State     `json:"state"`
	Began    time.Time       `json:"began"`
	Seconds  float64         `json:"seconds"`
	Build    string          `json:"build"`
	Plan     json.RawMessage `json:"plan"`
	Runs     int             `json:"runs"`
	Failures int             `json:"failures"`
	Groups   int             `json:"signatures"`
	Digest   string          `json:"digest"`
}

func newCampaignInfo(s *store.Store, i store.Info, states map[int64]store.State) (campaignInfo, error) {
	groups, err := s.Groups(i.ID)
	info := campaignInfo{
		ID: i.ID, State: cmp.Or(states[i.ID], store.Running), // it began just now
		Began: i.Began, Seconds: i.Seconds, Build: i.Build, Plan: i.Plan,
		Runs: i.Runs, Groups: len(groups), Digest: rashomon.DigestString(i.Digest),
	}
	for _, g := range groups {
		info.Failures += g.Count
	}
	return info, err
}

// newCampaignInfos returns all campaigns, the oldest first.
func newCampaignInfos(s *store.Store, states map[int64]store.State) ([]campaignInfo, error) {
	found, err := s.Campaigns()
	if err != nil {
		return nil, err
	}
	all := make([]campaignInfo, len(found)) // not nil, for programs
	for i := range found {
		if all[i], err = newCampaignInfo(s, found[i], states); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func (a *app) campaignList() *cobra.Command {
	var from place
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the campaigns of a directory, or of a database",
		Args:  noArguments,
		RunE: func(*cobra.Command, []string) error {
			return from.read(func(s *store.Store) error {
				states, err := s.States()
				if err != nil {
					return err
				}
				all, err := newCampaignInfos(s, states)
				if err != nil {
					return err
				}
				if asJSON {
					return printJSON(a.out, all)
				}
				return printCampaigns(a.out, all)
			})
		},
	}
	from.flags(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func printCampaigns(w io.Writer, all []campaignInfo) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "CAMPAIGN\tSTATE\tBEGAN\tTOOK\tRUNS\tFAILURES\tSIGNATURES\tDIGEST\tBUILD")
	for _, c := range all {
		fmt.Fprintf(t, "%d\t%s\t%s\t%v\t%d\t%d\t%d\t%s\t%s\n", c.ID, c.State, c.Began.Format(time.DateTime),
			time.Duration(c.Seconds*float64(time.Second)).Round(100*time.Millisecond), c.Runs, c.Failures, c.Groups, c.Digest, c.Build)
	}
	return t.Flush()
}
