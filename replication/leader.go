package replication

import (
	"fmt"
	"slices"
	"time"

	"github.com/rashomon-go/rashomon/sim"
)

// What clients ask a leader, besides Write and Read.
type (
	// Add asks to put an element into the set that a key holds. A leader answers
	// it with Written. A key holds a set or a register, for good.
	Add struct {
		Request RequestID
		Key     string
		Element int64
	}
	// ReadSet asks for the elements of the set that a key holds.
	ReadSet struct{ Key string }
	// Elements answers a ReadSet, in ascending order. The slice is the client's.
	Elements struct{ Elements []int64 }

	// ReadContext asks for the value of a register with its context, so that a
	// later write, at any leader, can say what it replaces.
	ReadContext struct{ Key string }
	// ValueContext answers a ReadContext.
	ValueContext struct {
		Value   int64
		Context Context
	}
	// WriteAfter asks for a write that supersedes what its context covers and
	// nothing else. A Write supersedes whatever the leader holds at that moment.
	WriteAfter struct {
		Write   Write
		Context Context
	}
)

// Context is what a client knows of a key: the writes that its value came from
// and those that these superseded, and a timestamp that is not before theirs.
type Context struct {
	Clock     VectorClock
	Timestamp HLCTimestamp
}

// Messages between leaders; those of anti-entropy are in its file.
type (
	// ReplicateVersions carries all versions of a key after a write, not just the
	// new one: a clock has no gaps, so a leader that learnt of a write but not of
	// its concurrent predecessors would take these for superseded.
	ReplicateVersions struct{ KeyVersions }
	// KeyVersions is all that a leader holds of a key, in order of the dots.
	KeyVersions struct {
		Key      string
		Versions []VersionedValue
	}
)

// LeaderConfig is what all leaders of a group agree on.
type LeaderConfig struct {
	// Leaders are the nodes, two or more. A leader's place among them is its
	// number in vector clocks.
	Leaders []sim.NodeID
	// Resolver makes one value of concurrent versions. Nil means LastWriterWins.
	Resolver ConflictResolver
	// AntiEntropy is how often, on its own clock, a leader compares its keys with
	// those of another. Zero means never: then what is lost stays lost.
	AntiEntropy time.Duration
	// Rules replaces decisions of the protocol; the zero LeaderRules none.
	Rules LeaderRules
}

// Validate names the field that makes the configuration impossible.
func (c *LeaderConfig) Validate() error {
	switch {
	case len(c.Leaders) < 2:
		return fmt.Errorf("multi-leader: %d Leaders, expected two at least", len(c.Leaders))
	case c.AntiEntropy < 0:
		return fmt.Errorf("multi-leader: AntiEntropy is %v, expected a duration that is not negative", c.AntiEntropy)
	}
	for i, l := range c.Leaders {
		if slices.Contains(c.Leaders[:i], l) {
			return fmt.Errorf("multi-leader: Leaders has node %d twice", l)
		}
	}
	return nil
}

// Place returns the place of a node among the leaders.
func (c *LeaderConfig) Place(node sim.NodeID) (int, error) {
	if i := slices.Index(c.Leaders, node); i >= 0 {
		return i, nil
	}
	return 0, fmt.Errorf("multi-leader: Leaders %v lacks node %d", c.Leaders, node)
}

func (c *LeaderConfig) resolver() ConflictResolver {
	if c.Resolver == nil {
		return LastWriterWins{}
	}
	return c.Resolver
}

// MultiLeaderStats counts what a leader did since it booted.
type MultiLeaderStats struct {
	Writes                  uint64 // requests received, retries included
	Reads                   uint64 // requests received
	ReplicationsSent        uint64
	ReplicationsReceived    uint64 // duplicates included
	ConflictsDetected       uint64 // versions found to be concurrent with another of their key
	ConflictsResolved       uint64 // times that the resolver was given concurrent versions
	AntiEntropySyncs        uint64 // rounds that this leader began
	AntiEntropyKeysRepaired uint64 // keys that changed by what anti-entropy brought
}

// LeaderNode takes writes without asking anybody and tells its peers, once: what
// is lost on the way is left to anti-entropy. It keeps the causally maximal
// versions of each key, and shows readers what the resolver makes of them.
//
// Every step compares and applies at once, and syncs what it changed before
// anybody hears of it.
type LeaderNode struct {
	cfg     *LeaderConfig
	place   int
	clock   HybridLogicalClock
	cells   map[string]*cell
	tree    MerkleTree
	stale   []*cell                 // what tree does not yet know
	answers map[sim.NodeID]answered // by client
	stats   MultiLeaderStats
}

// cell is what a leader holds of a key.
type cell struct {
	key      string
	versions []VersionedValue // no one supersedes another; in order of their dots
	current  VersionedValue   // what the resolver makes of them
	node     *merkleNode      // of the tree; nil while that does not have the key
	stale    bool             // it is in LeaderNode.stale
}

// answered is a client's latest request and what it was told.
type answered struct {
	number uint64
	result Written
}

// leaderRecord is what a leader has on its disk of a step: versions that it made
// or learnt, and the request, if any, with its answer.
type leaderRecord struct {
	KeyVersions
	Request RequestID
	Result  Written
}

// NewLeaderNode builds the leader at a place of the configuration from its disk:
// versions, clocks and answers.
func NewLeaderNode(cfg *LeaderConfig, place int, disk *sim.Disk) *LeaderNode {
	n := &LeaderNode{
		cfg: cfg, place: place,
		clock:   NewHybridLogicalClock(cfg.Leaders[place]),
		cells:   map[string]*cell{},
		answers: map[sim.NodeID]answered{},
	}
	for _, record := range disk.Records() {
		r := record.(leaderRecord)
		n.apply(r.KeyVersions)
		n.remember(r.Request, r.Result)
	}
	n.stats = MultiLeaderStats{}
	return n
}

// Start sets the timer of anti-entropy, after every boot anew.
func (n *LeaderNode) Start(env *sim.Env) {
	if self := n.cfg.Leaders[n.place]; self != env.Self() {
		panic(fmt.Sprintf("leader: node %d was built for place %d, which is that of node %d", env.Self(), n.place, self))
	}
	n.arm(env)
}

// Receive implements sim.Node.
func (n *LeaderNode) Receive(env *sim.Env, from sim.Addr, m sim.Message) {
	switch m := m.(type) {
	case Write:
		n.write(env, from, m, nil)
	case WriteAfter:
		n.write(env, from, m.Write, &m.Context)
	case Add:
		n.add(env, from, m)
	case Read:
		n.stats.Reads++
		env.Reply(from, Value{n.Get(m.Key)})
	case ReadSet:
		n.stats.Reads++
		env.Reply(from, Elements{slices.Clone(n.Elements(m.Key))})
	case ReadContext:
		n.readContext(env, from, m)
	case ReplicateVersions:
		n.replicated(env, m)
	case Summary:
		n.summarized(env, from.Node, m)
	case Repair:
		n.repair(env, from.Node, m)
	case antiEntropy:
		n.antiEntropy(env)
	default:
		panic(fmt.Sprintf("leader: unexpected message %T", m))
	}
}

// write makes a version of a register. A CompareAndSet compares with what this
// leader shows its readers, and promises no more.
func (n *LeaderNode) write(env *sim.Env, from sim.Addr, m Write, after *Context) {
	n.stats.Writes++
	if n.repeated(env, from, m.Request) {
		return
	}
	if seen := n.Get(m.Key); m.Kind == CompareAndSet && seen != m.Expect {
		n.conclude(env, from, leaderRecord{KeyVersions{Key: m.Key}, m.Request, Written{Seen: seen}})
		return
	}
	v := n.next(env, m.Key, after)
	v.Value = m.Value
	if m.Kind == Delete {
		v.Value, v.Deleted = Absent, true
	}
	n.store(env, from, m.Request, m.Key, v, v.Value)
}

// add makes a version of a set: what readers see here, with one element more.
func (n *LeaderNode) add(env *sim.Env, from sim.Addr, m Add) {
	n.stats.Writes++
	if n.repeated(env, from, m.Request) {
		return
	}
	v := n.next(env, m.Key, nil)
	v.Value, v.Elements = Absent, with(n.Elements(m.Key), m.Element)
	n.store(env, from, m.Request, m.Key, v, m.Element)
}

// with returns a sorted set with an element more. It does not change the set.
func with(elements []int64, e int64) []int64 {
	i, found := slices.BinarySearch(elements, e)
	if found {
		return elements
	}
	larger := make([]int64, 0, len(elements)+1)
	return append(append(append(larger, elements[:i]...), e), elements[i:]...)
}

// next returns the version that a write makes now, but for its content. Its
// clock covers what the client's context does or, without one, all that the
// leader holds: the leader reads and writes in one step.
func (n *LeaderNode) next(env *sim.Env, key string, after *Context) VersionedValue {
	held := coverage(n.Versions(key))
	v := VersionedValue{Clock: held}
	if after != nil {
		v.Clock = after.Clock
		n.clock.Observe(after.Timestamp)
	}
	v.Dot = Dot{n.place, max(held.At(n.place), v.Clock.At(n.place)) + 1}
	v.Timestamp = n.clock.Now(env.Wall())
	return v
}

// store applies a client's write, answers, and tells the peers.
func (n *LeaderNode) store(env *sim.Env, from sim.Addr, id RequestID, key string, v VersionedValue, seen int64) {
	v = n.cfg.Rules.stamp(env, key, v)
	made := KeyVersions{key, []VersionedValue{v}}
	n.apply(made)
	n.conclude(env, from, leaderRecord{made, id, Written{Swapped: true, Seen: seen}})
	var all sim.Message = ReplicateVersions{KeyVersions{key, n.Versions(key)}}
	for i, peer := range n.cfg.Leaders {
		if i != n.place {
			n.stats.ReplicationsSent++
			env.Send(peer, all)
		}
	}
}

// conclude makes a step durable and answers the client.
func (n *LeaderNode) conclude(env *sim.Env, from sim.Addr, r leaderRecord) {
	n.remember(r.Request, r.Result)
	env.Append(r)
	env.Sync()
	env.Reply(from, r.Result)
}

// repeated recognises a request that was answered before, at this leader, and
// answers it again unless it is older than the client's latest.
func (n *LeaderNode) repeated(env *sim.Env, from sim.Addr, id RequestID) bool {
	a, known := n.answers[id.Client]
	if !known || id == (RequestID{}) || id.Number > a.number {
		return false
	}
	if id.Number == a.number {
		env.Reply(from, a.result)
	}
	return true
}

func (n *LeaderNode) remember(id RequestID, result Written) {
	if id != (RequestID{}) {
		n.answers[id.Client] = answered{id.Number, result}
	}
}

func (n *LeaderNode) readContext(env *sim.Env, from sim.Addr, m ReadContext) {
	n.stats.Reads++
	versions := n.Versions(m.Key)
	env.Reply(from, ValueContext{n.Get(m.Key), Context{coverage(versions), latest(versions)}})
}

func (n *LeaderNode) replicated(env *sim.Env, m ReplicateVersions) {
	n.stats.ReplicationsReceived++
	if n.learn(env, m.KeyVersions) {
		env.Sync()
	}
}

// learn applies what a peer holds of a key and says whether that was news, which
// the caller must sync.
func (n *LeaderNode) learn(env *sim.Env, k KeyVersions) bool {
	if !n.apply(k) {
		return false
	}
	env.Append(leaderRecord{KeyVersions: k})
	return true
}

// apply joins versions into those of their key and says whether that changed
// anything. Equal versions change nothing.
func (n *LeaderNode) apply(k KeyVersions) bool {
	for i := range k.Versions {
		n.clock.Observe(k.Versions[i].Timestamp)
	}
	here := n.Versions(k.Key)
	joined := n.cfg.Rules.join(k.Key, here, k.Versions)
	if n.cfg.Rules.forgets(k.Key, joined) {
		joined = nil
	}
	if sameVersions(here, joined) {
		return false
	}
	n.stats.ConflictsDetected += conflicts(here, joined)
	n.settle(n.cell(k.Key), joined)
	return true
}

// conflicts counts the versions that are new and concurrent with another.
func conflicts(here, joined []VersionedValue) uint64 {
	if len(joined) < 2 {
		return 0
	}
	var news uint64
	for i := range joined {
		if !obsolete(&joined[i], here, true) {
			news++
		}
	}
	return min(news, uint64(len(joined)-1))
}

// settle gives a key its versions.
func (n *LeaderNode) settle(c *cell, versions []VersionedValue) {
	c.versions = versions
	switch len(versions) {
	case 0:
		c.current = VersionedValue{Value: Absent, Deleted: true}
	case 1:
		c.current = versions[0]
	default:
		n.stats.ConflictsResolved++
		c.current = resolve(n.cfg.resolver(), c.key, versions)
	}
	if !c.stale {
		c.stale = true
		n.stale = append(n.stale, c)
	}
}

func (n *LeaderNode) cell(key string) *cell {
	c := n.cells[key]
	if c == nil {
		c = &cell{key: key}
		n.cells[key] = c
	}
	return c
}
