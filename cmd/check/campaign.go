package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/rashomon-go/rashomon"
	"github.com/rashomon-go/rashomon/campaign"
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

// campaignInfo is a campaign in one line, for programs.
type campaignInfo struct {
	ID       int64           `json:"id"`
	Began    time.Time       `json:"began"`
	Seconds  float64         `json:"seconds"`
	Build    string          `json:"build"`
	Plan     json.RawMessage `json:"plan"`
	Runs     int             `json:"runs"`
	Failures int             `json:"failures"`
	Groups   int             `json:"signatures"`
	Digest   string          `json:"digest"`
}

func newCampaignInfo(s *store.Store, i store.Info) (campaignInfo, error) {
	groups, err := s.Groups(i.ID)
	info := campaignInfo{
		ID: i.ID, Began: i.Began, Seconds: i.Seconds, Build: i.Build, Plan: i.Plan,
		Runs: i.Runs, Groups: len(groups), Digest: rashomon.DigestString(i.Digest),
	}
	for _, g := range groups {
		info.Failures += g.Count
	}
	return info, err
}

func (a *app) campaignList() *cobra.Command {
	var dir string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the campaigns of a directory",
		Args:  noArguments,
		RunE: func(*cobra.Command, []string) error {
			return openKept(dir, func(s *store.Store) error {
				found, err := s.Campaigns()
				if err != nil {
					return err
				}
				all := make([]campaignInfo, len(found))
				for i := range found {
					if all[i], err = newCampaignInfo(s, found[i]); err != nil {
						return err
					}
				}
				if asJSON {
					return printJSON(a.out, all)
				}
				return printCampaigns(a.out, all)
			})
		},
	}
	dirFlag(cmd, &dir)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func printCampaigns(w io.Writer, all []campaignInfo) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "CAMPAIGN\tBEGAN\tTOOK\tRUNS\tFAILURES\tSIGNATURES\tDIGEST\tBUILD")
	for _, c := range all {
		fmt.Fprintf(t, "%d\t%s\t%v\t%d\t%d\t%d\t%s\t%s\n", c.ID, c.Began.Format(time.DateTime),
			time.Duration(c.Seconds*float64(time.Second)).Round(100*time.Millisecond), c.Runs, c.Failures, c.Groups, c.Digest, c.Build)
	}
	return t.Flush()
}

// shownCampaign is a campaign with all that it found, for programs.
type shownCampaign struct {
	campaignInfo
	Rows   []shownRow    `json:"rows"`
	Found  []groupReport `json:"groups,omitempty"`
	Gone   []goneReport  `json:"gone,omitempty"`
	Canary string        `json:"canary,omitempty"` // what was caught of it
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
	if c.campaignInfo, err = newCampaignInfo(s, info); err != nil {
		return c, err
	}
	cells, err := s.Cells(info.ID)
	if err != nil {
		return c, err
	}
	for _, name := range sortedKeys(cells) {
		c.Rows = append(c.Rows, shownRow{name, cells[name]})
	}
	groups, err := s.Groups(info.ID)
	if err != nil {
		return c, err
	}
	mutes, err := s.Mutes()
	if err != nil {
		return c, err
	}
	c.Found = newGroups(groups, mutes, func(g store.Group) int { return runsOfRow(cells, g) })
	c.Gone = newGone(mutes, c.Found)
	canary, err := s.Canary(info.ID)
	for _, g := range canary {
		c.Canary = g.Signature.String()
	}
	return c, err
}

// runsOfRow returns how many runs the row has in which a failure was found.
func runsOfRow(cells map[string]campaign.Tally, g store.Group) int {
	cell := campaign.Cell{
		System: &rashomon.System{Name: g.System, Bug: g.Bug},
		Claim:  rashomon.Claim{Reads: g.Reads, Property: g.Claim},
	}
	if t, ok := cells[cell.String()]; ok {
		return t.Runs
	}
	cell.Claim.Refuted = true
	return cells[cell.String()].Runs
}

func (a *app) campaignShow() *cobra.Command {
	var dir string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "show [CAMPAIGN]",
		Short: "Show what a campaign has done and found, the last one if none is given",
		RunE: func(_ *cobra.Command, args []string) error {
			ids, err := campaignIDs(args, 0, 1)
			if err != nil {
				return err
			}
			return openKept(dir, func(s *store.Store) error {
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
	dirFlag(cmd, &dir)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func (c shownCampaign) print(w io.Writer) error {
	if err := printCampaigns(w, []campaignInfo{c.campaignInfo}); err != nil {
		return err
	}
	var b strings.Builder
	t := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "\nROW\tRUNS\tINVALID\tPANICS\tUNKNOWN\tRAN TWICE\tDIFFERED\tREJUDGED\tCONTRADICTED")
	for _, r := range c.Rows {
		fmt.Fprintf(t, "%s\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\n", r.Row, r.Tally.Runs, r.Tally.Violations, r.Tally.Panics, r.Tally.Inconclusive,
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
	_, err := io.WriteString(w, b.String())
	return err
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

// changedGroup is a signature of which one campaign found more than the other.
type changedGroup struct {
	ID     string  `json:"id"`
	Text   string  `json:"signature"`
	Before float64 `json:"per_million_before"`
	After  float64 `json:"per_million_after"`
}

func (a *app) campaignDiff() *cobra.Command {
	var dir string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "diff CAMPAIGN CAMPAIGN",
		Short: "Compare how often two campaigns found what: new, gone, or as before",
		RunE: func(_ *cobra.Command, args []string) error {
			ids, err := campaignIDs(args, 2, 2)
			if err != nil {
				return err
			}
			return openKept(dir, func(s *store.Store) error {
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
	dirFlag(cmd, &dir)
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
		what := ""
		switch {
		case c.Before == 0:
			what = "new"
		case c.After == 0:
			what = "gone"
		}
		fmt.Fprintf(t, "%s\t%.0f\t%.0f\t%s\t%s\n", c.ID, c.Before, c.After, what, c.Text)
	}
	return t.Flush()
}

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
	var dir string
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
			return openKept(dir, func(s *store.Store) error { return a.export(s, ids[0]) })
		},
	}
	dirFlag(cmd, &dir)
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

func (a *app) campaignMute() *cobra.Command {
	var dir, reason string
	var off bool
	cmd := &cobra.Command{
		Use:   "mute SIGNATURE --reason WHY | mute SIGNATURE --off",
		Short: "Let campaigns succeed although a known failure occurs",
		Long: `mute says that a failure is known, and why it need not be looked at. Campaigns in the
directory go on counting it, but do not fail because of it; and they tell when it no
longer occurs. --off ends that.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case len(args) != 1:
				return fmt.Errorf("%s, expected one that check campaign show names", plural(len(args), "signature"))
			case off == (strings.TrimSpace(reason) != ""):
				return errors.New("expected either --reason with the reason, or --off")
			}
			if err := openKept(dir, func(*store.Store) error { return nil }); err != nil {
				return err // rather than make a directory
			}
			s, err := store.Open(dir)
			if err != nil {
				return err
			}
			return errors.Join(s.Mute(args[0], strings.TrimSpace(reason)), s.Close())
		},
	}
	dirFlag(cmd, &dir)
	cmd.Flags().StringVar(&reason, "reason", "", "`WHY` it need not be looked at")
	cmd.Flags().BoolVar(&off, "off", false, "no longer mute it")
	return cmd
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
