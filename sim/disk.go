package sim

import "slices"

// Disk is a node's durable log of records. A node writes to it through
// Env.Append and Env.Sync and reads it when it boots.
type Disk struct {
	records []any
	synced  int
}

// Records returns what the disk holds, oldest first. The caller must not change
// it.
func (d *Disk) Records() []any { return slices.Clip(d.records) }

// Synced returns how many of the records, the oldest ones, are durable.
func (d *Disk) Synced() int { return d.synced }

// DiskFate says what a crash does to a disk.
type DiskFate uint8

const (
	LoseUnsynced DiskFate = iota // what was not synced is lost; the usual fate
	KeepAll                      // even what was not synced survives
	LoseAll                      // the disk is empty
)

func (d *Disk) crash(fate DiskFate) {
	switch fate {
	case LoseUnsynced:
		clear(d.records[d.synced:])
		d.records = d.records[:d.synced]
	case LoseAll:
		d.records = nil
	}
	d.synced = len(d.records)
}
