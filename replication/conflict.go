package replication

import (
	"fmt"
	"slices"
)

// ConflictResolver makes one value out of concurrent versions.
//
// A leader keeps the versions themselves until a write supersedes them, and asks
// the resolver what readers see. So a resolver need not be associative or
// idempotent for leaders to agree. It must depend on nothing but the key and the
// set of versions: be deterministic and independent of their order.
type ConflictResolver interface {
	// Resolve gets two or more versions of a key and returns one of them, or, in
	// a VectorClockMerge with a Merge, a new one. It must not change them.
	Resolve(key string, versions []VersionedValue) VersionedValue
}

// LastWriterWins picks the version with the greatest timestamp; of concurrent
// writes, all but that one are lost. Timestamps differ, by node if nothing else,
// so there is no tie.
type LastWriterWins struct{}

// Resolve implements ConflictResolver.
func (LastWriterWins) Resolve(_ string, versions []VersionedValue) VersionedValue {
	return slices.MaxFunc(versions, func(v, w VersionedValue) int { return v.Timestamp.Compare(w.Timestamp) })
}

// ResolverFunc is a function that picks one of the versions it is given.
type ResolverFunc func(key string, versions []VersionedValue) VersionedValue

// Resolve implements ConflictResolver.
func (f ResolverFunc) Resolve(key string, versions []VersionedValue) VersionedValue {
	return f(key, versions)
}

// VectorClockMerge drops the versions that others supersede and merges the
// maximal ones, all at once. The result carries their joined clock, their
// latest timestamp and no dot.
type VectorClockMerge struct {
	// Merge returns the value of the result, and need set nothing else. Nil falls
	// back to LastWriterWins. Unlike a ResolverFunc, it may make up a value.
	Merge ResolverFunc
}

// Resolve implements ConflictResolver.
func (m VectorClockMerge) Resolve(key string, versions []VersionedValue) VersionedValue {
	top := maximal(versions)
	switch {
	case len(top) == 1:
		return top[0]
	case m.Merge == nil:
		return LastWriterWins{}.Resolve(key, top)
	}
	merged := m.Merge(key, top)
	merged.Timestamp, merged.Dot, merged.Clock = latest(top), Dot{}, coverage(top)
	return merged
}

// maximal returns the versions that no other supersedes, in the order given.
func maximal(versions []VersionedValue) []VersionedValue {
	var top []VersionedValue
	for i := range versions {
		if v := &versions[i]; !obsolete(v, versions, false) && !obsolete(v, top, true) {
			top = append(top, *v)
		}
	}
	return top
}

// Union merges sets: an element is in the result if it is in one of the
// versions. Of a deletion and a concurrent Add, the Add stays. It is for keys that
// hold sets only.
func Union(_ string, versions []VersionedValue) VersionedValue {
	merged := VersionedValue{Value: Absent, Deleted: true}
	elements := []int64{}
	for i := range versions {
		if v := &versions[i]; !v.Deleted {
			merged.Deleted = false
			elements = append(elements, v.Elements...)
		}
	}
	if !merged.Deleted {
		slices.Sort(elements)
		merged.Elements = slices.Clip(slices.Compact(elements))
	}
	return merged
}

// resolve asks a resolver what readers see of a key, and holds it to its
// contract where that is cheap: it is asked a second time, in the opposite
// order. A resolver that breaks it panics with the values.
func resolve(r ConflictResolver, key string, versions []VersionedValue) VersionedValue {
	if len(versions) == 1 {
		return versions[0]
	}
	chosen := r.Resolve(key, slices.Clone(versions))
	if _, certain := r.(LastWriterWins); certain {
		return chosen
	}
	if m, ok := r.(VectorClockMerge); !ok || m.Merge == nil {
		mustBeGiven(key, versions, &chosen)
	}
	reversed := slices.Clone(versions)
	slices.Reverse(reversed)
	if again := r.Resolve(key, reversed); !again.sameContent(&chosen) || again.Dot != chosen.Dot {
		panic(fmt.Sprintf("leader: the resolver of key %q depends on the order of versions: of %v it makes %v, the other way round %v",
			key, versions, chosen, again))
	}
	return chosen
}

// mustBeGiven panics if a resolver that declares no merge made up a version.
func mustBeGiven(key string, versions []VersionedValue, chosen *VersionedValue) {
	for i := range versions {
		if v := &versions[i]; v.Dot == chosen.Dot && v.Timestamp == chosen.Timestamp && v.sameContent(chosen) {
			return
		}
	}
	panic(fmt.Sprintf("leader: the resolver of key %q returned %v, which is none of %v", key, *chosen, versions))
}
