// Package sim is a deterministic simulator of nodes, networks, disks, clocks
// and clients. One World runs on one goroutine; many worlds can run in
// parallel.
//
// # The contract
//
// Nothing outside the seed decides: the same seed and the same calls give the
// same events, in the same order, with the same Digest, on every machine and
// with any number of processors. Simulated code keeps to that by using only
// what Env and Proc offer: no goroutines, no wall clock, no global random
// numbers, no order of map iteration.
//
// A replica is a Node, a handler with one entrance. Receive is a step: it is
// atomic, and what it sends, writes and schedules is collected and happens when
// it returns. A client is a Proc, a coroutine, because it tells a story: call,
// wait, decide, call again.
//
// A node is what it boots from. A crash drops the node's value, its timers and
// its inbox; Boot builds a new value from the disk.
//
// # Order and randomness
//
// Events are totally ordered by (time, sequence number): what happens at one
// moment happens in the order in which it was caused. Every random number is a
// function of the seed, a purpose and an identity; there is no shared stream.
// Identities are hashes:
//
//	node or process      its name
//	boot of a node       the node, and the time
//	story of a process   the process, or the number given to Begin
//	request              the story, and its ordinal in the story
//	message of a node    the event whose step sent it, the destination, and its
//	                     ordinal among the messages of that step to there
//	timer                the event whose step set it, and its ordinal in that step
//	copy of a message    the message
//
// So taking one client operation, one process or one fault out of a scenario
// moves as few other delays as possible; shrinking depends on it. Where servers
// treat every request by itself and links are not FIFO, it moves none.
//
// # Time
//
// Time is true time, a time.Duration since the start of the world. Nodes do not
// see it: they see their own clocks, through Env. Delays that are too long for a
// time.Duration end with the world's last moment, after 292 years; negative ones
// count as 0.
//
// # Mistakes
//
// What real code could observe is an error or a lost message. What can only be a
// bug panics: an address that nobody has, an Env kept beyond its step, a clock
// that stands still. A panic in a node, a process or an action comes out of Step
// and Run as a *Panic, which says who it was and when.
package sim
