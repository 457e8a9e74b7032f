package checker

import "slices"

// memo is a set of sequences of words: a table of places in one long list of
// words, where each sequence stands behind its length.
type memo struct {
	words []uint64
	table []uint32 // place in words, or 0
	count int
}

func (m *memo) reset() {
	m.words, m.count = append(m.words[:0], 0), 0 // no sequence stands at 0
	clear(m.table)
}

// size returns how many bytes the set takes.
func (m *memo) size() int64 { return int64(8*len(m.words) + 4*len(m.table)) }

func (m *memo) has(words []uint64) bool {
	return m.count > 0 && m.table[m.find(words)] != 0
}

func (m *memo) add(words []uint64) {
	if 2*m.count >= len(m.table) {
		m.grow()
	}
	at := m.find(words)
	if m.table[at] != 0 {
		return
	}
	m.table[at] = uint32(len(m.words))
	m.words = append(append(m.words, uint64(len(words))), words...)
	m.count++
}

// find returns where in the table the sequence is, or could be.
func (m *memo) find(words []uint64) int {
	mask := len(m.table) - 1
	at := int(mix(words)) & mask
	for ; m.table[at] != 0; at = (at + 1) & mask {
		if slices.Equal(m.at(m.table[at]), words) {
			break
		}
	}
	return at
}

func (m *memo) at(place uint32) []uint64 {
	n := m.words[place]
	return m.words[place+1 : uint64(place)+1+n]
}

func (m *memo) grow() {
	old := m.table
	m.table = make([]uint32, max(256, 2*len(old)))
	for _, place := range old {
		if place != 0 {
			m.table[m.find(m.at(place))] = place
		}
	}
}

func mix(words []uint64) uint64 {
	h := uint64(len(words))
	for _, w := range words {
		h = (h ^ w) * 0x9e3779b97f4a7c15
		h ^= h >> 29
	}
	return h
}
