package store

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/rashomon-go/rashomon/campaign"
)

// Merge adds all that another campaign has done and found, which must be of the same
// build. Runs that are in both are an error, and nothing is added then.
func (c *Campaign) Merge(from *Store, id int64) error {
	info, err := from.Find(id)
	if err != nil {
		return err
	}
	if info.Build != c.build {
		return fmt.Errorf("%s: campaign %d was made by %s, expected %s as the others: seeds may mean other runs", from.path, info.ID, info.Build, c.build)
	}
	past, err := from.past(info)
	if err != nil {
		return err
	}
	groups, err := from.Groups(info.ID)
	if err != nil {
		return err
	}
	canary, err := from.Canary(info.ID)
	if err != nil {
		return err
	}
	examples, err := from.Examples(info.ID)
	if err != nil {
		return err
	}
	mutes, err := from.Mutes()
	if err != nil {
		return err
	}
	pace, err := from.Pace(info.ID)
	if err != nil {
		return err
	}
	err = c.store.write(func(tx *sql.Tx) error {
		if err := c.addCounts(tx, info, past, pace); err != nil {
			return err
		}
		return errors.Join(
			c.addGroups(tx, groups, false), c.addGroups(tx, canary, true),
			c.addExamples(tx, examples), addMutes(tx, mutes),
		)
	})
	if err != nil {
		return fmt.Errorf("%s cannot be merged: %w", from.path, err)
	}
	return nil
}

func (c *Campaign) addCounts(tx *sql.Tx, info Info, past campaign.Past, pace []Pace) error {
	if err := c.sum(tx, info.Runs, info.Digest, info.Seconds); err != nil {
		return err
	}
	for _, family := range slices.Sorted(maps.Keys(past.Ranges)) { // in order, for the error
		if err := c.count(tx, family, past.Ranges[family]); err != nil {
			return err
		}
	}
	for cell, tally := range past.Cells {
		if err := c.tally(tx, cell, &tally); err != nil {
			return err
		}
	}
	for _, p := range pace {
		if err := c.pace(tx, p); err != nil {
			return err
		}
	}
	return nil
}

func (c *Campaign) addGroups(tx *sql.Tx, groups []Group, canary bool) error {
	for i := range groups {
		signature, err := json.Marshal(groups[i].Signature)
		if err != nil {
			return err
		}
		if _, err := c.group(tx, &groups[i], string(signature), canary); err != nil {
			return err
		}
	}
	return nil
}

// addExamples adds failures as long as there are fewer than MaxExamples of their
// signature.
func (c *Campaign) addExamples(tx *sql.Tx, examples []Example) error {
	for _, e := range examples {
		_, err := tx.Exec(`INSERT INTO example SELECT $1, $2, $3, $4, $5, $6, $7
WHERE (SELECT count(*) FROM example WHERE campaign = $1 AND signature = $2) < $8 ON CONFLICT DO NOTHING`,
			c.ID, e.Signature, int64(e.Seed), int64(e.Digest), e.Build, string(e.Exercise), e.Scenario, MaxExamples)
		if err != nil {
			return err
		}
	}
	return nil
}

func addMutes(tx *sql.Tx, mutes []Mute) error {
	for _, m := range mutes {
		if _, err := tx.Exec(`INSERT INTO mute VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`, m.Signature, m.Reason, m.Since.Unix()); err != nil {
			return err
		}
	}
	return nil
}
