// Package replication holds the protocols under test: primary-backup in three
// modes and chain replication. Each replica is a sim.Node, a handler with one
// method per message; the messages, in messages.go and at the top of each
// protocol's file, are the protocol's table of contents.
//
// What all of them have in common: senders retransmit until acknowledged,
// receivers are idempotent and take updates in sequence only, requests carry an
// identity by which a retry is recognised, and a replica writes to its disk, and
// syncs, before it tells anybody. The protocols do not know that they are
// watched; planted bugs wrap them from outside.
//
// The sources are Schneider, "Implementing Fault-Tolerant Services Using the
// State Machine Approach" (1990), and van Renesse & Schneider, "Chain Replication
// for Supporting High Throughput and Availability" (OSDI 2004).
package replication
