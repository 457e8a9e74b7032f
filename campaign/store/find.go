package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"github.com/rashomon-go/rashomon/campaign"
)

// Info is what is known of a campaign.
type Info struct {
	ID      int64
	Plan    []byte
	Build   string
	Began   time.Time
	Seconds float64 // at work
	Runs    int
	Digest  uint64
}

// Group is failures of one signature.
type Group struct {
	campaign.Signature
	Count    int
	Seen     time.Time // first
	Seed     uint64    // the lowest
	Sentence string    // of the smallest example, as are the others
	Operations,
	Faults int
	Scenario string // YAML
}

// Mute is a signature that is known, and why it need not be looked at.
type Mute struct {
	Signature string // ID
	Reason    string
	Since     time.Time
}

// Example is one failure.
type Example struct {
	Signature string // ID
	Seed      uint64
	Digest    uint64
	Build     string
	Exercise  json.RawMessage
	Scenario  string // YAML
}

// Pace is how many runs were kept in a minute.
type Pace struct {
	Minute time.Time // its beginning
	Runs   int
}

const selectInfo = `SELECT id, plan, build, began, seconds, runs, digest FROM campaign`

// Campaigns returns all campaigns, the oldest first.
func (s *Store) Campaigns() ([]Info, error) {
	return all(s, scanInfo, selectInfo+` ORDER BY id`)
}

// Find returns a campaign; 0 stands for the last one.
func (s *Store) Find(id int64) (Info, error) {
	found, err := all(s, scanInfo, selectInfo+` WHERE id = $1 OR $1 = 0 ORDER BY id DESC LIMIT 1`, id)
	switch {
	case err != nil:
		return Info{}, err
	case len(found) == 1:
		return found[0], nil
	case id == 0:
		return Info{}, fmt.Errorf("%s has %w, expected one at least", s.path, ErrNone)
	}
	return Info{}, fmt.Errorf("%s has %w %d, expected one that check campaign list names", s.path, ErrNone, id)
}

func scanInfo(r *sql.Rows) (i Info, err error) {
	var began, digest int64
	err = r.Scan(&i.ID, &i.Plan, &i.Build, &began, &i.Seconds, &i.Runs, &digest)
	i.Began, i.Digest = time.Unix(began, 0).UTC(), uint64(digest)
	return i, err
}

// Cells returns the counts of a campaign by campaign.Cell.String.
func (s *Store) Cells(id int64) (map[string]campaign.Tally, error) {
	cells := map[string]campaign.Tally{}
	_, err := all(s, func(r *sql.Rows) (_ struct{}, err error) {
		var name, text string
		var t campaign.Tally
		if err = r.Scan(&name, &text); err == nil {
			err = json.Unmarshal([]byte(text), &t)
		}
		cells[name] = t
		return struct{}{}, err
	}, `SELECT name, tally FROM cell WHERE campaign = $1`, id)
	return cells, err
}

// ranges returns the runs that are done, by family and in their order.
func (s *Store) ranges(id int64) (map[string][]campaign.Range, error) {
	ranges := map[string][]campaign.Range{}
	_, err := all(s, func(r *sql.Rows) (_ struct{}, err error) {
		var family string
		var one campaign.Range
		err = r.Scan(&family, &one.From, &one.Until)
		ranges[family] = append(ranges[family], one)
		return struct{}{}, err
	}, `SELECT family, first, until FROM done WHERE campaign = $1 ORDER BY family, first`, id)
	return ranges, err
}

// Groups returns the failures of a campaign, the most frequent first.
func (s *Store) Groups(id int64) ([]Group, error) { return s.groups(id, false) }

// Canary returns what was found of the planted bug, or nothing.
func (s *Store) Canary(id int64) ([]Group, error) { return s.groups(id, true) }

func (s *Store) groups(id int64, canary bool) ([]Group, error) {
	return all(s, func(r *sql.Rows) (g Group, err error) {
		var signature string
		var seen, seed int64
		if err = r.Scan(&signature, &g.Count, &seen, &seed, &g.Sentence, &g.Operations, &g.Faults, &g.Scenario); err == nil {
			err = json.Unmarshal([]byte(signature), &g.Signature)
		}
		g.Seen, g.Seed = time.Unix(seen, 0).UTC(), uint64(seed)
		return g, err
	}, `SELECT signature, count, seen, seed, sentence, operations, faults, scenario
FROM failures WHERE campaign = $1 AND canary = $2 ORDER BY count DESC, id`, id, canary)
}

// Signature returns the signature with this ID that some campaign has found, or none.
func (s *Store) Signature(id string) (signature campaign.Signature, err error) {
	found, err := all(s, func(r *sql.Rows) (one campaign.Signature, err error) {
		var text string
		if err = r.Scan(&text); err == nil {
			err = json.Unmarshal([]byte(text), &one)
		}
		return one, err
	}, `SELECT signature FROM failures WHERE id = $1 LIMIT 1`, id)
	if len(found) > 0 {
		signature = found[0]
	}
	return signature, err
}

// Examples returns the failures of a campaign that were kept, by signature and seed.
func (s *Store) Examples(id int64) ([]Example, error) {
	return all(s, func(r *sql.Rows) (e Example, err error) {
		var seed, digest int64
		var exercise string
		err = r.Scan(&e.Signature, &seed, &digest, &e.Build, &exercise, &e.Scenario)
		e.Exercise = json.RawMessage(exercise)
		e.Seed, e.Digest = uint64(seed), uint64(digest)
		return e, err
	}, `SELECT e.signature, e.seed, e.digest, e.build, e.exercise, e.scenario
FROM example AS e JOIN failures AS f ON f.campaign = e.campaign AND f.id = e.signature
WHERE e.campaign = $1 AND NOT f.canary ORDER BY e.signature, e.seed`, id)
}

// Seeds returns the seeds of the failures that were kept, by signature and in their
// order.
func (s *Store) Seeds(id int64) (map[string][]uint64, error) {
	seeds := map[string][]uint64{}
	_, err := all(s, func(r *sql.Rows) (_ struct{}, err error) {
		var signature string
		var seed int64
		err = r.Scan(&signature, &seed)
		seeds[signature] = append(seeds[signature], uint64(seed))
		return struct{}{}, err
	}, `SELECT signature, seed FROM example WHERE campaign = $1 ORDER BY signature, seed`, id)
	return seeds, err
}

// Pace returns how many runs a campaign has kept in each minute of its work, the first
// one first. Minutes in which none were kept are left out.
func (s *Store) Pace(id int64) ([]Pace, error) {
	return all(s, func(r *sql.Rows) (p Pace, err error) {
		var minute int64
		err = r.Scan(&minute, &p.Runs)
		p.Minute = time.Unix(minute*60, 0).UTC()
		return p, err
	}, `SELECT minute, runs FROM pace WHERE campaign = $1 ORDER BY minute`, id)
}

// Mutes returns what is muted in this directory, in all campaigns.
func (s *Store) Mutes() ([]Mute, error) {
	return all(s, func(r *sql.Rows) (m Mute, err error) {
		var since int64
		err = r.Scan(&m.Signature, &m.Reason, &since)
		m.Since = time.Unix(since, 0).UTC()
		return m, err
	}, `SELECT signature, reason, since FROM mute ORDER BY signature`)
}

// Mute mutes a signature that some campaign has found; an empty reason ends that.
func (s *Store) Mute(signature, reason string) error {
	return s.write(func(tx *sql.Tx) error {
		var found int
		if err := tx.QueryRow(`SELECT (SELECT count(*) FROM failures WHERE id = $1) + (SELECT count(*) FROM mute WHERE signature = $1)`, signature).Scan(&found); err != nil {
			return err
		}
		if found == 0 {
			return fmt.Errorf("has no failures of signature %q, expected one that check campaign show names", signature)
		}
		if reason == "" {
			_, err := tx.Exec(`DELETE FROM mute WHERE signature = $1`, signature)
			return err
		}
		_, err := tx.Exec(`INSERT INTO mute VALUES ($1, $2, $3) ON CONFLICT (signature) DO UPDATE SET reason = excluded.reason, since = excluded.since`, signature, reason, now())
		return err
	})
}

// all returns the rows of a query.
func all[T any](s *Store, scan func(*sql.Rows) (T, error), query string, args ...any) (found []T, err error) {
	err = s.Try(func(ctx context.Context) error {
		rows, err := s.db.QueryContext(ctx, query, args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		found = nil
		for rows.Next() {
			one, err := scan(rows)
			if err != nil {
				return err
			}
			found = append(found, one)
		}
		return rows.Err()
	})
	return found, err
}
