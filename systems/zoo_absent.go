package systems

// Absent is a bug of the catalogue that is not planted, and the reason.
type Absent struct{ Name, Reason string }

// AbsentBugs returns the bugs that one would look for in the zoo and not find.
func AbsentBugs() []Absent {
	return []Absent{
		{"chain-no-sync", "a step's effects happen in the order in which it has them; no wrapper can turn them round"},
		{"chain-stale-configuration-accepted", "it shows as a panic, if at all: 8 of 20,000 runs, and no history; properties of package replication find it"},
		{"chain-tail-failure-drops-sent", "there is no decision to replace; a property of package replication forces it"},
		{"craq-tail-answers-latest-applied", "a tail commits what it applies in the same step"},
		{"ml-lww-skewed-after-dominance", "leaders that exchange in pairs come to agree all the same; without anti-entropy a script of package replication shows it"},
		{"net-payload-aliasing", "messages are values; what they refer to is given away by the sender"},
		{"pb-ack-teleport", "acknowledgements are messages, and nodes have no other way to reach each other"},
		{"pb-backup-no-seq-check", "is pb-gap-ignored and pb-no-dedup: a log has no other place for an update than its number"},
		{"pb-commit-own-old", "it takes three primaries in a row, the first and the last the same: 0 of 10,000 runs"},
		{"pb-seq-regress", "the end of a log is what it holds, and is not assigned"},
		{"pb-two-primaries", "a configuration has one first member; two at a time are pb-no-fencing and pb-no-lease"},
		{"sim-crash-keeps-running", "a crash drops the node's value, its timers and its inbox; tests of package sim see to it"},
	}
}
