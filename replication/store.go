package replication

import (
	"container/list"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/rashomon-go/rashomon/sim"
)

// KVStoreConfig says how slow a replica's store is and how much it holds. The zero
// one is instant and holds everything.
type KVStoreConfig struct {
	// ReadLatency, WriteLatency and DeleteLatency keep the node busy, in true time,
	// for every read that it answers and every update that it applies. A
	// CompareAndSet is a write, whatever it finds.
	ReadLatency, WriteLatency, DeleteLatency time.Duration
	// Capacity is how many keys there is room for; 0 is no limit. A key more evicts
	// the one that was inserted first, however recently that was updated. This is
	// LOSS: an evicted key reads as absent, and no protocol brings it back.
	Capacity int
}

// Validate names the field that makes the configuration impossible.
func (c KVStoreConfig) Validate() error {
	for _, latency := range []struct {
		name string
		time.Duration
	}{{"ReadLatency", c.ReadLatency}, {"WriteLatency", c.WriteLatency}, {"DeleteLatency", c.DeleteLatency}} {
		if latency.Duration < 0 {
			return fmt.Errorf("store: %s is %v, expected a duration that is not negative", latency.name, latency.Duration)
		}
	}
	if c.Capacity < 0 {
		return fmt.Errorf("store: Capacity is %d, expected a number of keys, or 0 for no limit", c.Capacity)
	}
	return nil
}

// latency returns how long it takes to apply a write.
func (c *KVStoreConfig) latency(kind WriteKind) time.Duration {
	switch kind {
	case Delete:
		return c.DeleteLatency
	case NoOp:
		return 0
	}
	return c.WriteLatency
}

// access keeps the node busy with its store. The step has read or changed the store
// already, which nobody can tell: until the access is over the node hears and says
// nothing, and a crash takes what it has done with its memory. So access has to
// stand before whatever tells of it, and behind the Sync of a log that is written
// ahead.
func access(env *sim.Env, latency time.Duration) {
	if latency > 0 {
		env.Busy(latency)
	}
}

// KVStore maps keys to values. The zero KVStore is empty and has no limit.
type KVStore struct {
	values    map[string]int64
	order     *insertions // nil without a limit
	evictions uint64
}

// NewKVStore returns an empty store. It panics if cfg is not valid. The latencies
// are for those to observe who have an Env: the nodes.
func NewKVStore(cfg KVStoreConfig) *KVStore {
	must(cfg.Validate())
	s := emptyStore(cfg)
	return &s
}

// emptyStore is NewKVStore of a configuration that has been validated.
func emptyStore(cfg KVStoreConfig) KVStore { return KVStore{order: newInsertions(cfg.Capacity)} }

// Get returns the value of a key, or Absent.
func (s *KVStore) Get(key string) int64 {
	if v, found := s.values[key]; found {
		return v
	}
	return Absent
}

// Len returns how many keys there are.
func (s *KVStore) Len() int { return len(s.values) }

// Evictions returns how many keys have been lost for want of room.
func (s *KVStore) Evictions() uint64 { return s.evictions }

// Apply executes a write and returns what the client will be told.
func (s *KVStore) Apply(w Write) Written {
	result, _ := s.apply(w)
	return result
}

// apply is Apply; it tells which key was evicted, if any.
func (s *KVStore) apply(w Write) (result Written, evicted *string) {
	switch w.Kind {
	case CompareAndSet:
		if seen := s.Get(w.Key); seen != w.Expect {
			return Written{Seen: seen}, nil
		}
	case Delete:
		s.drop(w.Key)
		return Written{Swapped: true, Seen: Absent}, nil
	case NoOp:
		return Written{}, nil
	}
	if s.values == nil {
		s.values = map[string]int64{}
	}
	s.values[w.Key] = w.Value
	if s.order != nil {
		evicted = s.makeRoom(w.Key)
	}
	return Written{Swapped: true, Seen: w.Value}, evicted
}

func (s *KVStore) drop(key string) {
	delete(s.values, key)
	if s.order != nil {
		s.order.remove(key)
	}
}

// makeRoom evicts a key if one too many has been inserted.
func (s *KVStore) makeRoom(key string) (evicted *string) {
	first, full := s.order.insert(key)
	if !full {
		return nil
	}
	delete(s.values, first)
	s.evictions++
	return &first
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

// insertions are the keys of a store with a capacity, in the order in which they
// came. Replicas that apply the same updates evict the same keys.
type insertions struct {
	capacity int
	keys     *list.List
	places   map[string]*list.Element
}

// newInsertions returns nil if there is no limit.
func newInsertions(capacity int) *insertions {
	if capacity == 0 {
		return nil
	}
	return &insertions{capacity, list.New(), map[string]*list.Element{}}
}

// insert adds a key at the end, unless it is there already. If that is one too many,
// the first one is removed and returned.
func (o *insertions) insert(key string) (first string, full bool) {
	if o.places[key] != nil {
		return "", false
	}
	o.places[key] = o.keys.PushBack(key)
	if o.keys.Len() <= o.capacity {
		return "", false
	}
	first = o.keys.Front().Value.(string)
	o.remove(first)
	return first, true
}

func (o *insertions) remove(key string) {
	if at := o.places[key]; at != nil {
		o.keys.Remove(at)
		delete(o.places, key)
	}
}
