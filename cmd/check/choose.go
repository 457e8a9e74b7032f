package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/rashomon-go/rashomon"
	"github.com/rashomon-go/rashomon/campaign"
	"github.com/rashomon-go/rashomon/systems"
)

// choice is which rows of which tables of claims the user wants.
type choice struct {
	systems            []string
	bug, reads, claim  string
	systemFlag         string // how the flag for systems is called in errors
	anyRowOfTheSystems bool   // without --reads and --claim: all rows, not the first
}

func (c *choice) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&c.bug, "bug", "", "plant this bug (see check list)")
	f.StringVar(&c.reads, "reads", "", "only claims for reads at this place, such as primary, tail or any")
	f.StringVar(&c.claim, "claim", "", "only claims of this property, such as linearizable")
	complete(cmd, "bug", func() (names []string) {
		for _, b := range systems.Bugs() {
			names = append(names, b.Name+"\t"+b.About)
		}
		return names
	})
	complete(cmd, "system", func() (names []string) {
		for _, s := range systems.All() {
			names = append(names, s.Name+"\t"+s.About)
		}
		return names
	})
	complete(cmd, "reads", func() []string { return []string{"primary", "tail", "any"} })
	complete(cmd, "claim", func() []string { return []string{string(rashomon.Linearizable)} })
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
		for _, name := range c.systems {
			s, err := systems.ByName(name)
			if err != nil {
				return nil, err
			}
			chosen = append(chosen, s)
		}
	}
	var cells []campaign.Cell
	var rows []string
	for _, s := range chosen {
		for _, claim := range s.Claims {
			rows = append(rows, fmt.Sprintf("%s --reads %s --claim %s", s.Name, claim.Reads, claim.Property))
			if (c.reads == "" || c.reads == claim.Reads) && (c.claim == "" || c.claim == string(claim.Property)) {
				cells = append(cells, campaign.Cell{System: s, Claim: claim})
			}
		}
	}
	if len(cells) == 0 {
		return nil, fmt.Errorf("no claim fits --reads %q --claim %q, expected one of: %s", c.reads, c.claim, strings.Join(rows, "; "))
	}
	return cells, nil
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
			return nil, fmt.Errorf("bug %s is planted in system %s, not in %q", b.Name, b.System, name)
		}
	}
	s := b.Variant()
	reads, claim := c.reads, rashomon.Property(c.claim)
	if reads == "" {
		reads = b.Reads
	}
	row, err := s.Claim(reads, claim)
	if err != nil {
		return nil, err
	}
	return []campaign.Cell{{System: s, Bug: b.Name, Claim: row}}, nil
}
