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
// Events are totally ordered by (time, sequence number). Every random number is
// a function of the seed, a purpose and an identity. The identity of a message
// is derived from the event whose step sent it, so that taking one client
// operation or one fault out of a scenario moves as few other delays as
// possible; shrinking depends on it.
//
// Time is true time, a time.Duration since the start of the world. Nodes do not
// see it: they see their own clocks, through Env.
package sim
