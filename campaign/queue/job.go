package queue

import (
	"time"

	"github.com/rashomon-go/rashomon/campaign"
)

// jobArgs is a job as River keeps it: runs of one family, by number.
type jobArgs struct {
	Family string `json:"family"`
	From   int    `json:"from"`
	Until  int    `json:"until"`
	// Again says that somebody began the job and has not come to an end.
	Again bool `json:"again,omitempty"`
}

// Kind is called by River: the name of such jobs.
func (jobArgs) Kind() string { return "runs" }

func (j jobArgs) all() campaign.Range { return campaign.Range{From: j.From, Until: j.Until} }

// given is a job that was given out and is not done.
type given struct {
	jobArgs
	id      int64
	attempt int
	running bool
}

// overlaps says whether runs of a job have been given before.
func (j jobArgs) overlaps(before given) bool {
	return j.Family == before.Family && j.From < before.Until && before.From < j.Until
}

// sightings are when each attempt at a job was first seen to be under way, by the clock of
// this machine: those of others may be wrong.
type sightings struct {
	age   time.Duration
	first map[[2]int64]time.Time // by id and attempt
}

// tryTimes is how many times as long as others a job may take whose runs are tried in
// another process first.
const tryTimes = 4

// young returns the jobs that need not be given to anybody else yet.
func (s *sightings) young(jobs []given) (young []given) {
	now, still := time.Now(), map[[2]int64]time.Time{}
	for _, j := range jobs {
		key := [2]int64{j.id, int64(j.attempt)}
		first, known := s.first[key]
		if !known {
			first = now
		}
		if j.running {
			still[key] = first
		}
		age := s.age
		if j.Again {
			age *= tryTimes
		}
		if !j.running || now.Sub(first) < age {
			young = append(young, j)
		}
	}
	s.first = still
	return young
}
