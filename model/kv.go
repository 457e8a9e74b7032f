package model

import "strconv"

// KV returns the model of one key of a store of texts, with get (Read), put
// (Write), append and delete. A missing key reads as the empty text.
func KV() Model { return kv }

var kv = builtIn(Spec[string]{
	Name:     "kv",
	Kinds:    []Kind{Read, Write, Delete, Append},
	Step:     stepKV,
	Equal:    func(a, b string) bool { return a == b },
	Hash:     hashText,
	Describe: strconv.Quote,
	Texts:    true,
}.Model())

func stepKV(held string, op Op) (string, bool) {
	switch op.Kind {
	case Read:
		return held, op.Open || op.SeenText == held || op.Seen == Unseen
	case Write:
		return op.Text, true
	case Append:
		return held + op.Text, true
	case Delete:
		return "", true
	}
	return held, false
}

// hashText is FNV-1a.
func hashText(s string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * 1099511628211
	}
	return h
}
