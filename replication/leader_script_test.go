package replication_test

import (
	"fmt"
	"strings"

	. "github.com/rashomon-go/rashomon/replication"
	"github.com/rashomon-go/rashomon/sim"
)

// doLeaders executes the commands of scripts that are about leaders only.
//
//	leaders NODE... [resolver=lww|union|max|sum] [antientropy=D]
//	add CLIENT NODE K=E, delete CLIENT NODE K, readset CLIENT NODE K
//	stats                          what the leaders have counted since they booted
//
// Of anti-entropy a script shows no timers, and no Summary while the leaders agree.
// The state ends with whether they agree, and shows the versions of each key: value,
// dot, what it supersedes, timestamp.
func (s *script) doLeaders(command string, args []string, options map[string]string) error {
	switch command {
	case "leaders":
		return s.addLeaders(args, options)
	case "add":
		for key, element := range options { // just one
			s.ask(args[0], args[1], Add{s.request(args[0]), key, integer(element)}, "100ms")
		}
	case "delete":
		s.ask(args[0], args[1], Write{Request: s.request(args[0]), Kind: Delete, Key: args[2]}, "100ms")
	case "readset":
		s.ask(args[0], args[1], ReadSet{args[2]}, "100ms")
	case "stats":
		for _, id := range s.nodes {
			if n, up := s.world.Node(id).(*LeaderNode); up {
				c := n.Stats()
				fmt.Fprintf(&s.out, "%s: conflicts %d", s.world.Name(id), c.ConflictsDetected)
				if c.AntiEntropySyncs > 0 {
					fmt.Fprintf(&s.out, ", rounds of anti-entropy %d, keys repaired %d", c.AntiEntropySyncs, c.AntiEntropyKeysRepaired)
				}
				s.out.WriteString("\n")
			}
		}
	default:
		return fmt.Errorf("unknown command %q", command)
	}
	return nil
}

func (s *script) addLeaders(names []string, options map[string]string) error {
	cfg := &LeaderConfig{AntiEntropy: span(take(options, "antientropy", "0s"))}
	for i := range names {
		cfg.Leaders = append(cfg.Leaders, sim.NodeID(i))
	}
	switch r := take(options, "resolver", "lww"); r {
	case "lww":
	case "union":
		cfg.Resolver = sets
	case "max":
		cfg.Resolver = keepMax
	case "sum":
		cfg.Resolver = sum
	default:
		return fmt.Errorf("no resolver %q", r)
	}
	if err := cfg.Validate(); err != nil {
		return err
	}
	for i, name := range names {
		s.world.AddNode(name, func(_ sim.NodeID, disk *sim.Disk) sim.Node { return NewLeaderNode(cfg, i, disk) })
	}
	s.nodes = cfg.Leaders
	return nil
}

func (s *script) request(client string) RequestID {
	s.requests++
	return RequestID{Client: clientID(client), Number: s.requests}
}

// leaders returns those that are up.
func (s *script) leaders() (up []*LeaderNode) {
	for _, id := range s.nodes {
		if n, ok := s.world.Node(id).(*LeaderNode); ok {
			up = append(up, n)
		}
	}
	return up
}

func (s *script) rootsAgree() bool {
	up := s.leaders()
	for _, n := range up {
		if n.Tree().Root() != up[0].Tree().Root() {
			return false
		}
	}
	return true
}

// idleRound says whether a message belongs to a round of anti-entropy that has
// nothing to do.
func (s *script) idleRound(m sim.Message) bool {
	if _, summary := m.(Summary); summary {
		return s.rootsAgree()
	}
	return fmt.Sprintf("%T", m) == "replication.antiEntropy"
}

// leaderState says what readers see of each key, and of which versions it is made.
func (s *script) leaderState(n *LeaderNode) {
	separator := " "
	for key := range n.Tree().Keys(KeyRange{}) {
		s.out.WriteString(separator + key + " = ")
		if vs := n.Versions(key); len(vs) > 1 {
			current, _ := n.Version(key)
			s.out.WriteString(current.Content() + " of ")
		}
		s.out.WriteString(inWordsVersions(n.Versions(key)))
		separator = "\n    "
	}
	if separator == " " {
		s.out.WriteString(" no keys")
	}
	s.out.WriteString("\n")
}

func inWordsVersions(vs []VersionedValue) string {
	words := make([]string, len(vs))
	for i := range vs {
		words[i] = vs[i].String()
	}
	return strings.Join(words, " | ")
}

func leadersInWords(m sim.Message) sim.Message {
	switch m := m.(type) {
	case Add:
		return fmt.Sprintf("add %d to %s, request %d", m.Element, m.Key, m.Request.Number)
	case ReadSet:
		return "read set " + m.Key
	case Elements:
		return "elements " + (&VersionedValue{Elements: append([]int64{}, m.Elements...)}).Content()
	case ReplicateVersions:
		return fmt.Sprintf("Replicate %s: %s", m.Key, inWordsVersions(m.Versions))
	case Summary:
		return "Summary"
	case Repair:
		words := make([]string, len(m.Keys))
		for i, k := range m.Keys {
			words[i] = " " + k.Key + ": " + inWordsVersions(k.Versions)
		}
		ask := ""
		if len(m.Ranges) > 0 {
			ask = ", asks for more"
		}
		if len(words) == 0 {
			words = []string{" nothing"}
		}
		return "Repair" + strings.Join(words, ";") + ask
	}
	return m
}
