package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/rashomon-go/rashomon/campaign/verdict"
	"github.com/rashomon-go/rashomon/history/formats"
	"github.com/rashomon-go/rashomon/model"
	"github.com/rashomon-go/rashomon/systems"
)

type listedClaim struct {
	Reads   string `json:"reads"`
	Claim   string `json:"claim"`
	Refuted bool   `json:"refuted"` // not claimed: a counterexample must be found
}

type listedSystem struct {
	Name     string        `json:"name"`
	About    string        `json:"about"`
	MinNodes int           `json:"min_nodes"`
	MaxNodes int           `json:"max_nodes"`
	Claims   []listedClaim `json:"claims"`
}

type listedBug struct {
	Name   string `json:"name"`
	About  string `json:"about"`
	Rule   string `json:"rule"`
	Needs  string `json:"needs"`
	System string `json:"system"`
	Reads  string `json:"reads"`
	Claim  string `json:"claim"`
}

type listing struct {
	Systems []listedSystem `json:"systems"`
	Bugs    []listedBug    `json:"bugs"`
	Models  []string       `json:"models"`
	Formats []string       `json:"formats"`
}

func (a *app) listCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the built-in systems, what they claim, and the planted bugs",
		Args:  noArguments,
		RunE: func(*cobra.Command, []string) error {
			if asJSON {
				return printJSON(a.out, newListing())
			}
			return newListing().print(a.out)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func newListing() (l listing) {
	for _, s := range systems.All() {
		claims := make([]listedClaim, len(s.Claims))
		for i, c := range s.Claims {
			claims[i] = listedClaim{c.Reads, string(c.Property), c.Refuted}
		}
		l.Systems = append(l.Systems, listedSystem{s.Name, s.About, s.MinNodes, s.MaxNodes, claims})
	}
	for _, b := range systems.Bugs() {
		l.Bugs = append(l.Bugs, listedBug{b.Name, b.About, b.Rule, b.Needs, b.System, b.Reads, string(b.Claim)})
	}
	for _, m := range model.All() {
		l.Models = append(l.Models, m.Name())
	}
	for f := formats.JSONLines; f <= formats.PorcupineKV; f++ {
		l.Formats = append(l.Formats, f.String())
	}
	return l
}

func (l listing) print(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "SYSTEM\tNODES\tREADS AT\tCLAIM\tABOUT")
	for _, s := range l.Systems {
		name, nodes, about := s.Name, fmt.Sprintf("%d..%d", s.MinNodes, s.MaxNodes), s.About
		for _, c := range s.Claims {
			fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", name, nodes, c.Reads, verdict.Promise(c.Claim, c.Refuted), about)
			name, nodes, about = "", "", ""
		}
	}
	fmt.Fprintln(t, "\nBUG\tIN\tREADS AT\tNEEDS\tABOUT")
	for _, b := range l.Bugs {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", b.Name, b.System, b.Reads, b.Needs, b.About)
	}
	fmt.Fprintln(t, "\nMODELS\t"+strings.Join(l.Models, ", "))
	fmt.Fprintln(t, "FORMATS\t"+strings.Join(l.Formats, ", "))
	return t.Flush()
}
