package store

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/rashomon-go/rashomon/campaign"
)

// MaxExamples is how many failures of one signature are kept. The others are counted.
const MaxExamples = 100

// ErrDone says that runs were done before.
var ErrDone = errors.New("done already")

// Campaign is one campaign that is being written.
type Campaign struct {
	ID    int64
	store *Store
	build string
	since time.Time // when what was kept last was
}

// Begin makes a new campaign. Plan is what Find returns, and build the program that
// makes its runs.
func (s *Store) Begin(plan []byte, build string) (*Campaign, error) {
	c := &Campaign{store: s, build: build, since: time.Now()}
	return c, s.write(func(tx *sql.Tx) error {
		return tx.QueryRow(`INSERT INTO campaign (plan, build, began) VALUES ($1, $2, $3) RETURNING id`, string(plan), build, now()).Scan(&c.ID)
	})
}

// Resume goes on with a campaign, which must be of the same build: seeds mean other
// runs in another one.
func (s *Store) Resume(id int64, build string) (*Campaign, campaign.Past, error) {
	info, err := s.Find(id)
	if err != nil {
		return nil, campaign.Past{}, err
	}
	if info.Build != build {
		return nil, campaign.Past{}, fmt.Errorf("campaign %d was begun by %s, and this is %s, in which seeds may mean other runs: expected the same build, or a new campaign", id, info.Build, build)
	}
	past, err := s.past(info)
	return &Campaign{ID: id, store: s, build: build, since: time.Now()}, past, err
}

func (s *Store) past(info Info) (past campaign.Past, err error) {
	past.Digest = info.Digest
	if past.Cells, err = s.Cells(info.ID); err != nil {
		return past, err
	}
	if past.Ranges, err = s.ranges(info.ID); err != nil {
		return past, err
	}
	groups, err := s.Groups(info.ID)
	for _, g := range groups {
		past.Signatures = append(past.Signatures, g.Signature)
	}
	return past, err
}

// Keep commits a batch. Runs that were done before are an error, ErrDone, and nothing is
// kept then.
func (c *Campaign) Keep(b *campaign.Batch) error {
	seconds := time.Since(c.since).Seconds()
	err := c.store.write(func(tx *sql.Tx) error { return c.keep(tx, b, seconds) })
	if err == nil {
		c.since = time.Now()
	}
	return err
}

func (c *Campaign) keep(tx *sql.Tx, b *campaign.Batch, seconds float64) error {
	if err := c.sum(tx, b.Runs, b.Digest, seconds); err != nil {
		return err
	}
	if err := c.count(tx, b.Family, b.Ranges); err != nil {
		return err
	}
	for i := range b.Cells {
		if err := c.tally(tx, b.Cells[i].Cell.String(), &b.Cells[i].Tally); err != nil {
			return err
		}
	}
	for i := range b.Failures {
		if err := c.failure(tx, &b.Failures[i], false); err != nil {
			return err
		}
	}
	return c.pace(tx, Pace{time.Unix(now(), 0), b.Runs})
}

// KeepCanary commits the failures of a batch with a planted bug, and counts nothing.
func (c *Campaign) KeepCanary(b *campaign.Batch) error {
	return c.store.write(func(tx *sql.Tx) error {
		for i := range b.Failures {
			if err := c.failure(tx, &b.Failures[i], true); err != nil {
				return err
			}
		}
		return nil
	})
}

// Forget takes the campaign out of the store, with all that it has done.
func (c *Campaign) Forget() error {
	return c.store.write(func(tx *sql.Tx) error {
		for _, table := range []string{"done", "cell", "failures", "example", "pace"} {
			if _, err := tx.Exec(`DELETE FROM `+table+` WHERE campaign = $1`, c.ID); err != nil {
				return err
			}
		}
		_, err := tx.Exec(`DELETE FROM campaign WHERE id = $1`, c.ID)
		return err
	})
}

// count marks runs as done. What was done twice would count twice.
func (c *Campaign) count(tx *sql.Tx, family string, ranges []campaign.Range) error {
	for _, r := range ranges {
		var first, until int
		err := tx.QueryRow(`SELECT first, until FROM done WHERE campaign = $1 AND family = $2 AND first < $3 ORDER BY first DESC LIMIT 1`,
			c.ID, family, r.Until).Scan(&first, &until)
		switch {
		case errors.Is(err, sql.ErrNoRows):
			first, until = r.From, r.From
		case err != nil:
			return err
		case until > r.From:
			return fmt.Errorf("campaign %d: runs %d to %d of %q are %w, expected others: they would count twice", c.ID, max(first, r.From), min(until, r.Until)-1, family, ErrDone)
		case until < r.From:
			first = r.From
		}
		until = r.Until
		var next int // the range that begins where this one ends
		err = tx.QueryRow(`DELETE FROM done WHERE campaign = $1 AND family = $2 AND first = $3 RETURNING until`, c.ID, family, r.Until).Scan(&next)
		switch {
		case err == nil:
			until = next
		case !errors.Is(err, sql.ErrNoRows):
			return err
		}
		if _, err := tx.Exec(`INSERT INTO done VALUES ($1, $2, $3, $4) ON CONFLICT (campaign, family, first) DO UPDATE SET until = excluded.until`, c.ID, family, first, until); err != nil {
			return err
		}
	}
	return nil
}

// tally adds to the counts of a cell.
func (c *Campaign) tally(tx *sql.Tx, cell string, more *campaign.Tally) error {
	var text string
	var sum campaign.Tally
	err := tx.QueryRow(`SELECT tally FROM cell WHERE campaign = $1 AND name = $2`, c.ID, cell).Scan(&text)
	if err == nil {
		err = json.Unmarshal([]byte(text), &sum)
	}
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	sum.Add(more)
	whole, err := json.Marshal(&sum)
	if err != nil {
		return err
	}
	_, err = tx.Exec(`INSERT INTO cell VALUES ($1, $2, $3) ON CONFLICT (campaign, name) DO UPDATE SET tally = excluded.tally`, c.ID, cell, string(whole))
	return err
}

// sum adds to the counts of the campaign. It comes first in each transaction: in
// PostgreSQL, where several programs write at a time, the others wait at this row until
// the transaction has ended, so that what it reads and adds to stays as it is.
func (c *Campaign) sum(tx *sql.Tx, runs int, digest uint64, seconds float64) error {
	var before int64
	if err := tx.QueryRow(`SELECT digest FROM campaign WHERE id = $1`+c.store.locking, c.ID).Scan(&before); err != nil {
		return err
	}
	_, err := tx.Exec(`UPDATE campaign SET runs = runs + $1, seconds = seconds + $2, digest = $3 WHERE id = $4`,
		runs, seconds, int64(uint64(before)+digest), c.ID) // the sum may overflow, which SQL refuses
	return err
}

// pace adds runs to those of their minute.
func (c *Campaign) pace(tx *sql.Tx, p Pace) error {
	_, err := tx.Exec(`INSERT INTO pace VALUES ($1, $2, $3) ON CONFLICT (campaign, minute) DO UPDATE SET runs = pace.runs + excluded.runs`,
		c.ID, p.Minute.Unix()/60, p.Runs)
	return err
}

// failure counts a failure, and keeps it if it is one of the first, or the smallest.
func (c *Campaign) failure(tx *sql.Tx, f *campaign.Failure, canary bool) error {
	var small, scenario strings.Builder
	if err := f.Write(&small); err != nil {
		return err
	}
	signature, err := json.Marshal(f.Signature)
	if err != nil {
		return err
	}
	operations, faults := f.Size()
	g := Group{
		Signature: f.Signature, Count: 1, Seen: time.Unix(now(), 0), Seed: f.Seed, Sentence: f.Sentence,
		Operations: operations, Faults: faults, Scenario: small.String(),
	}
	count, err := c.group(tx, &g, string(signature), canary)
	if err != nil || count > MaxExamples {
		return err
	}
	exercise, err := json.Marshal(&f.Result.Exercise)
	if err != nil {
		return err
	}
	whole := campaign.Failure{Scenario: f.Scenario}
	if err := whole.Write(&scenario); err != nil {
		return err
	}
	_, err = tx.Exec(`INSERT INTO example VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING`,
		c.ID, f.ID(), int64(f.Seed), int64(f.Result.Digest), c.build, string(exercise), scenario.String())
	return err
}

// smaller says of two examples of a signature that the new one is easier to understand.
const smaller = `excluded.operations + excluded.faults < failures.operations + failures.faults`

// clean returns a text without what PostgreSQL cannot keep. Panics may say anything.
func clean(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}

// group adds failures to those of their signature, and returns how many there are.
func (c *Campaign) group(tx *sql.Tx, g *Group, signature string, canary bool) (count int, err error) {
	err = tx.QueryRow(`
INSERT INTO failures (campaign, id, signature, canary, count, seen, seed, sentence, operations, faults, scenario)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
ON CONFLICT (campaign, id) DO UPDATE SET
  count      = failures.count + excluded.count,
  seen       = CASE WHEN excluded.seen < failures.seen THEN excluded.seen ELSE failures.seen END,
  seed       = CASE WHEN excluded.seed < failures.seed THEN excluded.seed ELSE failures.seed END,
  sentence   = CASE WHEN `+smaller+` THEN excluded.sentence ELSE failures.sentence END,
  scenario   = CASE WHEN `+smaller+` THEN excluded.scenario ELSE failures.scenario END,
  operations = CASE WHEN `+smaller+` THEN excluded.operations ELSE failures.operations END,
  faults     = CASE WHEN `+smaller+` THEN excluded.faults ELSE failures.faults END
RETURNING count`,
		c.ID, g.ID(), signature, canary, g.Count, g.Seen.Unix(), int64(g.Seed), clean(g.Sentence), g.Operations, g.Faults, g.Scenario).Scan(&count)
	return count, err
}
