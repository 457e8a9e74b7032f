package sim

// Disk is a node's durable log of records. A node writes to it through
// Env.Append and Env.Sync and reads it when it boots.
type Disk struct {
	records []any
	synced  int
}

// Records returns what the disk holds, oldest first. The caller must not change
// it.
func (d *Disk) Records() []any { return d.records }

// DiskFate says what a crash does to a disk.
type DiskFate uint8

const (
	LoseUnsynced DiskFate = iota // what was not synced is lost
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
