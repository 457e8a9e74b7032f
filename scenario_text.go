package rashomon

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/rashomon-go/rashomon/sim"
)

// WriteScenario writes the scenario as a small YAML file for people and
// programs. ParseScenario reads it back as an equal value.
func WriteScenario(w io.Writer, sc *Scenario) error {
	b := bufio.NewWriter(w)
	p := func(format string, args ...any) { fmt.Fprintf(b, format, args...) }
	p("# One run as data. For a built-in system: check replay FILE. For one of your own:\n# RASHOMON_REPLAY=FILE go test\n")
	p("format: %d\n", scenarioFormat)
	p("system: %s\n", quote(sc.System))
	if sc.Bug != "" {
		p("bug: %s\n", quote(sc.Bug))
	}
	p("reads: %s\n", quote(sc.Reads))
	p("claim: %s\n", quote(string(sc.Claim)))
	p("seed: %d\n", sc.Seed)
	p("nodes: %d\n", sc.Nodes)
	for _, l := range []struct {
		name, about string
		link        sim.Link
	}{{"links", "between replicas", sc.Links}, {"access", "between clients and replicas", sc.Access}} {
		p("%s: # %s\n", l.name, l.about)
		writeLink(p, l.link)
	}
	p("timeout: %v # how long a client waits for a reply\n", sc.Timeout)
	p("attempts: %d\n", sc.Attempts)
	p("operations: # number, client, what, and the node asked first; the pause before it (after), its time (at), its timeout\n")
	for i := range sc.Operations {
		p("  - %s\n", quote(sc.Operations[i].String()))
	}
	if len(sc.Faults) > 0 {
		p("faults:\n")
		for _, f := range sc.Faults {
			p("  - %s\n", quote(f.String()))
		}
	}
	if sc.Digest != 0 {
		p("digest: %s # of the run\n", quote(DigestString(sc.Digest)))
	}
	if sc.Shows != "" {
		p("shows: %s # what was wrong with it\n", quote(sc.Shows))
	}
	if sc.Program != "" {
		p("program: %s\n", quote(sc.Program))
	}
	return b.Flush()
}

// writeLink writes a link as the name of its profile, if it is one, or else by
// its fields, of which it leaves out what is zero.
func writeLink(p func(string, ...any), l sim.Link) {
	for _, known := range sim.Profiles() {
		if l == known.Link {
			p("  profile: %s\n", known.Name)
			return
		}
	}
	p("  latency: %v\n", l.Latency)
	for _, f := range []struct {
		name string
		p    float64
	}{{"loss", l.Loss}, {"duplicate", l.Duplicate}, {"reorder", l.Reorder}, {"corrupt", l.Corrupt}} {
		if f.p != 0 {
			p("  %s: %s\n", f.name, strconv.FormatFloat(f.p, 'f', -1, 64))
		}
	}
	if l.FIFO {
		p("  fifo: true\n")
	}
	if l.Bandwidth != 0 {
		p("  bandwidth: %v\n", l.Bandwidth)
	}
	if l.Queue != 0 {
		p("  queue: %v\n", l.Queue)
	}
}

// quote returns s as a YAML scalar that is read back as the string s: plain where
// that is beyond doubt, and quoted elsewhere.
func quote(s string) string {
	plain := s != "" && strings.Trim(s, " ") == s
	for i, c := range s {
		switch {
		case c >= 'a' && c <= 'z':
		case i > 0 && (c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || strings.ContainsRune(" .=->_*|%+()/", c)):
		case c >= '0' && c <= '9' && strings.Contains(s, " "):
		default:
			plain = false
		}
	}
	switch s {
	case "null", "true", "false", "yes", "no", "on", "off", "y", "n":
		plain = false
	}
	if plain {
		return s
	}
	return strconv.Quote(s)
}
