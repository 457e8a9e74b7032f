package report

import (
	"slices"
	"unicode"
)

// box is a rectangle: left, top, right, bottom.
type box [4]px

func (b box) meets(o box) bool {
	return b[0] < o[2] && o[0] < b[2] && b[1] < o[3] && o[1] < b[3]
}

// place puts b into the first row where it meets nothing and returns the row's
// number. It adds a row if there are fewer than limit, or if limit is 0;
// otherwise it returns -1.
func place(rows *[][]box, b box, limit int) int {
	for i := range *rows {
		if !slices.ContainsFunc((*rows)[i], b.meets) {
			(*rows)[i] = append((*rows)[i], b)
			return i
		}
	}
	if limit > 0 && len(*rows) >= limit {
		return -1
	}
	*rows = append(*rows, []box{b})
	return len(*rows) - 1
}

// width estimates the width of a text. Wide characters count twice.
func width(s string, char px) px {
	n := 0
	for _, r := range s {
		n++
		if r >= 0x1100 && (unicode.In(r, unicode.Han, unicode.Hangul, unicode.Hiragana, unicode.Katakana) || r >= 0x1F300) {
			n++
		}
	}
	return px(n) * char
}
