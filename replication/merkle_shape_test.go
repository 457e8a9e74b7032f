package replication

import (
	"fmt"
)

// CheckShape checks what no answer of a tree shows: that it is as wide and as low
// as its cost takes for granted, and that its nodes know their places and sums.
func (t *MerkleTree) CheckShape() error {
	if t.root.up != nil {
		return fmt.Errorf("the root has a parent")
	}
	_, err := t.root.checkShape("")
	return err
}

// checkShape returns the height of a subtree whose keys must be before a bound; ""
// is no bound.
func (n *merkleNode) checkShape(before string) (height int, err error) {
	if n.children == nil && n.up != nil {
		if n.count != 1 {
			return 0, fmt.Errorf("key %q counts %d", n.key, n.count)
		}
		return 0, nil
	}
	var sum Hash
	var count int
	for i, child := range n.children {
		bound := before
		if i+1 < len(n.children) {
			bound = n.children[i+1].key
		}
		below, err := child.checkShape(bound)
		switch {
		case err != nil:
			return 0, err
		case child.up != n:
			return 0, fmt.Errorf("child %q of %q has another parent", child.key, n.key)
		case child.key < n.key || bound != "" && child.key >= bound:
			return 0, fmt.Errorf("child %q of %q is not before %q", child.key, n.key, bound)
		case child.count == 0:
			return 0, fmt.Errorf("child %q of %q is empty", child.key, n.key)
		case i > 0 && below+1 != height:
			return 0, fmt.Errorf("children of %q differ in height", n.key)
		}
		height = below + 1
		sum = sum.plus(child.sum)
		count += child.count
	}
	switch {
	case len(n.children) > widest:
		return 0, fmt.Errorf("node %q has %d children", n.key, len(n.children))
	case sum != n.sum || count != n.count:
		return 0, fmt.Errorf("node %q has sum %x of %d keys, its children %x of %d", n.key, n.sum, n.count, sum, count)
	}
	return height, nil
}
