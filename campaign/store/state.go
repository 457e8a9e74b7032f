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
// one is known to be interrupted: with the next one it has ended. In a database each one is
// that is open and that nobody leads.
func (s *Store) States() (map[int64]State, error) { return undisturbed(s.Busy, s.states) }

// undisturbed returns what is read, told whether somebody leads. It asks that first, lest the
// end of a campaign be missed, and once more then: one that has begun in between looks like
// one whose program has died, so that all is read again.
func undisturbed[T any](busy func() (bool, error), read func(led bool) (T, error)) (found T, err error) {
	for {
		before, err := busy()
		if err != nil {
			return found, err
		}
		if found, err = read(before); err != nil || before {
			return found, err
		}
		if after, err := busy(); err != nil || !after {
			return found, err
		}
	}
}

// states are those of the campaigns, of which the last one runs if it is led.
func (s *Store) states(led bool) (map[int64]State, error) {
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
	if last := all[len(all)-1].ID; led {
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
	unended, err := s.unended()
	if err != nil || !unended {
		return err
	}
	last, err := s.Find(0)
	if err == nil {
		states[last.ID] = Interrupted
	}
	return err
}
