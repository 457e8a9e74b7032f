// Package systems holds the built-in systems under test: the protocols of package
// replication, wired up with clients and with what they claim; and the zoo of
// planted bugs, for which the checkers must prove their worth.
package systems

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rashomon-go/rashomon"
	"github.com/rashomon-go/rashomon/model"
	"github.com/rashomon-go/rashomon/replication"
	"github.com/rashomon-go/rashomon/sim"
)

// All returns the built-in systems in the order in which tables list them.
func All() []*rashomon.System {
	return []*rashomon.System{
		primaryBackup("primary-backup-sync", "the primary waits for all backups"),
		primaryBackup("primary-backup-semisync", "the primary waits for K backups"),
		primaryBackup("primary-backup-async", "the primary waits for no backup"),
		chain(),
		craq(),
		multiLeaderLWW(),
		multiLeaderMerge(),
	}
}

// ByName returns the built-in system of a name.
func ByName(name string) (*rashomon.System, error) {
	var names []string
	for _, s := range All() {
		if s.Name == name {
			return s, nil
		}
		names = append(names, s.Name)
	}
	return nil, fmt.Errorf("unknown system %q, expected one of %s", name, strings.Join(names, ", "))
}

var everyKind = []model.Kind{model.Read, model.Write, model.CAS, model.Delete}

// Bug is a planted bug: a variant of a system that breaks one of its rules.
type Bug struct {
	Name   string
	About  string // what it does, in one sentence
	Rule   string // the rule of the protocol that it breaks
	Needs  string // the least that must happen for it to show
	System string
	Reads  string // with Claim, the row of the table of claims that must catch it
	Claim  rashomon.Property
	// Panics says that the protocol notices the bug itself, and panics: that is the
	// catch.
	Panics bool

	// A bug is planted in the decisions of the protocol, in its configuration, or
	// around a node.
	rules  func(r *replication.PrimaryBackupRules)
	group  func(c *replication.PrimaryBackupConfig)
	chain  func(c *replication.ChainConfig)
	leader func() replication.LeaderConfig
	plant  func(c *rashomon.Cluster, place int, node sim.Node) sim.Node
}

// Bugs returns the planted bugs in the order of their names.
func Bugs() []Bug { return slices.Clone(bugs) }

// BugByName returns the planted bug of a name.
func BugByName(name string) (Bug, error) {
	var names []string
	for _, b := range bugs {
		if b.Name == name {
			return b, nil
		}
		names = append(names, b.Name)
	}
	return Bug{}, fmt.Errorf("unknown bug %q, expected one of %s", name, strings.Join(names, ", "))
}

// Variant returns the bug's system with the bug in it, and nothing else changed.
func (b Bug) Variant() *rashomon.System {
	s, err := ByName(b.System)
	if err != nil {
		panic(fmt.Sprintf("systems: bug %s: %v", b.Name, err))
	}
	s.Bug = b.Name
	boot := s.Boot
	if b.rules != nil {
		r := replication.RightPrimaryBackupRules()
		b.rules(&r)
		boot = bootPrimaryBackup(primaryBackupModes[b.System], func(c *replication.PrimaryBackupConfig) { c.Rules = &r })
	}
	if b.group != nil {
		boot = bootPrimaryBackup(primaryBackupModes[b.System], b.group)
	}
	if b.leader != nil {
		boot = bootLeader(b.leader)
	}
	if b.chain != nil {
		boot = bootChain(b.System == "craq", b.chain)
	}
	if b.plant == nil {
		s.Boot = boot
		return s
	}
	s.Boot = func(c *rashomon.Cluster, place int) sim.Boot {
		right := boot(c, place)
		return func(self sim.NodeID, disk *sim.Disk) sim.Node {
			return b.plant(c, place, right(self, disk))
		}
	}
	return s
}

// Find returns the system that a scenario names, with its bug if it has one.
func Find(system, bug string) (*rashomon.System, error) {
	if bug == "" {
		return ByName(system)
	}
	b, err := BugByName(bug)
	if err != nil {
		return nil, err
	}
	if system != b.System {
		return nil, fmt.Errorf("bug %s is planted in system %s, not in %q", bug, b.System, system)
	}
	return b.Variant(), nil
}
