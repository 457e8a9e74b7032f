package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/rashomon-go/rashomon"
	"github.com/rashomon-go/rashomon/campaign"
	"github.com/rashomon-go/rashomon/systems"
)

// choice is which rows of which tables of claims the user wants.
type choice struct {
	systems           []string
	bug, reads, claim string
	beyond            bool // draw faults that the systems do not tolerate, too
}

func (c *choice) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&c.bug, "bug", "", "plant the bug of this `NAME` in its system (check list names them)")
	f.StringVar(&c.reads, "reads", "", "only the claims for reads at this `PLACE`, such as tail or any")
	f.StringVar(&c.claim, "claim", "", "only the claims of this `PROPERTY`, such as linearizable")
	f.BoolVar(&c.beyond, "beyond-budget", false, "draw faults that the system does not tolerate, too: what breaks then is no defect")
	complete(cmd, "bug", bugWords)
	complete(cmd, "system", func() (names []string) {
		for _, s := range systems.All() {
			names = append(names, s.Name+"\t"+s.About)
		}
		return names
	})
	complete(cmd, "reads", func() []string { return columns(systems.All(), func(c rashomon.Claim) string { return c.Reads }) })
	complete(cmd, "claim", func() []string {
		return columns(systems.All(), func(c rashomon.Claim) string { return string(c.Property) })
	})
}

// columns returns what stands in one column of the tables of claims, each once.
func columns(of []*rashomon.System, column func(rashomon.Claim) string) (words []string) {
	for _, s := range of {
		for _, c := range s.Claims {
			if word := column(c); !slices.Contains(words, word) {
				words = append(words, word)
			}
		}
	}
	return words
}

func complete(cmd *cobra.Command, flag string, words func() []string) {
	err := cmd.RegisterFlagCompletionFunc(flag, func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return words(), cobra.ShellCompDirectiveNoFileComp
	})
	if err != nil {
		panic(err)
	}
}

// cells returns the rows chosen.
func (c *choice) cells() ([]campaign.Cell, error) {
	if c.bug != "" {
		return c.bugCell()
	}
	chosen := systems.All()
	if len(c.systems) > 0 {
		chosen = nil
		for i, name := range c.systems {
			if slices.Contains(c.systems[:i], name) {
				continue
			}
			s, err := systems.ByName(name)
			if err != nil {
				return nil, err
			}
			chosen = append(chosen, s)
		}
	}
	var cells []campaign.Cell
	for _, s := range chosen {
		s = c.budget(s)
		for _, claim := range s.Claims {
			if (c.reads == "" || c.reads == claim.Reads) && (c.claim == "" || c.claim == string(claim.Property)) {
				cells = append(cells, campaign.Cell{System: s, Claim: claim})
			}
		}
	}
	if len(cells) == 0 {
		return nil, c.fitsNone(chosen)
	}
	return cells, nil
}

// fitsNone says what there is in place of rows that none of the systems has: what the
// system has if it is one, and otherwise what stands in the tables of all of them.
func (c *choice) fitsNone(chosen []*rashomon.System) error {
	if len(chosen) == 1 {
		_, err := chosen[0].Claim(c.reads, rashomon.Property(c.claim))
		return err
	}
	places := columns(chosen, func(c rashomon.Claim) string { return c.Reads })
	properties := columns(chosen, func(c rashomon.Claim) string { return string(c.Property) })
	switch {
	case c.reads != "" && !slices.Contains(places, c.reads):
		return fmt.Errorf("--reads %q, expected one of %s", c.reads, strings.Join(places, ", "))
	case c.claim != "" && !slices.Contains(properties, c.claim):
		return fmt.Errorf("--claim %q, expected one of %s", c.claim, strings.Join(properties, ", "))
	}
	return fmt.Errorf("none of the systems has the claim %s for reads at %s, expected a row of check list", c.claim, c.reads)
}

// budget returns the system with the faults that it is to bear.
func (c *choice) budget(s *rashomon.System) *rashomon.System {
	if c.beyond {
		return s.BeyondBudget()
	}
	return s
}

// bugCell returns the row that must catch the bug, unless another one is asked
// for.
func (c *choice) bugCell() ([]campaign.Cell, error) {
	b, err := systems.BugByName(c.bug)
	if err != nil {
		return nil, err
	}
	for _, name := range c.systems {
		if name != b.System {
			return nil, fmt.Errorf("bug %s is planted in system %s, expected no --system or that one, not %q", b.Name, b.System, name)
		}
	}
	s := c.budget(b.Variant())
	reads, claim := c.reads, rashomon.Property(c.claim)
	if reads == "" {
		reads = b.Reads
	}
	if claim == "" && reads == b.Reads {
		claim = b.Claim
	}
	row, err := s.Claim(reads, claim)
	if err != nil {
		return nil, err
	}
	return []campaign.Cell{{System: s, Claim: row}}, nil
}

// bugWords are the planted bugs for completion.
func bugWords() (words []string) {
	for _, b := range systems.Bugs() {
		words = append(words, b.Name+"\t"+b.About)
	}
	return words
}
