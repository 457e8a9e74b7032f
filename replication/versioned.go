package replication

import (
	"slices"
	"strconv"
	"strings"
)

// VersionedValue is one version of a key: what a write stored, when, and what it
// replaced. It is a dotted version vector with its value (Preguiça, Baquero,
// Almeida, Fonte and Gonçalves, "Dotted Version Vectors", 2010): Dot is the write
// itself and Clock the writes that it supersedes. The two are kept apart because
// a write may replace less than the leader holds that gives it its dot.
//
// Versions are immutable, with all that they refer to.
type VersionedValue struct {
	Value     int64   // of a register; otherwise Absent
	Elements  []int64 // of a set, ascending
	Deleted   bool    // a tombstone
	Timestamp HLCTimestamp
	Dot       Dot
	Clock     VectorClock
}

// Compare says whether v was replaced by w (Before), replaced it (After), or
// neither knew of the other. It takes two entries of the clocks: that is what
// dots are for.
func (v *VersionedValue) Compare(w *VersionedValue) Order {
	switch {
	case v.Dot == w.Dot:
		return Equal
	case w.supersedes(v):
		return Before
	case v.supersedes(w):
		return After
	}
	return Concurrent
}

// supersedes says whether v makes w obsolete. Two versions with one dot exist
// only if a leader has lost its disk and given the dot again; the later stays,
// so that at least all leaders keep the same.
func (v *VersionedValue) supersedes(w *VersionedValue) bool {
	if v.Dot == w.Dot {
		return v.Timestamp.Compare(w.Timestamp) > 0
	}
	return v.Clock.Covers(w.Dot)
}

// kind returns what kind of write makes such a version.
func (v *VersionedValue) kind() WriteKind {
	if v.Deleted {
		return Delete
	}
	return Put
}

// sameContent says whether a reader can't tell the versions apart.
func (v *VersionedValue) sameContent(w *VersionedValue) bool {
	return v.Value == w.Value && v.Deleted == w.Deleted && slices.Equal(v.Elements, w.Elements)
}

// Content prints what a reader sees: a number, a set in braces, or nothing.
func (v *VersionedValue) Content() string {
	switch {
	case v.Deleted:
		return "nothing"
	case v.Elements == nil:
		return strconv.FormatInt(v.Value, 10)
	}
	words := make([]string, len(v.Elements))
	for i, e := range v.Elements {
		words[i] = strconv.FormatInt(e, 10)
	}
	return "{" + strings.Join(words, " ") + "}"
}

// String prints content, dot, clock and timestamp: "7 as 0:2 over [1 3] at 5ms+0@n1".
func (v VersionedValue) String() string {
	var b strings.Builder
	b.WriteString(v.Content() + " as " + strconv.Itoa(v.Dot.Replica) + ":" + strconv.FormatUint(v.Dot.Counter, 10) + " over [")
	for i, n := range v.Clock {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(strconv.FormatUint(n, 10))
	}
	b.WriteString("] at " + v.Timestamp.String())
	return b.String()
}

// JoinVersions returns, in order of their dots, the versions of here and incoming that
// no other supersedes. If both are the joins of complete sets, so is the result:
// the clocks in it cover no write that the leader could still be missing.
//
// It is commutative, associative and idempotent, so that replicas that have
// heard of the same writes hold the same versions, in whatever order they heard.
func JoinVersions(here, incoming []VersionedValue) []VersionedValue {
	kept := make([]VersionedValue, 0, len(here)+len(incoming))
	for i := range here {
		if v := &here[i]; !obsolete(v, incoming, false) {
			kept = append(kept, *v)
		}
	}
	for i := range incoming {
		if v := &incoming[i]; !obsolete(v, here, true) {
			kept = append(kept, *v)
		}
	}
	if len(kept) > 1 {
		slices.SortFunc(kept, func(v, w VersionedValue) int { return v.Dot.compare(w.Dot) })
	}
	return kept
}

// obsolete says whether one of others supersedes v or, if equal counts, is it.
func obsolete(v *VersionedValue, others []VersionedValue, equal bool) bool {
	for i := range others {
		w := &others[i]
		if w.supersedes(v) || equal && w.Dot == v.Dot && w.Timestamp == v.Timestamp {
			return true
		}
	}
	return false
}

// sameVersions compares two joins. Dots name versions; timestamps tell those
// apart that a leader has made before and after it lost its disk.
func sameVersions(a, b []VersionedValue) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if v, w := &a[i], &b[i]; v.Dot != w.Dot || v.Timestamp != w.Timestamp || !v.sameContent(w) {
			return false
		}
	}
	return true
}

// coverage returns the clock that covers the versions and all that they
// supersede: the context of whoever has read them.
func coverage(versions []VersionedValue) VectorClock {
	var c VectorClock
	for i := range versions {
		c.add(versions[i].Clock)
		c.include(versions[i].Dot)
	}
	return c
}

// latest returns the greatest timestamp, or the zero one of no versions.
func latest(versions []VersionedValue) (t HLCTimestamp) {
	for i := range versions {
		if versions[i].Timestamp.Compare(t) > 0 {
			t = versions[i].Timestamp
		}
	}
	return t
}
