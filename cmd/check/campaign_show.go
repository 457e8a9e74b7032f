package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/rashomon-go/rashomon/campaign"
	"github.com/rashomon-go/rashomon/campaign/store"
	"github.com/rashomon-go/rashomon/campaign/verdict"
)

// shownCampaign is a campaign with all that it found, for programs.
type shownCampaign struct {
	campaignInfo
	verdict.Conclusion
	Rows   []shownRow      `json:"rows"`
	Found  []verdict.Group `json:"groups,omitempty"`
	Gone   []verdict.Gone  `json:"gone,omitempty"`
	Canary string          `json:"canary,omitempty"` // what was caught of it
}

type shownRow struct {
	Row   string         `json:"row"`
	Tally campaign.Tally `json:"tally"`
}

func newShown(s *store.Store, id int64) (c shownCampaign, err error) {
	info, err := s.Find(id)
	if err != nil {
		return c, err
	}
	states, err := s.States() // before what is read, lest the end be missed
	if err != nil {
		return c, err
	}
	if c.campaignInfo, err = newCampaignInfo(s, info, states); err != nil {
		return c, err
	}
	cells, err := s.Cells(info.ID)
	if err != nil {
		return c, err
	}
	for _, name := range sortedKeys(cells) {
		c.Rows = append(c.Rows, shownRow{name, cells[name]})
	}
	mutes, err := s.Mutes()
	if err != nil {
		return c, err
	}
	if c.Found, c.Gone, err = verdict.Groups(s, info.ID, mutes); err != nil {
		return c, err
	}
	if c.Canary, err = verdict.CaughtCanary(s, info.ID); err != nil {
		return c, err
	}
	c.conclude(s, info)
	return c, nil
}

// conclude says what the campaign comes to, as fuzz does at its end, but for what the
// corpus does now. Another build may have rows that this one has not.
func (c *shownCampaign) conclude(s *store.Store, info store.Info) {
	_, evidence, err := readEvidence(s, info)
	if err != nil {
		c.Conclusion = verdict.Conclusion{Grade: verdict.Unknown, Verdict: verdict.Unknown.String(), Sentence: err.Error()}
		return
	}
	c.Conclusion = concluded(evidence, c.State)
}

// amidRuns is the flaw of a campaign whose program has died.
const amidRuns = "the program ended amid runs: check fuzz --resume finds out whether one of them ended it, and goes on"

// concluded is what a campaign comes to that is in a store, as far as it has come.
func concluded(e *verdict.Evidence, s store.State) verdict.Conclusion {
	switch s {
	case store.Interrupted:
		e.Flaws = append(e.Flaws, amidRuns)
	case store.Running:
		return soFar(e.Conclude())
	}
	return e.Conclude()
}

// soFar returns what a campaign comes to that is still under way: that something has not
// happened yet says nothing.
func soFar(c verdict.Conclusion) verdict.Conclusion {
	if c.Grade == verdict.Valid || c.Grade == verdict.Unknown {
		return verdict.Conclusion{Grade: verdict.Unknown, Verdict: string(store.Running), Sentence: "the campaign is under way, and nothing is wrong so far"}
	}
	c.Verdict += " so far"
	return c
}

func (a *app) campaignShow() *cobra.Command {
	var from place
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "show [CAMPAIGN]",
		Short: "Show what a campaign has done and found, the last one if none is given",
		RunE: func(_ *cobra.Command, args []string) error {
			ids, err := campaignIDs(args, 0, 1)
			if err != nil {
				return err
			}
			return from.read(func(s *store.Store) error {
				c, err := newShown(s, ids[0])
				if err != nil {
					return err
				}
				if asJSON {
					return printJSON(a.out, c)
				}
				return c.print(a.out)
			})
		},
	}
	from.flags(cmd)
	from.completeArgs(cmd, 1, campaignWords)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func (c shownCampaign) print(w io.Writer) error {
	if err := printCampaigns(w, []campaignInfo{c.campaignInfo}); err != nil {
		return err
	}
	var b strings.Builder
	t := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "\nROW\tRUNS\tINVALID\tPANICS\tCRASHES\tUNKNOWN\tRAN TWICE\tDIFFERED\tREJUDGED\tCONTRADICTED")
	for _, r := range c.Rows {
		fmt.Fprintf(t, "%s\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\n", r.Row, r.Tally.Runs, r.Tally.Violations, r.Tally.Panics, r.Tally.Crashes, r.Tally.Inconclusive,
			r.Tally.RanTwice, r.Tally.Differing, r.Tally.Rejudged, r.Tally.Contradicted)
	}
	t.Flush() // to memory
	printGroups(&b, c.Found, c.Gone)
	for _, g := range c.Found {
		fmt.Fprintf(&b, "\n%s, first seen %s:\n%s\n", g.ID, g.FirstSeen.Format(time.DateTime), g.Sentence)
	}
	if c.Canary != "" {
		fmt.Fprintf(&b, "\ncanary: %s\n", c.Canary)
	}
	b.WriteString("\n")
	printConclusion(&b, &c.Conclusion)
	_, err := io.WriteString(w, b.String())
	return err
}
