package rashomon

import (
	"encoding/binary"
	"fmt"

	"github.com/rashomon-go/rashomon/sim"
)

// DigestString prints a digest as everything in this project prints it.
func DigestString(d uint64) string { return fmt.Sprintf("%016x", d) }

// digestOf folds what clients saw and the final states into the digest of the
// events.
func digestOf(d uint64, r *Result) uint64 {
	fold := func(x uint64) { d = sim.Key(d, x) }
	text := func(s string) {
		fold(uint64(len(s)))
		var b [8]byte
		for len(s) > 0 {
			clear(b[:])
			s = s[copy(b[:], s):]
			fold(binary.LittleEndian.Uint64(b[:]))
		}
	}
	for i := range r.History.Ops {
		o := &r.History.Ops[i]
		swapped := uint64(0)
		if o.Swapped {
			swapped = 1
		}
		for _, x := range [...]uint64{
			uint64(o.Call), uint64(o.Return), uint64(o.CalledAt), uint64(o.ReturnedAt),
			uint64(o.Value), uint64(o.Expect), uint64(o.Seen),
			uint64(uint32(o.ID))<<32 | uint64(uint32(o.Process)), uint64(uint32(o.Key))<<32 | uint64(uint32(o.Node)),
			uint64(o.Kind)<<16 | uint64(o.Outcome)<<8 | swapped,
		} {
			fold(x)
		}
	}
	for _, set := range r.History.Sets {
		fold(uint64(len(set)))
		for _, v := range set {
			fold(uint64(v))
		}
	}
	for _, state := range r.States {
		fold(uint64(len(state)))
		for _, v := range state {
			text(v.Name)
			text(v.Value)
		}
	}
	text(r.cause)
	return d
}
