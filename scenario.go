package rashomon

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/rashomon-go/rashomon/faults"
	"github.com/rashomon-go/rashomon/model"
	"github.com/rashomon-go/rashomon/sim"
	"github.com/rashomon-go/rashomon/workload"
)

// Scenario is one run as data: everything that decides what happens. It prints
// to a small file that a person can edit (see WriteScenario) and parses back, and
// is the durable reproducer of what it shows; a seed dies with the next change of
// the code.
type Scenario struct {
	System string
	Bug    string // name of a planted bug, or empty
	Reads  string // with Claim, the row of the table of claims that is under test
	Claim  Property

	Seed  uint64 // of latencies, losses and the like
	Nodes int    // how many replicas: n0, n1, …

	Links    sim.Link      // between replicas
	Access   sim.Link      // between clients and replicas, both ways
	Timeout  time.Duration // of operations without one of their own
	Attempts int

	Operations []Operation
	Faults     faults.Schedule

	// Digest is what the run gave when the scenario was written, or 0; Shows is in which
	// way the run failed then (Result.Class), or empty; Program is the version that wrote
	// it.
	Digest  uint64
	Shows   string
	Program string
}

// Operation is what one client does next: wait for a while, then ask. Package
// workload makes them.
type Operation = workload.Operation

// LastSeen as the Expect of a compare-and-set stands for the value of the key
// that the client saw last.
const LastSeen = workload.LastSeen

// ParseOperation reads what Operation.String writes. Its errors begin with
// "column N: ".
func ParseOperation(line string) (Operation, error) { return workload.ParseOperation(line) }

// Limits of a scenario, so that a mistake in a file ends in an error and not in a
// process that the system kills.
const (
	maxNodes      = 64
	maxClients    = workload.MaxClients
	maxOperations = 1_000_000
	maxTime       = time.Hour
)

// Validate reports the first thing in the scenario that makes no sense for the
// system.
func (sc *Scenario) Validate(s *System) error {
	switch "" {
	case sc.Reads:
		return invalid("reads", "no reads, expected the place where clients read")
	case string(sc.Claim):
		return invalid("claim", "no claim, expected a property such as %s", Linearizable)
	}
	if _, err := s.Claim(sc.Reads, sc.Claim); err != nil {
		return &invalidError{err: err, key: sc.wrongHalf(s)}
	}
	low, high := s.nodes()
	switch {
	case sc.Nodes < low || sc.Nodes > high || sc.Nodes > maxNodes:
		return invalid("nodes", "nodes is %d, expected %d..%d for system %s", sc.Nodes, low, min(high, maxNodes), s.Name)
	case sc.Timeout <= 0 || sc.Timeout > maxTime:
		return invalid("timeout", "timeout is %v, expected more than 0s and no more than %v", sc.Timeout, maxTime)
	case sc.Attempts < 1 || sc.Attempts > 1000:
		return invalid("attempts", "attempts is %d, expected 1..1000", sc.Attempts)
	case len(sc.Operations) > maxOperations:
		return invalid("operations", "%d operations, expected no more than %d", len(sc.Operations), maxOperations)
	}
	if err := validateLink("links", sc.Links); err != nil {
		return err
	}
	if err := validateLink("access", sc.Access); err != nil {
		return err
	}
	if err := sc.validateOperations(s); err != nil {
		return err
	}
	return sc.validateFaults(s)
}

// invalidError says which part of a scenario makes no sense, so that whoever has
// read it from a file can say where.
type invalidError struct {
	err   error
	key   string // in a file: nodes, operations, …
	index int    // in operations and faults
}

func invalid(key, format string, args ...any) error {
	return &invalidError{err: fmt.Errorf(format, args...), key: key}
}

func (e *invalidError) Error() string { return e.err.Error() }
func (e *invalidError) Unwrap() error { return e.err }

// wrongHalf says which key is to blame if the system has no such claim.
func (sc *Scenario) wrongHalf(s *System) string {
	if _, err := s.Claim(sc.Reads, ""); err != nil {
		return "reads"
	}
	return "claim"
}

func (sc *Scenario) validateOperations(s *System) error {
	ids := make(map[int32]bool, len(sc.Operations))
	for i := range sc.Operations {
		op := &sc.Operations[i]
		err := validateOperation(op, s, sc.Nodes)
		if err == nil && ids[op.ID] {
			err = errors.New("its number is used twice, expected a number of its own")
		}
		if err != nil {
			return &invalidError{fmt.Errorf("operation %d: %w", op.ID, err), "operations", i}
		}
		ids[op.ID] = true
	}
	return nil
}

func (sc *Scenario) validateFaults(s *System) error {
	nodes := slices.Concat(nodeNames(sc.Nodes), s.Services)
	for _, role := range s.Roles {
		if !slices.Contains(s.Services, role) {
			nodes = append(nodes, role)
		}
	}
	for i := range sc.Faults {
		b := faults.Bounds{Nodes: nodes, Messages: s.Messages, End: maxTime}
		if sc.Faults[i].Kind.OfLinks() {
			b.Nodes = append(b.Nodes, faults.Clients)
		}
		f := sc.Faults[i]
		if f.Endless() {
			if err := sc.validateEndless(f); err != nil {
				return &invalidError{fmt.Errorf("fault %d, %q: %w", i+1, f, err), "faults", i}
			}
			f.Until = f.From + 1 // the rest is as for all others
		}
		if err := f.Validate(b); err != nil {
			return &invalidError{fmt.Errorf("fault %d, %q: %w", i+1, sc.Faults[i], err), "faults", i}
		}
	}
	return nil
}

func validateLink(name string, l sim.Link) error {
	for _, p := range []struct {
		name string
		p    float64
	}{{"loss", l.Loss}, {"duplicate", l.Duplicate}, {"reorder", l.Reorder}, {"corrupt", l.Corrupt}} {
		if !(p.p >= 0 && p.p <= 1) {
			return invalid(name, "%s: %s is %v, expected a probability, 0..1", name, p.name, p.p)
		}
	}
	for _, d := range append(l.Latency.Percentiles[:], l.Latency.Min, l.Latency.Spread, l.Latency.Tail, l.Latency.Median) {
		if d < 0 || d > maxTime {
			return invalid(name, "%s: latency is %v, expected 0s..%v", name, l.Latency, maxTime)
		}
	}
	switch {
	case l.Bandwidth < 0:
		return invalid(name, "%s: bandwidth is %d, expected more than 0bit/s, or 0 for no limit", name, l.Bandwidth)
	case l.Queue < 0 || l.Queue > maxTime:
		return invalid(name, "%s: queue is %v, expected 0s..%v", name, l.Queue, maxTime)
	}
	if _, err := sim.ParseLatency(l.Latency.String()); err != nil {
		return invalid(name, "%s: %v", name, err)
	}
	return nil
}

func validateOperation(op *Operation, s *System, nodes int) error {
	switch {
	case op.ID < 1:
		return fmt.Errorf("expected a number from 1 upwards")
	case op.Client < 0 || op.Client >= maxClients:
		return fmt.Errorf("client c%d, expected c0..c%d", op.Client, maxClients-1)
	case op.Node < 0 || op.Node >= nodes:
		return fmt.Errorf("unknown node %q, expected n0..n%d", nodeName(op.Node), nodes-1)
	case !slices.Contains(s.kinds(), op.Kind):
		return fmt.Errorf("system %s serves no %v, expected one of %v", s.Name, op.Kind, s.kinds())
	case (op.Kind == model.Write || op.Kind == model.CAS || op.Kind == model.Add) && op.Value <= model.Unseen:
		return fmt.Errorf("stores %v, expected a number", op.Value)
	case op.Key == "":
		return fmt.Errorf("no key")
	case op.Think < 0 || op.Think > maxTime:
		return fmt.Errorf("thinks for %v, expected 0s..%v", op.Think, maxTime)
	case op.Start < 0 || op.Start > maxTime:
		return fmt.Errorf("begins at %v, expected 0s..%v", op.Start, maxTime)
	case op.Timeout < 0 || op.Timeout > maxTime:
		return fmt.Errorf("timeout is %v, expected 0s..%v", op.Timeout, maxTime)
	}
	return nil
}

// Names returns what the nodes, services and clients of a run are called, by
// number: n0, n1, …, the services, c0, c1, …, and the client that reads everything
// at the end.
func (sc *Scenario) Names(s *System) []string {
	names := slices.Concat(nodeNames(sc.Nodes), s.Services)
	for i := range sc.clients() {
		names = append(names, clientName(i))
	}
	return append(names, lastName)
}

// clients returns how many clients the scenario numbers.
func (sc *Scenario) clients() (n int) {
	for i := range sc.Operations {
		n = max(n, sc.Operations[i].Client+1)
	}
	return n
}

// keys returns the keys in the order of their first use.
func (sc *Scenario) keys() (keys []string) {
	known := map[string]bool{}
	for i := range sc.Operations {
		if key := sc.Operations[i].Key; !known[key] {
			known[key] = true
			keys = append(keys, key)
		}
	}
	return keys
}

// clone returns a copy that shares nothing that is changed in place. What is empty is
// nil in it, as in a scenario from a file.
func (sc *Scenario) clone() *Scenario {
	c := *sc
	c.Operations = append([]Operation(nil), sc.Operations...)
	c.Faults = append(faults.Schedule(nil), sc.Faults...)
	return &c
}
