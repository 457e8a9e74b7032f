package replication_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rashomon-go/rashomon/replication"
)

// hashOf is a hash that covers its key.
func hashOf(key string, value uint64) replication.Hash {
	return replication.Fingerprint(key, versions{{Value: int64(value)}})
}

// hashes is what a MerkleTree should be: a map.
type hashes map[string]replication.Hash

var keysOf = rapid.StringOfN(rapid.RuneFrom([]rune("ab")), 0, 4, -1) // the empty key too

var someValues = rapid.MapOfN(keysOf, rapid.Uint64Range(0, 3), 0, 20)

func treeOf(m hashes) *replication.MerkleTree {
	t := &replication.MerkleTree{}
	for _, key := range slices.Sorted(maps.Keys(m)) {
		t.Put(key, m[key])
	}
	return t
}

func (m hashes) within(r replication.KeyRange) (keys []string) {
	for _, key := range slices.Sorted(maps.Keys(m)) {
		if r.Contains(key) {
			keys = append(keys, key)
		}
	}
	return keys
}

// TestMerkleTreeIsAMap changes a tree and a map alike, and compares all that
// the tree says. Stretches of keys come and go, so that nodes split and empty.
func TestMerkleTreeIsAMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tree, m := &replication.MerkleTree{}, hashes{}
		for range rapid.IntRange(0, 12).Draw(t, "stretches") {
			from, length := rapid.IntRange(0, 1500).Draw(t, "from"), rapid.IntRange(1, 500).Draw(t, "keys")
			gone, value := rapid.Bool().Draw(t, "delete"), rapid.Uint64Range(0, 3).Draw(t, "value")
			for i := from; i < from+length; i++ {
				key := numbered(i)
				if gone {
					tree.Delete(key)
					delete(m, key)
				} else {
					m[key] = hashOf(key, value)
					tree.Put(key, m[key])
				}
			}
			require.NoError(t, tree.CheckShape())
		}
		require.Equal(t, len(m), tree.Len())
		require.Equal(t, treeOf(m).Root(), tree.Root(), "changed and rebuilt")
		r := replication.KeyRange{From: numbered(rapid.IntRange(0, 2000).Draw(t, "from")), To: numbered(rapid.IntRange(0, 2000).Draw(t, "to"))}
		var keys []string
		for key, h := range tree.Keys(r) {
			require.Equal(t, m[key], h)
			keys = append(keys, key)
		}
		require.Equal(t, m.within(r), keys)
		part := hashes{}
		for _, key := range keys {
			part[key] = m[key]
			h, found := tree.Get(key)
			require.True(t, found)
			require.Equal(t, m[key], h)
		}
		h, n := tree.Range(r)
		require.Equal(t, len(keys), n)
		require.Equal(t, treeOf(part).Root(), h)
		checkSplit(t, tree, m, r, rapid.IntRange(1, 20).Draw(t, "parts"))
	})
}

// numbered returns the key of a number; that of 0 is the empty one.
func numbered(i int) string {
	if i == 0 {
		return ""
	}
	return fmt.Sprintf("%04d", i)
}

// checkSplit checks that the parts of a range are all of it and of equal size.
func checkSplit(t *rapid.T, tree *replication.MerkleTree, m hashes, r replication.KeyRange, parts int) {
	split := tree.Split(r, parts)
	require.LessOrEqual(t, len(split), parts)
	from, least, most := r.From, len(m), 0
	for _, part := range split {
		require.Equal(t, from, part.From)
		from = part.To
		_, n := tree.Range(part)
		least, most = min(least, n), max(most, n)
	}
	require.Equal(t, r.To, from)
	require.LessOrEqual(t, most-least, 1)
}

// TestMerkleDiff: every difference is in a range, and every range holds one.
func TestMerkleDiff(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := hashes{}, hashes{}
		for i := range rapid.IntRange(0, 200).Draw(t, "common") {
			key := []string{"a", "aa", "b"}[i%3] + numbered(i)
			a[key] = hashOf(key, 1)
		}
		for key, v := range someValues.Draw(t, "a") {
			a[key] = hashOf(key, v)
		}
		maps.Copy(b, a)
		for key, v := range someValues.Draw(t, "changes") {
			if b[key] = hashOf(key, v); v == 0 {
				delete(b, key)
			}
		}
		differ := map[string]bool{}
		for _, key := range append(a.within(replication.KeyRange{}), b.within(replication.KeyRange{})...) {
			ha, inA := a[key]
			if hb, inB := b[key]; inA != inB || ha != hb {
				differ[key] = true
			}
		}
		last := replication.KeyRange{}
		for i, r := range slices.Collect(treeOf(a).Diff(treeOf(b))) {
			if i > 0 {
				require.NotEmpty(t, last.To)
				require.GreaterOrEqual(t, r.From, last.To, "disjoint and ascending")
			}
			last = r
			require.LessOrEqual(t, len(a.within(r)), 1)
			require.LessOrEqual(t, len(b.within(r)), 1)
			found := false
			for _, key := range append(a.within(r), b.within(r)...) {
				found = found || differ[key]
				delete(differ, key)
			}
			require.True(t, found, "%v holds no difference", r)
		}
		require.Empty(t, differ, "differences in no range")
	})
}

// TestRootIsTheSameInEveryProcess pins a root.
func TestRootIsTheSameInEveryProcess(t *testing.T) {
	tree := &replication.MerkleTree{}
	for _, key := range []string{"", "b", "a"} {
		tree.Put(key, replication.Fingerprint(key, versions{{Value: 1}}))
	}
	require.Equal(t, replication.Hash{0xb5a8082b5b52a47e, 0xfa0d0eb82bdab281}, tree.Root())
}
