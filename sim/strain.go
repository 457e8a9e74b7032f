package sim

import (
	"slices"
	"time"
)

// Strain is what a fault lays over nodes for a while, whether they are up or
// down. The effects of several strains on a node add up, and lifting one leaves
// the others as they are. Durations are true time; negative ones count as 0.
type Strain struct {
	// Pause keeps the node from taking steps: as if it were busy, it loses nothing, its
	// clocks run on, and messages and timers wait in its inbox. A step that is still
	// taking effect is held up too. A node that boots takes its first step, Start, and
	// no other.
	Pause bool
	// Step is how much longer every step takes, Start included. The step sees the
	// time at which it begins; all that it does happens at its end, and until then
	// messages and timers wait in the inbox. A node that is asked for more falls
	// behind.
	Step time.Duration
	// Sync is how much longer the disk takes for every Sync. What the step does
	// before the Sync has happened, what it does after it waits, as does the inbox.
	Sync time.Duration
	// Disk is what is wrong with the disk.
	Disk DiskTrouble
}

// DiskTrouble says which operations of a disk fail. Nodes do not handle such
// failures: an operation that fails stops the node on the spot, as databases stop
// when they can no longer tell what is on their disks. What the step has done before
// stays done, the rest of it never happens, and the crash is one with LoseUnsynced.
// What the disk holds can be read, so that a node boots and serves until it
// writes. Of several troubles the worst counts.
type DiskTrouble uint8

const (
	DiskSound   DiskTrouble = iota
	DiskFull                // Append fails: there is room for nothing more
	DiskFailing             // Append and Sync fail, also a Sync under way
)

// StrainID names a strain.
type StrainID int

type strain struct {
	nodes []NodeID // nil when it has been lifted
	hits  uint64
	Strain
}

// Strain lays a strain over nodes and returns its name for Relieve. A node that
// is named twice counts once. Steps and syncs that are under way take as long as
// they would have taken.
func (w *World) Strain(s Strain, nodes ...NodeID) StrainID {
	for _, id := range nodes {
		w.replica(id) // panics before anything has changed
	}
	s.Step, s.Sync = max(s.Step, 0), max(s.Sync, 0)
	laid := &strain{nodes: slices.Clone(nodes), Strain: s}
	w.strains = append(w.strains, laid)
	for _, id := range nodes {
		if h := w.hosts[id]; !slices.Contains(h.strains, laid) {
			h.strains = append(h.strains, laid)
			h.refresh()
			h.halt()
		}
	}
	return StrainID(len(w.strains))
}

// Relieve takes a strain away. A step or sync under way takes no longer than if it
// had begun with the strains that are left. It does not restart nodes. Taking away
// a strain again changes nothing.
func (w *World) Relieve(id StrainID) {
	lifted := w.strains[id-1]
	nodes := lifted.nodes
	lifted.nodes = nil
	for _, id := range nodes {
		h := w.hosts[id]
		h.strains = slices.DeleteFunc(h.strains, func(s *strain) bool { return s == lifted })
		h.refresh()
		w.hasten(h)
	}
}

// StrainHits returns how often a strain has hit something, also if it has been
// lifted: messages and timers that it kept waiting, steps and syncs that it slowed,
// and operations of disks that it failed.
func (w *World) StrainHits(id StrainID) uint64 { return w.strains[id-1].hits }

// refresh computes what strains a node anew from all that is in force.
func (h *host) refresh() {
	h.paused, h.stepTime, h.syncTime, h.trouble = false, 0, h.ownSyncTime, DiskSound
	for _, s := range h.strains {
		h.paused = h.paused || s.Pause
		h.stepTime = plus(h.stepTime, s.Step)
		h.syncTime = plus(h.syncTime, s.Sync)
		h.trouble = max(h.trouble, s.Disk)
	}
}

// hit counts for every strain that does what is asked.
func (h *host) hit(does func(*strain) bool) {
	for _, s := range h.strains {
		if does(s) {
			s.hits++
		}
	}
}

// hasten lets a pause end that is over, and a step or sync under way as early as if
// it had begun with the strains of now.
func (w *World) hasten(h *host) {
	end := h.until
	switch h.hold {
	case inPause:
		if !h.paused {
			end = w.now
		}
	case inStep:
		end = plus(h.began, h.stepTime)
	case inSync:
		end = plus(h.began, h.syncTime)
	}
	if h.busy && end < h.until {
		w.resumeAt(h, max(end, w.now))
	}
}
