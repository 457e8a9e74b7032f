package verdict

import (
	"fmt"
	"maps"
	"slices"

	"github.com/rashomon-go/rashomon/campaign"
	"github.com/rashomon-go/rashomon/campaign/store"
)

// Read returns the evidence of a campaign out of its store. Rows are those of its plan, in
// their order. What the corpus does now is not in the store.
func Read(s *store.Store, info store.Info, rows []campaign.Cell) (*Evidence, error) {
	tallies, err := s.Cells(info.ID)
	if err != nil {
		return nil, err
	}
	report, planted := campaign.Report{}, false
	for _, row := range rows {
		report.Cells = append(report.Cells, campaign.CellReport{Cell: row, Tally: tallies[row.String()]})
		planted = planted || row.System.Bug != ""
		delete(tallies, row.String())
	}
	for _, name := range slices.Sorted(maps.Keys(tallies)) {
		return nil, fmt.Errorf("campaign %d was made by %s, and this program has no row %q: expected the same build", info.ID, info.Build, name)
	}
	e := Of(&report)
	mutes, err := s.Mutes()
	if err != nil {
		return nil, err
	}
	if err := e.Add(s, info.ID, mutes); err != nil {
		return nil, err
	}
	if planted { // it has no canary
		return e, nil
	}
	canary, err := Canary()
	if err != nil {
		return nil, err
	}
	flaw, err := CanaryFlaw(s, info, canary)
	if flaw != "" {
		e.Flaws = append(e.Flaws, flaw)
	}
	return e, err
}
