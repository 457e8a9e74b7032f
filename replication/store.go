package replication

import (
	"maps"
	"slices"
	"strconv"

	"github.com/rashomon-go/rashomon/sim"
)

// KVStore maps keys to values. The zero KVStore is empty.
type KVStore struct{ values map[string]int64 }

// Get returns the value of a key, or Absent.
func (s *KVStore) Get(key string) int64 {
	if v, found := s.values[key]; found {
		return v
	}
	return Absent
}

// Apply executes a write and returns what the client will be told.
func (s *KVStore) Apply(w Write) Written {
	switch w.Kind {
	case CompareAndSet:
		if seen := s.Get(w.Key); seen != w.Expect {
			return Written{Seen: seen}
		}
	case Delete:
		delete(s.values, w.Key)
		return Written{Swapped: true, Seen: Absent}
	case NoOp:
		return Written{}
	}
	if s.values == nil {
		s.values = map[string]int64{}
	}
	s.values[w.Key] = w.Value
	return Written{Swapped: true, Seen: w.Value}
}

// state returns the keys and values as variables, in order of the keys.
func (s *KVStore) state() []sim.Variable {
	state := make([]sim.Variable, 0, len(s.values)+4)
	for _, key := range slices.Sorted(maps.Keys(s.values)) {
		state = append(state, sim.Variable{Name: "store " + key, Value: strconv.FormatInt(s.values[key], 10)})
	}
	return state
}

func number(name string, n uint64) sim.Variable {
	return sim.Variable{Name: name, Value: strconv.FormatUint(n, 10)}
}

// pending adds the variable of that name to a state if updates have yet to be
// committed, or are not known to be: whoever waits for the node to come to rest
// has to go on waiting.
func pending(state []sim.Variable, updates uint64) []sim.Variable {
	if updates == 0 {
		return state
	}
	return append(state, number("pending", updates))
}
