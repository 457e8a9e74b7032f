package store

// State says how far a campaign has come.
type State string

// The states.
const (
	Running     State = "running"
	Interrupted State = "interrupted" // the program that led it died, and nobody leads it now
	Ended       State = "ended"       // all that it was to do is done, or somebody stopped it
)

// States returns the states of all campaigns, by ID. Of those in a directory only the last
// one is known to be interrupted: with the next one it has ended.
func (s *Store) States() (map[int64]State, error) {
	busy, err := s.Busy() // before what is read, lest the end be missed
	if err != nil {
		return nil, err
	}
	all, err := s.Campaigns()
	if err != nil {
		return nil, err
	}
	states := map[int64]State{}
	for _, c := range all {
		states[c.ID] = Ended
	}
	if err := s.interrupted(states); err != nil || len(all) == 0 {
		return nil, err
	}
	if last := all[len(all)-1].ID; busy {
		states[last] = Running
	}
	return states, nil
}

// interrupted notes which campaigns have begun and not ended.
func (s *Store) interrupted(states map[int64]State) error {
	if s.far != nil {
		open, err := s.Joinable()
		for _, c := range open {
			states[c.ID] = Interrupted
		}
		return err
	}
	unended, err := s.Unended()
	if err != nil || !unended {
		return err
	}
	last, err := s.Find(0)
	if err == nil {
		states[last.ID] = Interrupted
	}
	return err
}
