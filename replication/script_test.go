package replication_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	. "github.com/rashomon-go/rashomon/replication"
	"github.com/rashomon-go/rashomon/sim"
)

// TestScripts plays the scripts: space-time diagrams in words. Run it with
// -rewrite after a change, and read the difference.
//
//	primary-backup MODE NODE... [acks=K] [reads=any]   the group; links take 5 ms, clients' none
//	chain NODE... [reads=any] [craq=yes] [repair=yes]  with repair there is a master, too; its heartbeats are not shown
//	failover MODE NODE... [acks=K]  the group with a node named master; heartbeats and timers are not printed
//	leaders NODE... [resolver=lww|union|max|sum] [antientropy=D]  leader_script_test.go has the rest about them
//	  store=DURATION capacity=N    of chain and primary-backup: how long a store takes, how many keys it holds
//	link A B DURATION [copies]     delay from A to B; with copies, each message arrives twice
//	cut A B, heal                  one direction; all cuts
//	disk NODE DURATION             how long a sync takes
//	write CLIENT NODE K=V [timeout=D] [delay=D]   delay: on its way; cas CLIENT NODE K=OLD:NEW
//	read CLIENT NODE K
//	retry CLIENT NODE              the client's latest write again, under the same number
//	crash NODE [after N sends] [disk=lost], restart NODE
//	clock NODE PPM                 how much faster the node's clocks are from now on
//	clock NODE DURATION            how far the node's wall clock is ahead from now on
//	run DURATION, idle             print what happens; idle runs until nothing is left to happen
//	state                          what the nodes hold
func TestScripts(t *testing.T) {
	for _, dir := range []string{"primary_backup", "chain", "failover", "multi_leader"} {
		datadriven.Walk(t, "testdata/scripts/"+dir, func(t *testing.T, path string) {
			s := &script{writes: map[string]Write{}}
			s.world = sim.New(sim.Config{
				Seed: 1, Trace: s.trace,
				Link: sim.Link{Latency: sim.Constant(5 * time.Millisecond)},
			})
			defer s.world.Stop()
			datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
				for line := range strings.Lines(d.FullCmd() + "\n" + d.Input) {
					if err := s.do(strings.Fields(line)); err != nil {
						d.Fatalf(t, "%s: %v", strings.TrimSpace(line), err)
					}
				}
				out := s.out.String()
				s.out.Reset()
				return out
			})
		})
	}
}

// script is a world that a script acts on.
type script struct {
	world    *sim.World
	nodes    []sim.NodeID
	cuts     []sim.OverlayID
	writes   map[string]Write // each client's latest
	out      strings.Builder
	requests uint64
	master   sim.NodeID            // of a chain that is repaired, or 0
	places   map[sim.NodeID]string // in it
	quiet    bool
}

func (s *script) do(words []string) (err error) {
	if len(words) == 0 {
		return nil
	}
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%v", r)
		}
	}()
	args, options := split(words[1:])
	switch words[0] {
	case "primary-backup":
		s.primaryBackup(args[0], args[1:], options)
	case "failover":
		s.failover(args[0], args[1:], options)
	case "chain":
		err = s.chain(args, options)
	case "link":
		s.link(args)
	case "cut":
		s.cuts = append(s.cuts, s.world.Impose(sim.Overlay{Cut: true}, s.pair(args)))
	case "heal":
		for _, id := range s.cuts {
			s.world.Lift(id)
		}
		s.cuts = nil
	case "disk":
		s.world.SetSyncTime(s.id(args[0]), span(args[1]))
	case "write", "cas":
		s.write(args, options)
	case "retry":
		s.ask(args[0], args[1], s.writes[args[0]], "100ms")
	case "read":
		s.ask(args[0], args[1], Read{args[2]}, "100ms")
	case "crash":
		s.crash(args, options)
	case "clock":
		s.clock(args)
	case "restart":
		s.world.Restart(s.id(args[0]))
	case "run":
		s.run(s.world.Now() + span(args[0]))
	case "idle":
		s.idle()
	case "state":
		s.state()
	default:
		return s.doLeaders(words[0], args, options)
	}
	return err
}

func (s *script) link(args []string) {
	l := sim.Link{Latency: sim.Constant(span(args[2]))}
	if len(args) > 3 {
		l.Latency = sim.Uniform(span(args[2]), 20*span(args[2]))
		l.Duplicate = 1
	}
	s.world.SetLink(s.pair(args), l)
}

func (s *script) crash(args []string, options map[string]string) {
	if len(args) > 1 {
		s.world.CrashAfterSends(s.id(args[0]), int(integer(args[2])))
		return
	}
	fate := sim.LoseUnsynced
	if options["disk"] == "lost" {
		fate = sim.LoseAll
	}
	s.world.Crash(s.id(args[0]), fate)
}

func (s *script) clock(args []string) {
	var c sim.Clock
	if offset, err := time.ParseDuration(args[1]); err == nil {
		c.Offset = offset
	} else {
		c.DriftPPM = integer(args[1])
	}
	s.world.SetClock(s.id(args[0]), c)
}

func (s *script) chain(names []string, options map[string]string) (err error) {
	cfg := ChainConfig{ReadAnywhere: options["reads"] == "any", CRAQ: options["craq"] == "yes", Store: storeOf(options)}
	if options["repair"] == "yes" {
		s.master = sim.NodeID(len(names))
		cfg.Failover = &FailoverConfig{Master: s.master}
	}
	if s.nodes, err = BuildChain(s.world, cfg, names...); err == nil && cfg.Failover != nil {
		masters := &MasterConfig{FailoverConfig: *cfg.Failover, Nodes: s.nodes, Succession: ChainSuccession{}}
		s.world.AddNode("master", func(_ sim.NodeID, disk *sim.Disk) sim.Node { return NewMaster(masters, disk) })
	}
	return err
}

// run says, beside what happens, when a node of a chain gets to another place.
func (s *script) run(until time.Duration) {
	for s.world.Step(until) {
		for _, id := range s.nodes {
			if n, ok := s.world.Node(id).(*ChainNode); ok && s.master != 0 {
				s.placed(id, fmt.Sprintf("is %v in configuration %d", n.Role(), n.Configuration().Number))
			} else if !ok {
				s.placed(id, "")
			}
		}
	}
	s.world.Run(until)
}

func (s *script) placed(id sim.NodeID, place string) {
	if s.places == nil {
		s.places = map[sim.NodeID]string{}
	}
	if s.places[id] != place && place != "" {
		fmt.Fprintf(&s.out, "%12v         %s %s\n", s.world.Now(), s.world.Name(id), place)
	}
	s.places[id] = place
}

func storeOf(options map[string]string) KVStoreConfig {
	latency := span(take(options, "store", "0s"))
	return KVStoreConfig{
		ReadLatency: latency, WriteLatency: latency, DeleteLatency: latency,
		Capacity: int(integer(take(options, "capacity", "0"))),
	}
}

func (s *script) failover(mode string, names []string, options map[string]string) {
	cfg := &PrimaryBackupConfig{Failover: &FailoverConfig{Master: sim.NodeID(len(names))}}
	for cfg.Mode.String() != mode {
		cfg.Mode++
	}
	if k, found := options["acks"]; found {
		cfg.Acks = int(integer(k))
	}
	for i := range names {
		cfg.Members = append(cfg.Members, sim.NodeID(i))
	}
	for _, name := range names {
		s.world.AddNode(name, func(_ sim.NodeID, disk *sim.Disk) sim.Node { return NewPrimaryBackupNode(cfg, disk) })
	}
	s.world.AddNode("master", func(_ sim.NodeID, disk *sim.Disk) sim.Node {
		return NewMaster(&MasterConfig{FailoverConfig: *cfg.Failover, Nodes: cfg.Members, Succession: cfg.Succession()}, disk)
	})
	s.nodes, s.quiet = append(slices.Clone(cfg.Members), cfg.Failover.Master), true
}

// isRoutine says whether a message only keeps a group with failover going: what it
// says that is new shows in the state.
func isRoutine(m sim.Message) bool {
	return heartbeat(m) || strings.HasPrefix(sim.DescribeMessage(m), "retransmit")
}

// heartbeat says whether a message is only about who is up.
func heartbeat(m sim.Message) bool {
	switch m.(type) {
	case Heartbeat, HeartbeatAck:
		return true
	}
	kind := fmt.Sprintf("%T", m)
	return kind == "replication.heartbeatTick" || kind == "replication.masterTick"
}

func (s *script) primaryBackup(mode string, names []string, options map[string]string) {
	cfg := &PrimaryBackupConfig{ServeReads: options["reads"] == "any", Store: storeOf(options)}
	for cfg.Mode.String() != mode {
		cfg.Mode++
	}
	if k, found := options["acks"]; found {
		cfg.Acks = int(integer(k))
	}
	for i := range names {
		cfg.Members = append(cfg.Members, sim.NodeID(i))
	}
	s.nodes = cfg.Members
	addGroup(s.world, cfg, names, nil)
}

// addGroup adds the nodes of a primary-backup group to an empty world; around, if
// not nil, is put around each.
func addGroup(w *sim.World, cfg *PrimaryBackupConfig, names []string, around func(int, sim.Node) sim.Node) {
	for i, name := range names {
		w.AddNode(name, func(_ sim.NodeID, disk *sim.Disk) (n sim.Node) {
			if n = NewBackupNode(cfg, disk); i == 0 {
				n = NewPrimaryNode(cfg, disk)
			}
			if around != nil {
				n = around(i, n)
			}
			return n
		})
	}
}

func (s *script) write(args []string, options map[string]string) {
	timeout, delay := take(options, "timeout", "100ms"), take(options, "delay", "0s")
	w := Write{Request: s.request(args[0])}
	for key, value := range options { // just one
		w.Key = key
		if expect, next, cas := strings.Cut(value, ":"); cas {
			w.Kind, w.Expect, value = CompareAndSet, integer(expect), next
		}
		w.Value = integer(value)
	}
	s.writes[args[0]] = w
	id := s.ask(args[0], args[1], w, timeout)
	s.world.SetLink(sim.Pair{From: id, To: s.id(args[1])}, sim.Link{Latency: sim.Constant(span(delay))})
}

// take removes an option and returns its value.
func take(options map[string]string, name, otherwise string) string {
	if v, found := options[name]; found {
		delete(options, name)
		return v
	}
	return otherwise
}

func clientID(name string) sim.NodeID {
	return 100 + sim.NodeID(integer(strings.TrimPrefix(name, "c")))
}

// ask lets a client make one call, which begins at once.
func (s *script) ask(client, node string, m sim.Message, timeout string) sim.NodeID {
	to := s.id(node)
	return s.world.Go(client, func(p *sim.Proc) {
		if _, err := p.Call(to, m, span(timeout)); err != nil {
			fmt.Fprintf(&s.out, "%12v %s gives up waiting\n", p.Now(), client)
		}
	})
}

// trace prints what happens; what a client sends is seen where it arrives.
func (s *script) trace(e sim.Event) {
	if heartbeat(e.Message) || s.idleRound(e.Message) {
		return
	}
	if e.Kind == sim.Sent && (!s.isNode(e.From) || !s.isNode(e.To)) {
		return
	}
	if s.quiet && isRoutine(e.Message) {
		return
	}
	e.Message = inWords(e.Message)
	s.out.WriteString(e.Describe(s.world.Name) + "\n")
}

// idle runs until nothing is left but the timeouts of calls that were answered.
func (s *script) idle() {
	start := s.out.Len()
	for s.world.Step(s.world.Now() + 10*time.Second) {
		if s.world.Now() > time.Minute {
			panic("does not come to rest")
		}
	}
	if s.out.Len() == start {
		s.out.WriteString("nothing\n")
	}
}

func (s *script) state() {
	for _, id := range s.nodes {
		n := s.world.Node(id)
		fmt.Fprintf(&s.out, "%s:", s.world.Name(id))
		if n == nil {
			s.out.WriteString(" down\n")
			continue
		}
		if leader, ok := n.(*LeaderNode); ok {
			s.leaderState(leader)
			continue
		}
		for i, v := range n.(sim.Observable).State() {
			sep := ", "
			if i == 0 {
				sep = " "
			}
			name, isKey := strings.CutPrefix(v.Name, "store ")
			if isKey {
				name += " ="
			}
			s.out.WriteString(sep + name + " " + v.Value)
		}
		s.out.WriteString("\n")
	}
	if len(s.leaders()) > 0 {
		fmt.Fprintf(&s.out, "roots %s\n", map[bool]string{true: "equal", false: "differ"}[s.rootsAgree()])
	}
}

func (s *script) isNode(id sim.NodeID) bool { return slices.Contains(s.nodes, id) }

func (s *script) pair(args []string) sim.Pair {
	return sim.Pair{From: s.id(args[0]), To: s.id(args[1])}
}

func (s *script) id(name string) sim.NodeID {
	if name == "master" && s.master != 0 {
		return s.master
	}
	for _, id := range s.nodes {
		if s.world.Name(id) == name {
			return id
		}
	}
	panic("no node " + name)
}
