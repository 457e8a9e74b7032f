package replication

import (
	"iter"
	"math/bits"
	"strings"
)

// Hash is a fingerprint of 128 bits.
type Hash [2]uint64

// plus and minus are addition modulo 2¹²⁸.
func (h Hash) plus(g Hash) Hash {
	lo, carry := bits.Add64(h[0], g[0], 0)
	hi, _ := bits.Add64(h[1], g[1], carry)
	return Hash{lo, hi}
}

func (h Hash) minus(g Hash) Hash {
	lo, borrow := bits.Sub64(h[0], g[0], 0)
	hi, _ := bits.Sub64(h[1], g[1], borrow)
	return Hash{lo, hi}
}

// KeyRange is the keys from From on and before To. An empty To is no bound, so
// the zero KeyRange is all keys.
type KeyRange struct{ From, To string }

// Contains says whether a key is in the range.
func (r KeyRange) Contains(key string) bool { return key >= r.From && (r.To == "" || key < r.To) }

// MerkleTree holds a hash for each key, in order of the keys, and tells for any
// range of keys their number and joint hash in O(log n). A hash must cover its
// key, as Fingerprint does: two keys that swap their hashes change no sum. The zero
// MerkleTree is empty.
//
// The hash of an inner node is the sum of its children's (AdHash: Bellare and
// Micciancio, Eurocrypt 1997), not the hash of their concatenation. So it does not
// depend on the shape of the tree; a change adds a difference on the way to the
// root, and two replicas can compare any range, though their keys differ (Meyer,
// "Range-Based Set Reconciliation", SRDS 2023). Two different sets have the same
// sum by a chance of 2⁻¹²⁸; against someone who chooses keys so that they collide,
// such sums are no defence.
//
// It is balanced as a treap (Seidel and Aragon 1996) whose priorities are hashes of
// the keys: of one set of keys there is one tree.
type MerkleTree struct{ root *merkleNode }

type merkleNode struct {
	up          *merkleNode // nil at the root
	sum         Hash        // of the keys in this subtree
	hash        Hash        // of the key
	key         string
	left, right *merkleNode
	count       int
	priority    uint64
}

// Len returns the number of keys.
func (t *MerkleTree) Len() int { return t.root.len() }

// Root returns the hash of all keys.
func (t *MerkleTree) Root() Hash { return t.root.total() }

// Get returns the hash of a key.
func (t *MerkleTree) Get(key string) (h Hash, found bool) {
	if n := t.find(key); n != nil {
		return n.hash, true
	}
	return Hash{}, false
}

// Put sets the hash of a key, in O(log n).
func (t *MerkleTree) Put(key string, h Hash) { t.put(key, h) }

// put returns the node of the key: whoever keeps it may set its hash without
// looking for it, until the key is deleted.
func (t *MerkleTree) put(key string, h Hash) *merkleNode {
	if n := t.find(key); n != nil {
		n.set(h)
		return n
	}
	n := &merkleNode{key: key, priority: priority(key), hash: h, sum: h, count: 1}
	t.root = t.root.insert(n)
	t.root.up = nil
	return n
}

func (t *MerkleTree) find(key string) *merkleNode {
	for n := t.root; n != nil; {
		order := strings.Compare(key, n.key)
		switch {
		case order == 0:
			return n
		case order < 0:
			n = n.left
		default:
			n = n.right
		}
	}
	return nil
}

// Delete removes a key, in O(log n).
func (t *MerkleTree) Delete(key string) {
	if t.find(key) == nil {
		return
	}
	if t.root = t.root.remove(key); t.root != nil {
		t.root.up = nil
	}
}

// Range returns the joint hash and the number of the keys in a range, in
// O(log n).
func (t *MerkleTree) Range(r KeyRange) (Hash, int) {
	h, n := t.root.total(), t.root.len()
	below, before := t.root.below(r.From)
	if r.To != "" {
		h, n = t.root.below(r.To)
	}
	if n <= before {
		return Hash{}, 0
	}
	return h.minus(below), n - before
}

// Keys returns the keys in a range in ascending order. The tree must not change
// meanwhile.
func (t *MerkleTree) Keys(r KeyRange) iter.Seq2[string, Hash] {
	return func(yield func(string, Hash) bool) { t.root.visit(r, yield) }
}

// Split cuts a range into at most parts ranges that hold as many keys each, and
// together all of it. A range with fewer keys than parts gets one range per key.
func (t *MerkleTree) Split(r KeyRange, parts int) []KeyRange {
	_, before := t.root.below(r.From)
	_, n := t.Range(r)
	parts = max(1, min(parts, n))
	split := make([]KeyRange, parts)
	from := r.From
	for i := range split {
		to := r.To
		if i+1 < parts {
			to = t.root.at(before + (i+1)*n/parts)
		}
		split[i] = KeyRange{from, to}
		from = to
	}
	return split
}

// Diff returns, in ascending order, disjoint ranges that hold every key that one
// of the trees lacks or has with another hash. Each range holds such a key, and
// at most one key of each tree. Finding d ranges takes O(d log² n).
func (t *MerkleTree) Diff(other *MerkleTree) iter.Seq[KeyRange] {
	return func(yield func(KeyRange) bool) { t.diff(other, KeyRange{}, yield) }
}

func (t *MerkleTree) diff(other *MerkleTree, r KeyRange, yield func(KeyRange) bool) bool {
	h, n := t.Range(r)
	g, m := other.Range(r)
	switch {
	case h == g && n == m:
		return true
	case n <= 1 && m <= 1:
		return yield(r)
	}
	larger := t
	if m > n {
		larger = other
	}
	for _, half := range larger.Split(r, 2) {
		if !t.diff(other, half, yield) {
			return false
		}
	}
	return true
}

func (n *merkleNode) len() int {
	if n == nil {
		return 0
	}
	return n.count
}

func (n *merkleNode) total() Hash {
	if n == nil {
		return Hash{}
	}
	return n.sum
}

// set changes the hash of a node, and the sums above it by as much. Climbing
// meets a third of the memory that descending along the keys would.
func (n *merkleNode) set(h Hash) {
	difference := h.minus(n.hash)
	n.hash = h
	for ; n != nil; n = n.up {
		n.sum = n.sum.plus(difference)
	}
}

// update computes anew what a node knows of its subtree, and adopts its children.
// Only the root's own up is left to whoever makes it the root.
func (n *merkleNode) update() *merkleNode {
	n.sum, n.count = n.hash, 1
	for _, child := range [2]*merkleNode{n.left, n.right} {
		if child != nil {
			n.sum = n.sum.plus(child.sum)
			n.count += child.count
			child.up = n
		}
	}
	return n
}

// insert adds a node whose key is not in the subtree.
func (n *merkleNode) insert(added *merkleNode) *merkleNode {
	switch {
	case n == nil:
		return added
	case added.priority > n.priority:
		added.left, added.right = n.split(added.key)
		return added.update()
	case added.key < n.key:
		n.left = n.left.insert(added)
	default:
		n.right = n.right.insert(added)
	}
	return n.update()
}

// split cuts a subtree into the keys before key and those from it on.
func (n *merkleNode) split(key string) (before, from *merkleNode) {
	switch {
	case n == nil:
		return nil, nil
	case n.key < key:
		n.right, from = n.right.split(key)
		return n.update(), from
	default:
		before, n.left = n.left.split(key)
		return before, n.update()
	}
}

// remove takes out a key that is in the subtree.
func (n *merkleNode) remove(key string) *merkleNode {
	switch {
	case key == n.key:
		return n.left.concat(n.right)
	case key < n.key:
		n.left = n.left.remove(key)
	default:
		n.right = n.right.remove(key)
	}
	return n.update()
}

// concat joins two subtrees of which the second has the greater keys.
func (n *merkleNode) concat(m *merkleNode) *merkleNode {
	switch {
	case n == nil:
		return m
	case m == nil:
		return n
	case n.priority > m.priority:
		n.right = n.right.concat(m)
		return n.update()
	default:
		m.left = n.concat(m.left)
		return m.update()
	}
}

// below returns the joint hash and the number of the keys before key.
func (n *merkleNode) below(key string) (sum Hash, count int) {
	for n != nil {
		if n.key >= key {
			n = n.left
			continue
		}
		sum = sum.plus(n.hash).plus(n.left.total())
		count += 1 + n.left.len()
		n = n.right
	}
	return sum, count
}

// at returns the key that has i keys before it.
func (n *merkleNode) at(i int) string {
	for {
		switch left := n.left.len(); {
		case i < left:
			n = n.left
		case i == left:
			return n.key
		default:
			i -= left + 1
			n = n.right
		}
	}
}

func (n *merkleNode) visit(r KeyRange, yield func(string, Hash) bool) bool {
	switch {
	case n == nil:
		return true
	case n.key < r.From:
		return n.right.visit(r, yield)
	case !r.Contains(n.key):
		return n.left.visit(r, yield)
	}
	return n.left.visit(r, yield) && yield(n.key, n.hash) && n.right.visit(r, yield)
}

// priority is a hash of the key (FNV-1a, finished as in SplitMix64): the same in
// every process, and unrelated to the order of the keys.
func priority(key string) uint64 {
	h := uint64(0xcbf29ce484222325)
	for i := range len(key) {
		h = (h ^ uint64(key[i])) * 0x100000001b3
	}
	h = (h ^ h>>30) * 0xbf58476d1ce4e5b9
	h = (h ^ h>>27) * 0x94d049bb133111eb
	return h ^ h>>31
}
