// Package faults holds faults as data: a fault is one line of text, which
// prints, parses, is generated, simplified, and applied to a world.
//
//	100ms..300ms partition n0 n1 | n2
//	100ms..300ms cut n0 n1 -> n2
//	50ms..80ms delay n0 -> n1 n2 by 1ms..5ms
//	0s..1s lose 10% of n0 -> *
//	0s..1s duplicate 5% of * -> *
//	0s..1s reorder 2.5% of n0 -> n1
//	100ms..300ms ring n0 n1 n2 n3 n4
//	0s..1s corrupt 5% of n0 -> *
//	100ms..300ms hold n0 -> n1
//	100ms..300ms throttle n0 -> n1 to 64kbit/s queue 100ms
//	100ms..300ms hold * -> n1 only Propagate WriteAck
//	0s..1s partition primary | * every 60ms for 20ms
//	120ms..400ms crash n1 keeping synced
//	120ms..400ms crash n1 after 2 sends
//	120ms..400ms crash n0 n1 n2 keeping synced rolling
//	120ms..400ms pause n0 n2
//	120ms..400ms slow n1 by 5ms
//	120ms..400ms slow-disk n1 by 20ms
//	120ms..400ms fill-disk n1
//	120ms..400ms fail-disk n1
//	120ms..400ms clock n1 offset 50ms drift -200ppm
//	120ms.. crash n2 keeping synced
//
// # The language
//
// Words stand between blanks, and the line is a plain scalar in YAML.
//
//	fault  = window effect [ "only" type { type } ] [ "every" duration "for" duration ]
//	window = duration ".." [ duration ]
//	effect = "partition" nodes "|" nodes { "|" nodes }
//	       | "ring" nodes
//	       | ( "cut" | "hold" ) link
//	       | "throttle" link "to" bandwidth [ "queue" duration ]
//	       | "delay" link "by" latency
//	       | ( "lose" | "duplicate" | "reorder" | "corrupt" ) percent "of" link
//	       | "crash" nodes "keeping" ( "synced" | "everything" | "nothing" ) [ "rolling" ]
//	       | "crash" nodes "after" number ( "send" | "sends" )
//	       | ( "pause" | "fill-disk" | "fail-disk" ) nodes
//	       | ( "slow" | "slow-disk" ) nodes "by" duration
//	       | "clock" nodes [ "offset" duration ] [ "drift" number"ppm" ]
//	link   = nodes "->" nodes
//	nodes  = "*" | name { name }
//
// A window without an end lasts for ever; Schedule.Validate refuses it, and whoever
// allows it validates the fault with an end of its own.
//
// A duration is what time.ParseDuration reads, a latency what sim.ParseLatency
// reads, a bandwidth what sim.ParseBandwidth reads. What is slow is so by more than
// nothing. A clock needs an offset or a drift. A name consists of letters, digits,
// "_", "." and "-", begins with none of the last two, and is none of the words by,
// keeping, after, offset, drift, to, only and every. A type is the name of a
// message's type as traces show it, and only faults of links have any. Which types
// there are, Schedule.Validate is told.
//
// "*" is every node that the schedule is applied to: the replicas, and the services
// on which they rely, such as a master. As a group of a partition it is every such
// node that is in no other group, so that "partition n0 | *" cuts n0 off from all
// others. A name
// need not be a node's: it may be a role, such as primary, which whoever applies
// the schedule resolves when the fault begins.
//
// A fault with "every" begins anew in every such period, at most a thousand times,
// and is in force for the duration after "for" each time; roles are resolved anew.
//
// # The meaning
//
// A fault is in force in [From, Until), or in those parts of it that it repeats. What
// is in force at a moment follows from the faults whose windows hold that moment and
// from nothing else: no fault remembers what was before it, and the end of one never
// undoes another. A link
// is cut while any fault cuts it, delays add up, messages survive losses
// independently, and what is held arrives when the last fault that holds it ends. In a
// ring, every node hears a majority and no two hear the same one. A node is down from
// the beginning of a crash until the last crash over it has ended, and then takes no
// steps while it is paused. What slows a node or a disk adds up, and so do offsets and
// drifts of clocks.
//
// In a rolling crash the nodes take turns, in the order in which they are named, in
// equal parts of the window: each is down for the first half of its turn, and has the
// second half to recover.
//
// A full disk fails what would grow it, a failing disk fails every write and every
// sync. Nodes do not survive that: they go down in the middle of the step, with what
// was not synced lost, and are restarted when the fault ends. One that another fault
// restarts before serves until it writes again.
//
// The offset of a clock is a jump of the wall clock when the fault begins and a jump
// back when it ends. The monotonic clock never jumps.
package faults
