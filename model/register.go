package model

// Register returns the model of a register that can be read, written and
// deleted. At first it is Absent, and so it is after a delete.
func Register() Model { return register }

// CASRegister returns the model of a register that can be compared and set as
// well.
//
// A compare-and-set that failed says that the register did not hold Expect. If
// the answer told what it held instead, that counts as a read.
func CASRegister() Model { return casRegister }

var (
	register    = newRegister("register", Read, Write, Delete)
	casRegister = newRegister("cas-register", Read, Write, CAS, Delete)
)

func newRegister(name string, kinds ...Kind) Model {
	m := builtIn(Spec[Value]{
		Name:  name,
		Kinds: kinds,
		Init:  Absent,
		Step:  stepRegister,
		Equal: func(a, b Value) bool { return a == b },
		Hash:  hashValue,
	}.Model())
	m.register = true
	return m
}

func stepRegister(held Value, op Op) (Value, bool) {
	switch op.Kind {
	case Read:
		return held, op.Open || op.Seen == held || op.Seen == Unseen
	case Write:
		return op.Value, true
	case Delete:
		return Absent, true
	case CAS:
		return stepCAS(held, op)
	}
	return held, false
}

func stepCAS(held Value, op Op) (Value, bool) {
	stores := held == op.Expect
	if !op.Open && op.Swapped != stores {
		return held, false
	}
	if stores {
		return op.Value, true
	}
	return held, op.Open || op.Seen == held || op.Seen == Unseen
}

// hashValue spreads neighbouring values over all 64 bits (the finalizer of
// MurmurHash3).
func hashValue(v Value) uint64 {
	h := uint64(v)
	h = (h ^ h>>33) * 0xff51afd7ed558ccd
	h = (h ^ h>>33) * 0xc4ceb9fe1a85ec53
	return h ^ h>>33
}
