package replication

import (
	"crypto/sha256"
	"encoding/binary"
)

// Fingerprint hashes a key with its versions, which must be in the order of
// their dots: with everything, because two leaders that agree on a value but not
// on its version would disagree again at the next write. The encoding is
// canonical (every length comes first), and so is the hash: the same in every
// process.
func Fingerprint(key string, versions []VersionedValue) Hash {
	b := make([]byte, 0, 256)
	b = encodeString(b, key)
	b = encodeNumber(b, len(versions))
	for i := range versions {
		b = versions[i].encode(b)
	}
	sum := sha256.Sum256(b)
	return Hash{binary.LittleEndian.Uint64(sum[:]), binary.LittleEndian.Uint64(sum[8:])}
}

func (v *VersionedValue) encode(b []byte) []byte {
	b = encodeNumber(b, v.Value)
	b = encodeNumber(b, len(v.Elements))
	for _, e := range v.Elements {
		b = encodeNumber(b, e)
	}
	deleted := 0
	if v.Deleted {
		deleted = 1
	}
	b = encodeNumber(b, deleted)
	b = encodeNumber(b, v.Timestamp.Physical)
	b = encodeNumber(b, v.Timestamp.Logical)
	b = encodeNumber(b, v.Timestamp.Node)
	b = encodeNumber(b, v.Dot.Replica)
	b = encodeNumber(b, v.Dot.Counter)
	return v.Clock.encode(b)
}

// encode leaves out zeros at the end: a clock is the same with and without.
func (c VectorClock) encode(b []byte) []byte {
	for len(c) > 0 && c[len(c)-1] == 0 {
		c = c[:len(c)-1]
	}
	b = encodeNumber(b, len(c))
	for _, n := range c {
		b = encodeNumber(b, n)
	}
	return b
}

func encodeString(b []byte, s string) []byte { return append(encodeNumber(b, len(s)), s...) }

func encodeNumber[N ~int | ~int32 | ~uint32 | ~int64 | ~uint64](b []byte, n N) []byte {
	return binary.LittleEndian.AppendUint64(b, uint64(n))
}
