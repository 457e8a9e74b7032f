package replication

import (
	"time"

	"github.com/rashomon-go/rashomon/sim"
)

// promise is what a replica's disk says of the configurations that it refuses:
// all before this one.
type promise struct{ number uint64 }

// heartbeatTick is the timer of heartbeats.
type heartbeatTick struct{}

// membership is a replica's part in configurations: what it has promised, which
// configuration it knows, and until when it may serve.
//
// Number is both what it has promised and the configuration that it works in, if
// there is one of that number yet. A configuration has only members that had
// promised its number and had reported under that promise; so whoever finds itself
// in a configuration that it has not promised has lost its disk since.
type membership struct {
	cfg         FailoverConfig
	rules       *FailoverRules
	number      uint64
	latest      Configuration // the latest that the master has told of; its number may be lower, while a new one is being made
	lease       time.Duration // on its own clock: it may serve before that
	boot        time.Duration // when this incarnation began
	answered    time.Duration
	established uint64
}

// FailoverRules are decisions of a replica that concern its lease and its
// promise, and of which planted bugs replace some. See RightFailoverRules.
type FailoverRules struct {
	// Accepts says whether a message of a configuration is for a replica that has
	// promised a number.
	Accepts func(configuration, promised uint64) bool
	// LeaseEnd returns when, on the replica's clock, a lease ends that was asked for
	// at sent and received at now.
	LeaseEnd func(sent, now, lease time.Duration) time.Duration
}

// RightFailoverRules returns the rules that are right.
func RightFailoverRules() FailoverRules {
	return FailoverRules{
		Accepts: func(configuration, promised uint64) bool { return configuration == promised },
		// The master counts from when it answered, which was later (Gray & Cheriton
		// 1989).
		LeaseEnd: func(sent, _, lease time.Duration) time.Duration { return sent + lease },
	}
}

var rightFailoverRules = RightFailoverRules()

// newMembership returns that of a replica whose disk has kept its promise.
func newMembership(cfg FailoverConfig, rules *FailoverRules, disk *sim.Disk) membership {
	must(cfg.Validate())
	if rules == nil {
		rules = &rightFailoverRules
	}
	m := membership{cfg: cfg.withDefaults(), rules: rules}
	for _, r := range disk.Records() {
		if p, ok := r.(promise); ok {
			m.number = p.number
		}
	}
	return m
}

// start is to be called when the replica starts. The first heartbeat goes out in a
// step of its own: when the world begins, there is no master yet.
func (m *membership) start(env *sim.Env) {
	m.boot, m.answered = env.Now(), env.Now()
	env.After(0, heartbeatTick{})
}

// beat sends a heartbeat. last, caughtUp say what the replica has; it must have
// been synced.
func (m *membership) beat(env *sim.Env, last Position, caughtUp bool) {
	env.Send(m.cfg.Master, Heartbeat{
		Number: m.number, Sent: env.Now(), Answered: m.answered,
		Last: last, CaughtUp: caughtUp, Established: m.established,
	})
}

// beatAgain sets the timer of the next heartbeat.
func (m *membership) beatAgain(env *sim.Env) { env.After(m.cfg.HeartbeatEvery, heartbeatTick{}) }

// promise refuses all configurations before a number from now on, and says
// whether that is news. The replica must give up its role then, and beat.
func (m *membership) promise(env *sim.Env, number uint64) bool {
	if number <= m.number {
		return false
	}
	m.number, m.lease = number, 0
	env.Append(promise{number})
	env.Sync()
	return true
}

// What an answer of the master means to a replica.
type news uint8

const (
	nothingNew news = iota
	fenced          // it has promised a number: give up the role, beat
	adopted         // it works in another configuration, as a member or not
)

// hear takes in an answer of the master. Answers to an earlier incarnation count
// for nothing: it may have had a disk.
func (m *membership) hear(env *sim.Env, a HeartbeatAck) news {
	if a.Sent < m.boot {
		return nothingNew
	}
	m.answered = max(m.answered, a.Sent)
	if m.promise(env, a.Fence) {
		return fenced
	}
	c := a.Configuration
	news := m.adopt(env, c)
	if a.Lease > 0 && c.Number == m.number && m.member(env) {
		m.lease = max(m.lease, m.rules.LeaseEnd(a.Sent, env.Now(), m.cfg.ownLease(a.Lease)))
	}
	return news
}

// adopt takes note of a configuration. Who is no member promises its number only
// now.
func (m *membership) adopt(env *sim.Env, c Configuration) news {
	if c.Number <= m.latest.Number || c.Number < m.number {
		return nothingNew
	}
	if c.Number > m.number {
		if c.Has(env.Self()) {
			return nothingNew // this was decided before the replica lost its disk
		}
		m.promise(env, c.Number)
	}
	m.latest = c
	return adopted
}

// current says whether there is a configuration of the promised number, as far as
// the replica knows.
func (m *membership) current() bool { return m.latest.Number == m.number && m.number > 0 }

// member says whether the replica is a member of the current configuration.
func (m *membership) member(env *sim.Env) bool { return m.current() && m.latest.Has(env.Self()) }

// leaseState is the variable that tells until when, on the replica's clock, it has
// a lease.
func (m *membership) leaseState() sim.Variable {
	if m.lease == 0 {
		return sim.Variable{Name: "lease", Value: "none"}
	}
	return sim.Variable{Name: "lease", Value: "until " + m.lease.String()}
}

// leased says whether the replica may serve on behalf of the current
// configuration, by its own clock.
func (m *membership) leased(env *sim.Env) bool { return env.Now() < m.lease }
