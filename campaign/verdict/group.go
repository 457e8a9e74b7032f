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

// Gone is a signature that somebody has muted, and that did not occur although its row
// was run.
type Gone struct {
	Signature string `json:"signature"` // ID
	Reason    string `json:"reason"`
}

// Groups returns the kinds of failures that a campaign has found, the most frequent first,
// and the muted ones that it has not, of the rows that it has run.
func Groups(s *store.Store, id int64, mutes []store.Mute) (found []Group, gone []Gone, err error) {
	all, err := findingsOf(s, id)
	if err != nil {
		return nil, nil, err
	}
	reasons := map[string]string{}
	for _, m := range mutes {
		reasons[m.Signature] = m.Reason
	}
	for i := range all.groups {
		g := &all.groups[i]
		g.Muted = reasons[g.ID]
		delete(reasons, g.ID)
	}
	for _, id := range slices.Sorted(maps.Keys(reasons)) {
		signature, err := s.Signature(id)
		if err != nil {
			return nil, nil, err
		}
		if runsOfRow(all.rows, &signature) > 0 {
			gone = append(gone, Gone{id, reasons[id]})
		}
	}
	return all.groups, gone, nil
}

// findings are what a campaign has found, and how often each row was run.
type findings struct {
	groups []Group
	rows   map[string]campaign.Tally
}

func findingsOf(s *store.Store, id int64) (f findings, err error) {
	kept, err := s.Groups(id)
	if err != nil {
		return f, err
	}
	if f.rows, err = s.Cells(id); err != nil {
		return f, err
	}
	for i := range kept {
		f.groups = append(f.groups, newGroup(&kept[i], runsOfRow(f.rows, &kept[i].Signature)))
	}
	return f, nil
}

// rate returns how often the failures of g occurred in a million runs of their row, or nil
// if that was not run.
func (f findings) rate(g *Group) *float64 {
	if i := slices.IndexFunc(f.groups, func(one Group) bool { return one.ID == g.ID }); i >= 0 {
		return &f.groups[i].PerMillion
	}
	row := campaign.Signature{System: g.System, Bug: g.Bug, Reads: g.Reads, Claim: rashomon.Property(g.Claim)}
	if runsOfRow(f.rows, &row) == 0 {
		return nil
	}
	return new(float64)
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
// people: of a million runs of their row, or nil if the campaign has not run the row.
type Change struct {
	ID     string   `json:"id"`
	Text   string   `json:"signature"`
	Before *float64 `json:"per_million_before"`
	After  *float64 `json:"per_million_after"`
}

// Changes puts what two campaigns have found side by side, by signature.
func Changes(s *store.Store, before, after int64) ([]Change, error) {
	old, err := findingsOf(s, before)
	if err != nil {
		return nil, err
	}
	young, err := findingsOf(s, after)
	if err != nil {
		return nil, err
	}
	return changes(old, young), nil
}

func changes(before, after findings) []Change {
	all := map[string]Change{}
	for _, g := range slices.Concat(before.groups, after.groups) {
		all[g.ID] = Change{ID: g.ID, Text: g.Text, Before: before.rate(&g), After: after.rate(&g)}
	}
	sorted := make([]Change, 0, len(all)) // not nil, for programs
	for _, id := range slices.Sorted(maps.Keys(all)) {
		sorted = append(sorted, all[id])
	}
	return sorted
}

// Known says whether the campaign before has found the failure.
func (c *Change) Known() bool { return c.Before != nil && *c.Before > 0 }

// What says whether the failure is new, or gone, or could not occur because its row was
// not run; otherwise it is empty.
func (c *Change) What() string {
	switch {
	case c.After == nil:
		return "not run"
	case *c.After == 0:
		return "gone"
	case !c.Known():
		return "new"
	}
	return ""
}
