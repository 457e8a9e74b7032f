package replication

import (
	"iter"
	"math/bits"
	"slices"
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
// MerkleTree is empty; one that has had a key must not be copied.
//
// The hash of an inner node is the sum of its children's (AdHash: Bellare and
// Micciancio, Eurocrypt 1997), not the hash of their concatenation. So it does not
// depend on the shape of the tree; a change adds a difference on the way to the
// root, and two replicas can compare any range, though their keys differ (Meyer,
// "Range-Based Set Reconciliation", SRDS 2023). Two different sets have the same
// sum by a chance of 2⁻¹²⁸; against someone who chooses keys so that they collide,
// such sums are no defence.
//
// It is a B-tree (Bayer and McCreight 1972), because a change then meets few nodes,
// and mostly such as the processor's cache holds. Nodes are split when they get too
// wide and dropped when they are empty, but never joined: n in O(log n) is how many
// keys were ever put (Sen and Tarjan, "Deletion Without Rebalancing in Multiway
// Search Trees", TODS 2014).
type MerkleTree struct{ root merkleNode }

// merkleNode is a key or has children.
type merkleNode struct {
	up       *merkleNode   // nil at the root, and of a key that is in no tree
	sum      Hash          // of the keys in this subtree
	key      string        // none in this subtree is before it
	count    int           // of the keys in this subtree; of a key, 1
	children []*merkleNode // ascending, either all keys or none; nil of a key
}

// widest is how many children a node may have.
const widest = 32

// Len returns the number of keys.
func (t *MerkleTree) Len() int { return t.root.count }

// Root returns the hash of all keys.
func (t *MerkleTree) Root() Hash { return t.root.sum }

// Get returns the hash of a key.
func (t *MerkleTree) Get(key string) (h Hash, found bool) {
	n, i, found := t.find(key)
	if !found {
		return Hash{}, false
	}
	return n.children[i].sum, true
}

// Put sets the hash of a key, in O(log n).
func (t *MerkleTree) Put(key string, h Hash) {
	if n, i, found := t.find(key); found {
		n.children[i].set(h)
	} else {
		t.add(&merkleNode{key: key, count: 1}, h)
	}
}

// add puts a key that the tree lacks. Whoever keeps its node may set its hash
// without looking for it, until the key is deleted.
func (t *MerkleTree) add(k *merkleNode, h Hash) {
	n, i, _ := t.find(k.key)
	n.insert(i, k)
	for ; n != nil; n = n.up {
		n.count++
		n.key = min(n.key, k.key)
		if len(n.children) > widest {
			n.split()
		}
	}
	k.set(h)
}

// Delete removes a key, in O(log n).
func (t *MerkleTree) Delete(key string) {
	n, i, found := t.find(key)
	if !found {
		return
	}
	k := n.children[i]
	k.set(Hash{})
	for n := k; n.up != nil; n = n.up {
		if n == k || n.count == 0 {
			i := slices.Index(n.up.children, n)
			n.up.children = slices.Delete(n.up.children, i, i+1)
		}
		n.up.count--
	}
	k.up = nil
}

// find returns where a key is: the node whose child it is, or would be, and the
// child's index.
func (t *MerkleTree) find(key string) (n *merkleNode, i int, found bool) {
	n = &t.root
	for {
		i, found = n.search(key)
		if len(n.children) == 0 || n.children[0].children == nil {
			return n, i, found
		}
		if !found {
			i = max(i-1, 0)
		}
		n = n.children[i]
	}
}

// Range returns the joint hash and the number of the keys in a range, in
// O(log n).
func (t *MerkleTree) Range(r KeyRange) (Hash, int) { return t.root.within(r) }

// Keys returns the keys in a range in ascending order. The tree must not change
// meanwhile.
func (t *MerkleTree) Keys(r KeyRange) iter.Seq2[string, Hash] {
	return func(yield func(string, Hash) bool) { t.root.visit(r, yield) }
}

// Split cuts a range into at most parts ranges that hold as many keys each, and
// together all of it. A range with fewer keys than parts gets one range per key.
func (t *MerkleTree) Split(r KeyRange, parts int) []KeyRange {
	_, n := t.Range(r)
	_, after := t.Range(KeyRange{From: r.From})
	before := t.Len() - after
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

// set changes the hash of a key, and the sums above it by as much. It climbs,
// because that meets less memory than to descend along the keys.
func (n *merkleNode) set(h Hash) {
	difference := h.minus(n.sum)
	for ; n != nil; n = n.up {
		n.sum = n.sum.plus(difference)
	}
}

// search returns how many children come before key, and whether the next is key.
func (n *merkleNode) search(key string) (int, bool) {
	return slices.BinarySearchFunc(n.children, key, func(child *merkleNode, key string) int {
		return strings.Compare(child.key, key)
	})
}

// insert adds a child. It leaves sums and counts to the caller.
func (n *merkleNode) insert(i int, child *merkleNode) {
	child.up = n
	n.children = slices.Insert(n.children, i, child)
}

// split moves half of the children of a node to a new one next to it. The root
// first moves all of them to a node below it.
func (n *merkleNode) split() {
	if n.up == nil {
		all := newMerkleNode(n.children)
		n.children = nil
		n.insert(0, all)
		n = all
	}
	half := len(n.children) / 2
	next := newMerkleNode(slices.Clone(n.children[half:]))
	n.children = slices.Delete(n.children, half, len(n.children))
	n.sum = n.sum.minus(next.sum)
	n.count -= next.count
	n.up.insert(slices.Index(n.up.children, n)+1, next)
}

// newMerkleNode returns a node that adopts children.
func newMerkleNode(children []*merkleNode) *merkleNode {
	n := &merkleNode{key: children[0].key, children: children}
	for _, child := range children {
		child.up = n
		n.sum = n.sum.plus(child.sum)
		n.count += child.count
	}
	return n
}

// within returns the joint hash and the number of the keys in a range. Of the
// children that touch the range, only the first and the last may reach beyond it.
func (n *merkleNode) within(r KeyRange) (sum Hash, count int) {
	if r == (KeyRange{}) || n.children == nil && r.Contains(n.key) {
		return n.sum, n.count
	}
	touching := n.touching(r)
	for i, child := range touching {
		var part KeyRange
		if i == 0 {
			part.From = r.From
		}
		if i == len(touching)-1 {
			part.To = r.To
		}
		h, keys := child.within(part)
		sum = sum.plus(h)
		count += keys
	}
	return sum, count
}

// touching returns the children whose keys may be in a range.
func (n *merkleNode) touching(r KeyRange) []*merkleNode {
	first, found := n.search(r.From)
	if !found {
		first = max(first-1, 0)
	}
	end := len(n.children)
	if r.To != "" {
		end, _ = n.search(r.To)
	}
	return n.children[first:max(first, end)]
}

// at returns the key that has i keys before it.
func (n *merkleNode) at(i int) string {
	for n.children != nil {
		for _, n = range n.children {
			if i < n.count {
				break
			}
			i -= n.count
		}
	}
	return n.key
}

func (n *merkleNode) visit(r KeyRange, yield func(string, Hash) bool) bool {
	for _, child := range n.touching(r) {
		isKey := child.children == nil
		if isKey && r.Contains(child.key) && !yield(child.key, child.sum) || !isKey && !child.visit(r, yield) {
			return false
		}
	}
	return true
}
