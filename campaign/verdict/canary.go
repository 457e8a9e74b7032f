package verdict

import (
	"cmp"
	"context"
	"fmt"

	"github.com/rashomon-go/rashomon/campaign"
	"github.com/rashomon-go/rashomon/campaign/store"
	"github.com/rashomon-go/rashomon/systems"
)

// canaryBug is a planted bug that one run in three catches, or more, and canaryRuns how many
// runs may look for it.
const (
	canaryBug  = "chain-ack-at-middle"
	canaryRuns = 100
)

// Canary returns the planted bug that campaigns look for, too: one that finds nothing may be
// dead.
func Canary() (campaign.Cell, error) {
	b, err := systems.BugByName(canaryBug)
	if err != nil {
		return campaign.Cell{}, err
	}
	s := b.Variant()
	claim, err := s.Claim(b.Reads, b.Claim)
	return campaign.Cell{System: s, Claim: claim}, err
}

// LookForCanary runs a canary as a campaign of its own, whose runs do not count, and keeps
// what it finds in the way that all failures take.
func LookForCanary(ctx context.Context, canary campaign.Cell, in *store.Campaign) error {
	return campaign.Run(ctx, campaign.Plan{
		Cells: []campaign.Cell{canary}, Runs: canaryRuns, StopAtFirst: true, Twice: -1, Rejudge: -1, Keep: in.KeepCanary,
	}, nil).Err
}

// CaughtCanary returns the signature, in one line, of what a campaign has caught of its
// canary. It is empty if that was not caught.
func CaughtCanary(s *store.Store, id int64) (caught string, err error) {
	found, err := s.Canary(id)
	for _, g := range found {
		caught = g.Signature.String()
	}
	return caught, err
}

// CanaryFlaw returns the flaw of a campaign that has made runs and has not caught its canary,
// which is looked for before all runs. It is empty if there is none, or no canary at all.
func CanaryFlaw(s *store.Store, info store.Info, canary campaign.Cell) (string, error) {
	if canary.System == nil || info.Runs == 0 {
		return "", nil
	}
	caught, err := CaughtCanary(s, info.ID)
	if err != nil || caught != "" {
		return "", err
	}
	return fmt.Sprintf("the canary was not caught: %s, in %d runs; nothing that this campaign says can be relied on",
		cmp.Or(canary.System.Bug, canary.System.Name), canaryRuns), nil
}
