package store

import (
	"database/sql"
	"encoding/json"
	"time"

	"github.com/rashomon-go/rashomon/campaign"
)

// A campaign in PostgreSQL is open while there is work in it for whoever joins.

// Open lets others join the campaign. Others that are open have lost their leader, and
// nobody will go on with them: they are shut.
func (c *Campaign) Open() error {
	return c.update(`UPDATE campaign SET open = (id = $1) WHERE open OR id = $1`, c.ID)
}

// Shut tells all who have joined that there is no more to be done.
func (c *Campaign) Shut() error {
	return c.update(`UPDATE campaign SET open = false WHERE id = $1`, c.ID)
}

func (c *Campaign) update(statement string, args ...any) error {
	return c.store.write(func(tx *sql.Tx) error {
		_, err := tx.Exec(statement, args...)
		return err
	})
}

// IsOpen says whether the campaign is open.
func (c *Campaign) IsOpen() (bool, error) {
	open, err := c.store.Joinable()
	for _, info := range open {
		if info.ID == c.ID {
			return true, err
		}
	}
	return false, err
}

// Joinable returns the campaigns that are open, the oldest first.
func (s *Store) Joinable() ([]Info, error) {
	return all(s, scanInfo, selectInfo+` WHERE open ORDER BY id`)
}

// Worked adds to the time of the campaign.
func (c *Campaign) Worked(d time.Duration) error {
	return c.update(`UPDATE campaign SET seconds = seconds + $1 WHERE id = $2`, d.Seconds(), c.ID)
}

// Past returns what the campaign has done until now, whoever did it.
func (c *Campaign) Past() (campaign.Past, error) {
	info, err := c.store.Find(c.ID)
	if err != nil {
		return campaign.Past{}, err
	}
	return c.store.past(info)
}

// Done returns the runs of a family that are done, in their order.
func (c *Campaign) Done(family string) ([]campaign.Range, error) {
	return all(c.store, func(r *sql.Rows) (one campaign.Range, err error) {
		err = r.Scan(&one.From, &one.Until)
		return one, err
	}, `SELECT first, until FROM done WHERE campaign = $1 AND family = $2 ORDER BY first`, c.ID, family)
}

// Store returns where the campaign is kept.
func (c *Campaign) Store() *Store { return c.store }

// Signatures returns those of the failures that were found, whoever found them.
func (c *Campaign) Signatures() ([]campaign.Signature, error) {
	return all(c.store, func(r *sql.Rows) (s campaign.Signature, err error) {
		var text string
		if err = r.Scan(&text); err == nil {
			err = json.Unmarshal([]byte(text), &s)
		}
		return s, err
	}, `SELECT signature FROM failures WHERE campaign = $1 AND NOT canary`, c.ID)
}
