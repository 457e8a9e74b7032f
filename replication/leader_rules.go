package replication

import "github.com/rashomon-go/rashomon/sim"

// LeaderRules are decisions of the multi-leader protocol that a leader looks up,
// so that a variant can decide otherwise. A nil rule is the protocol's own.
//
// A leader's rules are its own: what they remember between calls belongs to one
// incarnation if Boot makes them anew. When a leader boots, it asks Join and
// Forget again for what is on its disk.
type LeaderRules struct {
	// Join says which versions a leader holds of a key after it has made or heard
	// of others. Nil is JoinVersions: those that no other supersedes.
	Join func(key string, here, incoming []VersionedValue) []VersionedValue
	// Stamp may change the version that a leader is about to make of a client's
	// write. Nil leaves it: the next dot of this leader for this key, a clock that
	// covers what the write supersedes, and a timestamp of the hybrid clock.
	Stamp func(env *sim.Env, key string, v VersionedValue) VersionedValue
	// Forget says whether a leader may drop a key of which it holds tombstones
	// only. Nil is never: another leader may yet offer what they supersede.
	Forget func(key string, tombstones []VersionedValue) bool
	// Fingerprint is what anti-entropy compares of a key. Nil is the function of
	// that name.
	Fingerprint func(key string, versions []VersionedValue) Hash
}

func (r *LeaderRules) join(key string, here, incoming []VersionedValue) []VersionedValue {
	if r.Join != nil {
		return r.Join(key, here, incoming)
	}
	return JoinVersions(here, incoming)
}

func (r *LeaderRules) stamp(env *sim.Env, key string, v VersionedValue) VersionedValue {
	if r.Stamp != nil {
		return r.Stamp(env, key, v)
	}
	return v
}

func (r *LeaderRules) forgets(key string, versions []VersionedValue) bool {
	if r.Forget == nil {
		return false
	}
	for i := range versions {
		if !versions[i].Deleted {
			return false
		}
	}
	return r.Forget(key, versions)
}

func (r *LeaderRules) fingerprint(key string, versions []VersionedValue) Hash {
	if r.Fingerprint != nil {
		return r.Fingerprint(key, versions)
	}
	return Fingerprint(key, versions)
}
