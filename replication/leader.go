package replication

import (
	"fmt"
	"slices"

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
	order   *insertions             // of the keys; nil without a limit
	stats   MultiLeaderStats
}

// nothing is what readers see of a key without versions.
var nothing = VersionedValue{Value: Absent, Deleted: true}

// cell is what a leader holds of a key.
type cell struct {
	merkleNode                  // its key, and what LeaderNode.tree knows of it
	versions   []VersionedValue // none supersedes another; in order of their dots
	stale      bool             // it is in LeaderNode.stale
	dots       uint64           // evicted ones of the leader's own, which it doesn't give again
	current    VersionedValue   // what the resolver makes of versions
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
// versions, clocks and answers. It panics if cfg is not valid.
func NewLeaderNode(cfg *LeaderConfig, place int, disk *sim.Disk) *LeaderNode {
	must(cfg.Validate())
	n := &LeaderNode{
		cfg: cfg, place: place,
		clock:   NewHybridLogicalClock(cfg.Leaders[place]),
		cells:   map[string]*cell{},
		answers: map[sim.NodeID]answered{},
		order:   newInsertions(cfg.Store.Capacity),
	}
	for _, record := range disk.Records() {
		r := record.(leaderRecord)
		n.apply(n.cell(r.Key), r.Versions)
		n.remember(r.Request, r.Result)
	}
	n.stats = MultiLeaderStats{Evictions: n.stats.Evictions}
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
		n.read(env)
		env.Reply(from, Value{n.Get(m.Key)})
	case ReadSet:
		n.read(env)
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
	c := n.cell(m.Key)
	if seen := c.value(); m.Kind == CompareAndSet && seen != m.Expect {
		access(env, n.cfg.Store.WriteLatency)
		n.conclude(env, from, leaderRecord{KeyVersions{Key: m.Key}, m.Request, Written{Seen: seen}})
		return
	}
	v := n.next(env, c, after)
	v.Value = m.Value
	if m.Kind == Delete {
		v.Value, v.Deleted = Absent, true
	}
	n.store(env, from, m.Request, c, v, v.Value)
}

// add makes a version of a set: what readers see here, with one element more.
func (n *LeaderNode) add(env *sim.Env, from sim.Addr, m Add) {
	n.stats.Writes++
	if n.repeated(env, from, m.Request) {
		return
	}
	c := n.cell(m.Key)
	v := n.next(env, c, nil)
	v.Value, v.Elements = Absent, with(c.current.Elements, m.Element)
	n.store(env, from, m.Request, c, v, m.Element)
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
func (n *LeaderNode) next(env *sim.Env, c *cell, after *Context) VersionedValue {
	held := coverage(c.versions)
	v := VersionedValue{Clock: held}
	if after != nil {
		v.Clock = after.Clock
		n.clock.Observe(after.Timestamp)
	}
	v.Dot = Dot{n.place, max(held.At(n.place), v.Clock.At(n.place), c.dots) + 1}
	v.Timestamp = n.clock.Now(env.Wall())
	return v
}

// store applies a client's write, answers, and tells the peers.
func (n *LeaderNode) store(env *sim.Env, from sim.Addr, id RequestID, c *cell, v VersionedValue, seen int64) {
	made := []VersionedValue{n.cfg.Rules.stamp(env, c.key, v)}
	n.apply(c, made)
	access(env, n.cfg.Store.latency(v.kind()))
	n.conclude(env, from, leaderRecord{KeyVersions{c.key, made}, id, Written{Swapped: true, Seen: seen}})
	var all sim.Message = ReplicateVersions{KeyVersions{c.key, c.versions}}
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
		env.Count(ReachedRetry)
		env.Reply(from, a.result)
	} else {
		env.Count(ReachedStraggler)
	}
	return true
}

func (n *LeaderNode) remember(id RequestID, result Written) {
	if id != (RequestID{}) {
		n.answers[id.Client] = answered{id.Number, result}
	}
}

// read counts a read and takes its time.
func (n *LeaderNode) read(env *sim.Env) {
	n.stats.Reads++
	access(env, n.cfg.Store.ReadLatency)
}

func (n *LeaderNode) readContext(env *sim.Env, from sim.Addr, m ReadContext) {
	n.read(env)
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
	c := n.cell(k.Key)
	conflicts := n.stats.ConflictsDetected
	if !n.apply(c, k.Versions) {
		return false
	}
	if n.stats.ConflictsDetected > conflicts {
		env.Count(ReachedConflict)
	}
	if c.current.Deleted {
		env.Count(ReachedTombstone)
	}
	access(env, n.cfg.Store.latency(c.current.kind()))
	env.Append(leaderRecord{KeyVersions: k})
	return true
}

// apply joins versions into those of a key and says whether that changed
// anything. Equal versions change nothing.
func (n *LeaderNode) apply(c *cell, versions []VersionedValue) bool {
	for i := range versions {
		n.clock.Observe(versions[i].Timestamp)
	}
	joined := n.cfg.Rules.join(c.key, c.versions, versions)
	if n.cfg.Rules.forgets(c.key, joined) {
		joined = nil
	}
	if sameVersions(c.versions, joined) {
		return false
	}
	n.stats.ConflictsDetected += conflicts(c.versions, joined)
	n.settle(c, joined)
	if n.order != nil {
		n.makeRoom(c)
	}
	return true
}

// makeRoom keeps to the capacity: a key that has come may evict another. Its versions
// are lost here, and nothing tells the peers, who may bring them back.
func (n *LeaderNode) makeRoom(c *cell) {
	if len(c.versions) == 0 {
		n.order.remove(c.key)
		return
	}
	first, full := n.order.insert(c.key)
	if !full {
		return
	}
	victim := n.cells[first]
	held := coverage(victim.versions)
	victim.dots = max(victim.dots, held.At(n.place))
	n.settle(victim, nil)
	n.stats.Evictions++
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
		c.current = nothing
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
		c = &cell{merkleNode: merkleNode{key: key, count: 1}, current: nothing}
		n.cells[key] = c
	}
	return c
}

// value returns the value of a register, as readers see it, or Absent.
func (c *cell) value() int64 {
	if c.current.Deleted {
		return Absent
	}
	return c.current.Value
}
