package rashomon

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rashomon-go/rashomon/checker"
	"github.com/rashomon-go/rashomon/faults"
	"github.com/rashomon-go/rashomon/history"
	"github.com/rashomon-go/rashomon/model"
	"github.com/rashomon-go/rashomon/sim"
)

// System is what is under test. Its functions are called from one goroutine per
// run, and from several at once in a campaign; they must depend on nothing but
// their arguments.
type System struct {
	// Name stands in scenarios and tables: lower-case words joined by hyphens.
	Name string
	// Bug is the planted bug in it, or empty. Scenarios say which bug they need.
	Bug string
	// About is one line for people.
	About string
	// MinNodes and MaxNodes say with how many replicas it runs. Zero means 3.
	MinNodes, MaxNodes int
	// Kinds are the operations that clients may ask for. Empty means read and
	// write.
	Kinds []model.Kind
	// Boot returns what the replica at a place (from 0) of the cluster boots from.
	Boot func(c *Cluster, place int) sim.Boot
	// Client returns one client's way to ask the cluster.
	Client func(c *Cluster) Client
	// Longest returns how long an operation of a client may last when it waits for
	// c.Timeout. Where operations have times of their own, a client gets the next one
	// only after that, so that none waits for another. Nil means Timeout × Attempts.
	Longest func(c *Cluster) time.Duration
	// Claims are the rows of the system's table of claims; at least one.
	Claims []Claim
	// Services are further nodes that the replicas rely on, such as a configuration
	// master. They boot after the replicas, at the places behind theirs.
	Services []string
	// Tolerates returns the faults under which the claims hold with so many
	// replicas; which nodes there are and when faults may happen is filled in. Nil
	// means all faults of the network, and no others.
	Tolerates func(replicas int) faults.Options
	// Survives returns how many of so many replicas may go for good, in runs without
	// other failures, for the claim Live to hold of the others. Nil means none.
	Survives func(replicas int) int
	// Roles are parts that replicas play, such as primary, which faults may name
	// instead of a node; InRole returns who plays one at the moment. The name of a
	// service among them means the service.
	Roles  []string
	InRole func(w *sim.World, c *Cluster, role string) []sim.NodeID
	// Falls are those of the Roles whose players must be replaced when they fail. In
	// every second generated run one of them is taken away from the others.
	Falls []string
	// Messages are the types of the messages that nodes and clients send, by the names
	// that sim.MessageName gives them: faults that name another one are refused. Empty
	// means that faults may name any.
	Messages []string
	// Diverges says that replicas answer clients before they agree. That they
	// agree in the end then means something only if they did not when the faults
	// had healed.
	Diverges bool
	// Features are what nodes count (sim.Env.Count) when they come to it, such as a
	// failover: a campaign tells which of them its runs have not reached. The name of
	// another one followed by UnderLoad means that it came while a client waited.
	Features []string
	// Settle is how long the replicas may need, after the last fault, until all of
	// them agree and serve: what the claim Live promises. Who lets others look inside (sim.Observable) is not kept waiting
	// when they do. Zero means 250 ms.
	Settle time.Duration

	within *System // whose faults are the budget, if those of generated scenarios go beyond it
}

// UnderLoad ends the name of a feature that was reached while a client waited.
const UnderLoad = " under load"

// Client asks the cluster for one operation on behalf of process p, and says how
// it ended. It may call several nodes, several times. It must answer Failed only
// if the operation certainly did not happen and never will.
type Client func(p *sim.Proc, op Operation) Answer

// Cluster is what the replicas and clients of one run share.
type Cluster struct {
	Nodes    []sim.NodeID  // the replicas, by place
	Services []sim.NodeID  // by their order in System.Services
	Reads    string        // where clients read: Claim.Reads of the row under test
	Timeout  time.Duration // how long a client waits, but for operations with a Timeout of their own
	Attempts int           // how often a client tries, at least once
}

// Property is what a claim says of the histories of a system: the name of a
// claim that package checker can judge.
type Property string

// The properties, each in the words of the function of package checker that
// judges it.
const (
	Linearizable      Property = "linearizable"        // Linearizable
	Convergent        Property = "convergent"          // Convergent
	Durable           Property = "durable"             // Durable
	SetConverges      Property = "set-converges"       // SetConverges
	PrefixConsistent  Property = "prefix-consistent"   // PrefixConsistent
	ReadYourWrites    Property = "read-your-writes"    // Session
	MonotonicReads    Property = "monotonic-reads"     // Session
	MonotonicWrites   Property = "monotonic-writes"    // Session
	WritesFollowReads Property = "writes-follow-reads" // Session
	SessionGuarantees Property = "session-guarantees"  // Session, all of them together
)

// Claim is one row of a system's table of claims.
type Claim struct {
	// Reads says where clients read, such as "primary", "tail" or "any". With "any"
	// each read is answered by the node that was asked; convergence is then judged by
	// what clients read, and elsewhere by what replicas show of what they store
	// (sim.Observable).
	Reads    string
	Property Property
	// Refuted marks what the system does not claim: the property must be shown
	// to break, or the checker is blind.
	Refuted bool
	// Pinned claims are about clients that stay at one node.
	Pinned bool
	// Lossy claims hold although acknowledged writes may be lost.
	Lossy bool
	// Rule is what may become of writes that did not know each other.
	Rule checker.ConflictRule
	// KeepsDisks claims hold as long as no disk is lost.
	KeepsDisks bool
	// Needs is the feature without which a run in which nothing is wrong proves
	// nothing, or empty.
	Needs string
}

// String returns the row in words.
func (c Claim) String() string {
	if c.Refuted {
		return fmt.Sprintf("reads at %s: not %s", c.Reads, c.Property)
	}
	return fmt.Sprintf("reads at %s: %s", c.Reads, c.Property)
}

// aboutSessions says whether the row is about what one client sees, one operation
// after the other.
func (c Claim) aboutSessions() bool {
	switch c.Property {
	case ReadYourWrites, MonotonicReads, MonotonicWrites, WritesFollowReads, SessionGuarantees:
		return true
	}
	return c.Pinned
}

// SharesRuns says whether two rows of a system's table have the same scenarios, so that
// RunClaims can judge one run for both. Those of Live are its own.
func (c Claim) SharesRuns(d Claim) bool {
	return c.Reads == d.Reads && (c.Property == Live) == (d.Property == Live)
}

// Answer is how an operation ended for its client: Ok, Got, GotSet, Swapped,
// NotSwapped, Failed or NotKnown.
type Answer struct {
	Outcome history.Outcome
	Value   model.Value   // of a read, or what a failed compare-and-set saw
	Set     []model.Value // of a read of a set, never nil then
	Swapped bool          // of a compare-and-set
}

// Ok answers a write, an addition or a deletion that happened.
func Ok() Answer { return Answer{Outcome: history.OK, Value: model.Unseen} }

// Got answers a read. A key that holds nothing has the value model.Absent, not 0.
func Got(v model.Value) Answer { return Answer{Outcome: history.OK, Value: v} }

// GotSet answers a read of a set.
func GotSet(elements ...model.Value) Answer {
	return Answer{Outcome: history.OK, Set: append([]model.Value{}, elements...)}
}

// Swapped answers a compare-and-set that stored its value.
func Swapped() Answer {
	return Answer{Outcome: history.OK, Value: model.Unseen, Swapped: true}
}

// NotSwapped answers a compare-and-set that found another value, which is
// model.Unseen if the system does not tell it.
func NotSwapped(seen model.Value) Answer { return Answer{Outcome: history.OK, Value: seen} }

// Failed answers an operation that certainly did not happen and never will. A
// read that got no answer may be Failed or NotKnown: it changes nothing.
func Failed() Answer { return Answer{Outcome: history.Fail} }

// NotKnown answers an operation that may have happened, or may yet happen.
func NotKnown() Answer { return Answer{Outcome: history.Unknown} }

// Validate reports the first field that makes the system impossible to run.
func (s *System) Validate() error {
	low, high := s.nodes()
	switch {
	case s.Name == "":
		return errors.New("rashomon: a System without a Name")
	case s.Boot == nil || s.Client == nil:
		return fmt.Errorf("rashomon: system %s: Boot and Client must both be set", s.Name)
	case low < 1 || high < low || high > maxNodes:
		return fmt.Errorf("rashomon: system %s: MinNodes is %d and MaxNodes is %d, expected 1 or more, and no fewer at most than at least", s.Name, s.MinNodes, s.MaxNodes)
	case len(s.Claims) == 0:
		return fmt.Errorf("rashomon: system %s: no Claims, expected one at least", s.Name)
	}
	if err := s.validateKinds(); err != nil {
		return err
	}
	for _, name := range slices.Concat(s.Services, s.Roles) {
		if !goodName.MatchString(name) || reservedName.MatchString(name) {
			return fmt.Errorf("rashomon: system %s: service or role %q, expected a word that is not %s or %s and not the name of a node or client", s.Name, name, lastName, faults.Clients)
		}
	}
	for _, role := range s.Falls {
		if !slices.Contains(s.Roles, role) {
			return fmt.Errorf("rashomon: system %s: Falls has %q, expected one of Roles, which are %v", s.Name, role, s.Roles)
		}
	}
	for _, c := range s.Claims {
		if c.Reads == "" {
			return fmt.Errorf("rashomon: system %s: a claim without Reads, expected a word for where clients read", s.Name)
		}
		if c.Needs != "" && !slices.Contains(s.Features, c.Needs) {
			return fmt.Errorf("rashomon: system %s: %v needs %q, expected one of Features: %q", s.Name, c, c.Needs, s.Features)
		}
		if !slices.Contains(Properties(), c.Property) {
			return fmt.Errorf("rashomon: system %s: unknown property %q, expected one of %v", s.Name, c.Property, Properties())
		}
	}
	return nil
}

// Properties returns all properties that can be claimed.
func Properties() (all []Property) {
	for _, c := range checker.Claims() {
		all = append(all, Property(c.Name))
	}
	return append(all, Live)
}

func (s *System) nodes() (low, high int) {
	low, high = s.MinNodes, s.MaxNodes
	if low == 0 {
		low = 3
	}
	if high == 0 {
		high = max(low, 3)
	}
	return low, high
}

// promised returns the faults under which the claims hold, also of a system whose
// generated scenarios have others.
func (s *System) promised(replicas int) faults.Options {
	if s.within != nil {
		return s.within.tolerates(replicas)
	}
	return s.tolerates(replicas)
}

func (s *System) tolerates(replicas int) faults.Options {
	if s.Tolerates == nil {
		return faults.Options{Classes: faults.Network}
	}
	return s.Tolerates(replicas)
}

// BeyondBudget returns the system with the faults of generated scenarios no longer
// bounded by what it tolerates: every node and service may crash, all of them at
// once, any disk may be lost, and clocks may run at almost any speed. A claim that
// breaks then is not a defect of the system; it shows what its assumptions are
// worth.
func (s *System) BeyondBudget() *System {
	beyond := *s
	beyond.within = cmp.Or(s.within, s)
	beyond.Tolerates = func(replicas int) faults.Options {
		nodes := slices.Concat(nodeNames(replicas), s.Services)
		return faults.Options{
			Most: 8, Slow: 200 * time.Millisecond,
			Crash: faults.CrashOptions{
				Nodes: slices.Concat(nodes, s.Falls), AtOnce: len(nodes),
				Fates: []sim.DiskFate{sim.LoseUnsynced, sim.KeepAll, sim.LoseAll},
			},
			Clock: faults.ClockOptions{Nodes: nodes, Offset: time.Minute, DriftPPM: 900_000},
		}
	}
	return &beyond
}

func (s *System) longest(c *Cluster) time.Duration {
	if s.Longest == nil {
		return c.Timeout * time.Duration(c.Attempts)
	}
	return s.Longest(c)
}

func (s *System) settle() time.Duration {
	if s.Settle == 0 {
		return 250 * time.Millisecond
	}
	return s.Settle
}

func (s *System) kinds() []model.Kind {
	if len(s.Kinds) == 0 {
		return []model.Kind{model.Read, model.Write}
	}
	return s.Kinds
}

// store is how clients store something.
func (s *System) store() model.Kind {
	if slices.Contains(s.kinds(), model.Add) {
		return model.Add
	}
	return model.Write
}

var (
	goodName     = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.-]*$`)
	reservedName = regexp.MustCompile(`^([nc][0-9]+|last|clients|by|keeping|after|offset|drift|to|only|every)$`)
)

// validateKinds refuses workloads of which nothing could be judged.
func (s *System) validateKinds() error {
	has := func(k model.Kind) bool { return slices.Contains(s.kinds(), k) }
	for _, k := range s.kinds() {
		switch k {
		case model.Read, model.Write, model.CAS, model.Delete, model.Add:
		default:
			return fmt.Errorf("rashomon: system %s: Kinds has %v, expected read, write, cas, delete and add", s.Name, k)
		}
	}
	if !has(model.Read) || !has(model.Write) && !has(model.Add) {
		return fmt.Errorf("rashomon: system %s: Kinds is %v, expected read and either write or add among them", s.Name, s.Kinds)
	}
	if has(model.Add) && (has(model.Write) || has(model.CAS) || has(model.Delete)) {
		return fmt.Errorf("rashomon: system %s: Kinds is %v, expected nothing beside read and add for sets", s.Name, s.Kinds)
	}
	return nil
}

// Claim returns the row for reads at a place and a property; an empty string
// stands for the first row that fits. The error names what there is.
func (s *System) Claim(reads string, property Property) (Claim, error) {
	for _, c := range s.Claims {
		if (reads == "" || reads == c.Reads) && (property == "" || property == c.Property) {
			return c, nil
		}
	}
	return Claim{}, s.noClaim(reads, property)
}

// noClaim says what there is in place of a row that there is not: places if nobody reads
// at this one, or else what is said of it.
func (s *System) noClaim(reads string, property Property) error {
	var places, properties []string
	for _, c := range s.Claims {
		if !slices.Contains(places, c.Reads) {
			places = append(places, c.Reads)
		}
		if (reads == "" || reads == c.Reads) && !slices.Contains(properties, string(c.Property)) {
			properties = append(properties, string(c.Property))
		}
	}
	switch {
	case len(properties) == 0:
		return fmt.Errorf("system %s has no reads at %q, expected one of %s", s.Name, reads, strings.Join(places, ", "))
	case reads == "":
		return fmt.Errorf("system %s has no claim %q, expected one of %s", s.Name, property, strings.Join(properties, ", "))
	}
	return fmt.Errorf("system %s has no claim %q for reads at %s, expected one of %s", s.Name, property, reads, strings.Join(properties, ", "))
}

func nodeName(place int) string { return "n" + strconv.Itoa(place) }

// lastName is how the client is called that reads everything at the end.
const lastName = "last"

func clientName(client int) string { return "c" + strconv.Itoa(client) }

func nodeNames(n int) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = nodeName(i)
	}
	return names
}
