package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/rashomon-go/rashomon/campaign/store"
	"github.com/rashomon-go/rashomon/internal/english"
)

// groupReport is failures of one signature, for programs.
type groupReport struct {
	ID         string    `json:"id"`
	System     string    `json:"system"`
	Bug        string    `json:"bug,omitempty"`
	Reads      string    `json:"reads"`
	Claim      string    `json:"claim"`
	Kind       string    `json:"kind"`
	Involved   string    `json:"involved"`
	Count      int       `json:"count"`
	PerMillion float64   `json:"per_million"` // runs of the row
	Seed       uint64    `json:"seed"`        // the lowest
	FirstSeen  time.Time `json:"first_seen"`
	Sentence   string    `json:"sentence"` // of the smallest example
	Operations int       `json:"operations"`
	Faults     int       `json:"faults"`
	Muted      string    `json:"muted,omitempty"` // why

	text string
}

// newGroups puts groups into words. Runs is how many runs the row of each has.
func newGroups(groups []store.Group, mutes []store.Mute, runs func(groupReport) int) (all []groupReport) {
	for _, g := range groups {
		one := groupReport{
			ID: g.ID(), System: g.System, Bug: g.Bug, Reads: g.Reads, Claim: string(g.Claim), Kind: g.Kind, Involved: g.Involved,
			Count: g.Count, Seed: g.Seed, FirstSeen: g.Seen, Sentence: g.Sentence, Operations: g.Operations, Faults: g.Faults,
			text: g.Signature.String(),
		}
		if n := runs(one); n > 0 {
			one.PerMillion = 1e6 * float64(g.Count) / float64(n)
		}
		for _, m := range mutes {
			if m.Signature == one.ID {
				one.Muted = m.Reason
			}
		}
		all = append(all, one)
	}
	return all
}

// goneReport is a muted signature that no longer occurs.
type goneReport struct {
	Signature string `json:"signature"`
	Reason    string `json:"reason"`
}

func newGone(mutes []store.Mute, groups []groupReport) (gone []goneReport) {
	found := map[string]bool{}
	for _, g := range groups {
		found[g.ID] = true
	}
	for _, m := range mutes {
		if !found[m.Signature] {
			gone = append(gone, goneReport{m.Signature, m.Reason})
		}
	}
	return gone
}

// groups adds to a report what the store has of the campaign.
func (k *keeper) groups(r *fuzzReport) error {
	groups, err := k.store.Groups(k.campaign.ID)
	if err != nil {
		return brokenError{err}
	}
	r.Campaign, r.Dir, r.kept = k.campaign.ID, k.dir, k.store.String()
	r.addGroups(groups, k.mutes)
	return nil
}

func (r *fuzzReport) addGroups(groups []store.Group, mutes []store.Mute) {
	r.Groups = newGroups(groups, mutes, func(g groupReport) int {
		for i := range r.Cells {
			if r.Cells[i].has(g) {
				return r.Cells[i].Runs
			}
		}
		return 0
	})
	r.Gone = newGone(mutes, r.Groups)
}

func printGroups(w io.Writer, groups []groupReport, gone []goneReport) {
	if len(groups) > 0 {
		t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
		fmt.Fprintln(t, "\nSIGNATURE\tCOUNT\tPER MILLION\tSEED\tSMALLEST\tFAILURE")
		for _, g := range groups {
			muted := ""
			if g.Muted != "" {
				muted = "; muted: " + g.Muted
			}
			fmt.Fprintf(t, "%s\t%d\t%.0f\t%d\t%s, %s\t%s%s\n", g.ID, g.Count, g.PerMillion, g.Seed,
				english.Plural(g.Operations, "operation"), english.Plural(g.Faults, "fault"), g.text, muted)
		}
		t.Flush() // to memory: see print
	}
	for _, m := range gone {
		fmt.Fprintf(w, "\n%s is muted, and did not occur: %s\n", m.Signature, m.Reason)
	}
}

func (r fuzzReport) failures(b *strings.Builder) { printGroups(b, r.Groups, r.Gone) }
