package replication_test

import (
	"fmt"
	"strconv"
	"testing"

	"github.com/rashomon-go/rashomon/replication"
)

// BenchmarkMerklePut changes keys of a tree: O(log n), and memory that is not in
// the cache.
func BenchmarkMerklePut(b *testing.B) {
	for _, keys := range []int{10, 1_000, 100_000} {
		b.Run(fmt.Sprintf("keys=%d", keys), func(b *testing.B) {
			var t replication.MerkleTree
			names := make([]string, keys)
			for i := range names {
				names[i] = "key-" + strconv.Itoa(i)
				t.Put(names[i], replication.Hash{uint64(i), 1})
			}
			b.ResetTimer()
			for i := range b.N {
				t.Put(names[uint64(i)*0x9e3779b97f4a7c15%uint64(keys)], replication.Hash{uint64(i), 2})
			}
		})
	}
}
