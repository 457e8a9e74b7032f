package replication

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/rashomon-go/rashomon/sim"
)

// Succession is what a protocol wants of its next configuration.
type Succession interface {
	// Quorum is how many of a configuration's members have to promise to take no
	// further part in it, and to say what they have, before a later configuration
	// may be made: so many that whatever was or will be committed is among it.
	Quorum(members int) int
	// Least is the fewest members that a configuration may have.
	Least() int
	// Next returns the members of the next configuration, at least one of the
	// reports' nodes. Reports come from the members of the old configuration in
	// its order, and then from others.
	Next(old Configuration, reports []Report) []sim.NodeID
}

// Report is what a replica has, now that it has promised to leave it so until the
// next configuration.
type Report struct {
	Node     sim.NodeID
	Member   bool // of the old configuration, with its disk
	CaughtUp bool // no member, but it has what the members have
	Last     Position
}

// Survivors returns the members of the old configuration in its order, and then
// who has caught up. If that is fewer than least, others have to catch up as
// members: those who have most come first.
func Survivors(old Configuration, reports []Report, least int) []sim.NodeID {
	var next, others []Report
	for _, r := range reports {
		if r.Member || r.CaughtUp || len(old.Members) == 0 {
			next = append(next, r)
		} else {
			others = append(others, r)
		}
	}
	slices.SortStableFunc(others, func(a, b Report) int { return b.Last.Compare(a.Last) })
	if lack := least - len(next); lack > 0 {
		next = append(next, others[:min(lack, len(others))]...)
	}
	ids := make([]sim.NodeID, len(next))
	for i, r := range next {
		ids[i] = r.Node
	}
	return ids
}

// MasterConfig is what a configuration master works with.
type MasterConfig struct {
	FailoverConfig
	// Nodes are all replicas there are; the first configuration keeps their order.
	Nodes      []sim.NodeID
	Succession Succession
}

// Validate names the field that makes the configuration impossible.
func (c *MasterConfig) Validate() error {
	if len(c.Nodes) == 0 || c.Succession == nil {
		return fmt.Errorf("master: %d Nodes and Succession %v, expected a node and a Succession", len(c.Nodes), c.Succession)
	}
	if least := c.Succession.Least(); least < 1 || least > len(c.Nodes) {
		return fmt.Errorf("master: Least is %d, expected 1..%d", least, len(c.Nodes))
	}
	if err := validateMembers("master", c.Nodes); err != nil {
		return err
	}
	return c.FailoverConfig.Validate()
}

// Master makes configurations and hands out leases. In the papers it is a
// replicated service (van Renesse & Schneider 2004, section 3); here it is one
// node, which can be cut off.
//
// It makes a configuration in two steps. First it proposes a number: every replica
// promises to refuse all earlier configurations, gives up its lease, and reports
// where its log ends (fencing; Oki & Liskov 1988: acceptances of a
// view change). When enough members of every configuration that may have
// committed something have reported, and the others' leases have run out, it
// decides who is in.
type Master struct {
	cfg      MasterConfig
	peers    []peer          // by place in cfg.Nodes
	made     []Configuration // since the last one that is known to be established
	proposed uint64          // number of the configuration that is being made, or 0
	since    time.Duration   // when it was proposed
}

// peer is what the master knows of a replica.
type peer struct {
	id       sim.NodeID
	known    bool          // it has been heard since the master booted
	heard    time.Duration // when, last
	last     Heartbeat     // what it said then
	promised uint64        // the highest number that it has reported under with this disk
	patience time.Duration // how long it may be silent or deaf before it is taken for failed
	caughtUp uint64        // the configuration with which it says to have caught up
	lost     uint64        // what it says tells nothing of configurations up to this one, because its disk was lost since
	leased   bool          // it may hold a lease
	granted  time.Duration // when it was given its latest
}

// masterRecord is what is on the master's disk; the last one counts.
type masterRecord struct {
	made     []Configuration
	proposed uint64
	lost     []uint64 // by place
}

// masterTick is the master's timer.
type masterTick struct{}

// NewMaster builds the master from its disk. It panics if cfg is not valid.
func NewMaster(cfg *MasterConfig, disk *sim.Disk) *Master {
	must(cfg.Validate())
	m := &Master{cfg: *cfg}
	m.cfg.FailoverConfig = cfg.withDefaults()
	m.cfg.Nodes = slices.Clone(cfg.Nodes)
	for _, id := range cfg.Nodes {
		m.peers = append(m.peers, peer{id: id, patience: m.cfg.Patience})
	}
	if records := disk.Records(); len(records) > 0 {
		m.recover(records[len(records)-1].(masterRecord))
	}
	return m
}

// recover takes every member to hold a lease.
func (m *Master) recover(r masterRecord) {
	m.made, m.proposed = r.made, r.proposed
	for i := range m.peers {
		p := &m.peers[i]
		p.lost = r.lost[i]
		for _, c := range m.made {
			if c.Has(p.id) && c.Number > p.lost {
				p.promised, p.leased = c.Number, true
			}
		}
	}
}

// Configuration returns the latest configuration, which is the zero Configuration
// if none has been made.
func (m *Master) Configuration() Configuration {
	if len(m.made) == 0 {
		return Configuration{}
	}
	return m.made[len(m.made)-1]
}

// Proposed returns the number of the configuration that is being made, or 0.
func (m *Master) Proposed() uint64 { return m.proposed }

// State implements sim.Observable.
func (m *Master) State() []sim.Variable {
	c := m.Configuration()
	return []sim.Variable{
		number("configuration", c.Number),
		{Name: "members", Value: strings.Trim(fmt.Sprint(c.Members), "[]")},
		number("proposed", m.proposed),
	}
}

// Start makes the first configuration, of whoever reports.
func (m *Master) Start(env *sim.Env) {
	for i := range m.peers {
		m.peers[i].granted = env.Now()
		m.peers[i].heard = env.Now()
	}
	m.since = env.Now()
	if len(m.made) == 0 {
		m.propose(env)
	}
	env.After(m.cfg.HeartbeatEvery, masterTick{})
}

// Receive implements sim.Node.
func (m *Master) Receive(env *sim.Env, from sim.Addr, msg sim.Message) {
	switch msg := msg.(type) {
	case Heartbeat:
		m.heartbeat(env, from.Node, msg)
	case GetConfiguration:
		env.Reply(from, m.Configuration())
	case masterTick:
		m.review(env)
		env.After(m.cfg.HeartbeatEvery, masterTick{})
	default:
		panic(fmt.Sprintf("master: unexpected message %T", msg))
	}
}

func (m *Master) heartbeat(env *sim.Env, from sim.NodeID, h Heartbeat) {
	p := m.peer(from)
	if p.known && h.before(p.last) {
		return // it was overtaken
	}
	if h.Number < p.promised {
		env.Count(ReachedLostDisk)
		p.lost, p.leased, p.caughtUp = m.Configuration().Number, false, 0 // a promise is kept as long as its disk
	}
	m.bear(env, p, h)
	m.forgive(env)
	p.known, p.heard, p.last, p.promised = true, env.Now(), h, h.Number
	if h.CaughtUp {
		p.caughtUp = h.Number
	}
	m.establish(h.Established)
	if !m.review(env) {
		m.answer(env, p)
	}
}

// before says whether a replica said one thing before another. It may say two in one
// instant: that it is up, and what it promises upon an answer that comes just then.
// To take them the other way round would be to see a promise broken, and a disk lost
// that is not. An answer is never forgotten while it is up, and nor is a promise; and
// when it boots, it counts its answers from then.
func (h Heartbeat) before(other Heartbeat) bool {
	return cmp.Or(
		cmp.Compare(h.Sent, other.Sent),
		cmp.Compare(h.Answered, other.Answered),
		cmp.Compare(h.Number, other.Number),
	) < 0
}

func (m *Master) peer(id sim.NodeID) *peer {
	for i := range m.peers {
		if m.peers[i].id == id {
			return &m.peers[i]
		}
	}
	panic(fmt.Sprintf("master: heartbeat from node %d, which is no replica", id))
}

// establish forgets the configurations before one whose start is committed: it
// holds whatever they had committed.
func (m *Master) establish(number uint64) {
	for len(m.made) > 1 && m.made[0].Number < number {
		m.made = m.made[1:]
	}
}

// established says whether the latest configuration is known to be established.
func (m *Master) established() bool { return len(m.made) == 1 }

// answer gives a lease to a member, unless the next configuration is being made.
func (m *Master) answer(env *sim.Env, p *peer) {
	c := m.Configuration()
	ack := HeartbeatAck{Sent: p.last.Sent, Configuration: c, Fence: m.proposed}
	if m.proposed == 0 && p.memberOf(c) && p.promised == c.Number {
		ack.Lease = m.cfg.Lease
		p.leased, p.granted = true, env.Now()
	}
	env.Send(p.id, ack)
}

// memberOf says whether what a replica has counts for a configuration.
func (p *peer) memberOf(c Configuration) bool { return p.lost < c.Number && c.Has(p.id) }

// review proposes a configuration if the present one won't do, or makes it, if
// one is proposed. It says whether it has told everybody.
func (m *Master) review(env *sim.Env) bool {
	if m.proposed != 0 {
		return m.decide(env)
	}
	if m.outdated(env) && m.feasible(func(p *peer) bool { return m.up(env, p) }) {
		m.propose(env)
		return true
	}
	return false
}

// failed says whether a replica is not heard, or does not hear: without a lease it
// is no use.
func (m *Master) failed(env *sim.Env, p *peer) bool {
	return env.Now()-p.heard > p.patience || p.last.deaf() > p.patience
}

func (m *Master) up(env *sim.Env, p *peer) bool { return p.known && !m.failed(env, p) }

// outdated says whether a member has failed or somebody is ready to be one.
func (m *Master) outdated(env *sim.Env) bool {
	c := m.Configuration()
	for i := range m.peers {
		switch p := &m.peers[i]; {
		case p.memberOf(c):
			if m.failed(env, p) {
				return true
			}
		case c.Has(p.id):
			return true
		case m.established() && m.up(env, p) && p.caughtUp == c.Number:
			return true
		}
	}
	return false
}

// feasible says whether those who take part, such as those who are up or those who
// have reported, suffice for a next configuration.
func (m *Master) feasible(takesPart func(*peer) bool) bool {
	all := 0
	heard := make([]int, len(m.made))
	for i := range m.peers {
		p := &m.peers[i]
		if !takesPart(p) {
			continue
		}
		all++
		for j, c := range m.made {
			if p.memberOf(c) {
				heard[j]++
			}
		}
	}
	for j, c := range m.made {
		if heard[j] < m.cfg.Succession.Quorum(len(c.Members)) {
			return false
		}
	}
	return all >= m.cfg.Succession.Least()
}

func (m *Master) propose(env *sim.Env) {
	m.proposed, m.since = m.Configuration().Number+1, env.Now()
	m.persist(env)
	m.tell(env)
}

// tell answers everybody's latest heartbeat again, with what is new. It comes too
// late to be worth a lease.
func (m *Master) tell(env *sim.Env) {
	for i := range m.peers {
		p := &m.peers[i]
		env.Send(p.id, HeartbeatAck{Sent: p.last.Sent, Configuration: m.Configuration(), Fence: m.proposed})
	}
}

func (m *Master) persist(env *sim.Env) {
	r := masterRecord{made: slices.Clone(m.made), proposed: m.proposed}
	for i := range m.peers {
		r.lost = append(r.lost, m.peers[i].lost)
	}
	env.Append(r)
	env.Sync()
}

func (m *Master) reported(p *peer) bool { return p.known && p.promised == m.proposed }

// decide makes the proposed configuration as soon as that is safe.
func (m *Master) decide(env *sim.Env) bool {
	if !m.feasible(m.reported) || m.mustWait(env) {
		return false
	}
	old := m.Configuration()
	c := Configuration{m.proposed, slices.Clone(m.cfg.Succession.Next(old, m.reports(old)))}
	if len(c.Members) == 0 {
		panic(fmt.Sprintf("master: configuration %d would be empty", c.Number))
	}
	m.made, m.proposed = append(slices.Clone(m.made), c), 0
	count(env, old, c)
	m.persist(env)
	m.tell(env)
	return true
}

// count tells what a configuration changes.
func count(env *sim.Env, old, c Configuration) {
	lacks := func(c Configuration) func(sim.NodeID) bool { return func(id sim.NodeID) bool { return !c.Has(id) } }
	was, found := old.First()
	if !found {
		return // it is the first of all
	}
	if now, _ := c.First(); now != was {
		env.Count(ReachedFailover)
	}
	if slices.ContainsFunc(old.Members, lacks(c)) {
		env.Count(ReachedRemoval)
	}
	if slices.ContainsFunc(c.Members, lacks(old)) {
		env.Count(ReachedAddition)
	}
}

// mustWait says whether somebody who has not reported may still hold a lease, or
// should be waited for: the master may just have been cut off from everybody.
func (m *Master) mustWait(env *sim.Env) bool {
	c, missing := m.Configuration(), false
	for i := range m.peers {
		p := &m.peers[i]
		if m.reported(p) {
			continue
		}
		if p.memberOf(c) && p.leased && env.Now()-p.granted <= m.cfg.Patience {
			return true
		}
		missing = missing || len(m.made) == 0 || p.memberOf(c) || p.caughtUp == c.Number
	}
	grace := 2 * m.cfg.HeartbeatEvery
	if len(m.made) == 0 {
		grace = m.cfg.Patience // let the first configuration be of all
	}
	return missing && env.Now()-m.since <= grace
}

func (m *Master) reports(old Configuration) []Report {
	var reports []Report
	for _, id := range old.Members {
		if p := m.peer(id); m.reported(p) {
			reports = append(reports, Report{Node: id, Member: p.memberOf(old), Last: p.last.Last})
		}
	}
	for i := range m.peers {
		if p := &m.peers[i]; m.reported(p) && !old.Has(p.id) {
			reports = append(reports, Report{Node: p.id, CaughtUp: p.caughtUp == old.Number, Last: p.last.Last})
		}
	}
	return reports
}
