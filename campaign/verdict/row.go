package verdict

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/rashomon-go/rashomon"
	"github.com/rashomon-go/rashomon/campaign"
	"github.com/rashomon-go/rashomon/model"
	"github.com/rashomon-go/rashomon/sim"
)

// Row is what came of the runs of one row of a table of claims, for programs and people.
type Row struct {
	System       string         `json:"system"`
	Bug          string         `json:"bug,omitempty"`
	Reads        string         `json:"reads"`
	Claim        string         `json:"claim"`
	Refuted      bool           `json:"refuted"` // not claimed
	Verdict      string         `json:"verdict"`
	Kept         bool           `json:"kept"` // it turned out as the table of claims says
	Runs         int            `json:"runs"`
	Violations   int            `json:"violations"`
	Panics       int            `json:"panics"`
	Crashes      int            `json:"crashes"`
	Inconclusive int            `json:"inconclusive"`
	Reasons      map[string]int `json:"reasons,omitempty"` // of Inconclusive
	Operations   int            `json:"operations"`
	OK           int            `json:"ok"`
	Overlapping  int            `json:"overlapping"`
	Faults       int            `json:"faults"`
	Messages     uint64         `json:"messages"`
	Dropped      uint64         `json:"dropped"`
	Duplicated   uint64         `json:"duplicated"`
	Reordered    uint64         `json:"reordered"`
	RanTwice     int            `json:"ran_twice"`
	Differing    int            `json:"differing"` // of these, the second run was another one
	Rejudged     int            `json:"rejudged"`
	Contradicted int            `json:"contradicted"` // by porcupine

	ByKind   []Outcomes `json:"by_kind,omitempty"`
	Features []Feature  `json:"features,omitempty"`

	// Differed says that somebody has seen two runs of one scenario that were not the same:
	// one of Differing, or when a failure was shrunk.
	Differed bool `json:"-"`
}

// Outcomes counts operations of one kind.
type Outcomes struct {
	Kind       string `json:"kind"`
	OK         int    `json:"ok"`
	Failed     int    `json:"failed"`
	Unknown    int    `json:"unknown"`
	UnderFault int    `json:"under_fault"` // of all these
}

// Feature is how often a feature of a system was reached.
type Feature struct {
	Name  string `json:"name"`
	Times int    `json:"times"`
	Runs  int    `json:"runs"`
}

func newRow(c *campaign.CellReport) Row {
	e := &c.Exercise
	r := Row{
		System: c.System.Name, Bug: c.System.Bug, Reads: c.Claim.Reads, Claim: string(c.Claim.Property), Refuted: c.Claim.Refuted,
		Verdict: c.Verdict().String(), Kept: c.Kept(),
		Runs: c.Runs, Violations: c.Violations, Panics: c.Panics, Crashes: c.Crashes, Inconclusive: c.Inconclusive, Reasons: c.Reasons,
		Operations: e.Operations(), OK: e.OK, Overlapping: e.Overlapping, Faults: e.Faults,
		Messages: e.Traffic.Sent, Dropped: dropped(&e.Traffic), Duplicated: e.Traffic.Duplicated, Reordered: e.Traffic.HeldBack,
		RanTwice: c.RanTwice, Differing: c.Differing, Rejudged: c.Rejudged, Contradicted: c.Contradicted,
		ByKind: newOutcomes(e),
	}
	for _, f := range e.Features {
		r.Features = append(r.Features, Feature(f))
	}
	return r
}

func newOutcomes(e *rashomon.Exercise) (all []Outcomes) {
	for kind, o := range e.ByKind {
		if o.OK+o.Failed+o.Unknown > 0 {
			all = append(all, Outcomes{model.Kind(kind).String(), o.OK, o.Failed, o.Unknown, o.Faulty})
		}
	}
	return all
}

// dropped counts messages that the network or a fault kept from a destination.
func dropped(t *sim.Traffic) uint64 {
	return t.Dropped[sim.Lost] + t.Dropped[sim.CutAtSend] + t.Dropped[sim.CutInFlight] + t.Dropped[sim.NodeDown] +
		t.Dropped[sim.Corrupted] + t.Dropped[sim.Overflow]
}

// Name is the system, or the bug in it, whose name begins with the system's.
func (r *Row) Name() string { return cmp.Or(r.Bug, r.System) }

// String names the row of the table of claims.
func (r *Row) String() string {
	return fmt.Sprintf("%s, %s with reads at %s", r.Name(), r.Promise(), r.Reads)
}

// Promise is what the table of claims says of the row.
func (r *Row) Promise() string { return Promise(r.Claim, r.Refuted) }

// Promise is what a table of claims says of a property: that it holds, or that it must be
// refuted.
func Promise(property string, refuted bool) string {
	if refuted {
		return "not " + property
	}
	return property
}

// Word is the verdict on the row, in capitals where the table of claims is wrong.
func (r *Row) Word() string {
	switch {
	case r.Differed:
		return "NOT DETERMINISTIC"
	case r.Contradicted > 0:
		return "ENGINES DISAGREE"
	case r.Crashes > 0:
		return "CRASHED"
	case r.Panics > 0:
		return "PANICKED"
	case r.Violations > 0 && r.Refuted:
		return "refuted"
	case r.Violations > 0:
		return "INVALID"
	case r.Refuted && r.Bug == "":
		return "NOT REFUTED"
	}
	return r.Verdict
}

// UnknownBecause returns the reasons why runs were inconclusive, the most frequent one
// first.
func (r *Row) UnknownBecause() []string {
	return slices.SortedFunc(maps.Keys(r.Reasons), func(a, b string) int {
		return cmp.Or(cmp.Compare(r.Reasons[b], r.Reasons[a]), strings.Compare(a, b))
	})
}

// has says whether failures are of this row.
func (r *Row) has(g *Group) bool {
	return r.System == g.System && r.Bug == g.Bug && r.Reads == g.Reads && r.Claim == g.Claim
}
