package rashomon

import (
	"encoding/json"
	"io"

	"github.com/rashomon-go/rashomon/sim"
)

// WriteScenarioJSON writes the scenario as JSON, with the keys that WriteScenario
// uses, for programs. ParseScenario reads it back as an equal value.
func WriteScenarioJSON(w io.Writer, sc *Scenario) error {
	file := scenarioJSON{
		Format: scenarioFormat, System: sc.System, Bug: sc.Bug, Reads: sc.Reads, Claim: string(sc.Claim), Seed: sc.Seed, Nodes: sc.Nodes,
		Links: newLinkJSON(sc.Links), Access: newLinkJSON(sc.Access), Timeout: sc.Timeout.String(), Attempts: sc.Attempts,
		Operations: make([]string, len(sc.Operations)), Shows: sc.Shows, Program: sc.Program,
	}
	for i := range sc.Operations {
		file.Operations[i] = sc.Operations[i].String()
	}
	for _, f := range sc.Faults {
		file.Faults = append(file.Faults, f.String())
	}
	if sc.Digest != 0 {
		file.Digest = DigestString(sc.Digest)
	}
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false) // "n0 -> n1"
	return e.Encode(file)
}

type scenarioJSON struct {
	Format     int      `json:"format"`
	System     string   `json:"system"`
	Bug        string   `json:"bug,omitempty"`
	Reads      string   `json:"reads"`
	Claim      string   `json:"claim"`
	Seed       uint64   `json:"seed"`
	Nodes      int      `json:"nodes"`
	Links      linkJSON `json:"links"`
	Access     linkJSON `json:"access"`
	Timeout    string   `json:"timeout"`
	Attempts   int      `json:"attempts"`
	Operations []string `json:"operations"`
	Faults     []string `json:"faults,omitempty"`
	Digest     string   `json:"digest,omitempty"`
	Shows      string   `json:"shows,omitempty"`
	Program    string   `json:"program,omitempty"`
}

type linkJSON struct {
	Latency   string  `json:"latency"`
	Loss      float64 `json:"loss,omitempty"`
	Duplicate float64 `json:"duplicate,omitempty"`
	Reorder   float64 `json:"reorder,omitempty"`
	Corrupt   float64 `json:"corrupt,omitempty"`
	FIFO      bool    `json:"fifo,omitempty"`
	Bandwidth string  `json:"bandwidth,omitempty"`
	Queue     string  `json:"queue,omitempty"`
}

func newLinkJSON(l sim.Link) linkJSON {
	link := linkJSON{Latency: l.Latency.String(), Loss: l.Loss, Duplicate: l.Duplicate, Reorder: l.Reorder, Corrupt: l.Corrupt, FIFO: l.FIFO}
	if l.Bandwidth != 0 {
		link.Bandwidth = l.Bandwidth.String()
	}
	if l.Queue != 0 {
		link.Queue = l.Queue.String()
	}
	return link
}
