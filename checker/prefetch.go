package checker

import "github.com/rashomon-go/rashomon/history"

// prefetch gets operations from memory ahead of a loop over those of one key, if those
// of other keys stand between them. A loop that decides something by each operation
// waits for one after the other. Nothing hangs on what is read here, so that a
// processor waits for many at once: of ten keys, zones judges a million operations in
// 0.6 of the time.
type prefetch struct {
	far bool  // operations stand far apart; otherwise a processor gets them unasked
	sum int64 // of what was read: a compiler leaves out what nobody needs
}

// block is how many operations are read together. They fit into the nearest cache.
const block = 64

// begin prepares for loops over the operations part.
func (p *prefetch) begin(part []int32) {
	p.far = len(part) > 0 && int(part[len(part)-1]-part[0]) > 2*len(part)
}

// at has to be called at every position of part, in turn.
func (p *prefetch) at(ops []history.Op, part []int32, position int) {
	if p.far && position%block == 0 {
		p.read(ops, part[position:min(position+block, len(part))])
	}
}

func (p *prefetch) read(ops []history.Op, part []int32) {
	for _, i := range part {
		p.sum += ops[i].Call + int64(ops[i].Kind) // its first word and its last
	}
}
