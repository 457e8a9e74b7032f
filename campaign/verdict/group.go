package verdict

import (
	"maps"
	"slices"
	"time"

	"github.com/rashomon-go/rashomon"
	"github.com/rashomon-go/rashomon/campaign"
	"github.com/rashomon-go/rashomon/campaign/store"
	"github.com/rashomon-go/rashomon/internal/english"
)

// Group is the failures of one signature, for programs and people.
type Group struct {
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

	Text     string `json:"-"` // the signature in one line
	Scenario string `json:"-"` // the smallest example, YAML
}

// Gone is a signature that somebody has muted, and that did not occur.
type Gone struct {
	Signature string `json:"signature"` // ID
	Reason    string `json:"reason"`
}

// Groups returns the kinds of failures that a campaign has found, the most frequent first,
// and the muted ones that it has not.
func Groups(s *store.Store, id int64, mutes []store.Mute) (found []Group, gone []Gone, err error) {
	kept, err := s.Groups(id)
	if err != nil {
		return nil, nil, err
	}
	rows, err := s.Cells(id)
	if err != nil {
		return nil, nil, err
	}
	reasons := map[string]string{}
	for _, m := range mutes {
		reasons[m.Signature] = m.Reason
	}
	for i := range kept {
		g := newGroup(&kept[i], runsOfRow(rows, &kept[i].Signature))
		g.Muted = reasons[g.ID]
		found = append(found, g)
		delete(reasons, g.ID)
	}
	for _, signature := range slices.Sorted(maps.Keys(reasons)) {
		gone = append(gone, Gone{signature, reasons[signature]})
	}
	return found, gone, nil
}

func newGroup(g *store.Group, runs int) Group {
	group := Group{
		ID: g.ID(), System: g.System, Bug: g.Bug, Reads: g.Reads, Claim: string(g.Claim), Kind: g.Kind, Involved: g.Involved,
		Count: g.Count, Seed: g.Seed, FirstSeen: g.Seen, Sentence: g.Sentence, Operations: g.Operations, Faults: g.Faults,
		Text: g.Signature.String(), Scenario: g.Scenario,
	}
	if runs > 0 {
		group.PerMillion = 1e6 * float64(g.Count) / float64(runs)
	}
	return group
}

// runsOfRow returns how many runs the row has in which a failure was found.
func runsOfRow(rows map[string]campaign.Tally, s *campaign.Signature) int {
	cell := campaign.Cell{
		System: &rashomon.System{Name: s.System, Bug: s.Bug},
		Claim:  rashomon.Claim{Reads: s.Reads, Property: s.Claim},
	}
	if t, ok := rows[cell.String()]; ok {
		return t.Runs
	}
	cell.Claim.Refuted = true
	return rows[cell.String()].Runs
}

// Size says how large the smallest example is.
func (g *Group) Size() string {
	return english.Plural(g.Operations, "operation") + ", " + english.Plural(g.Faults, "fault")
}

// Change is how often two campaigns have found failures of one signature, for programs and
// people.
type Change struct {
	ID     string  `json:"id"`
	Text   string  `json:"signature"`
	Before float64 `json:"per_million_before"` // runs of the row
	After  float64 `json:"per_million_after"`
}

// Changes puts the groups of two campaigns side by side, by signature.
func Changes(before, after []Group) []Change {
	all := map[string]Change{}
	for _, g := range before {
		all[g.ID] = Change{ID: g.ID, Text: g.Text, Before: g.PerMillion}
	}
	for _, g := range after {
		all[g.ID] = Change{ID: g.ID, Text: g.Text, Before: all[g.ID].Before, After: g.PerMillion}
	}
	sorted := make([]Change, 0, len(all)) // not nil, for programs
	for _, id := range slices.Sorted(maps.Keys(all)) {
		sorted = append(sorted, all[id])
	}
	return sorted
}

// What says whether the failure is new, or gone; otherwise it is empty.
func (c *Change) What() string {
	switch {
	case c.Before == 0:
		return "new"
	case c.After == 0:
		return "gone"
	}
	return ""
}
