// Package rashomon puts replicated components under test: clients with random
// workloads talk to them inside a deterministic simulator, under partitions,
// delays and losses, and what the clients saw is judged by a linearizability
// checker. Several clients tell contradictory stories about the same replicas; is
// there one order of events that makes all of them true?
//
// A System says what is under test: how its replicas boot, how a client asks it
// for something, and what it claims. A Scenario is one run as data: the
// operations, the faults, the links and a seed; it prints to a file and parses
// back. Run runs it, and gives the same Result with the same digest every time.
// Check does all of it in a test, and fails with a shrunk scenario, a page that
// shows the violation, and the way to replay it.
package rashomon
